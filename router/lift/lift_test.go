package lift_test

import (
	"encoding/json"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"bourse/router/lift"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Any
	enum Colour { RED GREEN }
	input In { n: Int!, s: String = "x", colour: Colour, in: In, list: [Int!], any: Any }
	input Either @oneOf { a: Int, b: Int }
	interface Node { id: ID, f(x: Int): Int }
	interface Other { f(x: Float): Int }
	type Both implements Other { f(x: Float): Int }
	type Thing implements Node { id: ID, f(x: Int): Int, name(upper: Boolean! = false): String }
	type Query {
		f(x: Int, y: Float, s: String, b: Boolean, id: ID, colour: Colour, list: [[Int]], in: In, ins: [In!], any: Any, either: Either): Int
		must(x: Int!): Int
		thing(id: ID!): Thing
		node: Node
	}
	type Mutation { set(x: Int): Int }`})

func read(t testing.TB, text string) (*ast.QueryDocument, *lift.Operation) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return doc, lift.Read(schema, doc, doc.Operations[0])
}

func TestReadLiftsLiteralsOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		args, text, literals string
	}{
		{`x: 1`, `x:$lit0`, `{"lit0":1}`},
		{`x: null`, `x:$lit0`, `{"lit0":null}`},
		{`y: 1`, `y:$lit0`, `{"lit0":1}`},
		{`y: -1.5e3`, `y:$lit0`, `{"lit0":-1.5e3}`},
		{`s: "a\"b"`, `s:$lit0`, `{"lit0":"a\"b"}`},
		{`s: """a"b"""`, `s:$lit0`, `{"lit0":"a\"b"}`},
		{`b: true`, `b:$lit0`, `{"lit0":true}`},
		{`id: 12345678901234567`, `id:$lit0`, `{"lit0":"12345678901234567"}`},
		{`id: "x"`, `id:$lit0`, `{"lit0":"x"}`},
		{`colour: RED`, `colour:$lit0`, `{"lit0":"RED"}`},
		{`list: 1`, `list:$lit0`, `{"lit0":[[1]]}`},
		{`list: [1, [2, null], null]`, `list:$lit0`, `{"lit0":[[1],[2,null],null]}`},
		{`list: []`, `list:$lit0`, `{"lit0":[]}`},
		{`in: {n: 1, in: {n: 2, colour: GREEN}, list: 3}`, `in:$lit0`, `{"lit0":{"n":1,"in":{"n":2,"colour":"GREEN"},"list":[3]}}`},
		{`ins: {n: 1}`, `ins:$lit0`, `{"lit0":[{"n":1}]}`},
		{`any: {a: [1, 2.5, "x", true, null]}`, `any:$lit0`, `{"lit0":{"a":[1,2.5,"x",true,null]}}`},
		{`x: 1, y: 1`, `x:$lit0 y:$lit0of1`, `{"lit0":1,"lit0of1":1}`}, // the same literal of two types
		{`x: 1, id: 2`, `x:$lit0 id:$lit1`, `{"lit0":1,"lit1":"2"}`},
		{`x: $v`, `x:$v`, `{}`},
		{`list: [1, [$v, 2]]`, `list:[$lit0 [$v $lit1 ] ]`, `{"lit0":[1],"lit1":2}`},
		{`in: {n: $v, in: {n: 7}, s: null}`, `in:{n:$v in:$lit0 s:$lit1 }`, `{"lit0":{"n":7},"lit1":null}`},
	} {
		_, o := read(t, `query($v: Int!) { f(`+c.args+`) }`)
		if want := `{f(` + c.text + ` ) }`; o.Text[len(o.Text)-len(want):] != want || !o.Whole {
			t.Errorf("%s: %s, whole: %v, want it to end in %s", c.args, o.Text, o.Whole, want)
		}
		if got, err := json.Marshal(o.Literals); err != nil || string(got) != c.literals {
			t.Errorf("%s: literals %s, want %s", c.args, got, c.literals)
		}
	}
}

func TestReadLeavesWhatIsNotSurelyTheSameAsJSON(t *testing.T) {
	for _, args := range []string{
		`x: 1.5`, `x: "1"`, `x: 2147483648`, `x: RED`, `y: "1"`, `s: 1`, `b: 1`, `id: 1.5`, `id: true`, `colour: "RED"`, `colour: BLUE`,
		`list: [["x"]]`, `in: {}`, `in: {n: null}`, `in: {n: 1, no: 2}`, `in: {n: 1, n: 2}`, `in: 1`, `in: {n: 1, colour: BLUE}`,
		`any: RED`, `any: {a: RED}`, `any: 9007199254740993`, `any: 1.10`, `any: -0`, `any: {a: 1, a: 2}`, `either: {a: 1}`, `no: 1`,
	} {
		_, o := read(t, `{ f(`+args+`) }`)
		if len(o.Literals) > 0 || o.Whole {
			t.Errorf("%s: lifted as %s, whole: %v", args, o.Text, o.Whole)
		}
	}
	if _, o := read(t, `{ must(x: null) }`); len(o.Literals) > 0 || o.Whole {
		t.Error("null was lifted where it is not a value")
	}
}

func TestWhatDoesNotMatterIsGone(t *testing.T) {
	_, first := read(t, `query Q($a: Int, $b: Int = 2) { thing(id: "1") { ...F } x: f(x: $a, y: 3, s: "s") f(x: $b) } fragment F on Thing { id name(upper: true) }`)
	for name, text := range map[string]string{
		"white space":        "query   Q($a:Int,$b:Int=2){thing(id:\"1\"){...F},x:f(x:$a,y:3,s:\"s\")\nf(x:$b)}fragment F on Thing{id,name(upper:true)}",
		"comments":           "# hello\nquery Q($a: Int, $b: Int = 2) { thing(id: \"1\") { ...F } x: f(x: $a, y: 3, s: \"s\") f(x: $b) } # there\nfragment F on Thing { id name(upper: true) }",
		"order of variables": `query Q($b: Int = 2, $a: Int) { thing(id: "1") { ...F } x: f(x: $a, y: 3, s: "s") f(x: $b) } fragment F on Thing { id name(upper: true) }`,
		"other literals":     `query Q($a: Int, $b: Int = 2) { thing(id: 99) { ...F } x: f(x: $a, y: -1.5, s: """t""") f(x: $b) } fragment F on Thing { id name(upper: false) }`,
		"aliases of nothing": `query Q($a: Int, $b: Int = 2) { thing: thing(id: "1") { ...F } x: f(x: $a, y: 3, s: "s") f(x: $b) } fragment F on Thing { id name: name(upper: true) }`,
		"order of fragments": `fragment F on Thing { id name(upper: true) } query Q($a: Int, $b: Int = 2) { thing(id: "1") { ...F } x: f(x: $a, y: 3, s: "s") f(x: $b) }`,
	} {
		if _, o := read(t, text); o.Text != first.Text || !o.Whole {
			t.Errorf("%s:\n%s\n%s", name, o.Text, first.Text)
		}
	}
	_, more := read(t, `query Q($a: Int, $b: Int = 2) { thing(id: "1") { ...F } x: f(x: $a, y: 3, s: "s") f(x: $b) } fragment F on Thing { id name(upper: true) }
		fragment Unused on Thing { nonsense } query Other { more }`)
	if more.Text != first.Text {
		t.Errorf("what is not used: %s", more.Text)
	}
	if more.Whole {
		t.Error("validation looks at what is not used too")
	}
}

func TestWhatMattersTellsOperationsApart(t *testing.T) {
	texts := []string{
		`{ f(x: 1) }`,
		`{ f(x: 1, y: 1) }`,
		`{ f(x: 1, y: 2) }`, // fields merge by their arguments: equal literals are one variable
		`{ a: f(x: 1) }`,
		`query Q { f(x: 1) }`,
		`mutation { set(x: 1) }`,
		`query($lit0: Int!) { f(x: $lit0) }`,
		`query($v: Int) { f(x: $v) }`,
		`query($v: Int = 1) { f(x: $v) }`,
		`query($v: Int = 2) { f(x: $v) }`,
		`{ f(x: $lit0) }`,
		`{ f(x: 1) @skip(if: true) }`,
		`{ f(x: 1) @skip(if: false) }`,
		`{ f(x: 1) @include(if: true) }`,
		`{ thing(id: 1) { id } }`,
		`{ thing(id: 1) { ... { id } } }`,
		`{ thing(id: 1) { ... on Thing { id } } }`,
		`{ thing(id: 1) { ... on Node { id } } }`,
		`{ thing(id: 1) { ...F } } fragment F on Thing { id }`,
		`{ thing(id: 1) { ...F } } fragment F on Node { id }`,
		`{ __type(name: "Query") { name } }`,
		`{ __type(name: "Thing") { name } }`,
		`{ node { ... on Node { f(x: 1) } ... on Other { f(x: 1) } } }`,
		`{ node { ... on Node { f(x: 1) } ... on Other { f(x: 2) } } }`, // merge only if equal, though they are of two types
	}
	seen := map[string]string{}
	for _, text := range texts {
		_, o := read(t, text)
		if before, dup := seen[o.Text]; dup {
			t.Errorf("%s and %s are both %s", before, text, o.Text)
		}
		seen[o.Text] = text
	}
}

// A client's own variables never meet lifted ones.
func TestNamesOfLiteralsAreFree(t *testing.T) {
	_, o := read(t, `query($lit0: Int, $lit_1: Int) { a: f(x: $lit0) b: f(x: $lit_1) c: f(x: 5) }`)
	if _, ok := o.Literals["lit__0"]; !ok || len(o.Literals) != 1 {
		t.Errorf("%v in %s", o.Literals, o.Text)
	}
}

func TestAppliedDocumentsAreValid(t *testing.T) {
	doc, o := read(t, `query Q($v: Int!) { f(x: 1, in: {n: $v, list: [$v, 2]}) ...F } fragment F on Query { thing(id: 1) { name(upper: true) } }`)
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		t.Fatal(errs)
	}
	op := o.Apply(doc)
	if len(op.VariableDefinitions) != 5 {
		t.Errorf("%d variables in %s", len(op.VariableDefinitions), o.Text)
	}
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		t.Error(errs)
	}
	if again := lift.Read(schema, doc, op); len(again.Literals) > 0 {
		t.Errorf("literals remain: %v", again.Literals)
	}
}
