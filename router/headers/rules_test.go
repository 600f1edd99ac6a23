package headers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bourse/router/identity"
)

func set(t testing.TB, rules Rules, sources Sources) *Set {
	t.Helper()
	s, err := New(rules, sources, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// show writes headers in one line.
func show(h http.Header) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		out = append(out, name+"="+strings.Join(h[name], "|"))
	}
	return strings.Join(out, " ")
}

var alice = &identity.Identity{Subject: "alice", Claims: map[string]any{
	"sub": "alice", "tenant": map[string]any{"id": json.Number("7")}, "roles": []any{"x", "y"}, "evil": "a\r\nX: y", "object": map[string]any{},
}}

func TestWhatSubgraphsSee(t *testing.T) {
	const by = Propagate
	sent := http.Header{
		"Authorization": {"Bearer t"}, "X-A": {"1"}, "X-B": {"2", "3"}, "Y": {"4"}, "Cookie": {"c=1"},
		"Connection": {"close, X-Hop"}, "X-Hop": {"h"}, "Te": {"trailers"}, "Content-Type": {"application/json"}, "Sec-Websocket-Key": {"k"}, "Upgrade": {"u"},
		"Router-Secret": {"forged"}, "Traceparent": {"forged"}, "Tracestate": {"forged"},
	}
	for _, c := range []struct {
		what      string
		rules     Rules
		forwarded []string
		who       *identity.Identity
		a, b      string
	}{
		{"nothing by itself", Rules{}, nil, nil, "", ""},
		{"the simple form", Rules{}, []string{"authorization"}, nil, "Authorization=Bearer t", "Authorization=Bearer t"},
		{"by name", Rules{All: []Rule{{Action: by, Name: "x-a"}}}, nil, nil, "X-A=1", "X-A=1"},
		{"for one", Rules{Subgraphs: map[string][]Rule{"a": {{Action: by, Name: "X-A"}}}}, nil, nil, "X-A=1", ""},
		{"by pattern", Rules{All: []Rule{{Action: by, Matching: "x-.*"}}}, nil, nil, "X-A=1 X-B=2|3", "X-A=1 X-B=2|3"},
		{"a pattern is of the whole name", Rules{All: []Rule{{Action: by, Matching: "x"}}}, nil, nil, "", ""},
		{"everything", Rules{All: []Rule{{Action: by, Matching: ".*"}}}, nil, nil, "Authorization=Bearer t Cookie=c=1 X-A=1 X-B=2|3 Y=4", "Authorization=Bearer t Cookie=c=1 X-A=1 X-B=2|3 Y=4"},
		{"renamed", Rules{All: []Rule{{Action: by, Name: "X-A", Rename: "x-c"}}}, nil, nil, "X-C=1", "X-C=1"},
		{"by default", Rules{All: []Rule{{Action: by, Name: "X-D", Default: "d"}}}, nil, nil, "X-D=d", "X-D=d"},
		{"by no default", Rules{All: []Rule{{Action: by, Name: "X-A", Default: "d"}}}, nil, nil, "X-A=1", "X-A=1"},
		{"taken away from one", Rules{Subgraphs: map[string][]Rule{"a": {{Action: Remove, Name: "Authorization"}}}}, []string{"Authorization"}, nil, "", "Authorization=Bearer t"},
		{"some taken away", Rules{All: []Rule{{Action: by, Matching: ".*"}, {Action: Remove, Matching: "(x-.*|cookie|y)"}}}, nil, nil, "Authorization=Bearer t", "Authorization=Bearer t"},
		{"set", Rules{All: []Rule{{Action: Insert, Name: "X-S", Value: "v"}}}, nil, nil, "X-S=v", "X-S=v"},
		{"set over the client's", Rules{All: []Rule{{Action: by, Name: "X-A"}, {Action: Insert, Name: "X-A", Value: "v"}}}, nil, nil, "X-A=v", "X-A=v"},
		{"from a claim", Rules{All: []Rule{{Action: Insert, Name: "X-T", Claim: "tenant.id"}, {Action: Insert, Name: "X-R", Claim: "roles"}}}, nil, alice, "X-R=x,y X-T=7", "X-R=x,y X-T=7"},
		{"a claim that is none", Rules{All: []Rule{{Action: by, Matching: "x-.*"}, {Action: Insert, Name: "X-A", Claim: "missing"}, {Action: Insert, Name: "X-B", Claim: "object"}}}, nil, alice, "", ""},
		{"a claim of nobody", Rules{All: []Rule{{Action: by, Matching: "x-.*"}, {Action: Insert, Name: "X-A", Claim: "sub"}}}, nil, nil, "X-B=2|3", "X-B=2|3"},
		{"a claim by default", Rules{All: []Rule{{Action: Insert, Name: "X-A", Claim: "sub", Default: "guest"}}}, nil, nil, "X-A=guest", "X-A=guest"},
		{"a claim with line breaks", Rules{All: []Rule{{Action: Insert, Name: "X-E", Claim: "evil"}}}, nil, alice, "", ""},
	} {
		s := set(t, c.rules, Sources{Forwarded: c.forwarded, Fixed: []string{"Router-Secret"}})
		// What the server passes on, what the client sent, what the router sets.
		header := http.Header{"X-Request-Id": {"id"}}
		for _, name := range c.forwarded {
			header[http.CanonicalHeaderKey(name)] = sent[http.CanonicalHeaderKey(name)]
		}
		s.Select(header, sent)
		header["Router-Secret"] = []string{"real"}
		header["X-Of-A-Hook"] = []string{"hook"}
		before := show(header)
		for subgraph, want := range map[string]string{"a": c.a, "b": c.b} {
			out := s.Outgoing(subgraph, header, c.who)
			for name, v := range map[string]string{"X-Request-Id": "id", "Router-Secret": "real", "X-Of-A-Hook": "hook"} {
				taken := name == "X-Of-A-Hook" && strings.Contains(fmt.Sprint(c.rules), ".*")
				if out.Get(name) != v && !taken {
					t.Errorf("%s: %s is %q", c.what, name, out.Get(name))
				}
				delete(out, name)
			}
			if got := show(out); got != want {
				t.Errorf("%s: subgraph %s sees %q, expected %q", c.what, subgraph, got, want)
			}
		}
		if show(header) != before {
			t.Errorf("%s: the request's own header was changed", c.what)
		}
	}
}

