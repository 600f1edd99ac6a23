package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/serve"
	"bourse/router/subscribe/socket"
	"bourse/router/upload"
)

// network reaches subgraphs at their addresses: by HTTP, and for subscriptions by WebSocket where it was asked to.
type network struct {
	*fetch.HTTP
	sockets *socket.Client
	events  *eventStreams
	uploads bool // requests may have files
}

// Fetch implements FetcherWithStream.
func (n *network) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	if n.uploads {
		if files := upload.From(ctx); files != nil && files.In(req.Body) {
			contentType, form, err := files.Form(req.Body)
			if err != nil {
				return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
			}
			resp, err := n.FetchForm(ctx, req, contentType, form)
			return resp, blamed(err)
		}
	}
	return n.HTTP.Fetch(ctx, req)
}

// blamed is an error of a request with files, with what the client did wrong: that is no failure of the subgraph.
func blamed(err error) error {
	switch {
	case errors.Is(err, upload.ErrTooLarge):
		return &execute.FetchError{Code: serve.CodeUploadTooLarge, What: "did not get the files: one of them is larger than allowed", Err: err}
	case errors.Is(err, upload.ErrMissing):
		return &execute.FetchError{Code: serve.CodeBadRequest, What: "did not get the files: the form ends before the last of them", Err: err}
	}
	return err
}

// Stream implements FetcherWithStream.
func (n *network) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	if n.sockets.Knows(req.Subgraph) {
		return n.overSockets(ctx, req)
	}
	return n.events.stream(ctx, n.HTTP, req)
}

func (n *network) Close() {
	n.sockets.Close()
	n.HTTP.Close()
}

// UnknownSubgraphError says that options name a subgraph that the supergraph does not have.
type UnknownSubgraphError struct {
	Name string
	Has  []string // the supergraph
}

func (e *UnknownSubgraphError) Error() string {
	return fmt.Sprintf("the supergraph has no subgraph %q; it has %s", e.Name, strings.Join(e.Has, ", "))
}

// onlyKnown looks for subgraphs that the options name and the supergraph does not have: what is said of them would silently hold for none.
func onlyKnown(addresses map[string]string, o Options) error {
	known := slices.Sorted(maps.Keys(addresses))
	var cached map[string]entitycache.SubgraphOptions
	if o.Cache != nil {
		cached = o.Cache.Subgraphs
	}
	var answering []string
	for _, r := range o.Headers.Response {
		answering = append(answering, r.Subgraphs...)
	}
	for _, named := range [][]string{
		answering,
		slices.Sorted(maps.Keys(o.Subgraphs.URLs)), slices.Sorted(maps.Keys(o.Subgraphs.Sockets.Subgraphs)),
		slices.Sorted(maps.Keys(o.Subgraphs.HTTP.Connections)), slices.Sorted(maps.Keys(o.Subgraphs.HTTP.MaxResponseOf)),
		slices.Sorted(maps.Keys(o.Traffic.Subgraphs)), slices.Sorted(maps.Keys(o.ErrorsOf)), slices.Sorted(maps.Keys(o.Headers.Subgraphs)),
		slices.Sorted(maps.Keys(cached)),
	} {
		for _, name := range named {
			if !slices.Contains(known, name) {
				return &UnknownSubgraphError{name, known}
			}
		}
	}
	return nil
}

// overNetwork is the fetcher for subgraphs at these addresses.
func overNetwork(urls map[string]string, o Options) (*network, error) {
	sockets := o.Subgraphs.Sockets
	sockets.Subgraphs = maps.Clone(sockets.Subgraphs)
	for name, s := range sockets.Subgraphs {
		where, err := url.Parse(urls[name])
		if err != nil {
			return nil, fmt.Errorf("subgraph %s: %w", name, err)
		}
		if where, err = where.Parse(s.URL); err != nil {
			return nil, fmt.Errorf("subgraph %s: WebSockets: %w", name, err)
		}
		s.URL = where.String()
		if s.TLS == nil {
			s.TLS = o.Subgraphs.HTTP.Connections[name].TLS
		}
		sockets.Subgraphs[name] = s
	}
	asked := o.Subgraphs.HTTP
	asked.Timeout = o.Traffic.Longest(asked.Timeout)
	if asked.Propagate == nil {
		asked.Propagate = o.Telemetry.Propagate()
	}
	return &network{
		HTTP:    fetch.NewHTTP(urls, asked),
		sockets: socket.New(sockets), events: newEventStreams(o.Subgraphs.MaxEventStreams),
		uploads: o.Uploads.Files > 0,
	}, nil
}
