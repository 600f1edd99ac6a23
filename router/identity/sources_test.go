package identity

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
)

func TestWhereTokensAreFound(t *testing.T) {
	sources := []Source{Bearer, {Header: "X-Token"}, {Cookie: "session"}}
	for _, c := range []struct {
		what   string
		header http.Header
		want   string
		fails  bool
	}{
		{"nowhere", nil, "", false},
		{"bearer", http.Header{"Authorization": {"Bearer a.b.c"}}, "a.b.c", false},
		{"written otherwise", http.Header{"Authorization": {"  bEARER   a.b.c  "}}, "a.b.c", false},
		{"another scheme", http.Header{"Authorization": {"Basic YTpi"}}, "", false},
		{"a scheme that begins alike", http.Header{"Authorization": {"Bearerx a"}}, "", false},
		{"nothing after it", http.Header{"Authorization": {"Bearer "}}, "", true},
		{"twice", http.Header{"Authorization": {"Bearer a", "Bearer b"}}, "", true},
		{"a header without prefix", http.Header{"X-Token": {"a.b.c"}}, "a.b.c", false},
		{"the first of two sources", http.Header{"X-Token": {"second"}, "Authorization": {"Bearer first"}}, "first", false},
		{"a cookie", http.Header{"Cookie": {"theme=dark; session=a.b.c"}}, "a.b.c", false},
		{"the same cookie again", http.Header{"Cookie": {"session=a; session=a"}}, "a", false},
		{"two cookies of the name", http.Header{"Cookie": {"session=a; session=b"}}, "", true},
		{"beside broken cookies", http.Header{"Cookie": {"\x00=;;=; session=a.b.c"}}, "a.b.c", false},
		{"another cookie", http.Header{"Cookie": {"sessions=a.b.c"}}, "", false},
	} {
		got, err := Find(sources, c.header)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %q, %v", c.what, got, err)
		}
	}
}

func TestClaimsAreFoundByPath(t *testing.T) {
	var claims map[string]any
	if err := json.Unmarshal([]byte(`{
		"scope": "a b", "https://app.test/roles": ["x"], "realm_access": {"roles": ["y", 7], "deep.er": {"n": 1}},
		"none": null, "text": "t", "flag": true, "off": false, "a": {"b": "under"}, "a.b": "whole"
	}`), &claims); err != nil {
		t.Fatal(err)
	}
	who := &Identity{Claims: claims}
	for path, want := range map[string]string{
		"scope": "a b", "https://app.test/roles": "x", "text": "t", "flag": "true", "off": "false", "a.b": "whole",
	} {
		v, ok := who.Claim(path)
		if text, plain := Text(v); !ok || !plain || text != want {
			t.Errorf("%s: %v", path, v)
		}
	}
	for _, path := range []string{"", ".", "none", "scope.x", "realm_access.", "realm_access.none", "a.b.c", "realm_access.roles.0"} {
		if v, ok := who.Claim(path); ok {
			t.Errorf("%s: %v", path, v)
		}
	}
	if _, ok := who.Claim("realm_access.deep.er.n"); !ok {
		t.Error("a name with dots in an object was not found")
	}
	if got := wordsAt(claims, []string{"missing", "realm_access.roles", "scope"}); !slices.Equal(got, []string{"y"}) {
		t.Errorf("words %v", got)
	}
}

func TestPoliciesHoldByClaims(t *testing.T) {
	m := mintFor("HS256")
	v := verifier(t, issuerOf(m))
	who, err := v.Verify(context.Background(), m.token(claims(map[string]any{"tier": 2, "staff": false, "vip": true, "groups": []string{"ops", "audit"}})))
	if err != nil {
		t.Fatal(err)
	}
	policies := Policies{
		{Name: "ops", Claim: "groups", Values: []string{"root", "ops"}},
		{Name: "sales", Claim: "groups", Values: []string{"sales"}},
		{Name: "tier", Claim: "tier", Values: []string{"2"}},
		{Name: "staff", Claim: "staff"},
		{Name: "vip", Claim: "vip"},
		{Name: "either", Claim: "missing"},
		{Name: "either", Claim: "vip", Values: []string{"true"}},
	}
	asked := []string{"ops", "sales", "tier", "staff", "vip", "either", "unknown"}
	holds := policies.Hold(who, asked)
	for name, want := range map[string]bool{"ops": true, "tier": true, "vip": true, "either": true} {
		if holds[name] != want {
			t.Errorf("%s holds: %v", name, holds[name])
		}
	}
	for _, name := range []string{"sales", "staff", "unknown"} {
		if holds[name] {
			t.Errorf("%s holds", name)
		}
	}
	if got := policies.Hold(nil, asked); len(got) != 0 {
		t.Errorf("for nobody hold %v", got)
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for r, m := range messages {
		if seen[m] || r.Error() != m {
			t.Errorf("%s says %q", r, r.Error())
		}
		seen[m] = true
	}
	if err := error(&RefusedError{Reason: TokenExpired}); !errors.Is(err, TokenExpired) {
		t.Error("a refusal is not its reason")
	}
}
