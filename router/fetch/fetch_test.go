package fetch_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"bourse/router/execute"
	"bourse/router/fetch"
)

// fetcher is what HTTP and Local both are.
type fetcher interface {
	execute.Fetcher
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// both runs a test over HTTP, by package http1 and by net/http, and in process.
func both(t *testing.T, h http.HandlerFunc, test func(t *testing.T, f fetcher)) {
	for name, netHTTP := range map[string]bool{"http": false, "net/http": true} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			s := httptest.NewServer(h)
			defer s.Close()
			f := fetch.NewHTTP(map[string]string{"s": s.URL}, fetch.HTTPOptions{MaxResponseBytes: 1 << 20, NetHTTP: netHTTP})
			defer f.Close()
			test(t, f)
		})
	}
	t.Run("local", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		test(t, fetch.NewLocal(map[string]http.Handler{"s": h}))
	})
}

func request(body string) *execute.Request {
	return &execute.Request{
		Subgraph: "s", Body: []byte(body), Idempotent: true,
		Header: http.Header{"Authorization": {"Bearer x"}, "Content-Length": {"999"}, "Accept": {"text/html"}},
	}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestFetchPosts(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %d", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Accept"), body, r.ContentLength)
	}, func(t *testing.T, f fetcher) {
		resp, err := f.Fetch(deadline(t), request(`{"query":"{a}"}`))
		if err != nil {
			t.Fatal(err)
		}
		want := `POST application/json application/graphql-response+json, application/json {"query":"{a}"} 15`
		if string(resp.Body) != want || resp.Status != http.StatusAccepted || resp.Header.Get("X-Echo") != "Bearer x" {
			t.Fatalf("%d %v %s", resp.Status, resp.Header, resp.Body)
		}
		resp.Release()
	})
}

// What belongs to a connection or to a message itself is not passed on, whatever an operator forwards.
func TestHeadersOfAMessageAreNotPassedOn(t *testing.T) {
	own := []string{
		"Content-Encoding", "Accept-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Proxy-Authorization", "Proxy-Connection", "Host",
	}
	both(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range own {
			if value := r.Header.Get(name); value == "secret" || r.Host == "secret" {
				_, _ = fmt.Fprintf(w, "%s ", name)
			}
		}
		_, _ = fmt.Fprintf(w, "%s, %d bytes", r.Header.Get("X-Other"), r.ContentLength)
	}, func(t *testing.T, f fetcher) {
		req := &execute.Request{Subgraph: "s", Body: []byte("x"), Header: http.Header{"X-Other": {"other"}}}
		for _, name := range own {
			req.Header[name] = []string{"secret"}
		}
		resp, err := f.Fetch(deadline(t), req)
		if err != nil || string(resp.Body) != "other, 1 bytes" {
			t.Errorf("%v, %v", resp, err)
		}
	})
}

// A connection that breaks after it has carried a request: queries are sent again, mutations may have happened.
func TestOnlyQueriesAreSentAgain(t *testing.T) {
	for name, netHTTP := range map[string]bool{"http": false, "net/http": true} {
		for _, idempotent := range []bool{true, false} {
			var heard atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadAll(r.Body)
				if heard.Add(1) == 2 {
					panic(http.ErrAbortHandler)
				}
				_, _ = io.WriteString(w, "ok")
			}))
			f := fetch.NewHTTP(map[string]string{"s": s.URL}, fetch.HTTPOptions{NetHTTP: netHTTP})
			for n := 1; n <= 2; n++ {
				req := request("{}")
				req.Idempotent = idempotent
				resp, err := f.Fetch(deadline(t), req)
				if want := n == 1 || idempotent; want != (err == nil) {
					t.Errorf("%s, idempotent %v: request %d gave %v", name, idempotent, n, err)
				}
				if err == nil {
					resp.Release()
				}
			}
			f.Close()
			s.Close()
			if want := map[bool]int32{true: 3, false: 2}[idempotent]; heard.Load() != want {
				t.Errorf("%s, idempotent %v: heard %d times", name, idempotent, heard.Load())
			}
		}
	}
}

