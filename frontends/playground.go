package frontends

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// PlaygroundOptions are what the router's playground must know of the router.
type PlaygroundOptions struct {
	Endpoint string `json:"endpoint"` // path of the GraphQL endpoint
	Explain  bool   `json:"explain"`  // whether there is anyone who may see query plans
}

// Playground serves the router's playground at "/": mount it elsewhere with http.StripPrefix, and a slash at the end.
func Playground(o PlaygroundOptions) http.Handler {
	root, err := fs.Sub(dist, "dist/playground")
	if err != nil {
		panic("frontends: dist is embedded: " + err.Error())
	}
	return newPlayground(root, o)
}

func newPlayground(files fs.FS, o PlaygroundOptions) http.Handler {
	s := newSite(files)
	s.locate = locatePlayground
	told, err := json.Marshal(o)
	if err != nil {
		panic("frontends: the options are JSON: " + err.Error())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /playground.json", func(w http.ResponseWriter, _ *http.Request) {
		secure(w.Header())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(told) // a browser that has gone cannot be told
	})
	mux.Handle("/", s)
	return mux
}

// locatePlayground finds the files of one page.
func locatePlayground(urlPath string) (name string, ok bool) {
	clean := path.Clean("/" + urlPath)[1:]
	if strings.HasSuffix(clean, ".br") || strings.HasSuffix(clean, ".gz") {
		return "", false
	}
	if clean == "" {
		return "index.html", true
	}
	return clean, true
}
