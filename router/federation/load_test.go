package federation

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

const prelude = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden") { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }
scalar join__FieldSet
`

func TestLoadReadsOwnership(t *testing.T) {
	sg, err := Load(prelude + `
type Query @join__type(graph: A) @join__type(graph: B) { product: Product @join__field(graph: A) secret: Int @join__field(graph: B) @hidden }
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", extension: true) @join__type(graph: B, key: "sku", resolvable: false) {
  id: ID! @join__field(graph: A) @join__field(graph: B, external: true)
  sku: String
  price: Int @join__field(graph: A) @join__field(graph: B, external: true)
  tax: Int @join__field(graph: B, requires: "price")
  stock: Int @join__field(graph: B, override: "a") @join__field(graph: A, usedOverridden: true)
}`)
	if err != nil {
		t.Fatal(err)
	}
	p := sg.Type("Product")
	local := func(field string, g int) bool { return p.Field(field).In[g].Local }
	for _, c := range []struct {
		field string
		graph int
		want  bool
	}{
		{"id", 0, true},
		{"id", 1, true}, // an extension's key counts as its own
		{"price", 1, false},
		{"sku", 1, true},
		{"stock", 0, false},
		{"stock", 1, true},
	} {
		if got := local(c.field, c.graph); got != c.want {
			t.Errorf("%s local in %s: %v, want %v", c.field, sg.Subgraphs()[c.graph].Name, got, c.want)
		}
	}
	if keys := p.In[1].Keys; len(keys) != 2 || !keys[0].Resolvable || keys[1].Resolvable {
		t.Errorf("keys of b: %+v", keys)
	}
	if sg.API().Query.Fields.ForName("secret") != nil {
		t.Error("an inaccessible field is in the API")
	}
	if strings.Contains(sg.APISDL(), "join__") {
		t.Errorf("machinery in the API:\n%s", sg.APISDL())
	}
	if sg.Root(ast.Mutation) != nil {
		t.Error("there is no mutation root")
	}
}

func TestLoadGivesImplementersWhatTheInterfaceObjectHas(t *testing.T) {
	sg, err := Load(prelude + `
type Query @join__type(graph: A) { media: Media }
interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID!
  score: Int @join__field(graph: B)
}
type Book implements Media @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Media") {
  id: ID!
  score: Int @join__field
}`)
	if err != nil {
		t.Fatal(err)
	}
	book := sg.Type("Book")
	if j := book.In[1]; j == nil || j.NameIn != "Media" || len(j.Keys) != 1 {
		t.Fatalf("Book in b: %+v", j)
	}
	if j := book.Field("score").In[1]; j == nil || !j.Local {
		t.Fatalf("Book.score in b: %+v", j)
	}
}

func TestLoadRefuses(t *testing.T) {
	q := "type Query @join__type(graph: A) { product: Product }\n"
	for name, c := range map[string]struct{ sdl, code, want string }{
		"syntax":           {"type Query {", CodeSyntax, "supergraph: 1:13: Expected"},
		"no graphs":        {"type Query { a: Int }", CodeInvalid, "join__Graph"},
		"unknown graph":    {prelude + `type Query @join__type(graph: C) { a: Int }`, CodeInvalid, `supergraph: 6:13: Query: @join__type names an unknown graph "C"`},
		"unknown type":     {prelude + q, CodeInvalid, "supergraph: 6:36: field Query.product has an unknown type Product"},
		"key syntax":       {prelude + q + `type Product @join__type(graph: A, key: "{") { id: ID! }`, CodeInvalid, "supergraph: 7:15: type Product, @join__type(key:): field set"},
		"key field":        {prelude + q + `type Product @join__type(graph: A, key: "no") { id: ID! }`, CodeInvalid, "no field no"},
		"requires field":   {prelude + q + `type Product @join__type(graph: A) { id: ID! @join__field(graph: A, requires: "no") }`, CodeInvalid, "supergraph: 7:38: field Product.id, requires: no field no"},
		"provides on leaf": {prelude + q + `type Product @join__type(graph: A) { id: ID! @join__field(graph: A, provides: "x") }`, CodeInvalid, "no fields"},
		"join type":        {prelude + q + `type Product @join__type(graph: A) { id: ID! @join__field(graph: A, type: "[") }`, CodeInvalid, "join__field(type:)"},
		"no query":         {prelude + `type Product @join__type(graph: A) { id: ID! }`, CodeInvalid, "Query"},
		"query not object": {prelude + `scalar Query`, CodeInvalid, "object"},
		"all hidden":       {prelude + `type Query @join__type(graph: A) { a: Int @hidden }`, CodeInvalid, "inaccessible"},
		"bad member":       {prelude + `type Query @join__type(graph: A) { u: U } union U @join__type(graph: A) = Gone`, CodeInvalid, "Gone"},
		"duplicate type":   {prelude + `type Query @join__type(graph: A) { a: Int } type Query { b: Int }`, CodeInvalid, "twice"},
		"execution":        {`schema @link(url: "https://specs.example.com/magic/v1.0", for: EXECUTION) { query: Query }`, CodeUnsupported, "supergraph: 1:9: the feature magic is needed for execution"},
		"security":         {`schema @core(feature: "https://specs.example.com/magic/v1.0", for: SECURITY) { query: Query }`, CodeUnsupported, "magic is needed for security"},
		"join version":     {`schema @link(url: "https://specs.apollo.dev/join/v0.6", for: EXECUTION) { query: Query }`, CodeUnsupported, `"0.6"`},
		"invalid API":      {prelude + `type Query implements I @join__type(graph: A) { a: Int } interface I @join__type(graph: A) { b: Int }`, CodeInvalid, "supergraph: 6:6: API schema: For Query to implement I"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(c.sdl)
			var e *Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s with %q", err, c.code, c.want)
			}
		})
	}
}

// Whatever the schema calls the directives and namespaces of specifications, they mean the same.
func TestLoadReadsRenamedSpecifications(t *testing.T) {
	sg, err := Load(`