// A request is told its trace in a header of its own: that of the operation is shared by all of its requests.
func TestWhatIsPropagatedStaysWithItsRequest(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Traceparent")+" "+r.Header.Get("Authorization"))
	}))
	defer s.Close()
	for name, netHTTP := range map[string]bool{"http": false, "net/http": true} {
		f := fetch.NewHTTP(map[string]string{"s": s.URL}, fetch.HTTPOptions{NetHTTP: netHTTP, Propagate: func(_ context.Context, h http.Header) { h.Set("Traceparent", "trace") }})
		for _, header := range []http.Header{{"Authorization": {"Bearer x"}}, nil} {
			before := header.Clone()
			resp, err := f.Fetch(deadline(t), &execute.Request{Subgraph: "s", Header: header})
			if err != nil || string(resp.Body) != "trace "+header.Get("Authorization") {
				t.Errorf("%s: %v, %v", name, resp, err)
			}
			if !maps.EqualFunc(header, before, slices.Equal) {
				t.Errorf("%s: the operation's header has become %v", name, header)
			}
		}
		f.Close()
	}
}

// closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}

func TestAFormForNobodyIsClosed(t *testing.T) {
	f := fetch.NewHTTP(nil, fetch.HTTPOptions{})
	defer f.Close()
	body := &closer{Reader: strings.NewReader("x")}
	if _, err := f.FetchForm(deadline(t), request("{}"), "multipart/form-data", body); err == nil || !body.closed {
		t.Errorf("%v; closed: %v", err, body.closed)
	}
}

func TestFetchFails(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch string(body) {
		case "large":
			_, _ = w.Write(bytes.Repeat([]byte("x"), 2<<20))
		case "slow":
			<-r.Context().Done()
		case "panic":
			panic(http.ErrAbortHandler)
		}
	}, func(t *testing.T, f fetcher) {
		if _, err := f.Fetch(deadline(t), &execute.Request{Subgraph: "unknown"}); err == nil {
			t.Error("an unknown subgraph was fetched")
		}
		if _, err := f.Fetch(deadline(t), request("panic")); err == nil {
			t.Error("a handler that panics is no answer")
		}
		if _, ok := f.(*fetch.HTTP); ok {
			if _, err := f.Fetch(deadline(t), request("large")); !errors.Is(err, fetch.ErrTooLarge) {
				t.Errorf("a large answer: %v", err)
			}
		}
		ctx, cancel := context.WithTimeout(deadline(t), 20*time.Millisecond)
		defer cancel()
		if _, err := f.Fetch(ctx, request("slow")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a slow answer: %v", err)
		}
	})
}

func TestHTTPTimesOut(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	}))
	defer s.Close()
	f := fetch.NewHTTP(map[string]string{"s": s.URL, "bad": "ftp://x"}, fetch.HTTPOptions{Timeout: 20 * time.Millisecond})
	defer f.Close()
	if _, err := f.Fetch(deadline(t), request("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Fetch(deadline(t), &execute.Request{Subgraph: "bad"}); err == nil || !strings.Contains(err.Error(), "ftp") {
		t.Errorf("a bad URL: %v", err)
	}
}

