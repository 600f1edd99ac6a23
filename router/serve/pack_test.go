package serve

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"bourse/router/internal/await"
)

func TestPacking(t *testing.T) {
	for _, c := range []struct{ header, offered, want string }{
		{"", "zstd br gzip", ""},
		{"gzip", "zstd br gzip", "gzip"},
		{"gzip, deflate, br, zstd", "zstd br gzip", "zstd"},
		{"gzip, deflate, br, zstd", "br gzip", "br"},
		{"gzip;q=1.0, br;q=0.8, zstd;q=0.5", "zstd br gzip", "gzip"},
		{"GZIP", "gzip", "gzip"},
		{"br, gzip;q=0", "gzip", ""},
		{"br;q=0.001", "zstd br gzip", "br"},
		{"*", "br gzip", "br"},
		{"*;q=0", "br gzip", ""},
		{"gzip;q=0, *", "gzip br", "br"},
		{"*;q=0.5, gzip", "zstd gzip", "gzip"},
		{"identity", "gzip", ""},
		{"identity, gzip;q=0.5", "gzip", ""},
		{"identity;q=0.5, gzip", "gzip", "gzip"},
		{"identity;q=0, gzip;q=0.1", "gzip", "gzip"},
		{"gzip", "", ""},
	} {
		got := ""
		if e := packing(c.header, offeredEncodings(strings.Fields(c.offered))); e != nil {
			got = e.name
		}
		if got != c.want {
			t.Errorf("%q of %s: got %q, want %q", c.header, c.offered, got, c.want)
		}
	}
}

