package router

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"bourse/router/serve"
	"bourse/router/telemetry"
)

const (
	defaultWarmOperations = 1000
	defaultWarmTime       = 10 * time.Second
	warmingTold           = 2 * time.Second // between lines of progress
)

// Warmed says what a new gateway has prepared of what the one before it knew.
type Warmed struct {
	Known      int           // operations that the old one knew
	Operations int           // that the new one knows before its first request
	Plans      int           // made for them
	Refused    int           // that the new one refuses: the graph or the limits have changed
	Took       time.Duration // of all of it
	Stopped    bool          // the bounds ended it before all was prepared
}

// warm prepares what old knew, what was used last first, no more than most operations and no longer than ctx lasts. Plans are made for the
// circumstances under which old had made its own: labels, parts, rights.
func (g *gateway) warm(ctx context.Context, old *gateway, most int) Warmed {
	began, told := time.Now(), time.Now()
	texts := old.ready.texts.newest()
	under := old.plannedUnder()
	w := Warmed{Known: len(texts)}
	if len(texts) > most {
		texts, w.Stopped = texts[:most], true
	}
	var prepared []textKey
	for _, t := range texts {
		if ctx.Err() != nil {
			w.Stopped = true
			break
		}
		if time.Since(told) >= warmingTold {
			told = time.Now()
			g.logger.InfoContext(ctx, "warming plans", "operations", w.Operations, "of", len(texts), "plans", w.Plans)
		}
		k, ok := old.ready.texts.peek(t)
		if !ok {
			continue // let go of meanwhile
		}
		plans, refusal := g.prepareAnew(ctx, t, under[k.shape])
		if refusal != nil {
			w.Refused++
			continue
		}
		w.Plans += plans
		w.Operations++
		prepared = append(prepared, t)
	}
	for _, t := range slices.Backward(prepared) { // so that the order of uses is the old one's
		g.ready.texts.get(t)
	}
	w.Took = time.Since(began)
	return w
}

// plannedUnder lists by shape the circumstances of all plans, what was used last first.
func (g *gateway) plannedUnder() map[string][]circumstances {
	under := map[string][]circumstances{}
	for _, key := range g.ready.plans.newest() {
		if p, ok := g.ready.plans.peek(key); ok {
			under[key.shape] = append(under[key.shape], p.under)
		}
	}
	return under
}

// prepareAnew reads an operation and plans it for each of the circumstances; it says how many plans there were to make.
func (g *gateway) prepareAnew(ctx context.Context, t textKey, under []circumstances) (plans int, refusal *serve.Refusal) {
	var told telemetry.Prepared // nobody waits for these
	k, s, refusal := g.read(&serve.Request{Query: t.query, OperationName: t.operation}, &told)
	if refusal != nil {
		return 0, refusal
	}
	for _, c := range under {
		given, key := g.given(k.needs, c)
		pk := planKey{k.shape, key}
		if _, ok := g.ready.plans.peek(pk); ok || ctx.Err() != nil {
			continue
		}
		if _, refusal := g.planUnder(ctx, s, pk, given, c, &told); refusal != nil {
			return plans, refusal
		}
		plans++
	}
	return plans, nil
}

func (w Warmed) attributes() []slog.Attr {
	return []slog.Attr{
		slog.Int("known", w.Known), slog.Int("operations", w.Operations), slog.Int("plans", w.Plans), slog.Int("refused", w.Refused),
		slog.Duration("took", w.Took), slog.Bool("stopped", w.Stopped),
	}
}
