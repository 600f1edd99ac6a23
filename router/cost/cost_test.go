package cost_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"bourse/router/cost"
	"bourse/router/federation"
)

// supergraph wraps types of one subgraph into what a composer writes.
func supergraph(types string) string {
	return `schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])
{ query: Query mutation: Mutation }
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
` + types
}

const library = `
type Query {
  book(id: ID): Book
  bestsellers: [Book] @listSize(assumedSize: 5)
  newest(after: ID, limit: Int!): [Book] @listSize(slicingArguments: ["limit"])
  page(first: Int, last: Int): Page @listSize(slicingArguments: ["first", "last"], sizedFields: ["books"])
  either(first: Int = 4, last: Int): [Book] @listSize(slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  standard(first: Int = 4): [Book] @listSize(slicingArguments: ["first"])
  searched(by: Search): [Book] @listSize(slicingArguments: ["by.size"], assumedSize: 7, requireOneSlicingArgument: false)
  assumed(first: Int): [Book] @listSize(slicingArguments: ["first"], assumedSize: 6, requireOneSlicingArgument: false)
  all: [Book]
  items: [Item]
  things: [Thing]
  filtered(by: Filter, tags: [Tag!] @cost(weight: 2), heavy: Boolean @cost(weight: 30)): Book
  cheap: Book @cost(weight: -3)
}
type Mutation { add(books: [NewBook!]): Book }
input Search { size: Int, word: String }
input NewBook { title: String!, tags: [String] @cost(weight: 4), next: NewBook }
input Filter { word: String @cost(weight: 3), not: Filter, code: Code }
enum Tag @cost(weight: 9) { A B }
scalar Code @cost(weight: 5)
type Page { books: [Book] cursor: String total: Int @cost(weight: 8) }
type Book implements Item { title: String price: Int @cost(weight: 20) author: Author publisher: Publisher code: Code tag: Tag }
type Author { name: String books: [Book] }
type Publisher { name: String address: Address }
type Address @cost(weight: 5) { zipCode: Int }
interface Item { title: String price: Int }
type Toy implements Item @cost(weight: 2) { title: String price: Int }
union Thing = Book | Toy
`

