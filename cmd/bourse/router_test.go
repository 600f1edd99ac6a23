package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bourse/router/compose"
)

const (
	productsSDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { product: Product slow: Int }
type Product @key(fields: "id") { id: ID! name: String }`
	reviewsSDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Product @key(fields: "id") { id: ID! stars: Int }`
)

// startRouter runs the command on a free port and returns its address, and what ends it and waits for its error.
func startRouter(t *testing.T, args ...string) (string, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	read, write := io.Pipe()
	cmd := newRoot()
	cmd.SetErr(write)
	cmd.SetArgs(append([]string{"router", "--listen", "127.0.0.1:0"}, args...))
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		_ = write.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if found := regexp.MustCompile(`router on (http://\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, read) }()
			return found[1], func() error { cancel(); return <-ended }
		}
	}
	t.Fatalf("the router did not start: %v", <-ended)
	return "", nil
}

func supergraphFile(t *testing.T, products, reviews string) string {
	t.Helper()
	r, err := compose.Compose([]compose.Subgraph{{Name: "products", URL: products, SDL: productsSDL}, {Name: "reviews", URL: reviews, SDL: reviewsSDL}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "supergraph.graphql")
	if err := os.WriteFile(file, []byte(r.SupergraphSDL), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func ask(t *testing.T, address, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(address, "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answering is a subgraph that says the same whatever it is asked, once it may.
func answering(t *testing.T, text string, asked chan<- string, may <-chan struct{}) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked != nil {
			asked <- string(body)
		}
		if may != nil {
			<-may
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The router alone, in front of two subgraphs on loopback, one of them elsewhere than the supergraph says.
func TestTheRouterServesAnySubgraphs(t *testing.T) {
	products := answering(t, `{"data":{"product":{"__typename":"Product","id":"1","name":"chair"}}}`, nil, nil)
	asked := make(chan string, 1)
	reviews := answering(t, `{"data":{"_entities":[{"stars":5}]}}`, asked, nil)
	file := supergraphFile(t, products, "http://127.0.0.1:1/nowhere")
	for _, way := range []string{"flag", "environment"} {
		t.Run(way, func(t *testing.T) {
			args := []string{"--supergraph", file}
			if way == "flag" {
				t.Setenv("BOURSE_SUBGRAPHS", "reviews=http://127.0.0.1:1/wrong")
				args = append(args, "--subgraph", "reviews="+reviews)
			} else {
				t.Setenv("BOURSE_SUBGRAPHS", "reviews="+reviews)
			}
			address, end := startRouter(t, args...)
			if got, want := ask(t, address, `{ product { name stars } }`), `{"data":{"product":{"name":"chair","stars":5}}}`; strings.TrimSpace(got) != want {
				t.Errorf("the answer is %s, want %s", got, want)
			}
			if query := <-asked; !strings.Contains(query, "_entities") || !strings.Contains(query, `"id":"1"`) {
				t.Errorf("reviews was asked %s", query)
			}
			if err := end(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// A running request is finished before the router ends, and no new one is taken.
func TestTheRouterEndsWhenItsRequestsHave(t *testing.T) {
	asked, may := make(chan string, 1), make(chan struct{})
	products := answering(t, `{"data":{"slow":7}}`, asked, may)
	address, end := startRouter(t, "--supergraph", supergraphFile(t, products, products))
	answer := make(chan string, 1)
	go func() { answer <- ask(t, address, `{ slow }`) }()
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	for !strings.Contains(ask(t, address, `{ __typename }`), "errors") { // until no new request is taken
	}
	close(may)
	if got := <-answer; strings.TrimSpace(got) != `{"data":{"slow":7}}` {
		t.Errorf("the running request was answered %s", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestWhatTheRouterDoesNotStartWith(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := supergraphFile(t, "http://a", "http://b")
	bad := filepath.Join(t.TempDir(), "bad.graphql")
	if err := os.WriteFile(bad, []byte("type Query { a: Int }"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "no supergraph: name its file with --supergraph"},
		{[]string{"--config", "nowhere.yaml"}, "read the configuration: open nowhere.yaml"},
		{[]string{"--supergraph", "nowhere.graphql"}, "read the supergraph: open nowhere.graphql"},
		{[]string{"--supergraph", bad}, "bad.graphql: supergraph: no enum join__Graph"},
		{[]string{"--supergraph", good, "--listen", taken.Addr().String()}, "address already in use (choose another address with --listen)"},
		{[]string{"--supergraph", good, "--subgraph", "nobody=http://c"}, `the supergraph has no subgraph "nobody"; it has products, reviews`},
		{[]string{"--supergraph", good, "--subgraph", "products"}, "NAME=URL"},
		{[]string{"--supergraph", good, "--log-level", "loud"}, "use debug, info, warn or error"},
	} {
		cmd := newRoot()
		cmd.SetErr(io.Discard)
		cmd.SetArgs(append([]string{"router"}, c.args...))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}
