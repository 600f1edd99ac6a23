package identity

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

func issuerOf(m mint) Issuer {
	return Issuer{Name: "https://issuer.test", Algorithms: []string{m.algorithm}, Keys: []Key{m.key()}, Audiences: []string{"graph"}}
}

func TestEveryAlgorithmVerifies(t *testing.T) {
	for _, m := range mints() {
		fromSet := must(ReadJWKS(jwksOf(m)))
		ways := map[string][]Key{"key": {m.key()}, "key set": fromSet}
		if !strings.HasPrefix(m.algorithm, "HS") {
			ways["PEM"] = must(ReadPEM("", pemOf(m.public())))
		}
		for way, keys := range ways {
			v := verifier(t, Issuer{Name: "https://issuer.test", Algorithms: []string{m.algorithm}, Keys: keys, Audiences: []string{"graph"}})
			who, err := v.Verify(context.Background(), m.token(claims()))
			if err != nil {
				t.Errorf("%s by %s: %v", m.algorithm, way, err)
				continue
			}
			if who.Subject != "alice" || who.Issuer != "https://issuer.test" || !slices.Equal(who.Scopes, []string{"read", "write"}) ||
				!slices.Equal(who.Roles, []string{"trader"}) || !who.Expires.Equal(now.Add(time.Minute)) {
				t.Errorf("%s by %s: %+v", m.algorithm, way, who)
			}
			token := m.token(claims())
			dot := strings.LastIndexByte(token, '.')
			flipped := []byte(token)
			flipped[dot+1] = map[bool]byte{true: 'B', false: 'A'}[flipped[dot+1] == 'A']
			expectReason(t, v, m.algorithm+" with another signature", string(flipped), TokenSignature)
			head, body, _ := strings.Cut(token[:dot], ".")
			changed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(must(base64.RawURLEncoding.DecodeString(body))), "alice", "mally", 1)))
			expectReason(t, v, m.algorithm+" with other claims", head+"."+changed+token[dot:], TokenSignature)
		}
	}
}

// Whatever a token calls itself, a key is used for what it is.
func TestAlgorithmsAreNotConfused(t *testing.T) {
	every := Issuer{Name: "https://issuer.test", Algorithms: Algorithms}
	for _, m := range mints() {
		every.Keys = append(every.Keys, m.key())
	}
	v := verifier(t, every)
	for _, m := range mints() {
		if m.algorithm[:2] == "HS" {
			continue
		}
		der := pemOf(m.public())
		for _, hs := range []string{"HS256", "HS384", "HS512"} {
			forged := mint{hs, m.id, der}.token(claims())
			expectReason(t, v, hs+" with the public key of "+m.algorithm+" as its secret", forged, TokenKey)
			noKid := mint{hs, "", der}.token(claims())
			expectReason(t, v, "the same without kid", noKid, TokenSignature)
		}
	}
	for _, m := range mints() {
		for _, other := range mints() {
			if m.algorithm == other.algorithm {
				continue
			}
			only := verifier(t, issuerOf(m))
			expectReason(t, only, other.algorithm+" where "+m.algorithm+" is named", other.token(claims()), TokenAlgorithm)
		}
	}
	// A key that its set gives to one algorithm serves no other, though its kind would do.
	rs := mintFor("RS256")
	keys := must(ReadJWKS(jwksOf(rs, mintFor("PS256"))))
	both := verifier(t, Issuer{Name: "https://issuer.test", Algorithms: []string{"RS256", "PS256"}, Keys: keys})
	expectReason(t, both, "RS256 by its key", rs.token(claims()), "")
	expectReason(t, both, "PS256 by a key for RS256", mint{"PS256", rs.id, rs.private}.token(claims()), TokenKey)
}