func TestCost(t *testing.T) {
	for _, c := range []struct {
		name, operation, variables string
		want                       int
	}{
		// The four examples with which Apollo documents its router's demand control, with the weights of library.
		{"objects", `{ book(id: 1) { title author { name } publisher { name } } }`, "", 3},
		{"weight of a type", `{ book(id: 1) { title author { name } publisher { name address { zipCode } } } }`, "", 8},
		{"assumed size", `{ bestsellers { title author { name } publisher { name address { zipCode } } } }`, "", 40},
		{"slicing argument", `{ newest(limit: 3) { title author { name } publisher { name address { zipCode } } } }`, "", 24},
		{"sized fields", `{ page(first: 3) { books { title } cursor total } }`, "", 1 + 3 + 8},
		{"sized fields in a fragment", `{ page(last: 3) { ...F } } fragment F on Page { ... { books { title } } }`, "", 1 + 3},
		{"sized fields go no further", `{ page(first: 2) { books { author { books { title } } } } }`, "", 1 + 2*(1+1+10)},
		{"slicing by a variable", `query($n: Int!) { newest(limit: $n) { title } }`, `{"n": 12}`, 12},
		{"slicing below 0", `query($n: Int!) { newest(limit: $n) { title } }`, `{"n": -12}`, 0},
		{"the highest of two", `{ either(first: 3, last: 8) { title } }`, "", 8},
		{"a default counts", `{ either(last: 2) { title } }`, "", 4},
		{"a default alone is enough", `{ standard { title } }`, "", 4},
		{"null overrules the default", `{ either(first: null, last: 2) { title } }`, "", 2},
		{"inside an input object", `{ searched(by: {size: 3}) { title } }`, "", 1 + 3},
		{"inside an absent one", `{ searched { title } }`, "", 7},
		{"assumed where nothing is given", `{ assumed { title } }`, "", 6},
		{"given where something is assumed", `{ assumed(first: 90) { title } }`, "", 90},
		{"the default size", `{ all { title } }`, "", 10},
		{"weight of a field", `{ book { price } }`, "", 21},
		{"weight of leaf types", `{ book { code tag } }`, "", 1 + 5 + 9},
		{"an interface is as dear as its dearest", `{ items { title } }`, "", 20},
		{"and so are its fields", `{ items { price } }`, "", 10 * (2 + 20)},
		{"all fragments count", `{ things { ... on Book { price } ... on Toy { title } } }`, "", 10 * (2 + 20)},
		{"aliases count each", `{ a: book { title } b: book { title } }`, "", 2},
		{"introspection is free", `{ __schema { types { name } } book { __typename } }`, "", 1},
		{"left out", `query($w: Boolean!) { book @include(if: $w) { price } all @skip(if: true) { title } }`, `{"w": false}`, 0},
		{"taken in", `query($w: Boolean!) { book @include(if: $w) { price } ... @skip(if: $w) { all { title } } }`, `{"w": true}`, 21},
		{"conditions of several fragments", `query($t: Boolean!, $f: Boolean!) { ... @include(if: $t) { ... @include(if: $t) { ... @include(if: $t) { all @include(if: $t) { title } book @include(if: $f) { title } } } } }`, `{"t": true, "f": false}`, 10},
		{"input object", `{ filtered(by: {word: "x"}) { title } }`, "", 1 + 1 + 3},
		{"input object within", `{ filtered(by: {word: "x", not: {code: 1}}) { title } }`, "", 1 + 1 + 3 + 1 + 5},
		{"input object by a variable", `query($f: Filter) { filtered(by: $f) { title } }`, `{"f": {"word": "x", "not": {"code": 1}}}`, 1 + 1 + 3 + 1 + 5},
		{"a variable in an input object", `query($w: String) { filtered(by: {word: $w}) { title } }`, `{"w": "x"}`, 1 + 1 + 3},
		{"an absent variable in an input object", `query($w: String) { filtered(by: {word: $w}) { title } }`, `{}`, 1 + 1},
		{"a leaf argument once", `{ filtered(tags: [A, B], heavy: true) { title } }`, "", 1 + 2 + 30},
		{"null costs nothing", `{ filtered(by: null, heavy: null) { title } }`, "", 1},
		{"mutation", `mutation { add(books: [{title: "a", tags: ["x", "y"]}, {title: "b"}]) { title } }`, "", 10 + 2 + 4 + 1},
		{"mutation by a variable", `mutation($b: [NewBook!]) { add(books: $b) { title } }`, `{"b": [{"title": "a", "tags": ["x", "y"]}, {"title": "b", "next": {"title": "c"}}]}`, 10 + 3 + 4 + 1},
		{"never below 0", `{ cheap { title } book { title } }`, "", 1},
		{"a discount", `{ cheap { author { name } publisher { name } price } }`, "", 19},
		{"no overflow", `query($n: Int!) { newest(limit: $n) { author { books { author { books { title } } } } a: price b: price } }`, `{"n": 2147483647}`, 2147483647 * (1 + 1 + 10*(1+1+10) + 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			formula, doc, variables := formulaOf(t, supergraph(library), c.operation, c.variables)
			got, err := formula.Cost(variables)
			if err != nil || got != c.want {
				t.Errorf("%s costs %d, want %d (%v)", c.operation, got, c.want, err)
			}
			bound := formula.Bind(variables)
			if again, err := bound.Cost(variables); err != nil || again != c.want {
				t.Errorf("bound to its variables it costs %d, want %d (%v)", again, c.want, err)
			}
			if n, err := naive(t, supergraph(library), doc, variables); err != nil || n != c.want && c.name != "no overflow" {
				t.Errorf("the naive calculator says %d, want %d (%v)", n, c.want, err)
			}
		})
	}
}

