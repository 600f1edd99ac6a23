package main

import (
	"crypto/rand"
	"net/http"

	"bourse/frontends"
	"bourse/router"
)

// explainSecret makes the secret that opens plans and timings in this run, with --explain. What it returns goes behind the playground's address:
// browsers send to nobody what stands behind the #.
func (r *routing) explainSecret() (fragment string) {
	if !r.explain {
		return ""
	}
	r.secret = rand.Text()
	return "#explain=" + r.secret
}

// explainTo opens plans and timings to who has the secret.
func (r *routing) explainTo(o *router.Options) {
	if r.secret == "" {
		return
	}
	if o.Explain == nil {
		o.Explain = &router.Explain{}
	}
	o.Explain.Secret = r.secret
}

func playgroundPage(endpoint string, explains bool) http.Handler {
	return frontends.Playground(frontends.PlaygroundOptions{Endpoint: endpoint, Explain: explains})
}
