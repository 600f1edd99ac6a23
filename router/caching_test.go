package router_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bourse/router"
	"bourse/router/access"
	"bourse/router/compose"
	"bourse/router/fetch"
	"bourse/router/headers"
	"bourse/router/identity"
	"bourse/router/serve"
)

const mirrorSDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
type Query { seen: String hidden: String @authenticated broken: String }
`

// mirror is a router before a subgraph that answers with what it sees of a client, and says the same of caching whatever it is asked.
func mirror(t testing.TB, control string, o router.Options) *router.Router {
	t.Helper()
	composed, err := compose.Compose([]compose.Subgraph{{Name: "mirror", URL: "http://mirror.invalid", SDL: mirrorSDL}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Fetcher = fetch.NewLocal(map[string]http.Handler{"mirror": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", control)
		w.Header().Set("Set-Cookie", "a=b")
		var body struct{ Query string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		out := object{}
		saw := fmt.Sprint(r.Header["Authorization"], r.Header["X-Tenant"], r.Header["X-User"], r.Header["X-Any-Thing"])
		data := object{}
		for _, field := range []string{"seen", "hidden", "broken"} {
			if strings.Contains(body.Query, field) {
				data[field] = saw
			}
		}
		if data["broken"] != nil {
			data["broken"], out["errors"] = nil, []object{{"message": "broken", "path": []any{"broken"}}}
		}
		out["data"] = data
		_ = json.NewEncoder(w).Encode(out)
	})})
	o.CacheControl = true
	r, err := router.New(composed.SupergraphSDL, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named takes a request's Authorization for a name, and refuses that of mallory.
func named(_ context.Context, _ *http.Request, h http.Header) (*identity.Identity, *serve.Refusal) {
	switch name := h.Get("Authorization"); name {
	case "":
		return nil, nil
	case "mallory":
		return nil, serve.Refuse(http.StatusUnauthorized, serve.CodeUnauthenticated, "no")
	default:
		return &identity.Identity{Subject: name, Digest: [32]byte{name[0]}, Claims: map[string]any{"sub": name}}, nil
	}
}

func TestAnswersSayForWhomTheyMayBeKept(t *testing.T) {
	const day = "public, max-age=60"
	rule := func(r headers.Rule) router.Options {
		return router.Options{Headers: headers.Rules{All: []headers.Rule{r}}}
	}
	for _, c := range []struct {
		name, control, query string
		o                    router.Options
		sent                 []string
		want, vary           string
	}{
		{"public", day, `{ seen }`, router.Options{}, nil, "max-age=60, public", ""},
		{"forwarded headers", day, `{ seen }`, router.Options{ForwardHeaders: []string{"x-tenant"}}, nil, "max-age=60, public", "X-Tenant"},
		{"propagated headers", day, `{ seen }`, rule(headers.Rule{Action: headers.Propagate, Name: "X-Tenant", Rename: "T"}), nil, "max-age=60, public", "X-Tenant"},
		{"headers of one subgraph", day, `{ seen }`, router.Options{Headers: headers.Rules{Subgraphs: map[string][]headers.Rule{"mirror": {{Action: headers.Propagate, Name: "X-Tenant"}}}}}, nil, "max-age=60, public", "X-Tenant"},
		{"headers by a pattern", day, `{ seen }`, rule(headers.Rule{Action: headers.Propagate, Matching: "x-any-.*"}), nil, "max-age=60, private", ""},
		{"nothing said of whom, in somebody's name", "max-age=60", `{ seen }`, router.Options{ForwardHeaders: []string{"Authorization"}}, []string{"Authorization", "ann"}, "max-age=60, private", "Authorization"},
		{"nothing said of whom, in nobody's name", "max-age=60", `{ seen }`, router.Options{ForwardHeaders: []string{"Authorization"}}, nil, "max-age=60, public", "Authorization"},
		{"an identity", day, `{ seen }`, router.Options{Admit: named}, []string{"Authorization", "ann"}, "max-age=60, private", "Authorization Cookie"},
		{"nobody where there are identities", day, `{ seen }`, router.Options{Admit: named}, nil, "max-age=60, public", "Authorization Cookie"},
		{"a protected field", day, `{ hidden }`, router.Options{Rights: everything}, nil, "max-age=60, private", ""},
		{"a cookie", day, `{ seen }`, router.Options{Headers: headers.Rules{Response: []headers.ResponseRule{{Name: "Set-Cookie"}}}}, nil, "max-age=60, private", ""},
		{"an error of a subgraph", day, `{ seen broken }`, router.Options{}, nil, "no-store", ""},
		{"a field that is not to be seen", day, `{ seen hidden }`, router.Options{}, nil, "no-store", ""},
		{"a field that there is not", day, `{ unseen }`, router.Options{}, nil, "no-store", ""},
		{"no GraphQL", day, `{`, router.Options{}, nil, "no-store", ""},
		{"a bad token", day, `{ seen }`, router.Options{Admit: named}, []string{"Authorization", "mallory"}, "no-store", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := mirror(t, c.control, c.o)
			defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
			w := ask(r, query(c.query), c.sent...)
			own := []string{"Origin", "Accept", "Accept-Encoding"}
			vary := strings.Join(slices.DeleteFunc(w.Header().Values("Vary"), func(n string) bool { return slices.Contains(own, n) }), " ")
			if got := w.Header().Get("Cache-Control"); got != c.want || vary != c.vary {
				t.Errorf("got %q and Vary %q, want %q and %q: %s", got, vary, c.want, c.vary, w.Body)
			}
		})
	}
}

func everything(context.Context, http.Header, []string) access.Rights {
	return access.Rights{Authenticated: true}
}

// shared is a cache that many clients share, before a router (RFC 9111).
type shared struct {
	next http.Handler
	kept map[string][]keptAnswer // by the body of the request
	hits int
}

type keptAnswer struct {
	request http.Header
	vary    []string
	body    string
}

func (s *shared) ask(body string, sent ...string) string {
	header := http.Header{}
	for i := 0; i < len(sent); i += 2 {
		header.Set(sent[i], sent[i+1])
	}
	for _, k := range s.kept[body] {
		if !slices.ContainsFunc(k.vary, func(n string) bool { return k.request.Get(n) != header.Get(n) }) {
			s.hits++
			return k.body
		}
	}
	w := ask(s.next, body, sent...)
	if strings.Contains(w.Header().Get("Cache-Control"), "public") {
		s.kept[body] = append(s.kept[body], keptAnswer{header, w.Header().Values("Vary"), w.Body.String()})
	}
	return w.Body.String()
}

// Whatever is forwarded, and however carelessly subgraphs speak of caching: through a shared cache everyone gets what the router would have said.
func TestASharedCacheNeverShowsOneClientAnothers(t *testing.T) {
	hits := 0
	rapid.Check(t, func(rt *rapid.T) {
		var o router.Options
		for _, name := range []string{"Authorization", "X-Tenant"} {
			if rapid.Bool().Draw(rt, "forward "+name) {
				o.ForwardHeaders = append(o.ForwardHeaders, name)
			}
		}
		if rapid.Bool().Draw(rt, "identities") {
			o.Admit = named
		}
		for _, r := range []headers.Rule{
			{Action: headers.Propagate, Name: "X-Tenant"}, {Action: headers.Propagate, Matching: "x-any-.*"}, {Action: headers.Insert, Name: "X-User", Claim: "sub"},
		} {
			if rapid.Bool().Draw(rt, "rule") {
				o.Headers.All = append(o.Headers.All, r)
			}
		}
		r := mirror(t, rapid.SampledFrom([]string{"public, max-age=60", "max-age=60", "s-maxage=60", "private, max-age=60", ""}).Draw(rt, "control"), o)
		defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
		var plain http.Handler = r
		cache := &shared{next: r, kept: map[string][]keptAnswer{}}
		for range rapid.IntRange(2, 12).Draw(rt, "requests") {
			body := query(rapid.SampledFrom([]string{`{ seen }`, `{ seen hidden }`, `{ broken }`}).Draw(rt, "query"))
			var sent []string
			for _, name := range []string{"Authorization", "X-Tenant", "X-Any-Thing"} {
				if value := rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(rt, name); value != "" {
					sent = append(sent, name, value)
				}
			}
			if got, want := cache.ask(body, sent...), ask(plain, body, sent...).Body.String(); got != want {
				rt.Fatalf("%s of %q got %s, and would have got %s", body, sent, got, want)
			}
		}
		hits += cache.hits
	})
	if hits == 0 {
		t.Error("the cache kept nothing")
	}
}

// What a page or a proxy gets that is no answer is not kept either.
func TestWhatIsNoAnswerIsNotKept(t *testing.T) {
	r := mirror(t, "public, max-age=60", router.Options{MaxBatch: 2})
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	for what, req := range map[string]*http.Request{
		"a list":     httptest.NewRequest("POST", "/graphql", strings.NewReader("["+query(`{ seen }`)+"]")),
		"no method":  httptest.NewRequest("PATCH", "/graphql", nil),
		"no body":    httptest.NewRequest("POST", "/graphql", nil),
		"an unasked": httptest.NewRequest("GET", "/graphql?query={seen}", nil),
	} {
		req.Header.Set("Content-Type", "application/json")
		if req.Method == "GET" {
			req.Header.Del("Content-Type")
			req.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: %q", what, got)
		}
	}
}
