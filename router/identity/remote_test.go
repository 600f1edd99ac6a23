package identity

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is an issuer's key server without a network, so that hours of it pass at once.
type provider struct {
	mu     sync.Mutex
	answer func(r *http.Request) (*http.Response, error)
	reads  atomic.Int32
}

func (p *provider) set(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.reads.Add(1)
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	return answer(r)
}

func answers(status int, text []byte) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{}}, nil
	}
}

func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// remotely runs a test in a bubble of its own time, with a verifier whose keys are p's.
func remotely(t *testing.T, p *provider, test func(t *testing.T, v *Verifier, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v, err := NewVerifier(Options{
			Issuers: []Issuer{{Name: "https://issuer.test", Algorithms: []string{"ES256", "RS256"}, URL: "https://issuer.test/keys?client_secret=hush"}},
			Remote:  RemoteOptions{Transport: p},
			Logger:  slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, v, &log)
		v.Close()
		if strings.Contains(log.String(), "hush") {
			t.Errorf("the log has a secret of the URL: %s", &log)
		}
	})
}

// fresh is a token for the time in the bubble.
func (m mint) fresh() string {
	at := time.Now()
	return m.token(claims(jwt.MapClaims{"iat": at.Unix(), "nbf": at.Unix(), "exp": at.Add(24 * time.Hour).Unix()}))
}

func TestKeysRotate(t *testing.T) {
	old, next := mint{"ES256", "old", p256()}, mint{"ES256", "next", must(ecKey())}
	p := &provider{answer: answers(200, jwksOf(old))}
	remotely(t, p, func(t *testing.T, v *Verifier, _ *bytes.Buffer) {
		expectReason(t, v, "the first key", old.fresh(), "")
		time.Sleep(time.Minute)
		p.set(answers(200, jwksOf(old, next)))
		expectReason(t, v, "a new key", next.fresh(), "") // read because of it
		expectReason(t, v, "the first key beside it", old.fresh(), "")
		if n := p.reads.Load(); n != 2 {
			t.Errorf("%d readings, 2 were needed", n)
		}
		remembered := old.fresh()
		expectReason(t, v, "a token of the first key", remembered, "")
		p.set(answers(200, jwksOf(next)))
		time.Sleep(11 * time.Minute) // read because it is time
		expectReason(t, v, "a remembered token of a key that was taken back", remembered, TokenKey)
		expectReason(t, v, "the new key", next.fresh(), "")
	})
}

func TestUnknownKeysDoNotStormTheProvider(t *testing.T) {
	known, stranger := mint{"ES256", "known", p256()}, mint{"ES256", "stranger", must(ecKey())}
	p := &provider{answer: answers(200, jwksOf(known))}
	remotely(t, p, func(t *testing.T, v *Verifier, _ *bytes.Buffer) {
		expectReason(t, v, "the known key", known.fresh(), "")
		time.Sleep(time.Minute)
		before := p.reads.Load()
		var asking sync.WaitGroup
		for range 100 {
			asking.Go(func() { expectReason(t, v, "an unknown key", stranger.fresh(), TokenKey) })
		}
		asking.Wait()
		if n := p.reads.Load() - before; n != 1 {
			t.Errorf("100 tokens with an unknown key caused %d readings", n)
		}
		time.Sleep(29 * time.Second)
		expectReason(t, v, "an unknown key", stranger.fresh(), TokenKey)
		if n := p.reads.Load() - before; n != 1 {
			t.Errorf("it was read again too soon: %d readings", n)
		}
		time.Sleep(2 * time.Second)
		expectReason(t, v, "an unknown key", stranger.fresh(), TokenKey)
		if n := p.reads.Load() - before; n != 2 {
			t.Errorf("later it was read %d times", n)
		}
	})
}

