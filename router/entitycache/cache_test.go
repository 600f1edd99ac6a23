package entitycache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bourse/router/compose"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/identity"
	"bourse/router/patience"
	"bourse/router/plan"
)

// A body taken apart and joined again with all its representations is the same, whatever stands in the variables.
func TestBodiesAreJoinedAsTheyWereSplit(t *testing.T) {
	text := rapid.SampledFrom([]string{`"a"`, `"],[{\""`, `"\\"`, `1`, `-0.5e3`, `null`, `true`, `{}`, `[]`, `{"x":[1,{"y":"}"}]}`, `[["]"]]`})
	rapid.Check(t, func(t *rapid.T) {
		reps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return `{"__typename":"T","id":` + text.Draw(t, "id") + `,"more":` + text.Draw(t, "more") + `}`
		}), 0, 4).Draw(t, "reps")
		f := &plan.Fetch{Prefix: []byte(`{"query":"q","variables":{`), Entries: []*plan.Entry{{Alias: "_entities", Variable: "representations"}}}
		other := text.Draw(t, "other")
		body := string(f.Prefix) + `"representations":[` + strings.Join(reps, ",") + `],"other":` + other + `}}`
		p, ok := split(&execute.Request{Body: []byte(body), Fetch: f})
		if !ok || len(p.reps[0]) != len(reps) {
			t.Fatalf("%s: %v, %q", body, ok, p.reps)
		}
		for i := range reps {
			if string(p.reps[0][i]) != reps[i] {
				t.Fatalf("representation %d is %s, not %s", i, p.reps[0][i], reps[i])
			}
		}
		if v, _ := p.value("other"); string(v) != other {
			t.Fatalf("other is %s, not %s", v, other)
		}
		if got := p.join(f, p.reps); string(got) != body {
			t.Fatalf("joined: %s\nwas:    %s", got, body)
		}
		if len(reps) > 1 {
			var smaller struct{ Variables map[string]json.RawMessage }
			if err := json.Unmarshal(p.join(f, [][][]byte{p.reps[0][1:]}), &smaller); err != nil || string(smaller.Variables["representations"]) != "["+strings.Join(reps[1:], ",")+"]" {
				t.Fatalf("without the first: %s, %v", smaller.Variables["representations"], err)
			}
		}
		// What is no body of the plan is refused, not misread.
		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		_, _ = split(&execute.Request{Body: []byte(body[:cut]), Fetch: f})
	})
}

// What depends on who asks is private, though it be called public; what depends on something that nobody can see is never kept.
func TestWhatVaryAdds(t *testing.T) {
	for vary, want := range map[string]policy{
		"":                               {ttl: time.Minute},
		"Accept-Encoding, Origin":        {ttl: time.Minute},
		"Authorization":                  {ttl: time.Minute, private: true},
		"Accept-Encoding, authorization": {ttl: time.Minute, private: true},
		"Cookie":                         {ttl: time.Minute, private: true},
		"Origin, *":                      {},
	} {
		h := http.Header{"Cache-Control": {"public, max-age=60"}, "Vary": {"Accept", vary}}
		if d := readControl(h); !d.said || d.policy != want {
			t.Errorf("%q: %+v", vary, d)
		}
		// Where nothing else is said, the operator's time counts, and no more.
		o := &one{body: `{"data":{"a":1}}`, header: http.Header{"Vary": {vary}}}
		c := New(o, nil, Options{Store: NewMemory(0), TTL: time.Minute})
		for range 2 {
			if _, err := c.Fetch(t.Context(), rootRequest()); err != nil {
				t.Fatal(err)
			}
		}
		if kept := want.ttl > 0 && !want.private; kept != (o.calls == 1) {
			t.Errorf("%q: asked %d times", vary, o.calls)
		}
	}
}