func TestNoneIsNoAlgorithm(t *testing.T) {
	m := mintFor("HS256")
	v := verifier(t, issuerOf(m))
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	body := strings.Split(m.token(claims()), ".")[1]
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256 ", "hs256"} {
		for _, signature := range []string{"", b64("x")} {
			expectReason(t, v, "alg "+alg, b64(`{"alg":"`+alg+`","typ":"JWT"}`)+"."+body+"."+signature, TokenAlgorithm)
		}
	}
	expectReason(t, v, "without alg", b64(`{"typ":"JWT"}`)+"."+body+".", TokenAlgorithm)
	expectReason(t, v, "alg that is a list", b64(`{"alg":["HS256"]}`)+"."+body+".", TokenAlgorithm)
	for _, a := range []string{"none", "HS1", ""} {
		if _, err := NewVerifier(Options{Issuers: []Issuer{{Algorithms: []string{a}, Keys: []Key{m.key()}}}}); err == nil {
			t.Errorf("an issuer with the algorithm %q was taken", a)
		}
	}
	if _, err := NewVerifier(Options{Issuers: []Issuer{{Keys: []Key{m.key()}}}}); err == nil {
		t.Error("an issuer without algorithms was taken")
	}
}

func TestClaimsAreHeldToTheirIssuer(t *testing.T) {
	m := mintFor("ES256")
	i := issuerOf(m)
	i.Skew = 10 * time.Second
	i.Audiences = []string{"graph", "reports"} // one is enough
	i.Required = []string{"tenant", "realm.id"}
	v := verifier(t, i)
	full := jwt.MapClaims{"tenant": "t1", "realm": map[string]any{"id": 7}}
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, c := range []struct {
		what   string
		change jwt.MapClaims
		want   Reason
	}{
		{"ordinary", nil, ""},
		{"expired within the skew", jwt.MapClaims{"exp": at(-9 * time.Second)}, ""},
		{"expired beyond it", jwt.MapClaims{"exp": at(-11 * time.Second)}, TokenExpired},
		{"expired at its edge", jwt.MapClaims{"exp": at(-10 * time.Second)}, TokenExpired},
		{"not valid yet within the skew", jwt.MapClaims{"nbf": at(9 * time.Second)}, ""},
		{"not valid yet beyond it", jwt.MapClaims{"nbf": at(11 * time.Second)}, TokenNotYetValid},
		{"issued in the future", jwt.MapClaims{"iat": at(time.Minute)}, TokenNotYetValid},
		{"without exp", jwt.MapClaims{"exp": nil}, TokenClaim},
		{"without nbf and iat", jwt.MapClaims{"nbf": nil, "iat": nil}, ""},
		{"exp that is text", jwt.MapClaims{"exp": "tomorrow"}, TokenClaim},
		{"exp beyond all measure", jwt.MapClaims{"exp": 1e300}, TokenExpired},
		{"exp far below", jwt.MapClaims{"exp": -1e300}, TokenExpired},
		{"another audience", jwt.MapClaims{"aud": "other"}, TokenAudience},
		{"several audiences", jwt.MapClaims{"aud": []string{"other", "graph"}}, ""},
		{"the second of the issuer's", jwt.MapClaims{"aud": "reports"}, ""},
		{"an audience in capitals", jwt.MapClaims{"aud": []string{"GRAPH"}}, TokenAudience},
		{"a list of no audience", jwt.MapClaims{"aud": []string{}}, TokenClaim},
		{"an audience that is a number", jwt.MapClaims{"aud": []any{"graph", 7}}, TokenClaim},
		{"without audience", jwt.MapClaims{"aud": nil}, TokenClaim},
		{"another issuer", jwt.MapClaims{"iss": "https://evil.test"}, TokenIssuer},
		{"without issuer", jwt.MapClaims{"iss": nil}, TokenIssuer},
		{"issuer that is a list", jwt.MapClaims{"iss": []string{"https://issuer.test"}}, TokenIssuer},
		{"without a required claim", jwt.MapClaims{"tenant": nil}, TokenClaim},
		{"with a null for it", jwt.MapClaims{"realm": map[string]any{"id": nil}}, TokenClaim},
		{"subject that is a number", jwt.MapClaims{"sub": 7}, TokenClaim},
		{"without subject", jwt.MapClaims{"sub": nil}, ""},
	} {
		expectReason(t, v, c.what, m.token(claims(full, c.change)), c.want)
	}
	expectReason(t, v, "an extension that must be understood", m.token(claims(full), map[string]any{"crit": []string{"exp"}}), TokenMalformed)
	expectReason(t, v, "a kid that is a number", m.token(claims(full), map[string]any{"kid": 7}), TokenMalformed)
	for _, kid := range []string{"other", "../../etc/passwd", "' OR 1=1 --", strings.Repeat("k", 2000)} {
		expectReason(t, v, "a made-up kid", m.token(claims(full), map[string]any{"kid": kid}), TokenKey)
	}
	expectReason(t, v, "a subject of two thousand characters", m.token(claims(full, jwt.MapClaims{"sub": strings.Repeat("a", 2000)})), TokenClaim)
	// The last character of a signature has bits that mean nothing: whoever changed them would have another token that is as good.
	good := m.token(claims(full))
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, good[len(good)-1])
	expectReason(t, v, "a signature with bits that mean nothing", good[:len(good)-1]+digits[last+1:last+2], TokenMalformed)
	// Where a token says its key is, nobody looks.
	stranger := mint{"ES256", "key-ES256", must(ecKey())}
	expectReason(t, v, "a key of its own", stranger.token(claims(full), map[string]any{
		"jwk": stranger.jwk(), "jku": "https://evil.test/jwks.json", "x5u": "https://evil.test/c.pem",
	}), TokenSignature)
}

