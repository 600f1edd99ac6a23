package router

import (
	"context"

	"bourse/router/persisted"
	"bourse/router/serve"
)

// find puts the text into a request that has only the id or hash of its operation, and refuses what may not run. Without trusted documents
// and automatic persisted queries there is nothing to find.
func (g *gateway) find(ctx context.Context, req *serve.Request) (persisted.Found, *serve.Refusal) {
	extension := req.Extensions["persistedQuery"]
	if g.documents == nil {
		if req.Query == "" {
			return persisted.Found{}, serve.Refuse(0, persisted.CodeNotSupported, persisted.NotSupported)
		}
		return persisted.Found{}, nil
	}
	found, refused := g.documents.Find(ctx, persisted.Request{Text: req.Query, ID: req.DocumentID, Extension: extension})
	if refused != nil {
		g.telemetry.Persisted("miss")
		return found, serve.Refuse(0, refused.Code, refused.Message)
	}
	switch {
	case found.Keep != "":
		g.telemetry.Persisted("registered")
	case req.Query == "" || found.Trusted:
		g.telemetry.Persisted("hit")
	}
	req.Query = found.Text
	return found, nil
}
