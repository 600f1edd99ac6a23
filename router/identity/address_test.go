package identity

import (
	"net/http"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func prefixes(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	p, err := ParsePrefixes(texts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClientAddresses(t *testing.T) {
	const lan = "10.0.0.0/8"
	for _, c := range []struct {
		what, remote string
		proxies      []string
		header       http.Header
		want         string
	}{
		{"a direct client", "192.0.2.1:1000", nil, nil, "192.0.2.1"},
		{"one that claims another address", "192.0.2.1:1000", nil, http.Header{"X-Forwarded-For": {"198.51.100.9"}}, "192.0.2.1"},
		{"one that is no trusted proxy", "192.0.2.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9"}}, "192.0.2.1"},
		{"behind a proxy", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9"}}, "198.51.100.9"},
		{"behind two", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9, 10.0.0.2"}}, "198.51.100.9"},
		{"behind two, in two headers", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9", "10.0.0.2"}}, "198.51.100.9"},
		{"with a made-up beginning", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"10.0.0.7, 127.0.0.1, 198.51.100.9, 10.0.0.2"}}, "198.51.100.9"},
		{"behind a proxy that says nothing", "10.0.0.1:1000", []string{lan}, nil, "10.0.0.1"},
		{"behind a proxy that does not know", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9, unknown"}}, "10.0.0.1"},
		{"all trusted", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
		{"with ports", "10.0.0.1:1000", []string{lan}, http.Header{"X-Forwarded-For": {"198.51.100.9:4711"}}, "198.51.100.9"},
		{"IPv6", "[2001:db8::1]:1000", []string{"2001:db8::/64"}, http.Header{"X-Forwarded-For": {"2001:db8:1::2, [2001:db8::3]:80"}}, "2001:db8:1::2"},
		{"IPv4 as IPv6", "[::ffff:10.0.0.1]:1000", []string{lan}, http.Header{"X-Forwarded-For": {"::ffff:198.51.100.9"}}, "198.51.100.9"},
		{"an interface's own", "[fe80::1%eth0]:1000", nil, nil, "fe80::1"},
		{"Forwarded where it is not used", "10.0.0.1:1000", []string{lan}, http.Header{"Forwarded": {"for=198.51.100.9"}}, "10.0.0.1"},
	} {
		a := Addresses{Proxies: prefixes(t, c.proxies...)}
		if got := a.Client(&http.Request{RemoteAddr: c.remote, Header: c.header}).String(); got != c.want {
			t.Errorf("%s: %s, expected %s", c.what, got, c.want)
		}
	}
	for _, c := range []struct{ header, want string }{
		{"for=198.51.100.9", "198.51.100.9"},
		{"For=\"[2001:db8:1::2]:4711\"", "2001:db8:1::2"},
		{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"},
		{"for=1.1.1.1, for=198.51.100.9, for=10.0.0.3", "198.51.100.9"},
		{"by=\"a,b;for=1.1.1.1\";for=198.51.100.9", "198.51.100.9"},
		{"for=_hidden", "10.0.0.1"},
		{"proto=https", "10.0.0.1"},
		{"for=198.51.100.9, proto=https;for=10.0.0.9;host=a\",", "198.51.100.9"},
		{"for=\"1.1.1.1, for=198.51.100.9", "198.51.100.9"},
		{"for=\"1.1.1.1, for=198.51.100.9;host=\"a, for=1.1.1.2\"", "198.51.100.9"},
		{"for=\"1.1.1.1\\\", for=198.51.100.9;host=\"a\\\", for=1.1.1.2\"", "198.51.100.9"},
		{"for=198.51.100.9,", "198.51.100.9"},
	} {
		a := Addresses{Proxies: prefixes(t, lan), UseForwarded: true}
		r := &http.Request{RemoteAddr: "10.0.0.1:1000", Header: http.Header{"Forwarded": {c.header}, "X-Forwarded-For": {"203.0.113.1"}}}
		if got := a.Client(r).String(); got != c.want {
			t.Errorf("%s: %s, expected %s", c.header, got, c.want)
		}
	}
	if (&Addresses{}).Client(&http.Request{RemoteAddr: "@"}).IsValid() {
		t.Error("a Unix socket has an address")
	}
}

// Whatever a client writes into the header, only what trusted proxies appended counts.
func TestNobodyForgesItsAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.OneOf(rapid.StringMatching(`[ -~]{0,40}`), rapid.Just("10.0.0.5, 10.0.0.6"), rapid.Just("for=10.0.0.9;by=\"")).Draw(t, "forged")
		for name, form := range map[string]string{"X-Forwarded-For": "198.51.100.9, 10.0.0.2", "Forwarded": "for=198.51.100.9, for=10.0.0.2"} {
			a := Addresses{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, UseForwarded: name == "Forwarded"}
			// Proxies add a header line of their own, or append to the last, open quotes and all.
			lines := []string{forged, form}
			if rapid.Bool().Draw(t, "one line") {
				lines = []string{forged + ", " + form}
			}
			r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{name: lines}}
			if got := a.Client(r); got != netip.MustParseAddr("198.51.100.9") {
				t.Fatalf("%s: %q made it %s", name, lines, got)
			}
		}
	})
}

func TestAllowedAndDeniedAddresses(t *testing.T) {
	for _, c := range []struct {
		allow, deny []string
		at          string
		want        bool
	}{
		{nil, nil, "192.0.2.1", true},
		{nil, []string{"192.0.2.0/24"}, "192.0.2.1", false},
		{nil, []string{"192.0.2.0/24"}, "192.0.3.1", true},
		{[]string{"192.0.2.0/24"}, nil, "192.0.2.1", true},
		{[]string{"192.0.2.0/24"}, nil, "192.0.3.1", false},
		{[]string{"192.0.2.0/24"}, []string{"192.0.2.1"}, "192.0.2.1", false},
		{[]string{"2001:db8::/32"}, nil, "2001:db8:ffff::1", true},
		{[]string{"2001:db8::/32"}, nil, "2001:db9::1", false},
		{[]string{"0.0.0.0/0"}, nil, "2001:db9::1", false},
		{[]string{"::ffff:192.0.2.0/120"}, nil, "192.0.2.1", true},
	} {
		a := Addresses{Allow: prefixes(t, c.allow...), Deny: prefixes(t, c.deny...)}
		if got := a.Allows(netip.MustParseAddr(c.at)); got != c.want {
			t.Errorf("allow %v, deny %v: %s is allowed: %v", c.allow, c.deny, c.at, got)
		}
	}
	if open := (Addresses{}); !open.Allows(netip.Addr{}) {
		t.Error("an unknown address is refused where everyone is let in")
	}
	if some := (Addresses{Deny: prefixes(t, "10.0.0.0/8")}); some.Allows(netip.Addr{}) {
		t.Error("an unknown address passes a rule")
	}
	for _, text := range []string{"", "10.0.0.0/33", "10.0.0.1/8", "::ffff:0.0.0.0/80", "fe80::1%eth0", "localhost", "10.0.0"} {
		if _, err := ParsePrefixes([]string{text}); err == nil {
			t.Errorf("%q was taken for a range", text)
		}
	}
}
