package identity

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Peer is the address of the other end of a request's connection: the client's, or that of the last proxy. It is invalid when the
// server does not know. IPv4 addresses written as IPv6 count as IPv4.
func Peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(at.Addr())
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Addresses are the rules of one listener for where requests may come from. The zero value takes the other end of the connection for
// the client and lets everyone in.
type Addresses struct {
	// Proxies are those whose word about the client's address counts: X-Forwarded-For, or Forwarded (RFC 7239) where UseForwarded is set.
	Proxies      []netip.Prefix
	UseForwarded bool
	Allow        []netip.Prefix // empty: everyone that Deny does not name
	Deny         []netip.Prefix // wins over Allow
}

// maxHops bounds how far back a list of proxies is read.
const maxHops = 32

// Client finds the address of a request's client: back from the connection over proxies that are trusted, to the first that is not. What
// stands before that in the header, anyone may have written.
func (a *Addresses) Client(r *http.Request) netip.Addr {
	at := Peer(r)
	if len(a.Proxies) == 0 || !within(a.Proxies, at) {
		return at
	}
	hops := a.hops(r.Header)
	for i := len(hops) - 1; i >= 0 && len(hops)-i <= maxHops; i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			return at // a trusted proxy did not know, or said it in a way that nothing follows from
		}
		if at = hop; !within(a.Proxies, at) {
			return at
		}
	}
	return at
}

// hops are the addresses of the header, the last hop last. Headers that came several times are one list.
func (a *Addresses) hops(header http.Header) []string {
	if !a.UseForwarded {
		var hops []string
		for _, line := range header.Values("X-Forwarded-For") {
			hops = append(hops, strings.Split(line, ",")...)
		}
		return hops
	}
	var hops []string
	for _, line := range header.Values("Forwarded") {
		for _, element := range splitQuoted(line, ',') {
			if strings.TrimSpace(element) != "" {
				hops = append(hops, forwardedFor(element))
			}
		}
	}
	return hops
}

// forwardedFor is the for parameter of an element of Forwarded; empty: it has none.
func forwardedFor(element string) string {
	for _, pair := range splitQuoted(element, ';') {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// splitQuoted splits at a separator outside quotes. It reads from the end, which trusted proxies wrote: a quote that a client left open before that
// must not swallow what they appended. What stands in a quote that nothing opens is split without regard to quotes.
func splitQuoted(s string, separator byte) []string {
	var parts []string // the last first
	quoted, end := false, len(s)
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '"' && (!quoted || !escaped(s[:i])):
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[i+1:end])
			end = i
		}
	}
	first := []string{s[:end]}
	if quoted {
		first = strings.Split(s[:end], string(separator))
	}
	slices.Reverse(parts)
	return append(first, parts...)
}

// escaped says whether the backslashes at the end of a text make a quote that follows a part of what is quoted.
func escaped(before string) bool {
	return (len(before)-len(strings.TrimRight(before, `\`)))%2 == 1
}

// parseHop reads an address as proxies write it: with or without port, IPv6 with or without brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if at, err := netip.ParseAddrPort(s); err == nil {
		return plain(at.Addr()), true
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	addr, err := netip.ParseAddr(s)
	return plain(addr), err == nil
}

// Allows says whether requests may come from an address. One that is not known is let in only where everyone is.
func (a *Addresses) Allows(at netip.Addr) bool {
	if !at.IsValid() {
		return len(a.Allow) == 0 && len(a.Deny) == 0
	}
	return !within(a.Deny, at) && (len(a.Allow) == 0 || within(a.Allow, at))
}

func within(prefixes []netip.Prefix, at netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(at) })
}

// ParsePrefixes reads addresses and CIDR ranges: "10.0.0.0/8", "2001:db8::/32", "192.0.2.7".
func ParsePrefixes(texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		p, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return p, fmt.Errorf("%q is neither an address nor a CIDR range", text)
	case p.Addr().Is4In6() && p.Bits() >= 96:
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	case p.Addr().Is4In6():
		return p, fmt.Errorf("%q mixes IPv4 and IPv6", text)
	}
	if p.Masked() != p {
		return p, fmt.Errorf("%q has bits beyond its length: it must be %s", text, p.Masked())
	}
	return p, nil
}

// Guard lets only allowed addresses through to a handler.
func (a *Addresses) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.Allows(a.Client(r)) {
			http.Error(w, "requests from this address are not taken", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