// Params of a WebSocket stand in the header without the client's having sent one: they are the client's all the same.
func TestParamsGoWhereRulesSay(t *testing.T) {
	s := set(t, Rules{Subgraphs: map[string][]Rule{"a": {{Action: Propagate, Name: "Authorization"}}}}, Sources{Params: []string{"Authorization"}})
	header := http.Header{"Authorization": {"Bearer t"}}
	s.Select(header, http.Header{})
	if got := show(s.Outgoing("a", header, nil)) + "; " + show(s.Outgoing("b", header, nil)); got != "Authorization=Bearer t; " {
		t.Error(got)
	}
	s = set(t, Rules{All: []Rule{{Action: Propagate, Name: "X-A"}}}, Sources{Params: []string{"authorization"}})
	if got := show(s.Outgoing("a", header, nil)); got != "" {
		t.Errorf("without a rule it goes nowhere, and not here: %s", got)
	}
}

func TestRulesThatCannotHoldAreRefused(t *testing.T) {
	for _, r := range []Rule{
		{},
		{Action: Propagate},
		{Action: "pass", Name: "A"},
		{Action: Propagate, Name: "A", Matching: "A"},
		{Action: Propagate, Matching: "("},
		{Action: Propagate, Matching: "A", Rename: "B"},
		{Action: Propagate, Name: "A", Value: "v"},
		{Action: Propagate, Name: "a b"},
		{Action: Propagate, Name: "A", Rename: "b\r\nc"},
		{Action: Propagate, Name: "transfer-encoding"},
		{Action: Propagate, Name: "A", Rename: "Host"},
		{Action: Insert, Name: "A"},
		{Action: Insert, Name: "A", Value: "v", Claim: "c"},
		{Action: Insert, Name: "A", Value: "v\nw"},
		{Action: Insert, Matching: "A", Value: "v"},
		{Action: Insert, Name: "Connection", Value: "close"},
		{Action: Remove, Name: "A", Value: "v"},
		{Action: Remove, Name: "Content-Length"},
	} {
		if _, err := New(Rules{All: []Rule{r}}, Sources{}, nil); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	if _, err := New(Rules{Subgraphs: map[string][]Rule{"c": nil}}, Sources{}, []string{"a"}); err == nil {
		t.Error("rules for a subgraph that is not there were taken")
	}
	for _, r := range []ResponseRule{{}, {Name: "A", Matching: "A"}, {Name: "A", Merge: "all"}, {Matching: "("}, {Name: "Content-Length"}} {
		if _, err := New(Rules{Response: []ResponseRule{r}}, Sources{}, nil); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
}

// Whatever the rules and the client: nothing of a connection goes out, nothing that could break out of its header, and what is fixed stays.
func TestNothingOfAConnectionGoesOut(t *testing.T) {
	names := []string{"Connection", "Te", "Host", "Upgrade", "Transfer-Encoding", "Sec-Websocket-Key", "Content-Length", "X-Hop", "X-A", "Cookie", "Fixed"}
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(0, 6).Draw(t, "rules") {
			pattern := rapid.SampledFrom([]string{".*", "x-.*", "(te|host|x-hop)", "fixed", "[^c].*"}).Draw(t, "pattern")
			rules = append(rules, rapid.SampledFrom([]Rule{
				{Action: Propagate, Matching: pattern},
				{Action: Propagate, Name: "X-A"},
				{Action: Propagate, Name: "X-A", Rename: "Other"},
				{Action: Insert, Name: "X-New", Claim: "evil"},
				{Action: Insert, Name: "X-New", Claim: "sub"},
			}).Draw(t, "rule"))
		}
		s, err := New(Rules{All: rules}, Sources{Fixed: []string{"Fixed"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sent := http.Header{"Connection": {"X-Hop"}}
		for _, name := range rapid.SliceOf(rapid.SampledFrom(names[1:])).Draw(t, "sent") {
			sent[name] = []string{"sent"}
		}
		header := http.Header{}
		s.Select(header, sent)
		header["Fixed"] = []string{"fixed"}
		for name, values := range s.Outgoing("a", header, alice) {
			if neverPassed(name) || name == "X-Hop" || !validValue(values[0]) || name == "Fixed" && values[0] != "fixed" {
				t.Fatalf("%s: %q went out", name, values)
			}
		}
	})
}

func TestWhatClientsSeeOfSubgraphs(t *testing.T) {
	s := set(t, Rules{Response: []ResponseRule{
		{Name: "X-First"},
		{Name: "X-Last", Merge: Last},
		{Name: "X-All", Merge: Append},
		{Name: "X-Of-B", Subgraphs: []string{"b"}},
		{Matching: "x-debug-.*", Merge: Append},
		{Matching: ".*cookie|te|content-.*"},
	}}, Sources{})
	_, c := s.Collect(t.Context())
	for _, of := range []string{"a", "b"} {
		c.add(of, http.Header{
			"X-First": {of}, "X-Last": {of}, "X-All": {of, of}, "X-Of-B": {of}, "X-Debug-Time": {of}, "X-Other": {of},
			"Set-Cookie": {of}, "Te": {of}, "Content-Length": {"1"}, "X-Empty": {},
		})
	}
	if got, want := show(c.Header()), "X-All=a|a|b|b X-Debug-Time=a|b X-First=a X-Last=b X-Of-B=b"; got != want {
		t.Errorf("the client sees %q, expected %q", got, want)
	}
	swamp := http.Header{}
	for i := range 1000 {
		swamp[fmt.Sprintf("X-Debug-%d", i)] = []string{strings.Repeat("x", 100)}
	}
	c.add("a", swamp)
	if n := len(c.Header()); n > maxCollected {
		t.Errorf("%d headers were collected", n)
	}
	if s.GivesCookies() {
		t.Error("a pattern lets cookies through")
	}
	if !set(t, Rules{Response: []ResponseRule{{Name: "set-cookie"}}}, Sources{}).GivesCookies() {
		t.Error("cookies by name are not noticed")
	}
}
