package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bourse/router/internal/await"
)

func do(t *testing.T, method, target, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func codeOf(t *testing.T, body string) string {
	t.Helper()
	var parsed struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(body), &parsed); err != nil {
		t.Fatalf("not JSON: %q", body)
	}
	if len(parsed.Errors) == 0 {
		return ""
	}
	return parsed.Errors[0].Extensions.Code
}

const modern, classic = "application/graphql-response+json", "application/json"

func TestPost(t *testing.T) {
	h, _, _ := serveScript(t, Options{MaxBodyBytes: 2000})
	for _, c := range []struct {
		name, body, contentType, accept string
		status                          int
		media, code                     string
	}{
		{"query", `{"query":"query x"}`, classic, classic, 200, classic, ""},
		{"no accept", `{"query":"query x"}`, classic, "", 200, classic, ""},
		{"any accept", `{"query":"query x"}`, classic, "*/*", 200, classic, ""},
		{"modern accept", `{"query":"query x"}`, classic, modern + ", application/json;q=0.9", 200, modern, ""},
		{"preferred classic", `{"query":"query x"}`, classic, modern + ";q=0.5, application/json", 200, classic, ""},
		{"charset", `{"query":"query x"}`, "application/json; charset=UTF-8", classic, 200, classic, ""},
		{"nulls", `{"query":"query x","variables":null,"operationName":null,"extensions":null}`, classic, classic, 200, classic, ""},
		{"mutation", `{"query":"mutation x"}`, classic, classic, 200, classic, ""},
		{"refused, classic", `{"query":"refuse"}`, classic, classic, 200, classic, "GRAPHQL_VALIDATION_FAILED"},
		{"refused, modern", `{"query":"refuse"}`, classic, modern, 400, modern, "GRAPHQL_VALIDATION_FAILED"},
		{"panic", `{"query":"panic"}`, classic, classic, 500, classic, CodeInternal},
		{"not JSON", `{"query":`, classic, classic, 400, classic, CodeBadRequest},
		{"trailing", `{"query":"query x"} {}`, classic, classic, 400, classic, CodeBadRequest},
		{"empty", ``, classic, classic, 400, classic, CodeBadRequest},
		{"null", `null`, classic, classic, 400, classic, CodeBadRequest},
		{"list", `[{"query":"query x"}]`, classic, modern, 400, modern, CodeBatchingOff},
		{"text", `"query x"`, classic, modern, 400, modern, CodeBadRequest},
		{"no query", `{}`, classic, classic, 400, classic, CodeBadRequest},
		{"query is a number", `{"query":1}`, classic, classic, 400, classic, CodeBadRequest},
		{"operationName is a list", `{"query":"query x","operationName":[]}`, classic, classic, 400, classic, CodeBadRequest},
		{"variables is a string", `{"query":"query x","variables":"{}"}`, classic, classic, 400, classic, CodeBadRequest},
		{"extensions is a number", `{"query":"query x","extensions":0}`, classic, classic, 400, classic, CodeBadRequest},
		{"form", `query=x`, "application/x-www-form-urlencoded", classic, 415, classic, CodeBadRequest},
		{"plain text", `{"query":"query x"}`, "text/plain", classic, 415, classic, CodeBadRequest},
		{"no content type", `{"query":"query x"}`, "", classic, 415, classic, CodeBadRequest},
		{"other charset", `{"query":"query x"}`, "application/json; charset=latin1", classic, 415, classic, CodeBadRequest},
		{"unacceptable", `{"query":"query x"}`, classic, "text/html", 406, classic, CodeBadRequest},
		{"nothing acceptable", `{"query":"query x"}`, classic, "application/json;q=0", 406, classic, CodeBadRequest},
		{"too large", `{"query":"query ` + strings.Repeat("x", 3000) + `"}`, classic, classic, 413, classic, CodeBadRequest},
		{"subscription", `{"query":"count 1"}`, classic, classic, 406, classic, CodeBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := []string{}
			if c.contentType != "" {
				header = append(header, "Content-Type", c.contentType)
			}
			if c.accept != "" {
				header = append(header, "Accept", c.accept)
			}
			res := do(t, "POST", h.URL, c.body, header...)
			body := bodyOf(t, res)
			if res.StatusCode != c.status || mediaType(res.Header.Get("Content-Type")) != c.media || codeOf(t, body) != c.code {
				t.Errorf("got %d %s %s, want %d %s %s", res.StatusCode, res.Header.Get("Content-Type"), body, c.status, c.media, c.code)
			}
			if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("browsers and caches are told %v", res.Header)
			}
		})
	}
}

