package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server that speaks byte by byte as it is told to: do is called for each connection, from 0 on.
func script(t *testing.T, do func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			do(n, c, bufio.NewReader(c))
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String() + "/graphql?a=1"
}

// hears reads one request, as net/http understands it.
func hears(t *testing.T, r *bufio.Reader) (*http.Request, string) {
	t.Helper()
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil, ""
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Errorf("the request's body: %v", err)
	}
	return req, string(body)
}

func target(t testing.TB, o Options, address string) *Target {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	to, ok := c.NewTarget(u, http.Header{"Accept": {"application/json"}})
	if !ok {
		t.Fatalf("no target: %s", address)
	}
	return to
}

// post posts and copies the body, so that its buffer goes back.
func post(ctx context.Context, to *Target, r Request) (Answer, error) {
	a, err := to.Post(ctx, &r)
	if err == nil {
		a.Body = bytes.Clone(a.Body)
		a.Release()
	}
	return a, err
}

func TestPostsToARealServer(t *testing.T) {
	connections := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections[r.RemoteAddr] = true
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Cache-Control", "max-age=3")
		w.Header().Add("X-Two", "1")
		w.Header().Add("X-Two", "2")
		if r.Header.Get("Big") != "" { // chunked
			for range 100 {
				_, _ = w.Write(bytes.Repeat([]byte("0123456789"), 200))
			}
			return
		}
		if r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() || r.RequestURI != "/graphql?a=1" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s %s %v", r.Host, r.RequestURI, r.Header)
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %q", r.Method, body, r.Header["Authorization"])
	}))
	defer s.Close()
	to := target(t, Options{}, s.URL+"/graphql?a=1")
	for range 3 {
		a, err := post(t.Context(), to, Request{Header: http.Header{"Authorization": {"a", "b"}}, Body: []byte("hello")})
		if err != nil || a.Status != http.StatusTeapot || string(a.Body) != `POST hello ["a" "b"]` {
			t.Fatalf("%d %q %v", a.Status, a.Body, err)
		}
		if a.Header.Get("cache-control") != "max-age=3" || len(a.Header["X-Two"]) != 2 {
			t.Fatalf("%v", a.Header)
		}
		if a, err = post(t.Context(), to, Request{Header: http.Header{"Big": {"1"}}}); err != nil || len(a.Body) != 200_000 {
			t.Fatalf("%d bytes, %v", len(a.Body), err)
		}
	}
	if len(connections) != 1 {
		t.Errorf("%d connections for requests one after the other", len(connections))
	}
}

