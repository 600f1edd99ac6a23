package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bourse/router/config"
)

// state is how far a run has come.
type state int32

const (
	starting state = iota
	ready
	draining
)

func (s state) String() string { return [...]string{"starting", "ready", "draining"}[s] }

// health answers probes.
type health struct {
	state atomic.Int32

	mu    sync.Mutex // one probe of the subgraphs at a time
	c     config.Health
	probe func(context.Context) map[string]error
	asked time.Time // when the subgraphs were asked
	found readiness
}

// readiness is what a probe is told.
type readiness struct {
	Status    string            `json:"status"`              // ready, starting, draining, or subgraphs where they keep it from being ready
	Subgraphs map[string]string `json:"subgraphs,omitempty"` // ok or unreachable; only where they are asked
}

func (h *health) set(s state) { h.state.Store(int32(s)) }

func (h *health) configure(c config.Health, probe func(context.Context) map[string]error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.c, h.probe, h.asked = c, probe, time.Time{}
}

// alive says that the process answers at all.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) {
	tell(w, http.StatusOK, readiness{Status: "alive"})
}

// ready says whether this router should be sent requests.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	s := state(h.state.Load())
	if s != ready {
		tell(w, http.StatusServiceUnavailable, readiness{Status: s.String()})
		return
	}
	found := h.subgraphs(r.Context())
	status := http.StatusOK
	if found.Status != ready.String() {
		status = http.StatusServiceUnavailable
	}
	tell(w, status, found)
}

func tell(w http.ResponseWriter, status int, r readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) // a probe that has gone needs no answer
}

// subgraphs asks the subgraphs where that is wanted, no more often than the configuration says.
func (h *health) subgraphs(ctx context.Context) readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.c.Subgraphs == "none" {
		return readiness{Status: ready.String()}
	}
	if !h.asked.IsZero() && time.Since(h.asked) < h.c.Interval.Std() {
		return h.found
	}
	// The answer is for later probes too: it must not depend on the patience of this one.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.c.Timeout.Std())
	defer cancel()
	h.found = h.judge(h.probe(asking))
	h.asked = time.Now()
	return h.found
}

func (h *health) judge(errs map[string]error) readiness {
	r := readiness{Status: ready.String(), Subgraphs: map[string]string{}}
	reached := 0
	for name, err := range errs {
		r.Subgraphs[name] = "unreachable"
		if err == nil {
			r.Subgraphs[name] = "ok"
			reached++
		}
	}
	if h.c.Subgraphs == "all" && reached < len(errs) || h.c.Subgraphs == "any" && reached == 0 {
		r.Status = "subgraphs"
	}
	return r
}
