package router

import (
	"context"
	"log/slog"
	"time"
)

// ReloadEvent says how a Reload went.
type ReloadEvent struct {
	Err    error // why it was refused; nil: it is served now
	Warmed Warmed
	Took   time.Duration
}

// Reload serves another supergraph, with other options, from the next request on. All that can be wrong with them is found before anything
// changes: after an error the Router goes on as before, and o is not used.
//
// The operations that the Router knew are read and planned for the new graph first, as far as WarmOperations and WarmTime go. Running operations
// and subscriptions end as they began, under the old graph and options; when the last of them has, the old fetcher is closed and the old
// Released called. WebSockets stay open, and their next operation is answered by the new graph; what was read when they were opened, their
// identity and the headers that they pass on, stays with them.
//
// Every option may change. The caches of plans, shared operations and upstream subscriptions begin anew. Circuit breakers, turns, budgets of
// retries and what is known of answering times go on where a subgraph's rules and address stay. What Options hold themselves, such as stores,
// verifiers and a Telemetry, goes on when the same is given again.
func (r *Router) Reload(supergraphSDL string, o Options) error {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	began := time.Now()
	warmed, err := r.reload(supergraphSDL, o)
	e := ReloadEvent{Err: err, Warmed: warmed, Took: time.Since(began)}
	now := r.gateway.Load() // the new one, or the old one after an error
	now.telemetry.Reloaded(e.Took, err)
	if now.hooks.Reload != nil {
		now.hooks.Reload(e)
	}
	if err != nil {
		return err
	}
	now.logger.LogAttrs(context.Background(), slog.LevelInfo, "reloaded", warmed.attributes()...)
	return nil
}

func (r *Router) reload(supergraphSDL string, o Options) (Warmed, error) {
	g, s, err := assemble(supergraphSDL, o, r.gateway.Load())
	if err != nil {
		return Warmed{}, err
	}
	var warmed Warmed
	if o.WarmOperations >= 0 {
		warming, cancel := context.WithTimeout(context.Background(), orElse(o.WarmTime, defaultWarmTime))
		defer cancel()
		warmed = g.warm(warming, r.gateway.Load(), orElse(o.WarmOperations, defaultWarmOperations))
	}
	if err := r.Server.Reload(s); err != nil {
		g.close()
		return Warmed{}, err
	}
	r.take(g)
	return warmed, nil
}

func orElse[N int | time.Duration](n, standard N) N {
	if n <= 0 {
		return standard
	}
	return n
}
