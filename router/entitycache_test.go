package router_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/entitycache"
	"bourse/router/fetch"
	"bourse/router/telemetry"
)

const goodsSDL = federationLink + `
type Query { goods: [Good!]! }
type Mutation { restock(id: ID!): Boolean }
type Good @key(fields: "id") { id: ID! name: String! }
`

const depotSDL = federationLink + `
type Query { depots: Int }
type Good @key(fields: "id") { id: ID! stock: Int mine: String dear(than: Int): String }
`

// depot is data that changes, served by two subgraphs: the goods that there are, and what there is of each.
type depot struct {
	mu      sync.Mutex
	ids     []string
	stock   map[string]int
	version int
	control string         // Cache-Control of what is for everyone
	calls   map[string]int // by subgraph
	reps    int            // that were asked for
	restock string         // the extensions of an answer to the mutation
	broken  bool           // the depot answers with an error in the middle of its data
}

func (d *depot) handler(subgraph string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.calls[subgraph]++
		var body struct {
			Query     string
			Variables map[string]json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		doc, err := parser.ParseQuery(&ast.Source{Input: body.Query})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", d.control)
		if strings.Contains(body.Query, "mine") {
			w.Header().Set("Cache-Control", "private, max-age=60")
		}
		data, extensions, errs := object{}, object{}, []object(nil)
		for _, sel := range doc.Operations[0].SelectionSet {
			f := sel.(*ast.Field)
			switch f.Name {
			case "goods":
				list := []object{}
				for _, id := range d.ids {
					list = append(list, object{"__typename": "Good", "id": id, "name": fmt.Sprintf("%s v%d", id, d.version)})
				}
				data[f.Alias] = list
			case "restock":
				data[f.Alias] = true
				extensions["invalidation"] = json.RawMessage(d.restock)
			case "_entities":
				var reps []struct{ ID string }
				_ = json.Unmarshal(body.Variables[f.Arguments[0].Value.Raw], &reps)
				d.reps += len(reps)
				list, tags := []any{}, [][]string{}
				for i, rep := range reps {
					if d.broken && i == len(reps)-1 {
						list = append(list, nil)
						errs = append(errs, object{"message": "broken", "path": []any{f.Alias, i}, "extensions": object{"code": "BROKEN"}})
						continue
					}
					list = append(list, object{
						"__typename": "Good", "stock": d.stock[rep.ID],
						"mine": fmt.Sprintf("%s's %s %d", r.Header.Get("Authorization"), rep.ID, d.stock[rep.ID]),
						"dear": fmt.Sprintf("%s than %s", rep.ID, body.Variables["than"]),
					})
					tags = append(tags, []string{"good-" + rep.ID})
				}
				data[f.Alias], extensions["apolloEntityCacheTags"] = list, tags
			}
		}
		out := object{"data": data, "extensions": extensions}
		if errs != nil {
			out["errors"] = errs
		}
		_ = json.NewEncoder(w).Encode(out)
	})
}

func newDepot(ids ...string) *depot {
	d := &depot{ids: ids, stock: map[string]int{}, control: "public, max-age=60", calls: map[string]int{}}
	for i, id := range ids {
		d.stock[id] = i
	}
	return d
}

