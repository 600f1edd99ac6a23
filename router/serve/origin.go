package serve

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS is what browsers are told of Options.AllowedOrigins, and how else origins may be allowed.
type CORS struct {
	Patterns       []*regexp.Regexp // of whole origins in lower case, besides AllowedOrigins
	Methods        []string         // that pages may use; default GET, POST, PUT and DELETE
	Headers        []string         // that pages may send; default: whatever they ask for
	Expose         []string         // headers of answers that pages may read, beside X-Request-Id and those of rate limits
	MaxAge         time.Duration    // how long browsers remember what they may; default 10 min
	PrivateNetwork bool             // lets pages of public networks in where the router is in a private one

	// Preflight names the headers of which a GET needs one where it might come from another site's page: no page can send them without the
	// browser asking first. Default GraphQL-Require-Preflight, Apollo-Require-Preflight, X-Apollo-Operation-Name.
	Preflight []string
}

// origins decides which web pages may use the endpoint: those of the same host and those that the operator names.
type origins struct {
	cors                             CORS
	patterns                         []*regexp.Regexp
	any, credentials                 bool
	methods, headers, expose, maxAge string
}

func newOrigins(allowed []string, credentials bool, o CORS) origins {
	if len(o.Methods) == 0 {
		o.Methods = []string{"GET", "POST", "PUT", "DELETE"}
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 10 * time.Minute
	}
	if len(o.Preflight) == 0 {
		o.Preflight = []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"}
	}
	ready := origins{
		cors: o, credentials: credentials, methods: strings.Join(o.Methods, ", "), headers: strings.Join(o.Headers, ", "), maxAge: strconv.Itoa(int(o.MaxAge / time.Second)),
		expose: strings.Join(append([]string{"X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining"}, o.Expose...), ", "),
	}
	for _, p := range allowed {
		if p == "*" {
			ready.any = true
			continue
		}
		p = regexp.QuoteMeta(strings.ToLower(strings.TrimSuffix(p, "/")))
		ready.patterns = append(ready.patterns, regexp.MustCompile("^"+strings.ReplaceAll(p, `\*`, "[^/]*")+"$"))
	}
	for _, p := range o.Patterns {
		ready.patterns = append(ready.patterns, regexp.MustCompile("^(?:"+p.String()+")$")) // it was compiled once already
	}
	return ready
}

// allows reports whether the page behind the request's Origin may use the endpoint. Requests without an Origin do not come from a
// page's script.
func (o origins) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.any || sameHost(origin, r.Host) || o.named(origin)
}

func (o origins) named(origin string) bool {
	origin = strings.ToLower(origin)
	return slices.ContainsFunc(o.patterns, func(p *regexp.Regexp) bool { return p.MatchString(origin) })
}

// letsCookies says whether cookies of the page behind the request's Origin count. By HTTP browsers hold back those of pages that may send none; a
// WebSocket has them whatever the page.
func (o origins) letsCookies(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || sameHost(origin, r.Host) || o.credentials && o.named(origin)
}

// withoutCookies is the same request without them.
func withoutCookies(r *http.Request) *http.Request {
	own := *r
	own.Header = r.Header.Clone()
	own.Header.Del("Cookie")
	return &own
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
	h.Set("Access-Control-Expose-Headers", o.expose)
}

// writePreflight answers OPTIONS. A page that may not use the endpoint finds no permission in the answer.
func (o origins) writePreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "GET, POST, OPTIONS")
	if h.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", o.methods)
		if wanted := r.Header.Get("Access-Control-Request-Headers"); o.headers != "" {
			h.Set("Access-Control-Allow-Headers", o.headers)
		} else if wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
			h.Add("Vary", "Access-Control-Request-Headers")
		}
		if o.cors.PrivateNetwork && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			h.Set("Access-Control-Allow-Private-Network", "true")
		}
		h.Set("Access-Control-Max-Age", o.maxAge)
	}
	w.WriteHeader(http.StatusNoContent)
}

// askedFirst says whether the request has a header that no page of another site can send without the browser asking first.
func (o origins) askedFirst(r *http.Request) bool {
	for _, name := range o.cors.Preflight {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// forged reports whether a GET may have been caused by a page of another site without the browser asking first (an image, a link, a
// script). POST needs no such check: its content type alone makes browsers ask.
func (o origins) forged(r *http.Request) bool {
	if o.askedFirst(r) {
		return false
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