// A scalar of the graph's own may stand for a number in any notation, in a variable as in the text.
func TestSizesInOtherNotations(t *testing.T) {
	sdl := supergraph(`
type Query { all(n: Long): [Thing] @listSize(slicingArguments: ["n"]) }
type Mutation { a: Int }
type Thing { id: ID }
scalar Long`)
	for notation, want := range map[string]int{"1e3": 1000, "1000.0": 1000, "12.9": 12, "-1e3": 0, "1e300": cost.Most, "99999999999999999999": cost.Most, "9": 9} {
		formula, _, variables := formulaOf(t, sdl, `query($n: Long) { all(n: $n) { id } }`, `{"n": `+notation+`}`)
		if n, err := formula.Cost(variables); n != want || err != nil {
			t.Errorf("a variable of %s costs %d, want %d (%v)", notation, n, want, err)
		}
		formula, _, _ = formulaOf(t, sdl, `{ all(n: `+notation+`) { id } }`, "")
		if n, err := formula.Cost(nil); n != want || err != nil {
			t.Errorf("a literal of %s costs %d, want %d (%v)", notation, n, want, err)
		}
	}
}

func TestOneSlicingArgumentIsRequired(t *testing.T) {
	for operation, variables := range map[string]string{
		`{ page { cursor } }`:                                                          "",
		`{ page(first: 1, last: 2) { cursor } }`:                                       "",
		`query($f: Int $l: Int) { page(first: $f, last: $l) { cursor } }`:              `{"f": 1, "l": 2}`,
		`query($f: Int) { page(first: $f) { cursor } }`:                                `{}`,
		`query($f: Int) { page(first: $f) { cursor } } `:                               `{"f": null}`,
		`query($f: Int $w: Boolean!) { page(first: $f) @include(if: $w) { cursor } } `: `{"w": true}`,
	} {
		formula, _, vars := formulaOf(t, supergraph(library), operation, variables)
		var slicing *cost.SlicingError
		if _, err := formula.Cost(vars); !errors.As(err, &slicing) || slicing.Field != "Query.page" || slicing.Position == nil {
			t.Errorf("%s with %s: %v", operation, variables, err)
		}
	}
	formula, _, vars := formulaOf(t, supergraph(library), `query($w: Boolean!) { page @include(if: $w) { cursor } }`, `{"w": false}`)
	if n, err := formula.Cost(vars); n != 0 || err != nil {
		t.Errorf("what is left out needs no argument: %d, %v", n, err)
	}
}

// Sizes whose product is a power of two would come to nothing where costs wrapped around.
func TestCostsGrowNoFurtherThanMost(t *testing.T) {
	for _, n := range []string{"1024", "8192", "65536", "1048576", "2147483647"} {
		for _, nested := range []string{`a(n: $n) { __typename }`, `less { __typename } a(n: $n) { __typename }`, `a(n: $n) { __typename } b: a(n: $n) { __typename }`} {
			operation := `query($n: Int) { ` + strings.Repeat(`a(n: $n) { `, 7) + nested + strings.Repeat(` }`, 7) + ` c: a(n: $n) { ` + strings.Repeat(`a(n: $n) { `, 6) + nested + strings.Repeat(` }`, 7) + ` }`
			formula, _, vars := formulaOf(t, supergraph(`
type Query { a(n: Int): [Query] @listSize(slicingArguments: ["n"]) less: Query @cost(weight: -2000000000) }
type Mutation { a: Int }`), operation, `{"n": `+n+`}`)
			if got, err := formula.Cost(vars); got != cost.Most || err != nil {
				t.Errorf("%s of %s cost %d, want %d (%v)", nested, n, got, cost.Most, err)
			}
		}
	}
}

func TestWhatDependsOnNothingIsANumber(t *testing.T) {
	formula, _, _ := formulaOf(t, supergraph(library), `{ newest(limit: 3) { title author { name } publisher { name address { zipCode } } } }`, "")
	if allocated := testing.AllocsPerRun(100, func() { _, _ = formula.Cost(nil) }); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
	open, _, variables := formulaOf(t, supergraph(library), `query($n: Int!) { newest(limit: $n) { title author { name } publisher { name address { zipCode } } } }`, `{"n": 3}`)
	if allocated := testing.AllocsPerRun(100, func() { _, _ = open.Cost(variables) }); allocated != 0 {
		t.Errorf("%v allocations with a variable", allocated)
	}
	text := map[string]any{"n": json.RawMessage("3")}
	if n, err := open.Bind(text).Cost(nil); n != 24 || err != nil {
		t.Errorf("bound to text: %d, %v", n, err)
	}
}