// Whatever happens to the provider, the keys that are known stay.
func TestKnownKeysOutliveTheirProvider(t *testing.T) {
	known := mint{"ES256", "known", p256()}
	for what, answer := range map[string]func(*http.Request) (*http.Response, error){
		"dead":       func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"silent":     silent,
		"failing":    answers(500, jwksOf(known)),
		"moved":      answers(302, nil),
		"garbled":    answers(200, []byte("<html>")),
		"empty":      answers(200, []byte(`{"keys":[]}`)),
		"huge":       answers(200, bytes.Repeat([]byte(" "), maxSetBytes+1)),
		"cut off":    answers(200, jwksOf(known)[:40]),
		"confessing": answers(200, jwksOf(mintFor("HS256"))),
		"endless": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{}), Header: http.Header{}}, nil
		},
	} {
		p := &provider{answer: answers(200, jwksOf(known))}
		remotely(t, p, func(t *testing.T, v *Verifier, log *bytes.Buffer) {
			expectReason(t, v, "before", known.fresh(), "")
			p.set(answer)
			time.Sleep(3 * time.Hour)
			expectReason(t, v, "after three hours of a provider that is "+what, known.fresh(), "")
			synctest.Wait() // what is due at this moment may be writing to the log
			if !strings.Contains(log.String(), "key set not read") {
				t.Errorf("%s: nothing was logged", what)
			}
			if n := p.reads.Load(); n < 10 || n > 60 {
				t.Errorf("%s: it was asked %d times", what, n)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

func TestAProviderThatIsAwayAtFirst(t *testing.T) {
	known := mint{"ES256", "known", p256()}
	p := &provider{answer: silent}
	remotely(t, p, func(t *testing.T, v *Verifier, _ *bytes.Buffer) {
		began := time.Now()
		if got := reason(t, v, known.fresh()); got != KeysUnavailable {
			t.Errorf("without keys: %q", got)
		}
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("a request waited %s", waited)
		}
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := v.Verify(gone, known.fresh()); err == nil {
			t.Error("a token was taken without a key")
		}
		p.set(answers(200, jwksOf(known)))
		time.Sleep(time.Minute) // sooner than the ordinary round: it had failed
		expectReason(t, v, "when it is back", known.fresh(), "")
	})
}

func TestKeySetsNeedEncryption(t *testing.T) {
	issuer := func(url string, http bool) Issuer {
		return Issuer{Algorithms: []string{"ES256"}, URL: url, AllowHTTP: http}
	}
	for _, url := range []string{"http://issuer.test/keys", "ftp://issuer.test/keys", "file:///etc/passwd", "issuer.test/keys", "http://127.0.0.1.evil.test/", "https://"} {
		if _, err := NewVerifier(Options{Issuers: []Issuer{issuer(url, false)}}); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
	for _, i := range []Issuer{issuer("http://127.0.0.1:1/keys", false), issuer("http://[::1]:1/keys", false), issuer("http://localhost:1/keys", false), issuer("http://issuer.invalid/keys", true)} {
		v, err := NewVerifier(Options{Issuers: []Issuer{i}})
		if err != nil {
			t.Errorf("%s: %v", i.URL, err)
			continue
		}
		v.Close()
	}
}

// Over a real connection, with a provider that answers, moves away and ends.
func TestKeySetOverHTTP(t *testing.T) {
	m := mint{"RS256", "rsa", rsaKey()}
	asked := make(chan string, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Accept")
		_, _ = w.Write(jwksOf(m))
	})
	mux.Handle("/moved", http.RedirectHandler("/keys", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	at := func(path string) *Verifier {
		v, err := NewVerifier(Options{Issuers: []Issuer{{Name: "https://issuer.test", Algorithms: []string{"RS256"}, URL: server.URL + path}}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := at("/keys")
	expectReason(t, v, "a token", m.fresh(), "")
	if accept := <-asked; !strings.Contains(accept, "application/jwk-set+json") {
		t.Errorf("asked with Accept %q", accept)
	}
	server.Config.SetKeepAlivesEnabled(false)
	v.Close()
	moved := at("/moved")
	if got := reason(t, moved, m.fresh()); got != KeysUnavailable {
		t.Errorf("a redirect was followed: %q", got)
	}
	moved.Close()
}
