package telemetry

import (
	"sync/atomic"
	"time"
)

// CacheFigures are of a cache at this moment.
type CacheFigures struct {
	Entries, Bytes int
	Evictions      int64
}

// Watched is what is looked up when somebody asks for metrics. What is nil counts as 0.
type Watched struct {
	Plans     func() CacheFigures
	Sockets   func() int
	Upstreams func() int
}

// watch holds what is watched now; it changes with every reload.
type watch struct{ now atomic.Pointer[Watched] }

// Watch says where figures are looked up from now on, which is when something new is served. Fields that are nil keep what they were.
func (t *Telemetry) Watch(w Watched) {
	if t == nil || t.metrics == nil {
		return
	}
	t.metrics.loaded.SetToCurrentTime()
	if before := t.metrics.watch.now.Load(); before != nil {
		if w.Plans == nil {
			w.Plans = before.Plans
		}
		if w.Sockets == nil {
			w.Sockets = before.Sockets
		}
		if w.Upstreams == nil {
			w.Upstreams = before.Upstreams
		}
	}
	t.metrics.watch.now.Store(&w)
}

func (w *watch) plans() CacheFigures {
	if now := w.now.Load(); now != nil && now.Plans != nil {
		return now.Plans()
	}
	return CacheFigures{}
}

func (w *watch) count(of func(*Watched) func() int) int {
	if now := w.now.Load(); now != nil {
		if figure := of(now); figure != nil {
			return figure()
		}
	}
	return 0
}

func (w *watch) sockets() int { return w.count(func(n *Watched) func() int { return n.Sockets }) }

func (w *watch) upstreams() int { return w.count(func(n *Watched) func() int { return n.Upstreams }) }

// Events counts events of subscriptions that were handed to their clients' queues, and that these let go of.
func (t *Telemetry) Events(delivered, dropped int) {
	if t == nil || t.metrics == nil {
		return
	}
	t.metrics.delivered.Add(float64(delivered))
	if dropped > 0 {
		t.metrics.dropped.Add(float64(dropped))
	}
}

// Breaker tells the state of a subgraph's circuit breaker: 0 closed, 1 open, 2 half open.
func (t *Telemetry) Breaker(subgraph string, state int) {
	if t != nil && t.metrics != nil {
		t.metrics.breakers.WithLabelValues(subgraph).Set(float64(state))
	}
}

// Limited counts an operation that a limit refused.
func (t *Telemetry) Limited(limit string) {
	if t != nil && t.metrics != nil {
		t.metrics.limited.WithLabelValues(t.metrics.codes.label(limit)).Inc()
	}
}

// Warned counts an operation that exceeds a limit and runs nevertheless.
func (t *Telemetry) Warned(limit string) {
	if t != nil && t.metrics != nil {
		t.metrics.warned.WithLabelValues(t.metrics.codes.label(limit)).Inc()
	}
}

// RateLimited counts an operation that a rate limit refused.
func (t *Telemetry) RateLimited(rule string) {
	if t != nil && t.metrics != nil {
		t.metrics.rateLimited.WithLabelValues(t.metrics.codes.label(rule)).Inc()
	}
}

// Persisted counts a look for a persisted document: hit, miss or registered.
func (t *Telemetry) Persisted(result string) {
	if t != nil && t.metrics != nil {
		t.metrics.persisted.WithLabelValues(result).Inc()
	}
}

// Reloaded tells of a reload of supergraph and configuration, and how it went.
func (t *Telemetry) Reloaded(took time.Duration, err error) {
	if t == nil || t.metrics == nil {
		return
	}
	if err != nil {
		t.metrics.reloads.WithLabelValues("failed").Inc()
		return
	}
	t.metrics.reloads.WithLabelValues("ok").Inc()
	t.metrics.reloadTimes.WithLabelValues().Observe(took.Seconds())
}