// failing is what tests and properties have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func formulaOf(t failing, sdl, operation, variables string) (*cost.Formula, *ast.QueryDocument, map[string]any) {
	t.Helper()
	sg, err := federation.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), operation, rules.NewDefaultRules())
	if errs != nil {
		t.Fatalf("%s: %v", operation, errs)
	}
	var vars map[string]any
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&vars); err != nil {
			t.Fatal(err)
		}
	}
	return cost.New(sg, cost.Options{}).Formula(doc, doc.Operations[0].Name), doc, vars
}

// Answers cost by what stands in them and not by what was to be feared.
func TestAnswersCostWhatStandsInThem(t *testing.T) {
	for _, c := range []struct {
		name, operation, variables, answer string
		want                               int
	}{
		{"as many as came", `{ all { title } }`, "", `{"all":[{"title":"a"},{"title":"b"},null]}`, 2},
		{"nothing", `{ all { title } }`, "", `{"all":[]}`, 0},
		{"null", `{ book { price } all { title } }`, "", `{"book":null,"all":null}`, 0},
		{"no data", `{ book { price } }`, "", `null`, 0},
		{"weights", `{ book { price code tag author { name } } }`, "", `{"book":{"price":1,"code":"c","tag":"A","author":{"name":"n"}}}`, 1 + 20 + 5 + 9 + 1},
		{"a field that is null", `{ book { price author { name } } }`, "", `{"book":{"price":null,"author":null}}`, 1},
		{"lists in lists", `{ bestsellers { author { books { title } } } }`, "", `{"bestsellers":[{"author":{"books":[{"title":"x"},{"title":"y"},{"title":"z"}]}},{"author":null}]}`, 2 + 1 + 3},
		{"once for each key", `{ book { price } book { price title } b: book { price } }`, "", `{"book":{"price":1,"title":"t"},"b":{"price":2}}`, 21 + 21},
		{"the dearest that it may be", `{ things { ... on Book { title price } ... on Toy { title } } }`, "", `{"things":[{"title":"a","price":1},{"title":"b"}]}`, 2*2 + 20},
		{"arguments", `query($f: Filter) { filtered(by: $f, heavy: true) { title } }`, `{"f": {"word": "x"}}`, `{"filtered":{"title":"t"}}`, 1 + 1 + 3 + 30},
		{"left out", `query($w: Boolean!) { book @include(if: $w) { price } }`, `{"w": false}`, `{}`, 0},
		{"mutation", `mutation { add(books: [{title: "a"}]) { title } }`, "", `{"add":{"title":"a"}}`, 10 + 1 + 1},
		{"introspection", `{ __typename book { __typename } }`, "", `{"__typename":"Query","book":{"__typename":"Book"}}`, 1},
		{"never below 0", `{ cheap { title } }`, "", `{"cheap":{"title":"t"}}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sg, err := federation.Load(supergraph(library))
			if err != nil {
				t.Fatal(err)
			}
			_, doc, variables := formulaOf(t, supergraph(library), c.operation, c.variables)
			if got := cost.New(sg, cost.Options{}).Meter(doc, "").Cost(variables, []byte(`{"data":`+c.answer+`}`)); got != c.want {
				t.Errorf("it costs %d, want %d", got, c.want)
			}
		})
	}
	sg, err := federation.Load(supergraph(library))
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ := formulaOf(t, supergraph(library), `{ book { price } }`, "")
	for _, garbage := range []string{"", "{", `[]`, `{"data":[1]}`, `{"data":{"book":[[[1]]]}}`} {
		_ = cost.New(sg, cost.Options{}).Meter(doc, "").Cost(nil, []byte(garbage)) // it does not panic
	}
}
