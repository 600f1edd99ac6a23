package serve

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"bourse/router/internal/await"
)

const liveAccept = `multipart/mixed;boundary="graphql";subscriptionSpec="1.0", application/json`

func TestSubscriptionInParts(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	part := func(body string) string {
		return "\r\ncontent-type: application/json\r\n\r\n" + body + "\r\n--graphql"
	}
	begin, end := "\r\n--graphql"+part(`{}`), "--\r\n"
	for query, want := range map[string]string{
		"count 2": begin + part(`{"payload":{"data":"1"}}`) + part(`{"payload":{"data":"2"}}`) + end,
		"count 0": begin + end,
		"fail": begin + part(`{"payload":{"data":"1"}}`) +
			part(`{"payload":null,"errors":[{"message":"too bad","extensions":{"code":"UPSTREAM_FAILED"}}]}`) + end,
	} {
		res := do(t, "POST", h.URL, `{"query":"`+query+`"}`, "Content-Type", classic, "Accept", liveAccept)
		if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != `multipart/mixed;boundary="graphql";subscriptionSpec=1.0` {
			t.Errorf("%s: %d %s", query, res.StatusCode, got)
		}
		if got := bodyOf(t, res); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestSubscriptionInPartsIsNegotiated(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	for _, c := range []struct {
		query, accept string
		status        int
		media         string
	}{
		{"query x", liveAccept, 200, classic},
		{"refuse", liveAccept, 200, classic},
		{"count 1", "multipart/mixed;subscriptionSpec=1.0", 200, mediaParts},
		{"count 1", "multipart/mixed;subscriptionSpec=1.0, text/event-stream", 200, mediaEvents},
		{"query x", "multipart/mixed;subscriptionSpec=1.0", 406, classic},
		{"count 1", "multipart/mixed;subscriptionSpec=2.0, application/json", 406, classic},
		{"count 1", "multipart/mixed;subscriptionSpec=1.0;q=0, application/json", 406, classic},
		{"count 1", "multipart/mixed;deferSpec=20220824, application/json", 406, classic},
	} {
		res := do(t, "POST", h.URL, `{"query":"`+c.query+`"}`, "Content-Type", classic, "Accept", c.accept)
		_ = bodyOf(t, res)
		if got := mediaType(res.Header.Get("Content-Type")); res.StatusCode != c.status || got != c.media {
			t.Errorf("%s, %s: %d %s", c.query, c.accept, res.StatusCode, got)
		}
	}
}

func TestSubscriptionInPartsKeepsAliveAndEndsWithTheClient(t *testing.T) {
	h, g, _ := serveScript(t, Options{KeepAlive: 10 * time.Millisecond})
	req, _ := http.NewRequestWithContext(t.Context(), "POST", h.URL, strings.NewReader(`{"query":"silent"}`))
	req.Header.Set("Content-Type", classic)
	req.Header.Set("Accept", liveAccept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines, beats := bufio.NewScanner(res.Body), 0
	for beats < 3 && lines.Scan() {
		if lines.Text() == "{}" {
			beats++
		}
	}
	if beats < 3 {
		t.Fatalf("%d signs of life, %v", beats, lines.Err())
	}
	_ = res.Body.Close()
	await.One(t, g.ended)
}