func TestWhatAHeaderSays(t *testing.T) {
	for _, c := range []struct {
		control, age string
		said, public bool
		want         policy
	}{
		{"", "", false, false, policy{}},
		{"max-age=60", "", true, false, policy{ttl: time.Minute}},
		{"public, max-age=60", "", true, true, policy{ttl: time.Minute}},
		{"MAX-AGE=60 , Public", "", true, true, policy{ttl: time.Minute}},
		{"max-age=60", "20", true, false, policy{ttl: 40 * time.Second}},
		{"max-age=60", "90", true, false, policy{}},
		{"max-age=60, s-maxage=10", "", true, true, policy{ttl: 10 * time.Second}},
		{"private, max-age=60", "", true, false, policy{ttl: time.Minute, private: true}},
		{"max-age=60, no-store", "", true, false, policy{}},
		{"no-cache", "", true, false, policy{}},
		{"max-age=0", "", true, false, policy{}},
		{"max-age=-1", "", false, false, policy{}},
		{"max-age=99999999999999", "", true, false, policy{ttl: 100 * 365 * 24 * time.Hour}},
		{"private", "", false, false, policy{private: true}},
	} {
		h := http.Header{"Cache-Control": {c.control}}
		if c.age != "" {
			h.Set("Age", c.age)
		}
		if d := readControl(h); d.said != c.said || d.public != c.public || d.policy != c.want {
			t.Errorf("%q, age %q: %+v", c.control, c.age, d)
		}
	}
}

