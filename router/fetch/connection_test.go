package fetch_test

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"bourse/router/execute"
	"bourse/router/fetch"
)

// echoProtocol answers with what the request came by.
func echoProtocol(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	name := ""
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		name = " of a known client"
	}
	_, _ = io.WriteString(w, r.Proto+name)
}

func connected(t *testing.T, url string, c fetch.Connection, o fetch.HTTPOptions) *fetch.HTTP {
	t.Helper()
	o.Connections = map[string]fetch.Connection{"s": c}
	h := fetch.NewHTTP(map[string]string{"s": url}, o)
	t.Cleanup(h.Close)
	return h
}

func TestConnectionsSpeakTheProtocolThatIsAskedFor(t *testing.T) {
	plain := httptest.NewUnstartedServer(http.HandlerFunc(echoProtocol))
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetHTTP1(true)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(echoProtocol))
	secure.EnableHTTP2 = true
	secure.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	secure.StartTLS()
	defer secure.Close()
	known := x509.NewCertPool()
	known.AddCert(secure.Certificate())
	trusting := func() *tls.Config { return &tls.Config{RootCAs: known, ServerName: "example.com"} }
	showing := trusting()
	showing.Certificates = secure.TLS.Certificates
	for _, c := range []struct {
		name, url string
		c         fetch.Connection
		want      string // empty: an error
	}{
		{"plain", plain.URL, fetch.Connection{}, "HTTP/1.1"},
		{"h2c", plain.URL, fetch.Connection{Protocol: fetch.H2C}, "HTTP/2.0"},
		{"what the subgraph prefers", secure.URL, fetch.Connection{TLS: trusting()}, "HTTP/2.0"},
		{"http1 over TLS", secure.URL, fetch.Connection{Protocol: fetch.HTTP1, TLS: trusting()}, "HTTP/1.1"},
		{"h2", secure.URL, fetch.Connection{Protocol: fetch.H2, TLS: trusting()}, "HTTP/2.0"},
		{"a client certificate", secure.URL, fetch.Connection{Protocol: fetch.H2, TLS: showing}, "HTTP/2.0 of a known client"},
		{"an unknown authority", secure.URL, fetch.Connection{}, ""},
		{"another name", secure.URL, fetch.Connection{TLS: &tls.Config{RootCAs: known, ServerName: "other.test"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := connected(t, c.url, c.c, fetch.HTTPOptions{})
			for range 2 {
				resp, err := h.Fetch(t.Context(), &execute.Request{Subgraph: "s", Body: []byte("{}")})
				switch {
				case c.want == "" && err != nil:
				case err != nil || string(resp.Body) != c.want:
					t.Fatalf("got %v, %v", resp, err)
				}
			}
		})
	}
}

// The bound of an answer is one of what comes out of it.
func TestACompressedBombIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, io.LimitReader(zeros{}, 1<<28))
		_ = z.Close()
	}))
	defer s.Close()
	h := connected(t, s.URL, fetch.Connection{Compression: true}, fetch.HTTPOptions{MaxResponseBytes: 1 << 20})
	if _, err := h.Fetch(t.Context(), &execute.Request{Subgraph: "s"}); !errors.Is(err, fetch.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestConnectionsAreBounded(t *testing.T) {
	var mu sync.Mutex
	addresses := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		addresses[r.RemoteAddr] = true
		mu.Unlock()
		_, _ = io.Copy(w, strings.NewReader("{}"))
	}))
	defer s.Close()
	h := connected(t, s.URL, fetch.Connection{MaxConnections: 2}, fetch.HTTPOptions{})
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := h.Fetch(t.Context(), &execute.Request{Subgraph: "s"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(addresses) > 2 {
		t.Errorf("%d connections", len(addresses))
	}
}
