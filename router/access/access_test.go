package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"

	"bourse/router/access"
	"bourse/router/federation"
)

const links = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY) @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
`

func load(t *testing.T, sdl string) *federation.Supergraph {
	t.Helper()
	sg, err := federation.Load(links + sdl)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func TestOpenSupergraphsHaveNoRules(t *testing.T) {
	if access.New(load(t, `type Query @join__type(graph: A) { a: Int }`)) != nil {
		t.Error("rules of what is open")
	}
}

// Whatever is fetched for a field's sake would be seen through it.
func TestFieldsNeedWhatTheyAreMadeOf(t *testing.T) {
	r := access.New(load(t, `
type Query @join__type(graph: A) @join__type(graph: B) { t: T @join__field(graph: A) open: Int }
type T @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @context(name: "a__t") {
  id: ID!
  secret: Int @join__field(graph: A) @join__field(graph: B, external: true) @policy(policies: [["p"]])
  box: Box @join__field(graph: A) @join__field(graph: B, external: true)
  fromSecret: Int @join__field(graph: B, requires: "secret")
  fromThat: Int @join__field(graph: A, requires: "fromSecret") @join__field(graph: B, external: true)
  fromBox: Int @join__field(graph: B, requires: "box { ... on Gold { carat } }")
  fromInterface: Int @join__field(graph: B, requires: "box { weight }")
  round: Int @join__field(graph: A, requires: "trip") @join__field(graph: B, external: true)
  trip: Int @join__field(graph: B, requires: "round secret") @join__field(graph: A, external: true)
  ring: Int @join__field(graph: B, requires: "link secret") @join__field(graph: A, external: true)
  link: Int @join__field(graph: A, requires: "ring") @join__field(graph: B, external: true)
  below: Below @join__field(graph: A)
  fromOpen: Int @join__field(graph: B, requires: "id")
}
type Below @join__type(graph: A) { x: Int @join__field(graph: A, contextArguments: [{context: "a__t", name: "c", type: "Int", selection: "{ secret }"}]) }
interface Box @join__type(graph: A) @join__type(graph: B) { weight: Int }
type Gold implements Box @join__type(graph: A) @join__type(graph: B) @join__implements(graph: A, interface: "Box") @join__implements(graph: B, interface: "Box") {
  weight: Int
  carat: Int @authenticated
}
type Lead implements Box @join__type(graph: A) @join__type(graph: B) @join__implements(graph: A, interface: "Box") @join__implements(graph: B, interface: "Box") {
  weight: Int @authenticated
}`))
	nothing := r.Decide(nil, access.Rights{})
	for _, c := range []struct {
		typ, field string
		denied     bool
	}{
		{"T", "secret", true},
		{"T", "fromSecret", true},
		{"T", "fromThat", true},
		{"T", "fromBox", true},
		{"T", "fromInterface", true},
		{"T", "round", true},
		{"T", "trip", true},
		{"T", "ring", true},
		{"T", "link", true},
		{"Below", "x", true},
		{"T", "fromOpen", false},
		{"T", "box", false},
		{"T", "id", false},
		{"Box", "weight", false},
		{"Gold", "weight", false},
		{"Gold", "carat", true},
		{"Query", "open", false},
	} {
		if got := nothing.Denies(c.typ, c.field); got != c.denied {
			t.Errorf("%s.%s denied: %v", c.typ, c.field, got)
		}
	}
}

func TestOnlyWhatIsTouchedDecides(t *testing.T) {
	sg := load(t, `
type Query @join__type(graph: A) { a: Int @authenticated b: Int @policy(policies: [["p", "q"], ["r"]]) i: I open: Int }
interface I @join__type(graph: A) { x: Int }
type One implements I @join__type(graph: A) @join__implements(graph: A, interface: "I") { x: Int @policy(policies: [["one"]]) }`)
	r := access.New(sg)
	touched := func(query string) access.Touched {
		return r.Touched(gqlparser.MustLoadQueryWithRules(sg.API(), query, nil), "")
	}
	if got := touched(`{ open __schema { queryType { name } } }`); len(got) > 0 {
		t.Errorf("open: %v", got)
	}
	if got := r.Policies(touched(`{ ...F ...F } fragment F on Query { b i { x } }`)); !slices.Equal(got, []string{"one", "p", "q", "r"}) {
		t.Errorf("policies: %v", got)
	}
	b := touched(`{ b }`)
	with := func(policies ...string) *access.Ruling {
		rights := access.Rights{Authenticated: true, Policies: map[string]bool{}}
		for _, p := range policies {
			rights.Policies[p] = true
		}
		return r.Decide(b, rights)
	}
	if with("p").Key != with().Key || with("p", "q").Key != with("r").Key || with("r").Key == with().Key {
		t.Error("keys do not go by the outcome")
	}
	if with("p").Denies("Query", "b") == with("p", "q").Denies("Query", "b") {
		t.Error("both policies of a set are needed")
	}
}

// Whoever may see other fields has another key, however many there are: plans are kept by it.
func TestKeysTellAllOutcomesApart(t *testing.T) {
	var fields strings.Builder
	for i := range 20 {
		fmt.Fprintf(&fields, ` f%d: Int @policy(policies: [["p%d"]])`, i, i)
	}
	r := access.New(load(t, `type Query @join__type(graph: A) {`+fields.String()+` }`))
	touched := make(access.Touched, 20)
	for i := range touched {
		touched[i] = i
	}
	keys := map[string]int{r.Decide(touched, access.Rights{Authenticated: true}).Key: -1}
	for i := range 20 {
		g := r.Decide(touched, access.Rights{Policies: map[string]bool{fmt.Sprintf("p%d", i): true}})
		if other, taken := keys[g.Key]; taken {
			t.Errorf("p%d and p%d have one key", i, other)
		}
		keys[g.Key] = i
		for j := range 20 {
			if g.Denies("Query", fmt.Sprintf("f%d", j)) == (i == j) {
				t.Errorf("f%d by p%d", j, i)
			}
		}
	}
}

// A field needs all that stands on it, on its type and on the type of its values.
func TestAllNeedsOfAFieldMustHold(t *testing.T) {
	sg := load(t, `
type Query @join__type(graph: A) { s: S }
type S @join__type(graph: A) @authenticated { v: Value @policy(policies: [["p"]]) plain: Int }
scalar Value @join__type(graph: A) @policy(policies: [["q"]])`)
	r := access.New(sg)
	touched := r.Touched(gqlparser.MustLoadQueryWithRules(sg.API(), `{ s { v plain } }`, nil), "")
	for _, c := range []struct {
		authenticated, p, q bool
	}{{false, true, true}, {true, false, true}, {true, true, false}, {true, true, true}, {}} {
		g := r.Decide(touched, access.Rights{Authenticated: c.authenticated, Policies: map[string]bool{"p": c.p, "q": c.q}})
		if got, want := g.Denies("S", "v"), !c.authenticated || !c.p || !c.q; got != want {
			t.Errorf("%+v: v denied %v", c, got)
		}
		if got := g.Denies("S", "plain"); got != !c.authenticated {
			t.Errorf("%+v: plain denied %v", c, got)
		}
	}
}
