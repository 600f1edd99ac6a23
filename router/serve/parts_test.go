package serve

import (
	"bufio"
	"compress/gzip"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"bourse/router/internal/await"
)

const takesPartsHeader = "multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json"

// TestPartsOnTheWire is the format that Apollo's clients read, byte for byte.
func TestPartsOnTheWire(t *testing.T) {
	h, _, s := serveScript(t, Options{})
	_ = s
	for _, c := range []struct{ query, accept, media, want string }{
		{"defer 3", takesPartsHeader, `multipart/mixed;boundary="-";deferSpec=20220824`, "\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":\"1\"}" +
			"\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":\"2\"}\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":\"3\"}\r\n-----\r\n"},
		{"defer 1", takesPartsHeader, modern + "; charset=utf-8", `{"data":"1"}`}, // nothing was deferred after all
		{"query x", takesPartsHeader, modern + "; charset=utf-8", `{"data":"x"}`},
		{"query x", "multipart/mixed", `multipart/mixed;boundary="-";deferSpec=20220824`, "\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":\"x\"}\r\n-----\r\n"},
		{"refuse", "multipart/mixed", classic + "; charset=utf-8", `{"errors":[{"message":"no","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"defer 3", classic, classic + "; charset=utf-8", `{"data":"3"}`}, // whole
		{"defer 3", "*/*", classic + "; charset=utf-8", `{"data":"3"}`},
		{"defer 3", "multipart/mixed;deferSpec=20991231, application/json", classic + "; charset=utf-8", `{"data":"3"}`},
		{"defer 3", "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json", classic + "; charset=utf-8", `{"data":"3"}`},
		{"defer 3", "multipart/mixed;incrementalSpec=v0.2,application/json", classic + "; charset=utf-8", `{"data":"3"}`},
		{"defer 3", "multipart/mixed;q=0.1, application/json", classic + "; charset=utf-8", `{"data":"3"}`},
		{"defer-fail", takesPartsHeader, `multipart/mixed;boundary="-";deferSpec=20220824`, "\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":\"1\"}" +
			"\r\n---\r\ncontent-type: application/json\r\n\r\n{\"errors\":[{\"message\":\"too bad\",\"extensions\":{\"code\":\"LATE\"}}],\"hasNext\":false}\r\n-----\r\n"},
		{"defer-panic", takesPartsHeader, modern + "; charset=utf-8", `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`},
	} {
		res := do(t, "POST", h.URL, `{"query":"`+c.query+`"}`, "Content-Type", classic, "Accept", c.accept)
		if got := bodyOf(t, res); got != c.want || res.Header.Get("Content-Type") != c.media {
			t.Errorf("%s with %s:\ngot  %s %q\nwant %s %q", c.query, c.accept, res.Header.Get("Content-Type"), got, c.media, c.want)
		}
	}
}

// TestPartsComeAtOnce reads the first part while the second is still being waited for, plain and compressed.
func TestPartsComeAtOnce(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		h, g, _ := serveScript(t, Options{KeepAlive: time.Millisecond, RequestTimeout: time.Hour})
		res := do(t, "POST", h.URL, `{"query":"defer-wait"}`, "Content-Type", classic, "Accept", takesPartsHeader, "Accept-Encoding", encoding)
		var body io.Reader = res.Body
		if encoding == "gzip" {
			if res.Header.Get("Content-Encoding") != "gzip" {
				t.Fatal("not compressed")
			}
			z, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		await.One(t, g.started)
		_, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := multipart.NewReader(body, params["boundary"]).NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(p); err != nil || string(text) != `{"data":"1"}` { // to the end: the boundary is there
			t.Errorf("%s: got %q, %v", encoding, text, err)
		}
		_ = res.Body.Close() // a client that leaves ends the work
		await.One(t, g.ended)
	}
}

func TestPartsEndWithTheTimeOfARequest(t *testing.T) {
	h, g, _ := serveScript(t, Options{RequestTimeout: 20 * time.Millisecond})
	res := do(t, "POST", h.URL, `{"query":"defer-wait"}`, "Content-Type", classic, "Accept", takesPartsHeader)
	if body := bodyOf(t, res); !strings.HasSuffix(body, "{\"data\":\"2\"}\r\n-----\r\n") {
		t.Errorf("got %q", body)
	}
	await.One(t, g.ended)
}

func TestPartsAsEvents(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	res := do(t, "POST", h.URL, `{"query":"defer 2"}`, "Content-Type", classic, "Accept", mediaEvents)
	if got, want := bodyOf(t, res), ":\n\nevent: next\ndata: {\"data\":\"1\"}\n\nevent: next\ndata: {\"data\":\"2\"}\n\nevent: complete\ndata: \n\n"; got != want {
		t.Errorf("got %q", got)
	}
	res = do(t, "POST", h.URL, `{"query":"defer-wait"}`, "Content-Type", classic, "Accept", mediaEvents)
	await.One(t, g.started)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && lines.Text() != `data: {"data":"1"}` {
	}
	_ = res.Body.Close()
	await.One(t, g.ended)
}

func TestPartsOnASocket(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	c := greet(t, h.URL, "", nil)
	c.subscribe("d", "defer 2")
	c.expect(`{"id":"d","type":"next","payload":{"data":"1"}}`)
	c.expect(`{"id":"d","type":"next","payload":{"data":"2"}}`)
	c.expect(`{"id":"d","type":"complete"}`)
	c.subscribe("f", "defer-fail")
	c.expect(`{"id":"f","type":"next","payload":{"data":"1"}}`)
	c.expect(`{"id":"f","type":"error","payload":[{"message":"too bad","extensions":{"code":"LATE"}}]}`)
	c.subscribe("p", "defer-panic")
	c.expect(`{"id":"p","type":"error","payload":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
	c.subscribe("w", "defer-wait")
	await.One(t, g.started)
	c.expect(`{"id":"w","type":"next","payload":{"data":"1"}}`)
	c.send(`{"id":"w","type":"complete"}`)
	await.One(t, g.ended)
}