// graph has hints of every kind.
func graph(t *testing.T) *federation.Supergraph {
	t.Helper()
	const head = `extend schema
@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@composeDirective"])
@link(url: "https://example.com/cacheControl/v0.1", import: ["@cacheControl", "CacheControlScope"])
@composeDirective(name: "@cacheControl")
enum CacheControlScope { PUBLIC PRIVATE }
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
`
	got, err := compose.Compose([]compose.Subgraph{{Name: "s", URL: "http://s", SDL: head + `
type Query {
  silent: Int
  known: Int @cacheControl(maxAge: 30)
  good: Good @cacheControl(maxAge: 100)
  typed: Typed
  inherits: Good @cacheControl(inheritMaxAge: true)
}
type Good @key(fields: "id") { id: ID! name: String mine: String @cacheControl(maxAge: 20, scope: PRIVATE) next: Good near: Good @cacheControl(inheritMaxAge: true) typed: Typed }
type Typed @key(fields: "id") @cacheControl(maxAge: 50) { id: ID! fast: Int @cacheControl(maxAge: 5) }
`}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sg, err := federation.Load(got.SupergraphSDL)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func TestWhatTheSchemaSays(t *testing.T) {
	h := newHints(graph(t))
	if h == nil {
		t.Fatal("the composed schema has no hints")
	}
	for _, c := range []struct {
		query  string
		entity string
		want   policy
	}{
		{`{ silent }`, "", policy{}},
		{`{ known }`, "", policy{ttl: 30 * time.Second}},
		{`{ known silent }`, "", policy{}},
		{`{ good { id name } }`, "", policy{ttl: 100 * time.Second}},
		{`{ good { id mine } }`, "", policy{ttl: 20 * time.Second, private: true}},
		{`{ good { next { id } } }`, "", policy{}},
		{`{ good { near { id } } }`, "", policy{ttl: 100 * time.Second}},
		{`{ good { typed { id } } }`, "", policy{ttl: 50 * time.Second}},
		{`{ typed { id fast } }`, "", policy{ttl: 5 * time.Second}},
		{`{ typed { __typename ... { ... on Typed { id } } } }`, "", policy{ttl: 50 * time.Second}},
		{`{ inherits { id } }`, "", policy{}},
		{`query($r: [_Any!]!) { _entities(representations: $r) { ... on Typed { id } } }`, "_entities", policy{ttl: 50 * time.Second}},
		{`query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Typed { id fast } } }`, "_entities", policy{ttl: 5 * time.Second}},
		{`query($r: [_Any!]!) { _entities(representations: $r) { ... on Good { id } } }`, "_entities", policy{}},
		{`query($r: [_Any!]!) { _entities(representations: $r) { ... on Typed { id } ... on Good { id } } }`, "_entities", policy{}},
	} {
		e := &plan.Entry{Alias: c.entity}
		if c.entity != "" {
			e.Variable = "r"
		}
		for range 2 { // read, remembered
			if got := h.of(&plan.Fetch{Operation: "query", Query: c.query, Entries: []*plan.Entry{e}}); got[0] != c.want {
				t.Errorf("%s: got %+v, want %+v", c.query, got[0], c.want)
			}
		}
	}
}

func TestAnEntityIsFoundByItsKeyHoweverItIsWritten(t *testing.T) {
	e := &plan.Entry{Representations: []*plan.Representation{{TypeName: "T", Fields: []*plan.RepField{{Name: "id", Key: true}, {Name: "of", Key: true}, {Name: "price"}}}}}
	name, key := entityOf(e, []byte(`{"__typename":"T","id":"7","of":{"__typename":"U","x":[1,"b"],"y":"A","a":null},"price":3}`))
	given, ok := canonical(json.RawMessage(`{ "of": {"a":null, "x":["1","b"], "y": "\u0041"}, "id": 7 }`))
	if name != "T" || !ok || key != given {
		t.Errorf("%s %q, want %q", name, key, given)
	}
	for _, other := range []string{`{"id":"7"}`, `{"id":"8","of":{"x":[1,"b"],"y":"A","a":null}}`, `{"id":"7","of":{"x":["1b"],"y":"A","a":null}}`, `{"id":"7","of":{"x":[1,"b"],"y":"A","b":null}}`} {
		if got, ok := canonical(json.RawMessage(other)); !ok || got == key {
			t.Errorf("%s is taken for the same: %v", other, ok)
		}
	}
	for _, bad := range []string{`7`, `{}`, `{"id":`, `[1]`, ``} {
		if got, ok := canonical(json.RawMessage(bad)); ok {
			t.Errorf("%q is taken for the key %q", bad, got)
		}
	}
}

// Requests of different clients have different keys for what is private, and the same one for what is public.
func TestClientsAreToldApart(t *testing.T) {
	request := rapid.Custom(func(t *rapid.T) *execute.Request {
		req := &execute.Request{Header: http.Header{}}
		for _, name := range []string{"Authorization", "Cookie", "Accept-Language", "X-Request-Id"} {
			req.Header[name] = rapid.SampledFrom([][]string{nil, {"a"}, {"b"}, {"a", "b"}, {"ab"}}).Draw(t, name)
			if req.Header[name] == nil {
				delete(req.Header, name)
			}
		}
		if n := rapid.IntRange(0, 2).Draw(t, "identity"); n > 0 {
			req.Identity = &identity.Identity{Digest: [32]byte{byte(n)}}
		}
		return req
	})
	same := func(a, b *execute.Request, names ...string) bool {
		for _, name := range names {
			if !slices.Equal(a.Header[name], b.Header[name]) {
				return false
			}
		}
		return true
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := request.Draw(t, "a"), request.Draw(t, "b")
		x, y := whoIs(a), whoIs(b)
		if got, want := string(x.public) == string(y.public), same(a, b, "Accept-Language"); got != want {
			t.Errorf("public keys equal: %v, want %v", got, want)
		}
		equal := same(a, b, "Accept-Language", "Authorization", "Cookie") && (a.Identity == nil) == (b.Identity == nil) && (a.Identity == nil || a.Identity.Digest == b.Identity.Digest)
		if got := string(x.private) == string(y.private); got != equal && (x.private != nil || y.private != nil) {
			t.Errorf("private keys equal: %v, want %v", got, equal)
		}
		if known := a.Identity != nil || a.Header["Authorization"] != nil || a.Header["Cookie"] != nil; known != (x.private != nil) {
			t.Errorf("a private key of %v: %v", a.Header, x.private != nil)
		}
	})
}

// A private answer is found again by the same client for the same subgraph, and by no other.
func TestAPrivateAnswerIsOneClientsOfOneSubgraph(t *testing.T) {
	ann, bob := &identity.Identity{Digest: [32]byte{31: 1}}, &identity.Identity{Digest: [32]byte{31: 2}}
	header := func(name, value string) func(*execute.Request) {
		return func(r *execute.Request) { r.Header.Set(name, value) }
	}
	for what, c := range map[string]struct {
		change func(*execute.Request)
		found  bool
	}{
		"nothing":         {func(*execute.Request) {}, true},
		"another request": {header("X-Request-Id", "2"), true},
		"another trace":   {header("Traceparent", "2"), true},
		"identity":        {func(r *execute.Request) { r.Identity = bob }, false},
		"nobody":          {func(r *execute.Request) { r.Identity = nil }, false},
		"Authorization":   {header("Authorization", "2"), false},
		"Cookie":          {header("Cookie", "2"), false},
		"language":        {header("Accept-Language", "2"), false},
		"subgraph": {func(r *execute.Request) {
			f := *r.Fetch
			f.Subgraph, r.Subgraph, r.Fetch = "t", "t", &f
		}, false},
	} {
		o := &one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"private, max-age=60"}}}
		cache := New(o, nil, Options{Store: NewMemory(0), Private: true})
		for n, change := range []func(*execute.Request){func(*execute.Request) {}, c.change} {
			req := rootRequest()
			req.Identity = ann
			req.Header = http.Header{}
			for _, name := range []string{"Authorization", "Cookie", "Accept-Language", "X-Request-Id", "Traceparent"} {
				req.Header.Set(name, "1")
			}
			change(req)
			if _, err := cache.Fetch(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if n == 1 && c.found != (o.calls == 1) {
				t.Errorf("%s: %d calls", what, o.calls)
			}
		}
	}
}

