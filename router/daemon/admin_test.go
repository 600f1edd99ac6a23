package daemon

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"bourse/router/internal/await"
)

// getFrom is get for a client that a proxy names.
func (r *running) getFrom(client, url string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", client)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	status, _ := answer(r.t, res)
	return status
}

// What is for operators stands on their listener alone, and there only for whom it is open, from a reload on too.
func TestTheAdminListenerIsForWhomItIsOpen(t *testing.T) {
	const configuration = `
listen: { address: "127.0.0.1:0", admin: "127.0.0.1:0" }
supergraph: { file: graph.graphql, watch: false }
telemetry: { metrics: {} }
`
	r := start(t, configuration+"addresses: { trusted_proxies: [127.0.0.1], admin: { deny: [198.51.100.0/24] } }\n", graph(t, "http://127.0.0.1:1", "a"))
	public := strings.TrimSuffix(r.Endpoint, "/graphql")
	if r.Admin == "" || r.Admin == public {
		t.Fatalf("the admin listener is at %q", r.Admin)
	}
	for _, c := range []struct {
		client, url string
		status      int
	}{
		{"192.0.2.1", r.Admin + "/metrics", 200},
		{"192.0.2.1", r.Admin + "/readyz", 200},
		{"198.51.100.1", r.Admin + "/metrics", 403},
		{"198.51.100.1", r.Admin + "/readyz", 403},
		{"192.0.2.1, 198.51.100.1", r.Admin + "/metrics", 403},
		{"198.51.100.1", public + "/readyz", 200},
		{"192.0.2.1", public + "/metrics", 404},
		{"192.0.2.1", r.Admin + "/graphql", 404},
	} {
		if status := r.getFrom(c.client, c.url); status != c.status {
			t.Errorf("%s gets %d at %s, want %d", c.client, status, c.url, c.status)
		}
	}
	r.write("router.yaml", configuration+"addresses: { admin: { allow: [198.51.100.0/24] } }\n")
	for range 2 { // the second is heard of when the first has been done
		r.hangup <- os.Interrupt
	}
	if e := await.One(t, r.reloaded); e.Err != nil {
		t.Fatal(e.Err)
	}
	for _, client := range []string{"192.0.2.1", "198.51.100.1"} { // whom no proxy may name any more
		if status := r.getFrom(client, r.Admin+"/metrics"); status != 403 {
			t.Errorf("after the reload %s gets %d", client, status)
		}
	}
}
