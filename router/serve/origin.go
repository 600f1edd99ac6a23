package serve

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// origins decides which web pages may use the endpoint: those of the same host and those that the operator names.
type origins struct {
	patterns    []string
	any         bool
	credentials bool
}

func newOrigins(patterns []string, credentials bool) origins {
	o := origins{credentials: credentials}
	for _, p := range patterns {
		if p == "*" {
			o.any = true
			continue
		}
		o.patterns = append(o.patterns, strings.ToLower(strings.TrimSuffix(p, "/")))
	}
	return o
}

// allows reports whether the page behind the request's Origin may use the endpoint. Requests without an Origin do not come from a
// page's script.
func (o origins) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.any || sameHost(origin, r.Host) || o.named(origin)
}

func (o origins) named(origin string) bool {
	origin = strings.ToLower(origin)
	for _, p := range o.patterns {
		if ok, err := path.Match(p, origin); err == nil && ok {
			return true
		}
	}
	return false
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// writeHeaders tells the browser whether the page may read the answer.
func (o origins) writeHeaders(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return
	case o.named(origin):
		h.Set("Access-Control-Allow-Origin", origin)
		if o.credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	case o.any:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return
	}
	h.Set("Access-Control-Expose-Headers", "X-Request-Id")
}

// writePreflight answers OPTIONS. A page that may not use the endpoint finds no permission in the answer.
func writePreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "GET, POST, OPTIONS")
	if h.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
			h.Add("Vary", "Access-Control-Request-Headers")
		}
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// preflightHeaders are headers that no page can set on a request to another site without the browser asking first.
var preflightHeaders = []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"}

// forged reports whether a GET may have been caused by a page of another site without the browser asking first (an image, a link, a
// script). POST needs no such check: its content type alone makes browsers ask.
func (o origins) forged(r *http.Request) bool {
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	if mediaType(r.Header.Get("Content-Type")) == "application/json" {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		// Not a browser, or one too old to say. With an Origin or a cookie it might be the latter.
		return r.Header.Get("Cookie") != "" || !o.allows(r)
	default:
		// Scripts of allowed pages (mode cors) carry an Origin; images and links do not.
		return r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Mode") != "cors" || !o.allows(r)
	}
}
