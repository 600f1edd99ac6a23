package daemon

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bourse/router/config"
)

// probed is what /readyz says.
func probed(ctx context.Context, h *health) (int, string) {
	w := httptest.NewRecorder()
	h.ready(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHowManySubgraphsMustAnswer(t *testing.T) {
	away := errors.New("dial tcp 10.0.0.7:4001: connection refused")
	for _, c := range []struct {
		wanted string
		a, b   error
		status int
		text   string
	}{
		{"all", nil, nil, 200, `{"status":"ready","subgraphs":{"a":"ok","b":"ok"}}`},
		{"all", nil, away, 503, `{"status":"subgraphs","subgraphs":{"a":"ok","b":"unreachable"}}`},
		{"any", nil, away, 200, `{"status":"ready","subgraphs":{"a":"ok","b":"unreachable"}}`},
		{"any", away, away, 503, `{"status":"subgraphs","subgraphs":{"a":"unreachable","b":"unreachable"}}`},
		{"none", away, away, 200, `{"status":"ready"}`},
	} {
		var h health
		h.configure(config.Health{Subgraphs: c.wanted, Timeout: config.Duration(time.Minute)}, func(context.Context) map[string]error {
			return map[string]error{"a": c.a, "b": c.b}
		})
		for _, s := range []state{starting, draining} {
			h.set(s)
			if status, text := probed(t.Context(), &h); status != 503 || text != `{"status":"`+s.String()+`"}` {
				t.Errorf("%s: %d %s", s, status, text)
			}
		}
		h.set(ready)
		if status, text := probed(t.Context(), &h); status != c.status || text != c.text {
			t.Errorf("%s: %d %s, want %d %s", c.wanted, status, text, c.status, c.text)
		}
	}
}

// However many probes come, subgraphs are asked once in a while, for the time that they have, and whoever probes may have left by then.
func TestSubgraphsAreAskedOnceForManyProbes(t *testing.T) {
	asked := 0
	probe := func(ctx context.Context) map[string]error {
		asked++
		if by, bounded := ctx.Deadline(); !bounded || time.Until(by) > time.Minute {
			t.Errorf("the subgraphs have until %v", by)
		}
		return map[string]error{"a": ctx.Err()}
	}
	c := config.Health{Subgraphs: "all", Interval: config.Duration(time.Hour), Timeout: config.Duration(time.Minute)}
	var h health
	h.configure(c, probe)
	h.set(ready)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 10 {
		if status, text := probed(gone, &h); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	}
	if asked != 1 {
		t.Errorf("they were asked %d times", asked)
	}
	h.configure(c, probe) // of a graph that was reloaded: what was found of the old one says nothing
	probed(t.Context(), &h)
	if asked != 2 {
		t.Errorf("after a reload they were asked %d times in all", asked)
	}
}
