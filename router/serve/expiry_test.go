package serve

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bourse/router/identity"
)

// A stream ends with its client's token: one that is silent, and one whose events never cease to come.
func TestStreamsEndWithTheirToken(t *testing.T) {
	for _, query := range []string{"silent", "ticks"} {
		for accept, want := range map[string]string{
			"text/event-stream":                         "event: next\ndata: {\"errors\":[{\"message\":\"the token has expired\",",
			"multipart/mixed; subscriptionSpec=\"1.0\"": `{"payload":null,"errors":[{"message":"the token has expired",`,
		} {
			synctest.Test(t, func(t *testing.T) {
				g := newScript()
				s := New(Options{Gateway: g, Backlog: Backlog{DropOldest: true}, Observe: g.observe, Admit: func(context.Context, *http.Request, http.Header) (*identity.Identity, *Refusal) {
					return &identity.Identity{Subject: "alice", Expires: time.Now().Add(10 * time.Minute)}, nil
				}})
				body := strings.NewReader(`{"query":"` + query + `"}`)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", accept)
				began := time.Now()
				w := &lastWords{header: http.Header{}}
				s.ServeHTTP(w, r)
				if lasted := time.Since(began); lasted < 10*time.Minute || lasted > 10*time.Minute+5*time.Second {
					t.Errorf("%s, %s: the stream lasted %s", query, accept, lasted)
				}
				if !strings.Contains(w.tail, want) || !strings.Contains(w.tail, `"code":"UNAUTHENTICATED"`) || !strings.Contains(w.tail, `"reason":"TOKEN_EXPIRED"`) {
					t.Errorf("%s, %s: the last words were %q", query, accept, w.tail)
				}
				if code := g.records[0].Code; code != CodeUnauthenticated {
					t.Errorf("%s, %s: recorded as %q", query, accept, code)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second) // of the bubble: whoever ticks notices that it was cancelled
			})
		}
	}
}

// On a stream that was reserved an operation ends with the token that it was started with, whatever the stream itself was opened with.
func TestReservedOperationsEndWithTheirToken(t *testing.T) {
	for _, query := range []string{"silent", "ticks"} {
		synctest.Test(t, func(t *testing.T) {
			g := newScript()
			s := New(Options{Gateway: g, Backlog: Backlog{DropOldest: true}, Observe: g.observe, Admit: func(_ context.Context, r *http.Request, _ http.Header) (*identity.Identity, *Refusal) {
				who := &identity.Identity{Subject: "alice", Expires: time.Now().Add(time.Hour)}
				if r.Method == http.MethodPost {
					who.Expires = time.Now().Add(10 * time.Minute)
				}
				return who, nil
			}})
			ask := func(ctx context.Context, w http.ResponseWriter, method, token, body string) {
				r := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", "text/event-stream")
				if token != "" {
					r.Header.Set(streamTokenHeader, token)
				}
				s.ServeHTTP(w, r)
			}
			put := httptest.NewRecorder()
			ask(t.Context(), put, http.MethodPut, "", "")
			token := put.Body.String()
			ctx, leave := context.WithCancel(t.Context())
			w, left := &lastWords{header: http.Header{}}, make(chan struct{})
			go func() { defer close(left); ask(ctx, w, http.MethodGet, token, "") }()
			ask(t.Context(), httptest.NewRecorder(), http.MethodPost, token, `{"query":"`+query+`","extensions":{"operationId":"o"}}`)
			time.Sleep(9 * time.Minute)
			synctest.Wait()
			g.mu.Lock()
			if len(g.records) != 0 {
				t.Errorf("%s: it ended before its token", query)
			}
			g.mu.Unlock()
			time.Sleep(10 * time.Minute) // what waits for a slow client comes before the end
			leave()
			<-left
			synctest.Wait()
			g.mu.Lock()
			defer g.mu.Unlock()
			if len(g.records) != 1 || g.records[0].Code != CodeUnauthenticated || g.records[0].Duration < 10*time.Minute || g.records[0].Duration > 11*time.Minute && query == "silent" {
				t.Errorf("%s: recorded %+v", query, g.records)
			}
			if !strings.Contains(w.tail, `{"id":"o","payload":{"errors":[{"message":"the token has expired",`) || !strings.Contains(w.tail, "event: complete\ndata: {\"id\":\"o\"}") {
				t.Errorf("%s: the last words were %q", query, w.tail)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
		})
	}
}

// lastWords is a response of which only the end is kept. Each write takes a moment, or no time would pass in a bubble.
type lastWords struct {
	header http.Header
	tail   string
}

func (w *lastWords) Header() http.Header { return w.header }
func (w *lastWords) WriteHeader(int)     {}
func (w *lastWords) Flush()              {}

func (w *lastWords) Write(p []byte) (int, error) {
	time.Sleep(time.Second)
	w.tail += string(p)
	if len(w.tail) > 1000 {
		w.tail = w.tail[len(w.tail)-1000:]
	}
	return len(p), nil
}

var _ io.Writer = (*lastWords)(nil)
