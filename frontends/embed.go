// Package frontends carries the built browser applications inside the binary and serves
// them: the shell for every page address, the applications that it mounts under
// /apps/<app>/, each file in the smallest encoding that the browser takes.
//
// It deliberately knows nothing of GraphQL, sessions or the exchange: it serves files.
// `npm run build` in this folder fills dist/; a binary built before that still compiles and
// answers pages with a note that says how to build them.
package frontends

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// contentSecurityPolicy lets a page load what this package serves and nothing else. Styles may
// be inline because the console's component library writes its rules into <style> elements;
// blob: workers and data: fonts are the schema explorer's editor.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// notBuilt is the page of a binary without frontends.
const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Bourse: frontends not built</title>
<body style="font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>The frontends are not built</h1>
<p>This binary was compiled before its browser applications. The API at <code>/graphql</code> works.
To have the pages too, build them and compile again:</p>
<pre>make run</pre>
<p>or, by hand, <code>npm install &amp;&amp; npm run build</code> in <code>frontends/</code>, then build the binary.</p>
</body></html>
`

// Handler serves the embedded applications. It answers GET and HEAD; an address that names
// neither a page nor a file is 404.
func Handler() http.Handler {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("frontends: dist is embedded by this very file: " + err.Error())
	}
	return newSite(root)
}

// apps are the applications that the shell mounts; each is also a site of its own under /apps/.
var apps = map[string]bool{"member": true, "agent": true, "admin": true}

// shellPages are the addresses, with all below them, that the shell's own router answers.
var shellPages = map[string]bool{"": true, "sign-in": true, "register": true, "member": true, "agent": true, "admin": true}

type site struct {
	files fs.FS
	etags map[string]string // by path in files; fixed once built
	// locate turns the path of a request into the name of a file.
	locate func(urlPath string) (name string, ok bool)
}

func newSite(files fs.FS) *site {
	s := &site{files: files, etags: map[string]string{}, locate: locate}
	// Only files that may change under one name need a tag; hashed ones never do.
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || hashed(name) {
			return nil
		}
		if body, err := fs.ReadFile(files, name); err == nil {
			sum := sha256.Sum256(body)
			s.etags[name] = `"` + hex.EncodeToString(sum[:8]) + `"`
		}
		return nil
	})
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name, ok := s.locate(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !s.serveFile(w, r, name) {
		s.missing(w, r, name)
	}
}

// locate turns the path of a request into the name of a file below dist.
func locate(urlPath string) (name string, ok bool) {
	clean := path.Clean("/" + urlPath)[1:]
	if strings.HasSuffix(clean, ".br") || strings.HasSuffix(clean, ".gz") {
		return "", false // reached through Accept-Encoding only
	}
	first, rest, _ := strings.Cut(clean, "/")
	if first == "apps" {
		app, file, _ := strings.Cut(rest, "/")
		if !apps[app] {
			return "", false
		}
		if path.Ext(file) == "" {
			file = "index.html"
		}
		return app + "/" + file, true
	}
	if shellPages[first] && path.Ext(clean) == "" {
		return "shell/index.html", true
	}
	return "shell/" + clean, true
}

// missing explains a page that was never built; any other file is simply not there.
func (s *site) missing(w http.ResponseWriter, r *http.Request, name string) {
	if path.Base(name) != "index.html" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(notBuilt))
	}
}

// serveFile writes the file in the best encoding that the client accepts; false when it is not there.
func (s *site) serveFile(w http.ResponseWriter, r *http.Request, name string) bool {
	if info, err := fs.Stat(s.files, name); err != nil || info.IsDir() {
		return false
	}
	stored, encoding := name, ""
	accepted := r.Header.Get("Accept-Encoding")
	for _, c := range []struct{ token, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accepted, c.token) {
			continue
		}
		if _, err := fs.Stat(s.files, name+c.suffix); err == nil {
			stored, encoding = name+c.suffix, c.token
			break
		}
	}
	body, err := fs.ReadFile(s.files, stored)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return true
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Vary", "Accept-Encoding")
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	if hashed(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", s.etags[stored])
	}
	if h.Get("Content-Encoding") != "" && r.Header.Get("Range") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return true
}

// hashed says whether the file's name changes with its content: the build puts such files,
// and only such, under static/.
func hashed(name string) bool {
	return strings.Contains("/"+name, "/static/")
}

func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs": // the system's table may hold something else
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	case ".ttf":
		return "font/ttf"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// accepts reads an Accept-Encoding header (RFC 9110, section 12.5.3) for one coding.
func accepts(header, coding string) bool {
	any := false
	for _, part := range strings.Split(header, ",") {
		token, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		token = strings.ToLower(strings.TrimSpace(token))
		if token != coding && token != "*" {
			continue
		}
		wanted := true
		if q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); found {
			wanted = strings.Trim(q, "0.") != ""
		}
		if token == coding {
			return wanted
		}
		any = wanted
	}
	return any
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