func TestMalformedTokens(t *testing.T) {
	m := mintFor("HS256")
	v := verifier(t, issuerOf(m))
	good := m.token(claims())
	for _, token := range []string{
		"", ".", "..", "...", "a.b.c", good + ".", good + ".x", "." + good, strings.ReplaceAll(good, ".", "!"),
		good + "=", " " + good, good[:strings.LastIndexByte(good, '.')], "bm90IGpzb24." + good,
	} {
		if got := reason(t, v, token); got != TokenMalformed {
			t.Errorf("%.40q: %q", token, got)
		}
	}
	if got := reason(t, v, strings.Repeat("a", 9<<10)); got != TokenTooLarge {
		t.Errorf("a token of 9 KiB: %q", got)
	}
}

func TestNothingMakesTheVerifierPanic(t *testing.T) {
	m := mintFor("HS256")
	v := verifier(t, issuerOf(m))
	parts := strings.Split(m.token(claims()), ".")
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	rapid.Check(t, func(t *rapid.T) {
		header := rapid.SampledFrom([]string{parts[0], b64("null"), b64("[]"), b64(`{"alg":null}`), b64(`{"alg":"HS256","kid":{}}`), b64("{")}).Draw(t, "header")
		body := rapid.OneOf(rapid.Just(parts[1]), rapid.Map(rapid.String(), b64), rapid.SampledFrom([]string{b64("null"), b64("[1]"), b64(`{"exp":{}}`)})).Draw(t, "body")
		signature := rapid.OneOf(rapid.Just(parts[2]), rapid.Map(rapid.String(), b64), rapid.String()).Draw(t, "signature")
		token := header + "." + body + "." + signature
		if _, err := v.Verify(context.Background(), token); err == nil && token != strings.Join(parts, ".") {
			t.Fatalf("%q was taken", token)
		}
	})
}

func TestIssuersHaveTheirOwnKeys(t *testing.T) {
	one, two := mintFor("ES256"), mint{"ES256", "key-ES256", must(ecKey())}
	v := verifier(t,
		Issuer{Name: "one", Algorithms: []string{"ES256"}, Keys: []Key{one.key()}},
		Issuer{Name: "two", Algorithms: []string{"ES256"}, Keys: []Key{two.key()}, Audiences: []string{"two"}},
	)
	as := func(name string) jwt.MapClaims { return claims(jwt.MapClaims{"iss": name, "aud": name}) }
	expectReason(t, v, "one's token", one.token(as("one")), "")
	expectReason(t, v, "two's token", two.token(as("two")), "")
	expectReason(t, v, "one signs as two", one.token(as("two")), TokenSignature)
	expectReason(t, v, "two signs as one", two.token(as("one")), TokenSignature)
	expectReason(t, v, "a third", one.token(as("three")), TokenIssuer)
	any := verifier(t, Issuer{Algorithms: []string{"ES256"}, Keys: []Key{one.key()}})
	expectReason(t, any, "an issuer without a name", one.token(as("whoever")), "")
	if _, err := NewVerifier(Options{Issuers: []Issuer{issuerOf(one), issuerOf(one)}}); err == nil {
		t.Error("one issuer was taken twice")
	}
}

