package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"bourse/router/identity"
	"bourse/router/internal/await"
)

// reserved is a client with one stream for all of its operations.
type reserved struct {
	t     *testing.T
	url   string
	token string
	lines *bufio.Scanner
}

func reserve(t *testing.T, url string, header ...string) *reserved {
	t.Helper()
	res := do(t, "PUT", url, "", header...)
	token := bodyOf(t, res)
	if res.StatusCode != 201 || len(token) < 20 {
		t.Fatalf("reserve: %d %q", res.StatusCode, token)
	}
	return &reserved{t: t, url: url, token: token}
}

func (c *reserved) do(method, target, body string) *http.Response {
	c.t.Helper()
	return do(c.t, method, target, body, "Content-Type", classic, "Accept", "text/event-stream", streamTokenHeader, c.token)
}

func (c *reserved) open() {
	c.t.Helper()
	res := c.do("GET", c.url, "")
	if res.StatusCode != 200 || mediaType(res.Header.Get("Content-Type")) != mediaEvents {
		c.t.Fatalf("open: %d %v", res.StatusCode, res.Header)
	}
	c.lines = bufio.NewScanner(res.Body)
}

// start posts an operation and returns the status.
func (c *reserved) start(id, query string) int {
	c.t.Helper()
	res := c.do("POST", c.url, fmt.Sprintf(`{"query":%q,"extensions":{"operationId":%q}}`, query, id))
	_ = bodyOf(c.t, res)
	return res.StatusCode
}

// next is the next event, comments skipped; "" at the end of the stream.
func (c *reserved) next() string {
	name := ""
	for c.lines.Scan() {
		switch line := c.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			return name + " " + strings.TrimPrefix(line, "data: ")
		}
	}
	return ""
}

func (c *reserved) expect(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			c.t.Fatalf("got %s, want %s", got, w)
		}
	}
}

func TestReservedStreamCarriesOperations(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	c := reserve(t, h.URL)
	if got := c.start("early", "query x"); got != 202 { // what is started before the stream is open waits for it
		t.Fatalf("started with %d", got)
	}
	c.open()
	c.expect(`next {"id":"early","payload":{"data":"x"}}`, `complete {"id":"early"}`)
	c.start("s", "count 2")
	c.expect(`next {"id":"s","payload":{"data":"1"}}`, `next {"id":"s","payload":{"data":"2"}}`, `complete {"id":"s"}`)
	c.start("f", "fail")
	c.expect(`next {"id":"f","payload":{"data":"1"}}`,
		`next {"id":"f","payload":{"errors":[{"message":"too bad","extensions":{"code":"UPSTREAM_FAILED"}}]}}`, `complete {"id":"f"}`)
	c.start("p", "panic")
	c.expect(`next {"id":"p","payload":{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}}`, `complete {"id":"p"}`)
	c.start("s", "silent") // a finished id is free
	await.One(t, g.started)
	if got := c.start("s", "query x"); got != 409 {
		t.Errorf("an id in use: %d", got)
	}
	if res := c.do("DELETE", c.url+"?operationId=s", ""); res.StatusCode != 200 {
		t.Errorf("delete: %d", res.StatusCode)
	}
	await.One(t, g.ended)
	c.start("q", "mutation y")
	c.expect(`next {"id":"q","payload":{"data":"y"}}`, `complete {"id":"q"}`)
}

func TestReservedStreamRefuses(t *testing.T) {
	h, g, _ := serveScript(t, Options{MaxOperations: 1, MaxSockets: 2})
	c := reserve(t, h.URL)
	c.open()
	if res := c.do("GET", h.URL, ""); res.StatusCode != 409 {
		t.Errorf("opened twice: %d", res.StatusCode)
	}
	if res := c.do("PATCH", h.URL, ""); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
		t.Errorf("PATCH: %d", res.StatusCode)
	}
	stranger := &reserved{t: t, url: h.URL, token: "guessed"}
	if got := stranger.start("a", "query x"); got != 404 {
		t.Errorf("an unknown token: %d", got)
	}
	for body, want := range map[string]int{
		`{"query":"query x"}`: 400, `{"query":"query x","extensions":{"operationId":7}}`: 400, `{`: 400,
		`{"query":"refuse","extensions":{"operationId":"r"}}`: 400,
	} {
		if res := c.do("POST", h.URL, body); res.StatusCode != want {
			t.Errorf("%s: %d", body, res.StatusCode)
		}
	}
	c.start("one", "silent")
	await.One(t, g.started)
	if got := c.start("two", "query x"); got != 429 {
		t.Errorf("beyond the bound of operations: %d", got)
	}
	reserve(t, h.URL)
	if res := do(t, "PUT", h.URL, ""); res.StatusCode != 503 {
		t.Errorf("beyond the bound of streams: %d", res.StatusCode)
	}
}

