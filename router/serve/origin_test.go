package serve

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatBrowsersAreTold(t *testing.T) {
	h, _, _ := serveScript(t, Options{
		AllowedOrigins: []string{"https://App.example.com/", "https://*.example.org", "http://[::1]:3000"}, AllowCredentials: true,
		CORS: CORS{
			Patterns: []*regexp.Regexp{regexp.MustCompile(`https://pr-[0-9]+\.example\.com|http://localhost:\d+`)},
			Methods:  []string{"POST"}, Headers: []string{"Content-Type", "Authorization"}, Expose: []string{"Server-Timing"},
			MaxAge: time.Hour, PrivateNetwork: true,
		},
	})
	preflight := func(origin string, header ...string) http.Header {
		return do(t, "OPTIONS", h.URL, "", append(header, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-anything")...).Header
	}
	got := preflight("https://pr-17.example.com", "Access-Control-Request-Private-Network", "true")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":          "https://pr-17.example.com",
		"Access-Control-Allow-Credentials":     "true",
		"Access-Control-Allow-Methods":         "POST",
		"Access-Control-Allow-Headers":         "Content-Type, Authorization",
		"Access-Control-Max-Age":               "3600",
		"Access-Control-Allow-Private-Network": "true",
		"Access-Control-Expose-Headers":        "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, Server-Timing",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	for origin, allowed := range map[string]bool{
		"https://app.example.com":               true,
		"HTTPS://APP.EXAMPLE.COM":               true,
		"https://app-example.com":               false,
		"https://a.b.example.org":               true,
		"https://example.org":                   false,
		"https://evil.com/.example.org":         false,
		"https://a.example.org.evil.com":        false,
		"http://[::1]:3000":                     true,
		"http://1:3000":                         false,
		"http://localhost:3000":                 true,
		"https://pr-17.example.com.evil.org":    false,
		"https://evil.org/https://pr-1.example": false,
		"xhttp://localhost:3000":                false,
		"https://pr-x.example.com":              false,
		"null":                                  false,
	} {
		if got := preflight(origin).Get("Access-Control-Allow-Origin"); (got != "") != allowed {
			t.Errorf("%s is told %q", origin, got)
		}
	}
	if got := preflight("https://app.example.com"); got.Get("Access-Control-Allow-Private-Network") != "" {
		t.Error("nobody asked for private networks")
	}
	plain, _, _ := serveScript(t, Options{AllowedOrigins: []string{"https://app.example.com"}})
	res := do(t, "OPTIONS", plain.URL, "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Private-Network", "true")
	if res.Header.Get("Access-Control-Allow-Private-Network") != "" || res.Header.Get("Access-Control-Max-Age") != "600" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("by default: %v", res.Header)
	}
	for _, origin := range []string{"", "https://app.example.com", "https://evil.org"} { // or a cache would tell one page what holds for another
		res := do(t, "POST", plain.URL, `{"query":"query x"}`, "Content-Type", classic, "Origin", origin)
		if !slices.Contains(res.Header.Values("Vary"), "Origin") || (res.Header.Get("Access-Control-Expose-Headers") != "") != (origin == "https://app.example.com") {
			t.Errorf("a page of %q: %v", origin, res.Header)
		}
	}
	res = do(t, "OPTIONS", plain.URL, "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-anything")
	if vary := res.Header.Values("Vary"); res.Header.Get("Access-Control-Allow-Headers") != "x-anything" || !slices.Contains(vary, "Access-Control-Request-Headers") {
		t.Errorf("whatever they ask for: %v", res.Header)
	}
	res = do(t, "OPTIONS", plain.URL, "", "Origin", "https://evil.org", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-anything")
	for name := range res.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a page that may nothing is told %s", name)
		}
	}
}

// Pages of the router's own host open WebSockets without being named: of that host and port, and of no other that looks like it.
func TestWhoseWebSocketsAreOfTheSameHost(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	for origin, allowed := range map[string]bool{
		"": true, h.URL: true, strings.Replace(h.URL, "http:", "https:", 1): true,
		h.URL + "0": false, h.URL[:strings.LastIndexByte(h.URL, ':')]: false, h.URL + ".evil.org": false, "http://evil.org/" + h.URL: false,
		strings.Replace(h.URL, "http://", "http://evil@", 1) + ".org": false, "null": false, "http://": false, "%": false, "file://": false,
	} {
		_, res, err := dial(t, h.URL, http.Header{"Origin": {origin}})
		if (err == nil) != allowed || !allowed && res.StatusCode != http.StatusForbidden {
			t.Errorf("a page of %q: %v, %v", origin, res.Status, err)
		}
	}
}

func TestWhichHeadersProveThatABrowserAsked(t *testing.T) {
	h, _, _ := serveScript(t, Options{CORS: CORS{Preflight: []string{"X-Our-Client"}}})
	for name, status := range map[string]int{"X-Our-Client": 200, "GraphQL-Require-Preflight": 403} {
		if res := do(t, "GET", h.URL+"?query=query+x", "", name, "1", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, status)
		}
	}
}
