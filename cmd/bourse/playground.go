package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"

	"bourse/frontends"
	"bourse/router"
)

// explainTo opens plans and timings to who has the secret that it makes, with --explain; otherwise it is empty.
func (r *routing) explainTo(o *router.Options) (secret string) {
	if !r.explain {
		return ""
	}
	secret = rand.Text()
	if o.Explain == nil {
		o.Explain = &router.Explain{}
	}
	o.Explain.Secret = secret
	return secret
}

// mountPlayground serves the playground where it is wanted.
func (r *routing) mountPlayground(mux *http.ServeMux, endpoint string, explains bool) {
	if r.playground == "" {
		return
	}
	at := r.playgroundPath()
	page := frontends.Playground(frontends.PlaygroundOptions{Endpoint: endpoint, Explain: explains})
	mux.Handle(at, http.StripPrefix(strings.TrimSuffix(at, "/"), page))
}

// playgroundPath is the path of the page, with a slash at both ends: its files are relative to it.
func (r *routing) playgroundPath() string {
	return strings.TrimSuffix("/"+strings.Trim(r.playground, "/"), "/") + "/"
}

// greetPlayground says where the playground is. The secret stands behind the #, which browsers send to nobody.
func (r *routing) greetPlayground(out io.Writer, address, secret string) {
	if r.playground == "" {
		return
	}
	if secret != "" {
		secret = "#explain=" + secret
	}
	fmt.Fprintf(out, "playground on http://%s%s%s\n", address, r.playgroundPath(), secret)
}