func TestStreamDeliversWhatIsFlushed(t *testing.T) {
	next := make(chan string)
	stopped := make(chan struct{}, 2)
	both(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		defer func() { stopped <- struct{}{} }()
		for {
			select {
			case s := <-next:
				if s == "end" {
					return
				}
				_, _ = io.WriteString(w, s+"\n")
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}, func(t *testing.T, f fetcher) {
		body, err := f.Stream(deadline(t), request("x"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(body)
		for _, want := range []string{"one", "two"} {
			next <- want
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("got %q, %v", lines.Text(), lines.Err())
			}
		}
		next <- "end"
		if lines.Scan() || lines.Err() != nil {
			t.Fatalf("after the end: %q, %v", lines.Text(), lines.Err())
		}
		<-stopped
		if err := body.Close(); err != nil {
			t.Fatal(err)
		}

		body, err = f.Stream(deadline(t), request("x"))
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		<-stopped // closing ends the handler

		ctx, cancel := context.WithCancel(deadline(t))
		body, err = f.Stream(ctx, request("x"))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.ReadAll(body); err == nil {
			t.Error("a cancelled stream ended as if whole")
		}
		<-stopped
		_ = body.Close()
	})
}

func TestStreamRefused(t *testing.T) {
	both(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	}, func(t *testing.T, f fetcher) {
		_, err := f.Stream(deadline(t), request("x"))
		var refused *fetch.StatusError
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || string(refused.Body) != `{"errors":[]}` {
			t.Fatalf("got %v", err)
		}
	})
}

// A stream with a status that is none of success is refused, and the subgraph does not go on with what nobody reads.
func TestARefusedStreamIsLeft(t *testing.T) {
	left := make(chan struct{}, 3)
	both(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 200<<10))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left <- struct{}{}
	}, func(t *testing.T, f fetcher) {
		_, err := f.Stream(deadline(t), request("x"))
		var refused *fetch.StatusError
		if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || len(refused.Body) != 64<<10 {
			t.Errorf("got %v", err)
		}
		select {
		case <-left:
		case <-time.After(10 * time.Second):
			t.Fatal("the subgraph is not left")
		}
	})
}

// Closing tells the handler and waits for it; the request's body is the stream's own.
func TestClosingALocalStreamEndsItsHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told, end, read := make(chan struct{}), make(chan struct{}), ""
		f := fetch.NewLocal(map[string]http.Handler{"s": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			body, _ := io.ReadAll(r.Body)
			read = string(body)
			close(told)
			<-end
		})})
		req := request("subscription")
		body, err := f.Stream(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		copy(req.Body, "overwritten!")
		closed := make(chan struct{})
		go func() { _ = body.Close(); close(closed) }()
		<-told
		synctest.Wait()
		select {
		case <-closed:
			t.Error("it is closed while the handler runs")
		default:
		}
		close(end)
		<-closed
		if read != "subscription" {
			t.Errorf("the handler read %q", read)
		}
	})
}

func TestLocalStreamHoldsAFastHandlerBack(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const chunks, size = 64, 64 << 10
	wrote := make(chan int, chunks)
	f := fetch.NewLocal(map[string]http.Handler{"s": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range chunks {
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
			w.(http.Flusher).Flush()
			wrote <- i
		}
	})})
	body, err := f.Stream(deadline(t), request("x"))
	if err != nil {
		t.Fatal(err)
	}
	for range 16 {
		<-wrote // the bound is 1 MiB
	}
	n, err := io.Copy(io.Discard, body)
	if err != nil || n != chunks*size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	_ = body.Close()
}

func TestOneSubgraphMayHaveABoundOfItsOwn(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) }))
	defer s.Close()
	for name, netHTTP := range map[string]bool{"http": false, "net/http": true} {
		f := fetch.NewHTTP(map[string]string{"s": s.URL, "small": s.URL}, fetch.HTTPOptions{MaxResponseOf: map[string]int64{"small": 1000}, NetHTTP: netHTTP})
		if resp, err := f.Fetch(t.Context(), request("{}")); err != nil || len(resp.Body) != 2000 {
			t.Errorf("%s: the usual bound gave %v", name, err)
		}
		small := request("{}")
		small.Subgraph = "small"
		if _, err := f.Fetch(t.Context(), small); err == nil || !strings.Contains(err.Error(), "large") {
			t.Errorf("%s: beyond its own bound there was %v", name, err)
		}
		f.Close()
	}
}
