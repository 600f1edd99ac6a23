package fetch_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
