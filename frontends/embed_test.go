package frontends

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() *site {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return newSite(fstest.MapFS{
		"shell/index.html":                file("<shell>"),
		"shell/index.html.br":             file("shell-br"),
		"shell/index.html.gz":             file("shell-gz"),
		"shell/favicon.svg":               file("<svg/>"),
		"shell/static/js/index.0a1b2c.js": file("shell()"),
		"member/index.html":               file("<member>"),
		"member/static/js/entry.77aa.js":  file("member()"),
	})
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAddressesLeadToFiles(t *testing.T) {
	for _, c := range []struct {
		path string
		code int
		body string
	}{
		{"/", 200, "<shell>"},
		{"/sign-in", 200, "<shell>"},
		{"/register", 200, "<shell>"},
		{"/member", 200, "<shell>"},
		{"/member/market/BTC-USDT", 200, "<shell>"},
		{"/agent/deposits", 200, "<shell>"},
		{"/admin/audit", 200, "<shell>"},
		{"/favicon.svg", 200, "<svg/>"},
		{"/static/js/index.0a1b2c.js", 200, "shell()"},
		{"/apps/member/", 200, "<member>"},
		{"/apps/member/market/BTC-USDT", 200, "<member>"},
		{"/apps/member/static/js/entry.77aa.js", 200, "member()"},
		{"/apps/member/static/js/gone.js", 404, ""},
		{"/apps/other/", 404, ""},
		{"/static/js/gone.js", 404, ""},
		{"/static", 404, ""},
		{"/nowhere", 404, ""},
		{"/index.html.br", 404, ""},
		{"/apps/../../embed.go", 404, ""},
	} {
		w := get(t, built(), c.path)
		if w.Code != c.code || (c.body != "" && w.Body.String() != c.body) {
			t.Errorf("GET %s = %d %q, want %d %q", c.path, w.Code, w.Body, c.code, c.body)
		}
	}
}

func TestHashedFilesAreKeptAndPagesAreAskedAgain(t *testing.T) {
	if got := get(t, built(), "/static/js/index.0a1b2c.js").Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("hashed file: Cache-Control %q", got)
	}
	page := get(t, built(), "/")
	if got := page.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control %q", got)
	}
	tag := page.Header().Get("ETag")
	if w := get(t, built(), "/", "If-None-Match", tag); tag == "" || w.Code != http.StatusNotModified {
		t.Errorf("page asked again with tag %q: %d", tag, w.Code)
	}
}

func TestSmallestAcceptedEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"":                      "<shell>",
		"gzip, deflate, br":     "shell-br",
		"gzip":                  "shell-gz",
		"br;q=0, gzip;q=0.5":    "shell-gz",
		"br; q=0.000, gzip;q=0": "<shell>",
		"*":                     "shell-br",
		"*;q=0":                 "<shell>",
		"identity":              "<shell>",
	} {
		w := get(t, built(), "/", "Accept-Encoding", accept)
		if w.Body.String() != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: %q, Vary %q", accept, w.Body, w.Header().Get("Vary"))
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	for _, path := range []string{"/", "/nowhere", "/apps/member/static/js/entry.77aa.js"} {
		h := get(t, built(), path).Header()
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: sniffing is allowed", path)
		}
	}
}

func TestOnlyReading(t *testing.T) {
	w := httptest.NewRecorder()
	built().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST / = %d", w.Code)
	}
}

func TestBinaryWithoutFrontendsSaysSo(t *testing.T) {
	w := get(t, newSite(fstest.MapFS{".keep": &fstest.MapFile{}}), "/member")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make run") {
		t.Errorf("GET /member = %d %q", w.Code, w.Body)
	}
	if Handler() == nil {
		t.Error("no handler over the embedded folder")
	}
}
