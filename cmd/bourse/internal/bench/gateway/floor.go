package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// floor is no gateway: it makes the subgraph requests of a good plan over net/http and answers with what it was given.
type floor struct {
	client    *http.Client
	subgraphs string // address
	big       []byte
	small     []byte
	crier     crier
}

func newFloor(subgraphs string, big, small []byte) *floor {
	return &floor{
		subgraphs: subgraphs, big: big, small: small,
		client: &http.Client{Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 1000, DisableCompression: true}, Timeout: time.Minute},
	}
}

// ServeHTTP answers the big operation or the small one, or takes a subscriber.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		f.subscribe(w, r)
		return
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	operation, answer := smallOperation, f.small
	if bytes.Contains(body.Bytes(), []byte("users")) {
		operation, answer = bigOperation, f.big
	}
	for _, wave := range floorCalls[operation] {
		if err := f.wave(r.Context(), wave); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // a client that has gone cannot be told
}

// wave makes its calls at the same time, the last one on this goroutine.
func (f *floor) wave(ctx context.Context, calls []call) error {
	errs := make([]error, len(calls))
	var all sync.WaitGroup
	for i := range calls[1:] {
		all.Go(func() { errs[i] = f.call(ctx, calls[i]) })
	}
	last := len(calls) - 1
	errs[last] = f.call(ctx, calls[last])
	all.Wait()
	return errors.Join(errs...)
}

func (f *floor) call(ctx context.Context, c call) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.subgraphs+"/"+c.Subgraph, strings.NewReader(c.Body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(resp.Body); err != nil {
		return err
	}
	if !bytes.HasPrefix(buf.Bytes(), []byte(`{"data":`)) {
		return fmt.Errorf("the subgraph answered %.100q", buf.Bytes())
	}
	return nil
}

// serveUntil serves a handler until ctx ends and tells its address first.
func serveUntil(ctx context.Context, h http.Handler, ready func(address string)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	ready(l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
