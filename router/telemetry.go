package router

import (
	"context"
	"io"

	"bourse/router/execute"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// told reports each request to a subgraph, as the executor sees it: whatever is shared, cached or repeated below is part of one report.
type told struct {
	FetcherWithStream
	telemetry *telemetry.Telemetry
}

// withTelemetry puts reports around f where anyone wants them.
func withTelemetry(f FetcherWithStream, t *telemetry.Telemetry) FetcherWithStream {
	if t == nil {
		return f
	}
	return &told{f, t}
}

func askOf(req *execute.Request) telemetry.Ask {
	a := telemetry.Ask{Subgraph: req.Subgraph, Entities: req.Entities, Sent: len(req.Body)}
	if req.Fetch != nil {
		a.Index = req.Fetch.Index
	}
	return a
}

// Fetch implements execute.Fetcher.
func (f *told) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	ctx, account := f.telemetry.Fetch(ctx, askOf(req))
	resp, err := f.FetcherWithStream.Fetch(ctx, req)
	if resp == nil {
		account.Done(0, 0, err)
		return resp, err
	}
	account.Done(resp.Status, len(resp.Body), err)
	return resp, err
}

// Stream implements FetcherWithStream. A stream's report ends when it stands: how long it lasts is the client's business.
func (f *told) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	ctx, account := f.telemetry.Fetch(ctx, askOf(req))
	body, err := f.FetcherWithStream.Stream(ctx, req)
	status := 200
	if err != nil {
		status = 0
	}
	account.Done(status, 0, err)
	return body, err
}

// tellState reports the states of breakers beside telling the operator's own hook.
func tellState(hook func(subgraph string, from, to traffic.State), t *telemetry.Telemetry) func(subgraph string, from, to traffic.State) {
	if t == nil {
		return hook
	}
	return func(subgraph string, from, to traffic.State) {
		t.Breaker(subgraph, int(to))
		if hook != nil {
			hook(subgraph, from, to)
		}
	}
}