// unpack reads an answer by its Content-Encoding, with the decoders of others where there are any.
func unpack(t *testing.T, res *http.Response) string {
	t.Helper()
	var r io.Reader = res.Body
	var err error
	switch e := res.Header.Get("Content-Encoding"); e {
	case "gzip":
		r, err = gzip.NewReader(res.Body)
	case "br":
		r = brotli.NewReader(res.Body)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(res.Body); err == nil {
			defer z.Close()
			r = z
		}
	case "":
	default:
		t.Fatalf("content encoding %q", e)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnswersAreCompressedWhenAskedForAndWorthIt(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	none, _, _ := serveScript(t, Options{Encodings: []string{}})
	long := strings.Repeat("0123456789", 1000)
	large, small := `{"query":"query `+long+`"}`, `{"query":"query x"}`
	for _, c := range []struct{ url, body, accept, want string }{
		{h.URL, large, "zstd", "zstd"},
		{h.URL, large, "br", "br"},
		{h.URL, large, "gzip", "gzip"},
		{h.URL, large, "gzip, br;q=0.9", "gzip"},
		{h.URL, large, "deflate", ""},
		{h.URL, large, "identity", ""},
		{h.URL, small, "gzip, br, zstd", ""},
		{none.URL, large, "gzip, br, zstd", ""},
	} {
		for range 3 { // packers are used again
			res := do(t, "POST", c.url, c.body, "Content-Type", classic, "Accept-Encoding", c.accept)
			if got := res.Header.Get("Content-Encoding"); got != c.want || !strings.Contains(res.Header.Get("Vary")+res.Header.Values("Vary")[len(res.Header.Values("Vary"))-1], "Accept-Encoding") {
				t.Errorf("%q: encoding %q, want %q; %v", c.accept, got, c.want, res.Header)
			}
			if c.want != "" && res.ContentLength > int64(len(long)/10) {
				t.Errorf("%s: %d bytes", c.want, res.ContentLength)
			}
			if got := unpack(t, res); c.body == large && got != `{"data":"`+long+`"}` {
				t.Errorf("%s: got %.60s", c.accept, got)
			}
		}
	}
}

func TestPartsAreCompressedAndFlushed(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	for _, name := range Encodings() {
		res := do(t, "POST", h.URL, `{"query":"defer-wait"}`, "Content-Type", classic, "Accept", "multipart/mixed, application/json", "Accept-Encoding", name)
		if got := res.Header.Get("Content-Encoding"); got != name {
			t.Fatalf("encoding %q, want %q", got, name)
		}
		var r io.Reader = res.Body
		switch name {
		case "br":
			r = brotli.NewReader(r)
		case "zstd":
			z, err := zstd.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			r = z
		default:
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		want := partsBegin + `{"data":"1"}` + partEnd // while the second part is still awaited
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
		_ = res.Body.Close()
		await.One(t, g.ended)
	}
}

func compressed(t *testing.T, encoding string, plain io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	var z io.WriteCloser
	switch encoding {
	case "gzip":
		z = gzip.NewWriter(&b)
	case "br":
		z = brotli.NewWriter(&b)
	case "zstd":
		z, _ = zstd.NewWriter(&b)
	default:
		z = nopCloser{&b}
	}
	if _, err := io.Copy(z, plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func TestCompressedBodies(t *testing.T) {
	h, _, _ := serveScript(t, Options{CompressedBodies: true, MaxBodyBytes: 4096})
	off, _, _ := serveScript(t, Options{})
	const query = `{"query":"query x"}`
	for _, c := range []struct {
		name, url, encoding, body string
		status                    int
		code                      string
	}{
		{"gzip", h.URL, "gzip", compressed(t, "gzip", strings.NewReader(query)), 200, ""},
		{"br", h.URL, "BR", compressed(t, "br", strings.NewReader(query)), 200, ""},
		{"zstd", h.URL, "zstd", compressed(t, "zstd", strings.NewReader(query)), 200, ""},
		{"identity", h.URL, "identity", query, 200, ""},
		{"unknown", h.URL, "compress", query, 415, CodeBadRequest},
		{"twice", h.URL, "gzip, gzip", query, 415, CodeBadRequest},
		{"no gzip", h.URL, "gzip", query, 400, CodeBadRequest},
		{"no br", h.URL, "br", "\xff\xff\xff" + query, 400, CodeBadRequest},
		{"no zstd", h.URL, "zstd", query, 400, CodeBadRequest},
		{"more behind it", h.URL, "br", compressed(t, "br", strings.NewReader(query)) + "more", 400, CodeBadRequest},
		{"cut off", h.URL, "gzip", compressed(t, "gzip", strings.NewReader(query))[:20], 400, CodeBadRequest},
		{"off", off.URL, "gzip", compressed(t, "gzip", strings.NewReader(query)), 415, CodeBadRequest},
	} {
		res := do(t, "POST", c.url, c.body, "Content-Type", classic, "Content-Encoding", c.encoding)
		if got := codeOf(t, bodyOf(t, res)); res.StatusCode != c.status || got != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, res.StatusCode, got, c.status, c.code)
		}
		if c.status == 415 && c.url == h.URL && res.Header.Get("Accept-Encoding") == "" {
			t.Errorf("%s: 415 does not say what is accepted", c.name)
		}
	}
}

// A body that would be large once decompressed is refused after its bound, and takes memory of that order.
func TestCompressedBombIsRefused(t *testing.T) {
	h, _, _ := serveScript(t, Options{CompressedBodies: true, MaxBodyBytes: 1 << 20})
	for _, name := range Encodings() {
		bomb := compressed(t, name, io.MultiReader(strings.NewReader(`{"query":"`), io.LimitReader(zeros{}, 32<<20)))
		if len(bomb) > 1<<20 {
			t.Fatalf("%s: the bomb has %d bytes", name, len(bomb))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := do(t, "POST", h.URL, bomb, "Content-Type", classic, "Content-Encoding", name)
		if got := codeOf(t, bodyOf(t, res)); res.StatusCode != 413 || got != CodeBadRequest {
			t.Errorf("%s: %d %s", name, res.StatusCode, got)
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 24<<20 {
			t.Errorf("%s: %d bytes of 32 MiB took %d bytes of memory", name, len(bomb), spent)
		}
	}
}

type zeros struct{}

var manyZeros = strings.Repeat("0", 64<<10) // copied, as the race detector looks at each byte that is set

func (zeros) Read(b []byte) (int, error) { return copy(b, manyZeros), nil }

// A client that sends its body byte by byte, or not at all, is told that its time is over.
func TestSlowBodyIsRefused(t *testing.T) {
	h, _, _ := serveScript(t, Options{ReadTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // test
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	all, err := io.ReadAll(conn) // to the end of the connection
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 408 ") || !strings.Contains(string(all), CodeRequestTimeout) {
		t.Fatalf("%v: %s", err, all)
	}
}

// A client that does not take its answer does not keep the request's goroutine.
func TestAnswerThatNobodyTakesIsGivenUp(t *testing.T) {
	done := make(chan struct{})
	s := New(Options{Gateway: newScript(), WriteTimeout: 50 * time.Millisecond})
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		close(done)
	}))
	h.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = conn.(*net.TCPConn).SetWriteBuffer(1) // the least that the system has
		}
	}
	h.Start()
	defer h.Close()
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) })
	}}
	conn, err := small.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // test
	body := `{"query":"query ` + strings.Repeat("x", 60<<10) + `"}`
	if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	await.One(t, done)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
