package router

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"bourse/router/execute"
)

// Probe asks every subgraph for __typename, all at once, and says of each why it does not answer; nil: it does.
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
	resp, err := g.fetcher.Fetch(ctx, &execute.Request{
		Subgraph: subgraph, Body: []byte(`{"query":"{ __typename }"}`), Header: g.passOn(http.Header{}), Idempotent: true,
	})
	if err != nil {
		return err
	}
	if resp.Release != nil {
		defer resp.Release()
	}
	if resp.Status < 200 || resp.Status > 299 {
		return fmt.Errorf("HTTP status %d", resp.Status)
	}
	return nil
}