func TestInvalidationsNeedTheSecretAndMustBeClear(t *testing.T) {
	s := NewMemory(0)
	for _, c := range []struct {
		name, method, secret, body string
		status                     int
		says                       string
	}{
		{"no secret", "POST", "", `[]`, 401, "secret"},
		{"another secret", "POST", "Bearer x", `[]`, 401, "secret"},
		{"not POST", "GET", "Bearer s3", ``, 405, "POST"},
		{"no array", "POST", "Bearer s3", `{}`, 400, "array"},
		{"unknown kind", "POST", "s3", `[{"kind":"all","subgraph":"a"}]`, 400, `not \"all\"`},
		{"no subgraph", "POST", "s3", `[{"kind":"subgraph"}]`, 400, "subgraph is missing"},
		{"no type", "POST", "s3", `[{"kind":"type","subgraph":"a"}]`, 400, "needs more"},
		{"no key", "POST", "s3", `[{"kind":"entity","subgraph":"a","type":"T"}]`, 400, "needs more"},
		{"nothing", "POST", "s3", `[]`, 200, `"invalidated":0`},
		{"two subgraphs", "POST", "Bearer s3", `[{"kind":"cache_tag","subgraphs":["a","b"],"cache_tag":"t"},{"kind":"subgraph","subgraph":"a"}]`, 200, `"invalidated":3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
			r.Header.Set("Authorization", c.secret)
			w := httptest.NewRecorder()
			Handler(s, "s3").ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	if Handler(s, "").ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("[]"))); w.Code != 401 {
		t.Errorf("without any secret: %d", w.Code)
	}
}

// one is a fetcher of one answer.
type one struct {
	body   string
	header http.Header
	before func()
	err    error
	calls  int
}

func (o *one) Fetch(context.Context, *execute.Request) (*execute.Response, error) {
	o.calls++
	if o.before != nil {
		o.before()
	}
	return &execute.Response{Status: 200, Header: o.header, Body: []byte(o.body)}, o.err
}

func (o *one) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, errors.New("no streams")
}

func rootRequest() *execute.Request {
	f := &plan.Fetch{Subgraph: "s", Operation: "query", Query: "{ a }", Prefix: []byte(`{"query":"{ a }","variables":{`), Entries: []*plan.Entry{{}}}
	return &execute.Request{Subgraph: "s", Idempotent: true, Fetch: f, Body: []byte(`{"query":"{ a }","variables":{}}`)}
}

// An answer that was on its way while it was invalidated is not taken for fresh.
func TestAnInvalidationReachesWhatIsOnItsWay(t *testing.T) {
	s := NewMemory(0)
	o := &one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"public, max-age=60"}}}
	c := New(o, nil, Options{Store: s})
	o.before = func() { _, _ = Invalidate(t.Context(), s, []Invalidation{{Kind: "subgraph", Subgraph: "s"}}) }
	for n := 1; n <= 2; n++ {
		if _, err := c.Fetch(t.Context(), rootRequest()); err != nil || o.calls != n {
			t.Errorf("%d calls, %v", o.calls, err)
		}
	}
	o.before = nil
	for range 2 {
		if _, err := c.Fetch(t.Context(), rootRequest()); err != nil || o.calls != 3 {
			t.Errorf("%d calls, %v", o.calls, err)
		}
	}
}

func TestWhatIsNotKept(t *testing.T) {
	public := http.Header{"Cache-Control": {"public, max-age=60"}}
	ann := &identity.Identity{Digest: [32]byte{1}}
	for _, c := range []struct {
		name    string
		answer  one
		options Options
		req     func(*execute.Request)
		calls   int // of two requests
	}{
		{"plain", one{body: `{"data":{"a":1}}`, header: public}, Options{}, nil, 1},
		{"nothing is said", one{body: `{"data":{"a":1}}`}, Options{}, nil, 2},
		{"nothing is said, but the operator does", one{body: `{"data":{"a":1}}`}, Options{TTL: time.Minute}, nil, 1},
		{"no-store, whatever the operator says", one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"no-store"}}}, Options{TTL: time.Minute}, nil, 2},
		{"errors", one{body: `{"data":{"a":1},"errors":[{"message":"x"}]}`, header: public}, Options{}, nil, 2},
		{"an empty list of errors", one{body: `{"data":{"a":1},"errors":[]}`, header: public}, Options{}, nil, 1},
		{"no data", one{body: `{"data":null}`, header: public}, Options{}, nil, 2},
		{"garbage", one{body: `{"data":{"a":`, header: public}, Options{}, nil, 2},
		{"no UTF-8", one{body: "{\"data\":{\"a\":\"\xff\"}}", header: public}, Options{}, nil, 2},
		{"a mutation", one{body: `{"data":{"a":1}}`, header: public}, Options{}, func(r *execute.Request) { r.Idempotent = false }, 2},
		{"private, and nobody is known", one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"private, max-age=60"}}}, Options{Private: true}, nil, 2},
		{"private", one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"private, max-age=60"}}}, Options{Private: true}, func(r *execute.Request) { r.Identity = ann }, 1},
		{"private is off", one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"private, max-age=60"}}}, Options{}, func(r *execute.Request) { r.Identity = ann }, 2},
		{"not said to be public, and asked in a name", one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"max-age=60"}}}, Options{}, func(r *execute.Request) { r.Identity = ann }, 2},
		{"off", one{body: `{"data":{"a":1}}`, header: public}, Options{Subgraphs: map[string]SubgraphOptions{"s": {Off: true}}}, nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Store = NewMemory(0)
			cache := New(&c.answer, nil, c.options)
			for range 2 {
				req := rootRequest()
				if c.req != nil {
					c.req(req)
				}
				resp, err := cache.Fetch(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if want := c.answer.body; string(resp.Body) != want && c.calls == 2 {
					t.Errorf("got %s", resp.Body)
				}
			}
			if c.answer.calls != c.calls {
				t.Errorf("%d calls, want %d", c.answer.calls, c.calls)
			}
		})
	}
}

// failing is a store that does not answer.
type failing struct{}

func (failing) Get(context.Context, []string, []string) (Found, error) {
	return Found{}, patience.ErrAway
}
func (failing) Set(context.Context, []Item) error    { return patience.ErrAway }
func (failing) Mark(context.Context, []string) error { return patience.ErrAway }

func TestRequestsGoOnWithoutTheStore(t *testing.T) {
	o := &one{body: `{"data":{"a":1}}`, header: http.Header{"Cache-Control": {"public, max-age=60"}}}
	lost := 0
	c := New(o, nil, Options{Store: failing{}, OnLost: func(context.Context, error) { lost++ }})
	resp, err := c.Fetch(t.Context(), rootRequest())
	if err != nil || string(resp.Body) != o.body || lost != 0 {
		t.Errorf("%v, %v, %d invalidations lost", resp, err, lost)
	}
	o.body = `{"data":{"a":1},"extensions":{"invalidation":[{"kind":"subgraph"}]}}`
	if resp, err = c.Fetch(t.Context(), rootRequest()); err != nil || string(resp.Body) != o.body || lost != 1 {
		t.Errorf("%v, %v, %d invalidations lost", resp, err, lost)
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(`[{"kind":"subgraph","subgraph":"s"}]`))
	r.Header.Set("Authorization", "s3")
	w := httptest.NewRecorder()
	if Handler(failing{}, "s3").ServeHTTP(w, r); w.Code != 503 {
		t.Errorf("an invalidation that is lost is answered with %d %s", w.Code, w.Body)
	}
}

func BenchmarkFetchFromTheCache(b *testing.B) {
	f := &plan.Fetch{
		Subgraph: "s", Operation: "query", Query: "q", Prefix: []byte(`{"query":"q","variables":{`),
		Entries: []*plan.Entry{{Alias: "_entities", Variable: "r", Representations: []*plan.Representation{{TypeName: "T", Fields: []*plan.RepField{{Name: "id", Key: true}}}}}},
	}
	var reps, entities []string
	for i := range 50 {
		reps = append(reps, fmt.Sprintf(`{"__typename":"T","id":"%d"}`, i))
		entities = append(entities, fmt.Sprintf(`{"__typename":"T","name":"number %d","price":%d}`, i, i))
	}
	body := []byte(`{"query":"q","variables":{"r":[` + strings.Join(reps, ",") + `]}}`)
	o := &one{body: `{"data":{"_entities":[` + strings.Join(entities, ",") + `]}}`, header: http.Header{"Cache-Control": {"public, max-age=3600"}}}
	c := New(o, nil, Options{Store: NewMemory(0)})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Fetch(b.Context(), &execute.Request{Subgraph: "s", Idempotent: true, Fetch: f, Body: body}); err != nil {
			b.Fatal(err)
		}
	}
	if o.calls != 1 {
		b.Errorf("%d calls", o.calls)
	}
}

// Tags in the header are of all that an answer has, those in the extensions of their part of it.
func TestTagsComeInTheHeaderToo(t *testing.T) {
	for _, c := range []struct {
		name   string
		req    *execute.Request
		answer one
	}{
		{"root", rootRequest(), one{body: `{"data":{"a":1},"extensions":{"apolloCacheTags":["own"]}}`}},
		{"entities", entitiesRequest("ab"), one{body: `{"data":{"_entities":[{"__typename":"T"},{"__typename":"T"}]},"extensions":{"apolloEntityCacheTags":[["own"],["own"]]}}`}},
	} {
		for tag, calls := range map[string]int{"own": 2, "shop": 2, "home page": 2, "other": 1} {
			c.answer.calls, c.answer.header = 0, http.Header{"Cache-Control": {"public, max-age=60"}, "Cache-Tag": {"shop, home page,", "more"}}
			s := NewMemory(0)
			cache := New(&c.answer, nil, Options{Store: s})
			for range 2 {
				if _, err := cache.Fetch(t.Context(), c.req); err != nil {
					t.Fatal(err)
				}
				_, _ = Invalidate(t.Context(), s, []Invalidation{{Kind: "cache_tag", Subgraph: "s", Tag: tag}})
			}
			if c.answer.calls != calls {
				t.Errorf("%s: %d calls after %s was invalidated, want %d", c.name, c.answer.calls, tag, calls)
			}
		}
	}
}
