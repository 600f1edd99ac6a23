package router

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"bourse/router/execute"
)

// Probe asks every subgraph for __typename, all at once and past caches, breakers and hooks, and says of each why it does not answer; nil: it
// does. A refusal is an answer, such as to who has no token.
func (r *Router) Probe(ctx context.Context) map[string]error {
	g := r.gateway.Load()
	var mu sync.Mutex
	var asking sync.WaitGroup
	found := map[string]error{}
	for _, s := range g.sg.Subgraphs() {
		asking.Go(func() {
			err := g.probe(ctx, s.Name)
			mu.Lock()
			defer mu.Unlock()
			found[s.Name] = err
		})
	}
	asking.Wait()
	return found
}

func (g *gateway) probe(ctx context.Context, subgraph string) error {
	resp, err := g.reach.Fetch(ctx, &execute.Request{
		Subgraph: subgraph, Body: []byte(`{"query":"{ __typename }"}`), Header: g.headers, Idempotent: true,
	})
	if err != nil {
		return err
	}
	if resp.Release != nil {
		defer resp.Release()
	}
	if resp.Status >= http.StatusInternalServerError {
		return fmt.Errorf("HTTP status %d", resp.Status)
	}
	return nil
}
