package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"bourse/subgraphs/member"
)

// Overhead is what the router adds to a query that one subgraph answers, per request, on
// one core: both are called as handlers, so neither pays for a socket.
type Overhead struct {
	Router   time.Duration `json:"routerNanos"`
	Subgraph time.Duration `json:"subgraphNanos"`
	Added    time.Duration `json:"addedNanos"`
}

const overheadQuery = `{"query":"{ markets { symbol phase tickSize lotSize base { code scale } quote { code scale } } }"}`

// Lines are the figures; what the router adds is held against what other routers do, elsewhere.
func (r *Overhead) Lines() []Line {
	return []Line{{
		What: "what the router adds to a query", Figure: took(r.Added),
		Note: fmt.Sprintf("%s through the router, %s at the subgraph", took(r.Router), took(r.Subgraph)),
	}}
}

// RouterOverhead measures the same query through the router and at the subgraph, in turn.
func RouterOverhead(ctx context.Context, o Options) (Overhead, error) {
	s, err := open(ctx, o)
	if err != nil {
		return Overhead{}, err
	}
	defer s.teardown()
	const secret = "bench"
	direct := member.Handler(member.Options{Exchange: s.house.Exchange, RouterSecret: secret, Logger: slog.New(slog.DiscardHandler)})
	var through, beside []time.Duration
	for round := range o.Rounds {
		o.Progress(fmt.Sprintf("round %d of %d: through the router, then at the subgraph", round+1, o.Rounds))
		r, err := perRequest(ctx, s.house.Handler(), nil, o.Round)
		if err != nil {
			return Overhead{}, err
		}
		through = append(through, r)
		r, err = perRequest(ctx, direct, http.Header{"Bourse-Router-Secret": {secret}}, o.Round)
		if err != nil {
			return Overhead{}, err
		}
		beside = append(beside, r)
	}
	slices.Sort(through)
	slices.Sort(beside)
	m := Overhead{Router: through[len(through)/2], Subgraph: beside[len(beside)/2]}
	m.Added = m.Router - m.Subgraph
	return m, nil
}

// perRequest sends the query again and again, one at a time, and returns the mean.
func perRequest(ctx context.Context, handler http.Handler, header http.Header, d time.Duration) (time.Duration, error) {
	began, n := time.Now(), 0
	for ; time.Since(began) < d; n++ {
		request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewBufferString(overheadQuery))
		request.Header.Set("Content-Type", "application/json")
		for name, values := range header {
			request.Header[name] = values
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK || bytes.Contains(recorder.Body.Bytes(), []byte(`"errors"`)) {
			text, _ := io.ReadAll(recorder.Body)
			return 0, fmt.Errorf("the query failed: %s", text)
		}
	}
	return time.Since(began) / time.Duration(n), nil
}
