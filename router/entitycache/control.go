package entitycache

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"bourse/router/execute"
)

// policy is how an answer may be kept.
type policy struct {
	ttl     time.Duration // 0: not at all
	private bool
}

// header is the policy in the words of Cache-Control.
func (p policy) header() string {
	if p.ttl < time.Second {
		return "no-store"
	}
	scope := "public"
	if p.private {
		scope = "private"
	}
	return "max-age=" + strconv.FormatInt(int64(p.ttl/time.Second), 10) + ", " + scope
}

// stricter is what holds for two answers together.
func (p policy) stricter(other policy) policy {
	return policy{min(p.ttl, other.ttl), p.private || other.private}
}

// directives is what a Cache-Control header says (RFC 9111, section 5.2.2), and what Vary adds to it (section 4.1): an answer that depends on a
// header by which clients are told apart is nobody else's, whatever else is said of it. All other headers are part of the key.
type directives struct {
	said            bool // anything of whether and how long
	policy          policy
	public, private bool
	// How long it may be used beyond its time (RFC 5861); below 0: it does not say.
	whileRevalidate, ifError time.Duration
}

func readControl(h http.Header) directives {
	d := directives{whileRevalidate: -1, ifError: -1}
	strict := false // "must not, once stale, reuse" (RFC 9111, sections 5.2.2.2 and 5.2.2.8)
	maxAge, shared := time.Duration(-1), time.Duration(-1)
	never := false
	for _, line := range h.Values("Cache-Control") {
		for one := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				never = true
			case "private":
				d.private = true
			case "public":
				d.public = true
			case "max-age":
				maxAge = seconds(value)
			case "s-maxage":
				shared = seconds(value)
			case "stale-while-revalidate":
				d.whileRevalidate = seconds(value)
			case "stale-if-error":
				d.ifError = seconds(value)
			case "must-revalidate", "proxy-revalidate":
				strict = true
			}
		}
	}
	if shared >= 0 {
		maxAge, d.public = shared, true
	}
	for _, line := range h.Values("Vary") {
		for one := range strings.SplitSeq(line, ",") {
			name := http.CanonicalHeaderKey(strings.TrimSpace(one))
			never = never || name == "*"
			d.private = d.private || personal(name)
		}
	}
	d.said = never || maxAge >= 0
	if !never && maxAge > 0 {
		d.policy.ttl = max(0, maxAge-max(0, seconds(h.Get("Age"))))
	}
	d.policy.private = d.private
	if strict {
		d.whileRevalidate, d.ifError = 0, 0
	}
	return d
}

// seconds is -1 for what is no number of seconds.
func seconds(text string) time.Duration {
	n, err := strconv.ParseInt(strings.Trim(strings.TrimSpace(text), `"`), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return time.Duration(min(n, int64(100*365*24*time.Hour/time.Second))) * time.Second
}

// Control collects how long an answer made of several may be kept by those who get it. It is safe for concurrent use.
type Control struct {
	mu     sync.Mutex
	any    bool
	policy policy
}

type controlKey struct{}

// WithControl lets the Collectors of fetches under ctx tell a new Control.
func WithControl(ctx context.Context) (context.Context, *Control) {
	c := &Control{}
	return context.WithValue(ctx, controlKey{}, c), c
}

// Header is the Cache-Control of the whole: the shortest of what contributed, private if any is, and not at all without
// contributions.
func (c *Control) Header() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.any {
		return "no-store"
	}
	return c.policy.header()
}

// Personal says that the answer was for one client.
func (c *Control) Personal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy.private = true
}

func (c *Control) add(p policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.private = p.private || c.policy.private; c.any {
		p = c.policy.stricter(p)
	}
	c.any, c.policy = true, p
}

// Private is a Cache-Control that lets nobody keep an answer but the client itself.
func Private(control string) string {
	return strings.Replace(control, ", public", ", private", 1)
}

// Collector tells the Control of a context of every answer that comes through. It stands before what shares fetches, so that all who
// share one hear of it.
type Collector struct{ Fetcher }

// Fetch implements execute.Fetcher.
func (c Collector) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	resp, err := c.Fetcher.Fetch(ctx, req)
	if control, ok := ctx.Value(controlKey{}).(*Control); ok {
		var p policy
		if err == nil && req.Idempotent && resp.Status >= 200 && resp.Status <= 299 {
			d := readControl(resp.Header)
			p = d.policy
			p.private = p.private || !d.public && personalRequest(req)
		}
		control.add(p)
	}
	return resp, err
}
