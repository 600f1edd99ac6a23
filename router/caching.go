package router

import (
	"context"
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/headers"
	"bourse/router/traffic"
)

// variance is what of a request answers depend on, beside its operation: caches between clients and the router must keep apart what it tells apart.
type variance struct {
	names  []string // of headers
	beyond bool     // and headers that cannot all be named: nobody but the client may keep an answer
}

// identifies names the headers that say whom a request speaks for. An operator's own Admit may look at anything; tokens and cookies are the usual.
func (o Options) identifies() []string {
	if o.Admit != nil {
		return []string{"Authorization", "Cookie"}
	}
	if o.Tokens.Verifier == nil {
		return nil
	}
	var names []string
	for _, s := range o.Tokens.sources() {
		if s.Header == "" {
			names = append(names, "Cookie")
		} else {
			names = append(names, http.CanonicalHeaderKey(s.Header))
		}
	}
	return names
}

// varies adds to what identifies clients what subgraphs see of them.
func (o Options) varies(identifies []string, rules *headers.Set) variance {
	v := variance{names: identifies}
	for _, name := range o.ForwardHeaders {
		v.names = append(v.names, http.CanonicalHeaderKey(name))
	}
	if rules != nil {
		named, patterns := rules.Propagated()
		v.names, v.beyond = append(v.names, named...), patterns
	}
	slices.Sort(v.names)
	v.names = slices.Compact(v.names)
	return v
}

// execute runs an operation, and finds out how long its answer may be kept where clients are told that.
func (g *gateway) execute(ctx context.Context, in execute.Input) traffic.Executed {
	ctx, told := g.collected(ctx)
	if !g.cacheControl {
		return traffic.Executed{Result: g.executor.Execute(ctx, in), Told: told()}
	}
	ctx, control := entitycache.WithControl(ctx)
	out := traffic.Executed{Result: g.executor.Execute(ctx, in), Told: told()}
	if in.Plan.Operation() == ast.Query && !out.HasErrors() {
		// Whoever asks a shared cache has proven nothing, and is not to get another's cookies.
		if in.Identity != nil || g.vary.beyond || len(out.Told["Set-Cookie"]) > 0 {
			control.Personal()
		}
		out.Caching = control.Header()
	}
	return out
}