func TestReservationThatNobodyOpensIsGivenUp(t *testing.T) {
	h, _, s := serveScript(t, Options{InitTimeout: time.Millisecond})
	c := reserve(t, h.URL)
	found, ok := s.reservations.Load(c.token)
	if ok {
		await.One(t, found.(*reservation).ctx.Done())
	}
	if res := c.do("GET", h.URL, ""); res.StatusCode != 404 {
		t.Errorf("opened: %d", res.StatusCode)
	}
}

func TestReservedStreamEndsWithTheServer(t *testing.T) {
	h, g, s := serveScript(t, Options{})
	c := reserve(t, h.URL)
	c.open()
	c.start("s", "silent")
	await.One(t, g.started)
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	c.expect(`next {"id":"s","payload":{"errors":[{"message":"the server is shutting down","extensions":{"code":"SHUTTING_DOWN"}}]}}`, `complete {"id":"s"}`)
	if rest := c.next(); rest != "" {
		t.Errorf("after the end: %s", rest)
	}
	await.One(t, g.ended)
	if err := await.One(t, closed); err != nil {
		t.Error(err)
	}
}

func TestOperationsEndWithTheirStream(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	c := reserve(t, h.URL)
	res := c.do("GET", h.URL, "")
	c.start("s", "silent")
	c.start("q", "slow")
	await.One(t, g.started)
	await.One(t, g.started)
	_ = res.Body.Close()
	await.One(t, g.ended)
	await.One(t, g.ended)
	_, _ = io.Copy(io.Discard, res.Body)
}

// A stream is its client's, also where somebody else has got hold of its token; the client may have a new proof of who it is meanwhile.
func TestAReservedStreamIsOfOnePerson(t *testing.T) {
	h, _, _ := serveScript(t, Options{Admit: func(_ context.Context, _ *http.Request, header http.Header) (*identity.Identity, *Refusal) {
		issuer, rest, known := strings.Cut(header.Get("Authorization"), "/")
		if !known {
			return nil, nil
		}
		subject, proof, _ := strings.Cut(rest, "#")
		return &identity.Identity{Issuer: issuer, Subject: subject, Claims: map[string]any{"jti": proof}}, nil
	}})
	c := reserve(t, h.URL, "Authorization", "one/ann#1")
	ask := func(who, method, target, body string) int {
		res := do(t, method, target, body, "Content-Type", classic, "Accept", mediaEvents, streamTokenHeader, c.token, "Authorization", who)
		if res.StatusCode != http.StatusOK || method != http.MethodGet {
			_ = bodyOf(t, res)
		} else {
			c.lines = bufio.NewScanner(res.Body)
		}
		return res.StatusCode
	}
	const start = `{"query":"query x","extensions":{"operationId":"o"}}`
	for _, stranger := range []string{"", "one/bob#1", "other/ann#1"} {
		for method, body := range map[string]string{"GET": "", "POST": start, "DELETE": ""} {
			if got := ask(stranger, method, h.URL+"?operationId=o", body); got != http.StatusNotFound {
				t.Errorf("%q by %s: %d", stranger, method, got)
			}
		}
	}
	if got := ask("one/ann#2", "GET", h.URL, ""); got != http.StatusOK {
		t.Fatalf("the client itself: %d", got)
	}
	if got := ask("one/ann#3", "POST", h.URL, start); got != http.StatusAccepted {
		t.Errorf("the client itself starts: %d", got)
	}
	c.expect(`next {"id":"o","payload":{"data":"x"}}`, `complete {"id":"o"}`)
}
