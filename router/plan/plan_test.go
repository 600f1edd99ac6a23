package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

const header = `schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }
`

// wide is an interface with n implementers, fields of which live in two subgraphs.
func wide(t testing.TB, n int) *federation.Supergraph {
	t.Helper()
	var b strings.Builder
	b.WriteString(header + `
type Query @join__type(graph: A) { node: Node }
interface Node @join__type(graph: A) @join__type(graph: B) { id: ID! title: String next: Node note: String @join__field(graph: B) }
`)
	for i := range n {
		fmt.Fprintf(&b, `type T%d implements Node @join__implements(graph: A, interface: "Node") @join__implements(graph: B, interface: "Node")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! title: String @join__field(graph: A) next: Node @join__field(graph: A) note: String @join__field(graph: B) own%d: Int @join__field(graph: B) }
`, i, i)
	}
	sg, err := federation.Load(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func parse(t testing.TB, sg *federation.Supergraph, op string) *ast.QueryDocument {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return doc
}

// chained is an operation over a wide interface, depth levels deep, with fields of every type at each level.
func chained(types, depth int) string {
	var fields strings.Builder
	for i := range types {
		fmt.Fprintf(&fields, " ... on T%d { own%d }", i, i)
	}
	op := "title note"
	for range depth {
		op = "title note" + fields.String() + " next { " + op + " }"
	}
	return "{ node { " + op + " } }"
}

func TestPlanningIsBounded(t *testing.T) {
	sg := wide(t, 5)
	_, err := New(sg, Options{MaxSteps: 50}).Plan(parse(t, sg, chained(5, 5)), "", Given{})
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != CodeTooLarge || !strings.Contains(refused.Message, "too large") {
		t.Fatalf("got %v", err)
	}
	if _, err := New(sg, Options{}).Plan(parse(t, sg, "query A { __typename }"), "B", Given{}); !errors.As(err, &refused) {
		t.Fatalf("an unknown operation: %v", err)
	}
}

func TestPlanAsJSON(t *testing.T) {
	sg := wide(t, 1)
	p, err := New(sg, Options{}).Plan(parse(t, sg, "query Q($c: Boolean!) { n: node { title note @include(if: $c) } }"), "Q", Given{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"QueryPlan","operation":"query","operationName":"Q","stages":[` +
		`[{"subgraph":"a","query":"query Q__a__0($c: Boolean!) { n: node { __typename title id @include(if: $c) } }","variables":["c"]}],` +
		`[{"subgraph":"b","query":"query Q__b__1($representations: [_Any!]!) { _entities(representations: $representations) { ... on T0 { note } } }","include":"$c",` +
		`"entities":[{"variable":"representations","paths":["n"],"representations":{"T0":["id"]}}]}]]}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestConditions(t *testing.T) {
	lit := func(v string) Literal {
		return Literal{strings.TrimPrefix(v, "!"), !strings.HasPrefix(v, "!")}
	}
	of := func(clauses ...string) cond {
		var c cond
		for _, text := range clauses {
			cl := clause{}
			for _, v := range strings.Fields(text) {
				var ok bool
				if cl, ok = cl.and(lit(v)); !ok {
					t.Fatalf("%q contradicts itself", text)
				}
			}
			c = c.or(cl)
		}
		return c
	}
	if _, ok := (clause{lit("a")}).and(lit("!a")); ok {
		t.Error("a and not a holds")
	}
	for _, c := range []struct{ got, want cond }{
		{of("b a"), of("a b")},
		{of("a b", "a"), of("a")},           // absorbed
		{of("a", "a b"), of("a")},           // implied
		{of("a", ""), condTrue},             // true takes all
		{of("a b").given(of("a")), of("b")}, // what is left to ask
		{of("a").given(of("a")), condTrue},  // nothing is
		{of("a c", "b").given(of("a")), of("c", "b")},
		{of("a").given(of("a", "b")), of("a")},
		{of("1", "2", "3", "4", "5", "6", "7", "8").union(of("9")), condTrue}, // bounded
		{of("x 1", "x 2", "x 3", "x 4", "x 5", "x 6", "x 7", "x 8").union(of("9 x")), of("x")},
	} {
		if !c.got.equal(c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}