func TestGet(t *testing.T) {
	h, _, _ := serveScript(t, Options{AllowedOrigins: []string{"https://app.example.com"}})
	for _, c := range []struct {
		name, method, query string
		header              []string
		status              int
		code                string
	}{
		{"query", "GET", "query=query+x", nil, 200, ""},
		{"variables", "GET", "query=query+x&variables=%7B%22a%22%3A1%7D&operationName=A", nil, 200, ""},
		{"bad variables", "GET", "query=query+x&variables=%7B", nil, 400, CodeBadRequest},
		{"variables and more", "GET", "query=query+x&variables=%7B%7D+x", nil, 400, CodeBadRequest},
		{"extensions of a wrong type", "GET", "query=query+x&extensions=%5B%5D", nil, 400, CodeBadRequest},
		{"variables of a wrong type", "GET", "query=query+x&variables=3", nil, 400, CodeBadRequest},
		{"no query", "GET", "", nil, 400, CodeBadRequest},
		{"mutation", "GET", "query=mutation+x", nil, 405, CodeMethodNotAllowed},
		{"patch", "PATCH", "query=query+x", nil, 405, CodeMethodNotAllowed},
		{"delete", "DELETE", "", nil, 405, CodeMethodNotAllowed},
		{"image on another site", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403, CodeCSRFPrevented},
		{"link on another site", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403, CodeCSRFPrevented},
		{"image, header set", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "GraphQL-Require-Preflight", "1"}, 200, ""},
		{"own page", "GET", "query=query+x", []string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"address bar", "GET", "query=query+x", []string{"Sec-Fetch-Site", "none"}, 200, ""},
		{"script of an allowed page", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://app.example.com"}, 200, ""},
		{"script of another page", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example.com"}, 403, CodeCSRFPrevented},
		{"image on a page of the same site", "GET", "query=query+x", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, 403, CodeCSRFPrevented},
		{"image on another site, simple content type", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Content-Type", "text/plain"}, 403, CodeCSRFPrevented},
		{"what no image says it has", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Content-Type", "Application/JSON; charset=utf-8"}, 200, ""},
		{"script that is from nowhere", "GET", "query=query+x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "null"}, 403, CodeCSRFPrevented},
		{"old browser with the origin of another page", "GET", "query=query+x", []string{"Origin", "https://evil.example.com"}, 403, CodeCSRFPrevented},
		{"old browser with that of an allowed one", "GET", "query=query+x", []string{"Origin", "https://app.example.com"}, 200, ""},
		{"stream on another site", "GET", "query=count+1", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Accept", "text/event-stream"}, 403, CodeCSRFPrevented},
		{"old browser with a cookie", "GET", "query=query+x", []string{"Cookie", "a=b"}, 403, CodeCSRFPrevented},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := do(t, c.method, h.URL+"?"+c.query, "", append([]string{"Accept", classic}, c.header...)...)
			body := bodyOf(t, res)
			if res.StatusCode != c.status || codeOf(t, body) != c.code {
				t.Errorf("got %d %s, want %d %s", res.StatusCode, body, c.status, c.code)
			}
			if res.StatusCode == 405 && res.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func TestVariablesKeepTheirDigits(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	got := bodyOf(t, do(t, "POST", h.URL, `{"query":"variables","variables":{"n":12345678901234567890.10}}`, "Content-Type", classic))
	if !strings.Contains(got, "12345678901234567890.10") {
		t.Errorf("got %s", got)
	}
}

func TestCORS(t *testing.T) {
	h, _, _ := serveScript(t, Options{AllowedOrigins: []string{"https://*.example.com"}, AllowCredentials: true})
	allowed := do(t, "OPTIONS", h.URL, "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	if allowed.StatusCode != 204 || allowed.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		allowed.Header.Get("Access-Control-Allow-Headers") != "authorization" || allowed.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("preflight: %d %v", allowed.StatusCode, allowed.Header)
	}
	for _, origin := range []string{"https://example.org", "http://app.example.com", "https://example.com.evil.org", "null"} {
		refused := do(t, "OPTIONS", h.URL, "", "Origin", origin, "Access-Control-Request-Method", "POST")
		if got := refused.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s is allowed as %q", origin, got)
		}
	}
	anyone, _, _ := serveScript(t, Options{AllowedOrigins: []string{"*"}, AllowCredentials: true})
	res := do(t, "POST", anyone.URL, `{"query":"query x"}`, "Content-Type", classic, "Origin", "https://example.org")
	if res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("any origin: %v", res.Header)
	}
}

func TestRequestID(t *testing.T) {
	h, g, _ := serveScript(t, Options{ForwardHeaders: []string{"authorization"}})
	res := do(t, "POST", h.URL, `{"query":"header X-Request-Id"}`, "Content-Type", classic, "X-Request-Id", "abc-1")
	if got := res.Header.Get("X-Request-Id"); got != "abc-1" || !strings.Contains(bodyOf(t, res), "abc-1") {
		t.Errorf("got %q", got)
	}
	res = do(t, "POST", h.URL, `{"query":"query"}`, "Content-Type", classic, "X-Request-Id", "a b;drop")
	if got := res.Header.Get("X-Request-Id"); got == "" || strings.Contains(got, " ") {
		t.Errorf("got %q", got)
	}
	if got := bodyOf(t, do(t, "POST", h.URL, `{"query":"header Authorization"}`, "Content-Type", classic, "Authorization", "Bearer t")); !strings.Contains(got, "Bearer t") {
		t.Errorf("not passed on: %s", got)
	}
	if got := bodyOf(t, do(t, "POST", h.URL, `{"query":"header Cookie"}`, "Content-Type", classic, "Cookie", "secret=1")); strings.Contains(got, "secret") {
		t.Errorf("passed on unasked: %s", got)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.records) != 4 || g.records[0].RequestID != "abc-1" || g.records[0].Status != 200 || g.records[0].Kind != "query" {
		t.Errorf("records %+v", g.records)
	}
}

func TestRequestTimeout(t *testing.T) {
	h, g, _ := serveScript(t, Options{RequestTimeout: 20 * time.Millisecond})
	_ = bodyOf(t, do(t, "POST", h.URL, `{"query":"slow"}`, "Content-Type", classic))
	await.One(t, g.ended)
}

func TestEventStream(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	post := func(query string) *http.Response {
		return do(t, "POST", h.URL, `{"query":"`+query+`"}`, "Content-Type", classic, "Accept", "text/event-stream")
	}
	event := func(data string) string { return "event: next\ndata: " + data + "\n\n" }
	const done = "event: complete\ndata: \n\n"
	for query, want := range map[string]string{
		"count 2": event(`{"data":"1"}`) + event(`{"data":"2"}`) + done,
		"count 0": done,
		"query x": event(`{"data":"x"}`) + done,
		"fail":    event(`{"data":"1"}`) + event(`{"errors":[{"message":"too bad","extensions":{"code":"UPSTREAM_FAILED"}}]}`) + done,
		"panic":   event(`{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`) + done,
	} {
		res := post(query)
		if got := bodyOf(t, res); got != ":\n\n"+want || mediaType(res.Header.Get("Content-Type")) != "text/event-stream" {
			t.Errorf("%s: got %q", query, got)
		}
	}
	if res := post("refuse"); res.StatusCode != 400 || codeOf(t, bodyOf(t, res)) != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("refused: %d", res.StatusCode)
	}
	res := do(t, "GET", h.URL+"?query="+url.QueryEscape("count 1"), "", "Accept", "text/event-stream")
	if got := bodyOf(t, res); got != ":\n\n"+event(`{"data":"1"}`)+done {
		t.Errorf("GET: got %q", got)
	}
}

func TestEventStreamKeepsAliveAndEndsWithTheClient(t *testing.T) {
	h, g, _ := serveScript(t, Options{KeepAlive: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "POST", h.URL, strings.NewReader(`{"query":"silent"}`))
	req.Header.Set("Content-Type", classic)
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // test
	lines := bufio.NewScanner(res.Body)
	for range 6 { // three comments with their blank lines
		if !lines.Scan() {
			t.Fatal("the stream ended")
		}
	}
	cancel()
	await.One(t, g.ended)
}

func TestCloseEndsStreamsAndWaitsForRequests(t *testing.T) {
	h, g, s := serveScript(t, Options{})
	results := make(chan string, 2)
	post := func(query, accept string) {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", h.URL, strings.NewReader(`{"query":"`+query+`"}`))
		req.Header.Set("Content-Type", classic)
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			results <- err.Error()
			return
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		results <- string(b)
	}
	go post("silent", "text/event-stream")
	await.One(t, g.started)
	go post("slow", classic)
	await.One(t, g.started)
	closed := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { closed <- s.Close(ctx) }()
	if got := await.One(t, results); !strings.Contains(got, CodeShuttingDown) || !strings.HasSuffix(got, "event: complete\ndata: \n\n") {
		t.Errorf("the stream ended with %q", got)
	}
	if res := do(t, "POST", h.URL, `{"query":"query x"}`, "Content-Type", classic); res.StatusCode != 503 {
		t.Errorf("a closing server answers %d", res.StatusCode)
	}
	cancel() // patience is over
	if got := await.One(t, results); !strings.Contains(got, "late") {
		t.Errorf("the request ended with %q", got)
	}
	if err := await.One(t, closed); err == nil {
		t.Error("Close says nothing of the request that it cut off")
	}
}
