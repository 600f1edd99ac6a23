package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/execute"
	"bourse/router/serve"
)

// A router inside another program: composed, hooked, served, reloaded and closed.
func Example() {
	products := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"data":{"greeting":%q}}`, "hello "+r.Header.Get("X-Tenant"))
	}))
	defer products.Close()
	graph, err := compose.Compose([]compose.Subgraph{{Name: "products", URL: products.URL, SDL: `type Query { greeting: String! }`}}, compose.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	options := router.Options{
		RequestTimeout: 5 * time.Second,
		Hooks: router.Hooks{
			Operation: func(_ context.Context, op *router.OperationInfo) *serve.Refusal {
				if op.Name == "" {
					return serve.Refuse(http.StatusBadRequest, "NAME_REQUIRED", "operations must have a name")
				}
				return nil
			},
			SubgraphRequest: func(_ context.Context, req *execute.Request) error {
				req.Header.Set("X-Tenant", "acme")
				return nil
			},
		},
	}
	r, err := router.New(graph.SupergraphSDL, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(r)
	defer server.Close()

	ask := func(text string) {
		res, err := http.Post(server.URL, "application/json", strings.NewReader(text))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer res.Body.Close() //nolint:errcheck // it is read to its end
		body, _ := io.ReadAll(res.Body)
		fmt.Println(res.StatusCode, strings.TrimSpace(string(body)))
	}
	ask(`{"query":"query Hello { greeting }"}`)
	ask(`{"query":"{ greeting }"}`)

	// Another graph, or other options, from the next request on; what runs ends as it began.
	options.Hooks.Operation = nil
	if err := r.Reload(graph.SupergraphSDL, options); err != nil {
		fmt.Println(err)
	}
	ask(`{"query":"{ greeting }"}`)

	http.DefaultClient.CloseIdleConnections()
	if err := r.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 200 {"data":{"greeting":"hello acme"}}
	// 400 {"errors":[{"message":"operations must have a name","extensions":{"code":"NAME_REQUIRED"}}]}
	// 200 {"data":{"greeting":"hello acme"}}
}
