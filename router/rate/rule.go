package rate

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"bourse/router/identity"
)

// Rule bounds the operations that it applies to.
type Rule struct {
	Name string // tells it from other rules, in refusals and in Redis

	// By is what tells clients apart, the first of these that a request has: "address" (IPv6: the /64), "subject" of the identity,
	// "claim:NAME", "header:NAME". Clients that have none of them count as one. Empty: all clients count as one.
	By []string

	Operations []string // names of operations; empty: any
	Kinds      []string // query, mutation, subscription; empty: any
	Roles      []string // identities with one of these; empty: anyone
	NotRoles   []string // but none of these

	Limit int           // operations for each Per
	Per   time.Duration // at least a millisecond
	Burst int           // at once; default Limit
	Cost  bool          // counts what operations cost instead of operations
}

// Request is what is known of a request.
type Request struct {
	Address   netip.Addr
	Identity  *identity.Identity
	Header    func(name string) string
	Operation string
	Kind      string
	Cost      int
}

// Check says what is wrong with a rule.
func (r *Rule) Check() error {
	switch {
	case r.Name == "":
		return errors.New("a rate limit needs a name")
	case r.Limit < 1 || r.Per < time.Millisecond || r.Burst < 0:
		return fmt.Errorf("rate limit %s: it needs a limit of at least 1 for at least a millisecond", r.Name)
	}
	for _, by := range r.By {
		if err := CheckBy(by); err != nil {
			return fmt.Errorf("rate limit %s: %w", r.Name, err)
		}
	}
	return nil
}

// CheckBy says what is wrong with one of a rule's By.
func CheckBy(by string) error {
	kind, name, named := strings.Cut(by, ":")
	switch {
	case !named && (kind == "address" || kind == "subject"):
		return nil
	case named && name != "" && (kind == "claim" || kind == "header"):
		return nil
	default:
		return fmt.Errorf(`clients are told apart by "address", "subject", "claim:NAME" or "header:NAME", not by %q`, by)
	}
}

// early says that a rule can be asked before the operation is read.
func (r *Rule) early() bool { return len(r.Operations) == 0 && len(r.Kinds) == 0 && !r.Cost }

func (r *Rule) applies(req *Request) bool {
	return (len(r.Operations) == 0 || slices.Contains(r.Operations, req.Operation)) &&
		(len(r.Kinds) == 0 || slices.Contains(r.Kinds, req.Kind)) &&
		(len(r.Roles) == 0 || slices.ContainsFunc(r.Roles, req.Identity.HasRole)) &&
		!slices.ContainsFunc(r.NotRoles, req.Identity.HasRole)
}

func (r *Rule) burst() int {
	if r.Burst > 0 {
		return r.Burst
	}
	return r.Limit
}

// ask is what a request takes of a rule.
func (r *Rule) ask(req *Request) Ask {
	interval := float64(r.Per.Microseconds()) / float64(r.Limit)
	cost := 1
	if r.Cost {
		cost = max(0, req.Cost)
	}
	return Ask{Key: r.key(req), Interval: interval, Burst: r.burst(), Cost: cost}
}

// key tells the client's account from all others. The braces keep all accounts in one slot of a Redis cluster, because one script takes
// from several of them.
func (r *Rule) key(req *Request) string {
	who := "everyone"
	for i, by := range r.By {
		if i == 0 {
			who = "unknown"
		}
		if value := of(by, req); value != "" {
			who = by + "=" + value
			break
		}
	}
	digest := sha256.Sum256([]byte(who))
	return "{bourse:rate}:" + r.Name + ":" + base64.RawURLEncoding.EncodeToString(digest[:18])
}

func of(by string, req *Request) string {
	kind, name, _ := strings.Cut(by, ":")
	switch kind {
	case "address":
		return network(req.Address)
	case "subject":
		if req.Identity != nil && req.Identity.Subject != "" {
			return req.Identity.Issuer + "\x00" + req.Identity.Subject
		}
	case "claim":
		if req.Identity != nil {
			return text(req.Identity.Claims[name])
		}
	case "header":
		if req.Header != nil {
			return req.Header(name)
		}
	}
	return ""
}

// network is where an address belongs to: of IPv6 a client has a whole /64.
func network(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	if a = a.Unmap(); a.Is6() {
		p, _ := a.WithZone("").Prefix(64) // 64 is a length that every IPv6 address has
		return p.String()
	}
	return a.String()
}

func text(claim any) string {
	switch c := claim.(type) {
	case nil:
		return ""
	case string:
		return c
	}
	b, err := json.Marshal(claim)
	if err != nil {
		return ""
	}
	return string(b)
}