schema @l(url: "https://specs.apollo.dev/link/v1.0", as: "l") @l(url: "https://specs.apollo.dev/join/v0.3", as: "j", for: EXECUTION, import: [{name: "@field", as: "@in"}])
  @l(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@gone"}], for: SECURITY)
  @l(url: "https://specs.apollo.dev/tag/v0.3", as: "mark") @l(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"])
  @l(url: "https://example.com/own/v1.0", import: ["@own"]) { query: Query }
directive @own on FIELD_DEFINITION
directive @mine on FIELD_DEFINITION
enum j__Graph { A @j__graph(name: "a", url: "http://a") B @j__graph(name: "b", url: "http://b") }
scalar j__FieldSet
type Query @j__type(graph: A) @j__type(graph: B) {
  a: Int @in(graph: A) @mark(name: "x") @cost(weight: 1) @own @mine
  b: Int @in(graph: B) @gone
}`)
	if err != nil {
		t.Fatal(err)
	}
	if q := sg.Type("Query"); q.Field("a").In[0] == nil || q.Field("a").In[1] != nil || !q.Field("b").Inaccessible {
		t.Errorf("%+v", q.Field("a"))
	}
	if sdl := sg.APISDL(); !strings.Contains(sdl, "a: Int @mine") || strings.Contains(sdl, "b: Int") || strings.Contains(sdl, "j__") {
		t.Errorf("the API:\n%s", sdl)
	}
}

func TestParseFieldSet(t *testing.T) {
	for _, good := range []string{"id", "id organization { id }", "a(x: 1) { ... on B { c } }"} {
		if _, err := ParseFieldSet(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "{", "a: b", "...F", "a(x: $v)", "id } query { x", "id } fragment F on T { x"} {
		if _, err := ParseFieldSet(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(prelude + `type Query @join__type(graph: A) { a: Int @join__field(graph: A, provides: "x") }`)
	f.Add(prelude + `interface I @join__type(graph: A) { a: I } type Query implements I @join__implements(graph: A, interface: "I") { a: I }`)
	files, err := filepath.Glob("testdata/composers/*.graphql")
	if err != nil || len(files) == 0 {
		f.Fatal("no supergraphs", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, sdl string) {
		sg, err := Load(sdl)
		if err == nil && sg.API() == nil {
			t.Fatal("no error and no schema")
		}
		if e := new(Error); err != nil && (!errors.As(err, &e) || e.Code == "" || e.Message == "") {
			t.Fatalf("an error without a code or a message: %v", err)
		}
	})
}
