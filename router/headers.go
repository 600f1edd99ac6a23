package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"bourse/router/headers"
	"bourse/router/serve"
)

// headerRules are the rules for headers where there are any; nil: what ForwardHeaders and ConnectionParams let in goes to all subgraphs.
func (o Options) headerRules(subgraphs []string) (*headers.Set, error) {
	if len(o.Headers.All)+len(o.Headers.Subgraphs)+len(o.Headers.Response) == 0 {
		return nil, nil
	}
	params := o.ConnectionParams
	if params == nil {
		params = []string{"Authorization"} // serve's own default
	}
	rules, err := headers.New(o.Headers, headers.Sources{
		Forwarded: o.ForwardHeaders, Params: params, Fixed: slices.Collect(maps.Keys(o.SubgraphHeaders)),
	}, subgraphs)
	if err != nil {
		return nil, fmt.Errorf("header rules: %w", err)
	}
	if rules.GivesCookies() && (o.Traffic.ShareOperations || o.Traffic.ShareFetches || o.Cache != nil) {
		return nil, errors.New("header rules: clients that share an answer would get each other's cookies: let none through (Set-Cookie), or share nothing")
	}
	return rules, nil
}

// passOn is what subgraphs may see: what the server let in, what rules pass on, and over both what the router sets itself.
func (g *gateway) passOn(req *serve.Request) http.Header {
	h := req.Header
	if len(g.headers) == 0 && g.headerRules == nil {
		return h
	}
	if h == nil {
		h = http.Header{}
	}
	if g.headerRules != nil {
		g.headerRules.Select(h, req.Sent)
	}
	maps.Copy(h, g.headers)
	return h
}

// collected begins to gather what the client sees of subgraphs' headers; the function says what that was. Nil: nothing is.
func (g *gateway) collected(ctx context.Context) (context.Context, func() http.Header) {
	if g.headerRules == nil || !g.headerRules.Answers() {
		return ctx, func() http.Header { return nil }
	}
	ctx, c := g.headerRules.Collect(ctx)
	return ctx, c.Header
}