func TestAnswers(t *testing.T) {
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	for name, c := range map[string]struct {
		raw    string
		status int
		body   string
		kept   bool
		fault  error
	}{
		"length":                     {raw: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello", kept: true},
		"no reason":                  {raw: "HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", status: 200, body: "hello", kept: true},
		"bare line ends":             {raw: "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", status: 200, body: "hello", kept: true},
		"the same length twice":      {raw: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello", kept: true},
		"close":                      {raw: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
		"1.0":                        {raw: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
		"until closed":               {raw: "HTTP/1.1 200 OK\r\n\r\nhello", status: 200, body: "hello"},
		"more than was announced":    {raw: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK", status: 200, body: "hello"},
		"no content":                 {raw: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", status: 204, kept: true},
		"not modified":               {raw: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", status: 304, kept: true},
		"interim":                    {raw: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", status: 500, kept: true},
		"chunks":                     {raw: chunked + "\r\n3\r\nhel\r\n2;x=\"y\"\r\nlo\r\n0\r\n\r\n", status: 200, body: "hello", kept: true},
		"trailers":                   {raw: chunked + "\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n", status: 200, body: "hello", kept: true},
		"chunks and a length":        {raw: chunked + "Content-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n", status: 200, body: "hello"},
		"chunks of 1.0":              {raw: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", fault: ErrMalformed},
		"another coding":             {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", fault: ErrMalformed},
		"two lengths":                {raw: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", fault: ErrMalformed},
		"a signed length":            {raw: "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", fault: ErrMalformed},
		"another protocol":           {raw: "SSH-2.0-OpenSSH\r\n\r\n", fault: ErrMalformed},
		"switching protocols":        {raw: "HTTP/1.1 101 Switching Protocols\r\n\r\n", fault: ErrMalformed},
		"a status of four digits":    {raw: "HTTP/1.1 2000 OK\r\n\r\n", fault: ErrMalformed},
		"a negative status":          {raw: "HTTP/1.1 -20 OK\r\n\r\n", fault: ErrMalformed},
		"a line without a colon":     {raw: "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", fault: ErrMalformed},
		"a folded line":              {raw: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", fault: ErrMalformed},
		"a space before the colon":   {raw: "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", fault: ErrMalformed},
		"a chunk without a size":     {raw: chunked + "\r\n\r\nhello", fault: ErrMalformed},
		"a chunk that goes on":       {raw: chunked + "\r\n2\r\nhello\r\n0\r\n\r\n", fault: ErrMalformed},
		"a chunk of nonsense":        {raw: chunked + "\r\n-5\r\nhello\r\n0\r\n\r\n", fault: ErrMalformed},
		"a chunk of a terabyte":      {raw: chunked + "\r\nFFFFFFFFFFFFFFFFF\r\n", fault: ErrBodyTooLarge},
		"a chunk beyond the bound":   {raw: chunked + "\r\n10001\r\n", fault: ErrBodyTooLarge},
		"chunks beyond the bound":    {raw: chunked + "\r\n" + strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", 3), fault: ErrBodyTooLarge},
		"a length beyond the bound":  {raw: "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", fault: ErrBodyTooLarge},
		"closed beyond the bound":    {raw: "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 65537), fault: ErrBodyTooLarge},
		"an endless line of a chunk": {raw: chunked + "\r\n1;" + strings.Repeat("x", 10000), fault: ErrMalformed},
		"endless trailers":           {raw: chunked + "\r\n0\r\n" + strings.Repeat("a: b\r\n", 5000), fault: ErrHeadTooLarge},
		"an endless head":            {raw: "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 5000), fault: ErrHeadTooLarge},
		"endless interim answers":    {raw: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), fault: ErrMalformed},
		"nothing":                    {fault: io.ErrUnexpectedEOF},
		"half a head":                {raw: "HTTP/1.1 200 OK\r\nContent-", fault: io.ErrUnexpectedEOF},
		"half a body":                {raw: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", fault: io.ErrUnexpectedEOF},
		"half a chunk":               {raw: chunked + "\r\n5\r\nhel", fault: io.ErrUnexpectedEOF},
		"half an end":                {raw: chunked + "\r\n5\r\nhello\r\n0\r\n", fault: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, kept, err := readAll(c.raw, []int{len(c.raw)}, Options{MaxHead: 8 << 10, MaxBody: 64 << 10})
			if !errors.Is(err, c.fault) || c.fault != nil && err == nil {
				t.Fatalf("error %v, want %v", err, c.fault)
			}
			if err == nil && (status != c.status || body != c.body || kept != c.kept) {
				t.Errorf("%d %q kept %v, want %d %q %v", status, body, kept, c.status, c.body, c.kept)
			}
			// It does not matter where the network cuts.
			for _, size := range []int{1, 3} {
				// What is too much is only seen when it comes along.
				s, b, k, e := readAll(c.raw, []int{size}, Options{MaxHead: 8 << 10, MaxBody: 64 << 10})
				if s != status || b != body || (e == nil) != (err == nil) || k != kept && name != "more than was announced" {
					t.Errorf("in pieces of %d: %d %q %v %v, whole: %d %q %v %v", size, s, b, k, e, status, body, kept, err)
				}
			}
		})
	}
}

// readAll reads an answer that comes in pieces of the given sizes, over and over, and then ends.
func readAll(raw string, sizes []int, o Options) (status int, body string, kept bool, err error) {
	c := newConn(&pieces{left: []byte(raw), sizes: sizes}, &New(o).o)
	a, err := c.read()
	if err != nil {
		return 0, "", false, err
	}
	defer a.Release()
	return a.Status, string(a.Body), c.kept, nil
}

// pieces is a connection from which a text comes.
type pieces struct {
	net.Conn
	left  []byte
	sizes []int
	n     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(max(p.sizes[p.n%len(p.sizes)], 1), len(p.left))])
	p.n++
	p.left = p.left[n:]
	return n, nil
}

// Whatever was sent arrives, however it is framed and cut.
func TestBodiesArriveWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Repeat(rapid.StringN(0, 50, -1).Draw(t, "text"), rapid.IntRange(0, 2000).Draw(t, "times"))
		raw := "HTTP/1.1 200 OK\r\n"
		switch rapid.IntRange(0, 2).Draw(t, "framing") {
		case 0:
			raw += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
		case 1:
			raw += "\r\n" + body
		case 2:
			raw += "Transfer-Encoding: chunked\r\n\r\n"
			for left := body; left != ""; {
				n := min(rapid.IntRange(1, 20000).Draw(t, "chunk"), len(left))
				raw += fmt.Sprintf("%x\r\n%s\r\n", n, left[:n])
				left = left[n:]
			}
			raw += "0\r\n\r\n"
		}
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9000), 1, 5).Draw(t, "pieces")
		_, got, _, err := readAll(raw, sizes, Options{})
		if err != nil || got != body {
			t.Fatalf("%d bytes of %d, %v", len(got), len(body), err)
		}
	})
}

// Nothing that a server sends breaks the reader, and what net/http understands as well is understood alike.
func FuzzRead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 3)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n"), 1)
	f.Add([]byte("HTTP/1.0 404 Not\nA: b\nA: c\n\nhello"), 7)
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), 100)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		status, body, _, err := readAll(string(raw), []int{size}, Options{MaxBody: 1 << 20})
		if err != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(raw))
		var want *http.Response
		for {
			if want, err = http.ReadResponse(r, &http.Request{Method: http.MethodPost}); err != nil {
				return // stricter than we are: about HTTP versions, names, trailers
			}
			if want.StatusCode >= 200 {
				break
			}
		}
		text, err := io.ReadAll(want.Body)
		if err != nil || want.Uncompressed {
			return
		}
		if status != want.StatusCode || body != string(text) {
			t.Errorf("%d %q, net/http reads %d %q", status, body, want.StatusCode, text)
		}
	})
}

func TestWhatItCannotReachIsRefused(t *testing.T) {
	c := New(Options{})
	defer c.Close()
	for text, reached := range map[string]bool{
		"http://a/": true, "http://a:1": true, "http://[::1]:4000/graphql": true, "http://user:secret@a/": false,
		"https://a/": false, "unix:/run/a": false, "http:///graphql": false, "http://bücher/": false, "http://[fe80::1%25en0]/": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.NewTarget(u, nil); ok != reached {
			t.Errorf("%s: %v", text, ok)
		}
	}
}

// Header lines stay lines, whoever made their values up.
func TestNoValueBecomesAnotherLine(t *testing.T) {
	var asked atomic.Int32
	to := target(t, Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, errors.New("nobody there")
	}}, "http://a/")
	for name, value := range map[string]string{"Authorization": "a\r\nX: y", "A": "b\nc", "B": "a\x00b", "X: y\r\nZ": "1", "": "1", "Sp ace": "1"} {
		_, err := post(t.Context(), to, Request{Header: http.Header{name: {value}}})
		if err == nil || asked.Load() > 0 || strings.Contains(err.Error(), "X: y") && name == "Authorization" {
			t.Errorf("%q: %q is sent, or told: %v", name, value, err)
		}
	}
}