// What is wrong with an issuer is said before any token comes.
func TestIssuersThatCannotBe(t *testing.T) {
	es, hs := mintFor("ES256"), mintFor("HS256")
	good := issuerOf(es)
	for what, change := range map[string]func(*Issuer){
		"no algorithm":                func(i *Issuer) { i.Algorithms = nil },
		"an algorithm that is none":   func(i *Issuer) { i.Algorithms = []string{"ES256", "none"} },
		"the same in capitals":        func(i *Issuer) { i.Algorithms = []string{"ES256", "NONE"} },
		"no key":                      func(i *Issuer) { i.Keys = nil },
		"a key of another curve":      func(i *Issuer) { i.Algorithms = []string{"ES384"} },
		"a key of another kind":       func(i *Issuer) { i.Keys = []Key{hs.key()} },
		"a secret that is too short":  func(i *Issuer) { i.Algorithms, i.Keys = []string{"HS512"}, []Key{must(Secret("", make([]byte, 32)))} },
		"a key for one of two":        func(i *Issuer) { i.Algorithms = []string{"ES256", "HS256"} },
		"a clock that is an hour off": func(i *Issuer) { i.Skew = time.Hour },
		"a clock that is off by less": func(i *Issuer) { i.Skew = -time.Second },
		"keys by plain HTTP":          func(i *Issuer) { i.URL = "http://issuer.test/jwks.json" },
	} {
		one := good
		change(&one)
		if v, err := NewVerifier(Options{Issuers: []Issuer{one}}); err == nil {
			v.Close()
			t.Errorf("%s was taken", what)
		}
	}
	for what, issuers := range map[string][]Issuer{"no issuer": nil, "an issuer twice": {good, good}} {
		if v, err := NewVerifier(Options{Issuers: issuers}); err == nil {
			v.Close()
			t.Errorf("%s was taken", what)
		}
	}
}

func TestTokensWithoutExpiryWhereAllowed(t *testing.T) {
	m := mintFor("HS256")
	i := issuerOf(m)
	i.NoExpiry = true
	v := verifier(t, i)
	who, err := v.Verify(context.Background(), m.token(claims(jwt.MapClaims{"exp": nil})))
	if err != nil || !who.Expires.IsZero() || who.ExpiredAt(now.AddDate(100, 0, 0)) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestVerifiedTokensAreRememberedUntilTheyExpire(t *testing.T) {
	m := mintFor("HS256")
	clock := now
	v, err := NewVerifier(Options{Issuers: []Issuer{issuerOf(m)}, Remembered: 2, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	token := m.token(claims())
	first, err := v.Verify(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := v.Verify(context.Background(), token); again != first {
		t.Error("the token was verified again")
	}
	clock = now.Add(-time.Hour)
	if got := reason(t, v, token); got != TokenNotYetValid {
		t.Errorf("an hour before: %q", got)
	}
	clock = now
	if got := reason(t, v, token); got != "" {
		t.Fatal(got)
	}
	clock = now.Add(time.Minute)
	if got := reason(t, v, token); got != TokenExpired {
		t.Errorf("when it has expired, and is remembered: %q", got)
	}
	clock = now
	for _, sub := range []string{"a", "b", "c", "d"} {
		if got := reason(t, v, m.token(claims(jwt.MapClaims{"sub": sub}))); got != "" {
			t.Fatal(got)
		}
	}
	if n := v.known.Len(); n != 2 {
		t.Errorf("%d tokens are remembered, 2 are allowed", n)
	}
	if who, _ := v.Verify(context.Background(), m.token(claims(jwt.MapClaims{"sub": "a"}))); who.Digest == first.Digest {
		t.Error("different tokens have one digest")
	}
}
