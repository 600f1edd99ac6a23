package headers

import (
	"context"
	"io"

	"bourse/router/execute"
)

// Fetcher reaches subgraphs for queries, mutations and subscriptions.
type Fetcher interface {
	execute.Fetcher
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// outgoing gives subgraphs the headers that they may see.
type outgoing struct {
	Fetcher
	set    *Set
	signer *Signer
}

// Before puts rules and signed claims before a fetcher; either may be nil.
func Before(f Fetcher, set *Set, signer *Signer) Fetcher {
	if set == nil && signer == nil {
		return f
	}
	return &outgoing{f, set, signer}
}

// Fetch implements execute.Fetcher.
func (o *outgoing) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	own, err := o.dressed(req)
	if err != nil {
		return nil, err
	}
	return o.Fetcher.Fetch(ctx, own)
}

// Stream implements Fetcher.
func (o *outgoing) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	own, err := o.dressed(req)
	if err != nil {
		return nil, err
	}
	return o.Fetcher.Stream(ctx, own)
}

// dressed is a copy of a request with the headers for its subgraph.
func (o *outgoing) dressed(req *execute.Request) (*execute.Request, error) {
	own := *req
	if o.set != nil {
		own.Header = o.set.Outgoing(req.Subgraph, req.Header, req.Identity)
	} else {
		own.Header = req.Header.Clone()
	}
	if o.signer == nil {
		return &own, nil
	}
	return &own, o.signer.sign(&own)
}

// collecting lets clients see headers of subgraphs. It stands before whatever shares answers: those who share one see its headers.
type collecting struct{ Fetcher }

// Collecting hands the headers of answers to the Collector of the context.
func Collecting(f Fetcher) Fetcher { return &collecting{f} }

// Fetch implements execute.Fetcher.
func (c *collecting) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	resp, err := c.Fetcher.Fetch(ctx, req)
	if collector, ok := ctx.Value(collectorKey{}).(*Collector); ok && err == nil && resp != nil {
		collector.add(req.Subgraph, resp.Header)
	}
	return resp, err
}