// supergraph has a schema of the depot.
func (d *depot) supergraph(t testing.TB, depotSDL string) string {
	t.Helper()
	composed, err := compose.Compose([]compose.Subgraph{{Name: "goods", URL: "http://goods.invalid", SDL: goodsSDL}, {Name: "depot", URL: "http://depot.invalid", SDL: depotSDL}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return composed.SupergraphSDL
}

func (d *depot) options(o router.Options) router.Options {
	o.Fetcher = fetch.NewLocal(map[string]http.Handler{"goods": d.handler("goods"), "depot": d.handler("depot")})
	o.ForwardHeaders = []string{"Authorization", "Accept-Language"}
	return o
}

func (d *depot) router(t testing.TB, o router.Options) *router.Router {
	t.Helper()
	r, err := router.New(d.supergraph(t, depotSDL), d.options(o))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ask sends one request straight into a router.
func ask(r http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// Whatever is asked, changed, invalidated and waited for: with the cache the answers are those without it, and everyone gets their own.
func TestAnswersFromTheCacheAreThoseWithoutIt(t *testing.T) {
	outer := t
	hits := 0
	rapid.Check(t, func(t *rapid.T) {
		inBubble(outer, func(st *testing.T) {
			d := newDepot("a", "b", "c", "d")
			store := entitycache.NewMemory(rapid.SampledFrom([]int64{0, 4000}).Draw(t, "bytes"))
			cached := d.router(st, router.Options{Cache: &entitycache.Options{Store: store, Private: rapid.Bool().Draw(t, "private")}, CacheControl: true})
			plain := d.router(st, router.Options{})
			fields := []string{"name", "stock", "mine", "dear(than: $than)", "name stock", "stock mine"}
			for range rapid.IntRange(1, 30).Draw(t, "steps") {
				switch rapid.IntRange(0, 3).Draw(t, "step") {
				case 0, 1:
					field := rapid.SampledFrom(fields).Draw(t, "field")
					q := query("{ goods { id " + field + " } }")
					if strings.Contains(field, "than") {
						q = query("query($than: Int) { goods { id "+field+" } }", fmt.Sprintf(`{"than":%d}`, rapid.IntRange(0, 1).Draw(t, "than")))
					}
					who := rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(t, "who")
					before := d.calls["depot"] + d.calls["goods"]
					got := ask(cached, q, "Authorization", who).Body.String()
					if d.calls["depot"]+d.calls["goods"] == before {
						hits++
					}
					if want := ask(plain, q, "Authorization", who).Body.String(); got != want {
						t.Fatalf("%s for %q\ngot  %s\nwant %s", q, who, got, want)
					}
				case 2:
					d.change(t, store, cached)
				case 3:
					time.Sleep(time.Duration(rapid.IntRange(0, 70).Draw(t, "seconds")) * time.Second)
				}
			}
			_ = cached.Close(st.Context())
			_ = plain.Close(st.Context())
		})
	})
	if hits == 0 {
		t.Error("no answer came out of the cache")
	}
}

// inBubble runs f in a synctest bubble. What rapid panics with, to give up an attempt, comes out of it.
func inBubble(t *testing.T, f func(*testing.T)) {
	var panicked any
	synctest.Test(t, func(t *testing.T) {
		defer func() { panicked = recover() }()
		f(t)
	})
	if panicked != nil {
		panic(panicked)
	}
}

// change changes the data and lets the cache know in one of the ways that there are.
func (d *depot) change(t *rapid.T, store entitycache.Store, r http.Handler) {
	id := rapid.SampledFrom(d.ids).Draw(t, "id")
	if rapid.Bool().Draw(t, "goods") {
		d.version++
		if rapid.Bool().Draw(t, "other order") {
			slices.Reverse(d.ids)
		}
		d.invalidate(t, store, rapid.SampledFrom([]entitycache.Invalidation{
			{Kind: "subgraph", Subgraph: "goods"}, {Kind: "type", Subgraph: "goods", Type: "Query"}, {Kind: "type", Subgraph: "goods", Type: "Good"},
		}).Draw(t, "how"))
		return
	}
	d.stock[id]++
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0:
		d.invalidate(t, store, entitycache.Invalidation{Kind: "entity", Subgraph: "depot", Type: "Good", Key: json.RawMessage(`{"id":"` + id + `"}`)})
	case 1:
		d.invalidate(t, store, entitycache.Invalidation{Kind: "cache_tag", Subgraphs: []string{"goods", "depot"}, Tag: "good-" + id})
	case 2:
		d.invalidate(t, store, entitycache.Invalidation{Kind: "type", Subgraph: "depot", Type: "Good"})
	case 3:
		time.Sleep(61 * time.Second) // or wait until it is too old
	case 4:
		// The goods subgraph may only speak for itself; what it says of the depot's is its own.
		d.restock = `[{"kind":"type","subgraph":"depot","type":"Good"}]`
		ask(r, query(`mutation { restock(id: "a") }`))
		d.invalidate(t, store, entitycache.Invalidation{Kind: "subgraph", Subgraph: "depot"})
	}
}

func (d *depot) invalidate(t *rapid.T, store entitycache.Store, i entitycache.Invalidation) {
	handler := entitycache.Handler(store, "secret")
	body, _ := json.Marshal([]entitycache.Invalidation{i})
	if got := ask(handler, string(body), "Authorization", "Bearer secret"); got.Code != 200 {
		t.Fatalf("invalidate: %d %s", got.Code, got.Body)
	}
}

func TestOnlyWhatIsMissingIsAskedFor(t *testing.T) {
	d := newDepot("a", "b", "c")
	store := entitycache.NewMemory(0)
	told, _ := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
	r := d.router(t, router.Options{Cache: &entitycache.Options{Store: store}, CacheControl: true, Telemetry: told})
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	const q = `{ goods { id stock } }`
	expect := func(what string, depotCalls, reps int) {
		t.Helper()
		d.calls, d.reps = map[string]int{}, 0
		w := ask(r, query(q))
		want := `{"data":{"goods":[{"id":"a","stock":` + fmt.Sprint(d.stock["a"]) + `},{"id":"b","stock":1},{"id":"c","stock":2}`
		if got := w.Body.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
		if d.calls["depot"] != depotCalls || d.reps != reps {
			t.Errorf("%s: %d calls for %d entities, want %d for %d", what, d.calls["depot"], d.reps, depotCalls, reps)
		}
	}
	expect("nothing is known", 1, 3)
	expect("everything is known", 0, 0)
	for _, want := range []string{`hit",subgraph="depot"} 3`, `miss",subgraph="depot"} 3`} {
		if got := scrape(t, told); !strings.Contains(got, `bourse_router_entity_cache_total{result="`+want) {
			t.Errorf("there is no %s", want)
		}
	}
	d.stock["a"] = 9
	d.ids = append(d.ids, "d")
	_, err := entitycache.Invalidate(t.Context(), store, []entitycache.Invalidation{
		{Kind: "entity", Subgraph: "depot", Type: "Good", Key: json.RawMessage(`{"id":"a"}`)}, {Kind: "subgraph", Subgraph: "goods"},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect("one is new and one was invalidated", 1, 2)
	d.broken = true
	_, _ = entitycache.Invalidate(t.Context(), store, []entitycache.Invalidation{{Kind: "cache_tag", Subgraph: "depot", Tag: "good-d"}})
	w := ask(r, query(q))
	same(t, w.Body.String(), `{"data":{"goods":[{"id":"a","stock":9},{"id":"b","stock":1},{"id":"c","stock":2},{"id":"d","stock":null}]},
		"errors":[{"message":"broken","path":["goods",3],"extensions":{"code":"BROKEN","service":"depot"}}]}`)
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("an answer with an error says %q", got)
	}
	d.broken = false
	expect("errors are not kept", 1, 1)
}

func TestClientsHearHowLongAnAnswerMayBeKept(t *testing.T) {
	for _, c := range []struct{ name, query, control, want string }{
		{"public", `{ goods { id } }`, "public, max-age=60", "max-age=60, public"},
		{"the shortest counts", `{ goods { id stock } }`, "public, max-age=30", "max-age=30, public"},
		{"private if any is", `{ goods { id mine } }`, "public, max-age=60", "max-age=60, private"},
		{"not at all", `{ goods { id dear(than: 1) } }`, "no-store", "no-store"},
		{"a mutation", `mutation { restock(id: "a") }`, "public, max-age=60", "no-store"},
		{"what asks nobody", `{ __typename }`, "public, max-age=60", "no-store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that time stands still
				d := newDepot("a")
				d.control = c.control
				r := d.router(t, router.Options{Cache: &entitycache.Options{Store: entitycache.NewMemory(0), Private: true}, CacheControl: true})
				defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
				for range 2 {              // from the subgraph, from the cache
					if got := ask(r, query(c.query), "Authorization", "ann").Header().Get("Cache-Control"); got != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
				}
			})
		})
	}
}

// Over a reload what is kept lives on, but only of subgraphs of which the supergraph says the same as before: the text of an operation does not
// tell what its fields mean.
func TestEntriesAreOfWhatASchemaSaysOfItsSubgraph(t *testing.T) {
	d := newDepot("a")
	o := d.options(router.Options{Cache: &entitycache.Options{Store: entitycache.NewMemory(0)}})
	r, err := router.New(d.supergraph(t, depotSDL), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	_ = ask(r, query(`{ goods { id stock } }`))
	before := depotSDL
	for _, change := range []struct {
		what, from, to string
		goods, depot   int // calls
	}{
		{"nothing", "", "", 0, 0},
		{"the type of a field", "stock: Int", "stock: Float", 0, 1},
		{"who may see a field", "stock: Float", "stock: Float @cacheControl(scope: PRIVATE)", 0, 1},
		{"an argument", "dear(than: Int)", "dear(than: Int = 1)", 0, 1},
		{"a type of its own", "type Query", "enum Size { BIG } type Query", 0, 1},
		{"nothing again", "", "", 0, 0},
	} {
		sdl := strings.Replace(before, change.from, change.to, 1)
		if strings.Contains(sdl, "@cacheControl") && !strings.Contains(sdl, "directive @cacheControl") {
			sdl += "enum CacheControlScope { PUBLIC PRIVATE } directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION"
		}
		before = sdl
		if err := r.Reload(d.supergraph(t, sdl), o); err != nil {
			t.Fatalf("%s: %v", change.what, err)
		}
		d.calls = map[string]int{}
		_ = ask(r, query(`{ goods { id stock } }`), "Authorization", "someone")
		if d.calls["goods"] != change.goods || d.calls["depot"] != change.depot {
			t.Errorf("%s changes: the goods were asked %d times and the depot %d, want %d and %d", change.what, d.calls["goods"], d.calls["depot"], change.goods, change.depot)
		}
	}
}

// What is stale is given at once, asked for anew, and told of; a reload and the end wait for what runs in the background.
func TestStaleEntitiesThroughTheRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot("a", "b")
		told, _ := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
		o := d.options(router.Options{CacheControl: true, Telemetry: told, Cache: &entitycache.Options{
			Store: entitycache.NewMemory(0), Stale: entitycache.Stale{WhileRevalidate: time.Minute, IfError: time.Hour},
		}})
		r, err := router.New(d.supergraph(t, depotSDL), o)
		if err != nil {
			t.Fatal(err)
		}
		const q = `{ goods { id stock } }`
		expect := func(stock, control string) {
			t.Helper()
			w := ask(r, query(q))
			same(t, w.Body.String(), `{"data":{"goods":[{"id":"a","stock":`+stock+`},{"id":"b","stock":1}]}}`)
			if got := w.Header().Get("Cache-Control"); got != control {
				t.Errorf("clients hear %q, want %q", got, control)
			}
		}
		expect("0", "max-age=60, public")
		time.Sleep(61 * time.Second)
		d.stock["a"] = 9
		expect("0", "no-store")
		synctest.Wait()
		expect("9", "max-age=60, public")
		time.Sleep(61 * time.Second)
		d.stock["a"] = 10
		expect("9", "no-store")
		synctest.Wait() // a reload ends what is on its way in the background
		if err := r.Reload(d.supergraph(t, depotSDL), o); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		expect("10", "max-age=60, public")
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		got := scrape(t, told)
		for _, want := range []string{
			`entity_cache_total{result="stale",subgraph="depot"} 4`, `entity_cache_total{result="miss",subgraph="depot"} 2`,
			`subgraph_requests_total{status="200",subgraph="depot"} 7`, // 5 of the executor and 2 in the background
		} {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %s in\n%s", want, got)
			}
		}
	})
}
