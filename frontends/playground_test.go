package frontends

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func TestThePlaygroundIsServedWhereverItIsMounted(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	page := newPlayground(fstest.MapFS{
		"index.html": file("<playground>"), "index.html.gz": file("packed"), "static/js/index.0a1b.js": file("play()"),
	}, PlaygroundOptions{Endpoint: "/api/graphql", Explain: true})
	mux := http.NewServeMux()
	mux.Handle("/tools/", http.StripPrefix("/tools", page))
	for _, c := range []struct {
		path string
		code int
		body string
	}{
		{"/tools/", 200, "<playground>"},
		{"/tools/static/js/index.0a1b.js", 200, "play()"},
		{"/tools/playground.json", 200, `{"endpoint":"/api/graphql","explain":true}`},
		{"/tools/index.html.gz", 404, ""},
		{"/tools/nothing", 404, ""},
	} {
		w := get(t, mux, c.path)
		if w.Code != c.code || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body.String())
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "connect-src 'self'") {
			t.Errorf("%s: the policy is %q", c.path, policy)
		}
	}
}
