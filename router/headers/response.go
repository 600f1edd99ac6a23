package headers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
)

// Merge says what becomes of a header that several answers of subgraphs have.
type Merge string

// Merges. Answers count in the order in which they come.
const (
	First  Merge = "first"
	Last   Merge = "last"
	Append Merge = "append"
)

// ResponseRule lets clients see a header of subgraphs' answers to queries and mutations.
type ResponseRule struct {
	Name      string
	Matching  string   // a regular expression for whole names, instead of Name
	Merge     Merge    // empty: First
	Subgraphs []string // whose; empty: all
}

type responseRule struct {
	ResponseRule
	pattern *regexp.Regexp
}

// Of one answer for a client: how many headers, and how many bytes in them.
const maxCollected, maxCollectedBytes = 64, 16 << 10

func readyResponse(rules []ResponseRule) ([]responseRule, error) {
	var out []responseRule
	for i, r := range rules {
		one, err := r.ready()
		if err != nil {
			return nil, fmt.Errorf("response rule %d: %w", i+1, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// Check says what is wrong with a rule.
func (r ResponseRule) Check() error {
	_, err := r.ready()
	return err
}

func (r ResponseRule) ready() (responseRule, error) {
	one := responseRule{ResponseRule: r}
	var err error
	switch {
	case (r.Name == "") == (r.Matching == ""):
		err = errors.New("a rule has either a name or a pattern")
	case r.Merge != "" && r.Merge != First && r.Merge != Last && r.Merge != Append:
		err = fmt.Errorf("%q is none of first, last, append", r.Merge)
	default:
		one.Name, one.pattern, err = nameOrPattern(r.Name, r.Matching)
	}
	return one, err
}

// GivesCookies says whether clients see cookies that subgraphs set. An answer that several clients share must have none.
func (s *Set) GivesCookies() bool {
	return slices.ContainsFunc(s.response, func(r responseRule) bool { return r.Name == setCookie })
}

const setCookie = "Set-Cookie"

// Answers says whether clients see any header of subgraphs.
func (s *Set) Answers() bool { return len(s.response) > 0 }

// Collector gathers what one client sees of its subgraphs' headers. It is safe for concurrent use.
type Collector struct {
	set *Set

	mu     sync.Mutex
	header http.Header
	count  int
	bytes  int
}

type collectorKey struct{}

// Collect begins to gather for whatever is fetched under the context.
func (s *Set) Collect(ctx context.Context) (context.Context, *Collector) {
	c := &Collector{set: s, header: http.Header{}}
	return context.WithValue(ctx, collectorKey{}, c), c
}

// Header is what was gathered so far. It is the caller's.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.header)
}

// add takes from a subgraph's answer what the client may see, by the first rule that is about a header.
func (c *Collector) add(subgraph string, answer http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, values := range answer {
		if len(values) == 0 || neverPassed(name) {
			continue
		}
		for i := range c.set.response {
			if r := &c.set.response[i]; r.about(subgraph, name) {
				c.merge(r.Merge, name, values)
				break
			}
		}
	}
}

func (r *responseRule) about(subgraph, name string) bool {
	if len(r.Subgraphs) > 0 && !slices.Contains(r.Subgraphs, subgraph) {
		return false
	}
	if r.pattern == nil {
		return r.Name == name
	}
	return r.pattern.MatchString(name) && name != setCookie // which is asked for by its name, or not at all
}

func (c *Collector) merge(how Merge, name string, values []string) {
	have := c.header[name]
	if len(have) > 0 && how != Append && how != Last {
		return
	}
	size := 0
	for _, v := range values {
		size += len(name) + len(v)
	}
	if c.count+len(values) > maxCollected || c.bytes+size > maxCollectedBytes {
		return // a client's answer is not to be swamped by its headers
	}
	c.count += len(values)
	c.bytes += size
	if how == Append {
		c.header[name] = append(slices.Clip(have), values...)
	} else {
		c.header[name] = slices.Clone(values)
	}
}
