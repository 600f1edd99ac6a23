package serve

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bourse/router/internal/await"
)

// Everything but WebSockets goes over HTTP/2 as well, encrypted or by prior knowledge: bounds of time are those of one stream there.
func TestHTTP2(t *testing.T) {
	for _, encrypted := range []bool{true, false} {
		g := newScript()
		s := New(Options{Gateway: g, ReadTimeout: 100 * time.Millisecond, KeepAlive: 10 * time.Millisecond})
		h := httptest.NewUnstartedServer(s)
		client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
		if encrypted {
			h.EnableHTTP2 = true
			h.StartTLS()
			client = h.Client()
		} else {
			h.Config.Protocols = new(http.Protocols)
			h.Config.Protocols.SetUnencryptedHTTP2(true)
			client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
			h.Start()
		}
		ask := func(body io.Reader, accept string) *http.Response {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", classic)
			req.Header.Set("Accept", accept)
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if res.ProtoMajor != 2 {
				t.Fatalf("by %s", res.Proto)
			}
			t.Cleanup(func() { _ = res.Body.Close() })
			return res
		}
		if got := bodyOf(t, ask(strings.NewReader(`{"query":"query x"}`), classic)); got != `{"data":"x"}` {
			t.Errorf("got %s", got)
		}
		if got := bodyOf(t, ask(strings.NewReader(`{"query":"count 2"}`), mediaEvents)); !strings.HasSuffix(got, "event: next\ndata: {\"data\":\"2\"}\n\nevent: complete\ndata: \n\n") {
			t.Errorf("events: %q", got)
		}
		if got := bodyOf(t, ask(strings.NewReader(`{"query":"defer 2"}`), "multipart/mixed, application/json")); got != partsBegin+`{"data":"1"}`+partEnd+partBegin+`{"data":"2"}`+partsEnd {
			t.Errorf("parts: %q", got)
		}
		// A body that does not come is refused, and its connection serves others meanwhile and afterwards.
		r, w := io.Pipe()
		slow := ask(r, classic)
		if slow.StatusCode != http.StatusRequestTimeout {
			t.Errorf("slow: %d", slow.StatusCode)
		}
		_ = w.Close()
		// A stream outlives the time of its body.
		stream := ask(strings.NewReader(`{"query":"silent"}`), mediaEvents)
		await.One(t, g.started)
		if _, err := io.ReadFull(stream.Body, make([]byte, 60)); err != nil { // 20 signs of life take 200 ms
			t.Errorf("a quiet stream: %v", err)
		}
		_ = stream.Body.Close()
		await.One(t, g.ended)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		client.CloseIdleConnections()
		h.Close()
	}
}
