package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bourse/router/check"
)

func TestOperationsAreReadInAllForms(t *testing.T) {
	var many strings.Builder
	for i := range 150 {
		fmt.Fprintf(&many, `{"query":"query Many($a: Int) { x(a: $a) }","variables":{"a":%d}}`+"\n", i)
	}
	operations, errs := check.ReadOperations([]check.Recording{
		{Name: "a.graphql", Text: []byte("query A { x ...F }\nquery B { y }\nfragment G on Query { g }")},
		{Name: "b.gql", Text: []byte("fragment F on Query { f ...G }")},
		{Name: "same.gql", Text: []byte("fragment F on Query { f ...G } # the same again")},
		{Name: "apollo.json", Text: []byte(`{"operations":[{"id":"1","name":"C","body":"query C { x } query Other { y }"}]}`)},
		{Name: "map.json", Text: []byte(`{"2":"{ x }"}`)},
		{Name: "use.jsonl", Text: []byte(`{"query":"{ y }","count":5}` + "\n\n" + `{"document":"{ y }","count":6}` + "\n" + `{"body":"query D { x }","name":"D"}`)},
		{Name: "many.ndjson", Text: []byte(many.String())},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, o := range operations {
		got = append(got, fmt.Sprintf("%s@%s×%d/%d", o.Name, o.Source, o.Count, len(o.Document.Fragments)))
	}
	want := "A@a.graphql:1×1/2 B@a.graphql:2×1/0 C@apollo.json#1×1/0 @map.json#2×1/0 @use.jsonl:1×11/0 D@use.jsonl:4×1/0 Many@many.ndjson:1×150/0"
	if strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
	if last := operations[len(operations)-1]; len(last.Variables) != 100 || !last.VariablesUnknown {
		t.Errorf("%d variables are kept; the rest are unknown: %v", len(last.Variables), last.VariablesUnknown)
	}
}

func TestWhatCannotBeReadIsToldWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.graphql", "query {", "a.graphql:1:"},
		{"a.graphql", strings.Repeat("{a", 100_000), "a.graphql:1:"},
		{"a.graphql", "type Query { a: Int }", "a.graphql:1:"},
		{"m.json", "[]", "m.json: not a manifest"},
		{"m.json", `{"operations":[{"id":"1"}]}`, "m.json: operation 1 of the manifest has no body"},
		{"m.json", `{"operations":[{"id":"1","name":"X","body":"query Y { a }"}]}`, "m.json#1: the document has no operation X"},
		{"m.json", strings.Repeat("[", 100_000), "m.json: not a manifest"},
		{"u.jsonl", "\n{}", "u.jsonl:2: the record has no query"},
		{"u.jsonl", `{"summary":{}}` + "\n{}", "u.jsonl:2: the record has no query"},
		{"u.jsonl", "nonsense", "u.jsonl:1: not a record of use"},
	} {
		_, errs := check.ReadOperations([]check.Recording{{Name: c.name, Text: []byte(c.text)}})
		if err := errors.Join(errs...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.30q: %v, want %q", c.name, c.text, err, c.want)
		}
	}
	_, errs := check.ReadOperations([]check.Recording{
		{Name: "a.graphql", Text: []byte("fragment F on Query { a }")},
		{Name: "b.graphql", Text: []byte("fragment F on Query { b }")},
		{Name: "c.graphql", Text: []byte("{ ...F }")},
	})
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "c.graphql:1: fragment F is defined in several files") {
		t.Errorf("an ambiguous fragment: %v", errs)
	}
}

// Whatever is read, nothing panics.
func FuzzCheck(f *testing.F) {
	f.Add("type Query { a(x: I = {a: 1}): Int } input I @oneOf { a: Int }", "type Query { a: [Int!] }", "{ a(x: {a: 1}) }")
	f.Add("enum join__Graph { A }", "", "fragment F on Query { ...F } { ...F }")
	f.Add("interface I { a: Int } type Query implements I { a: Int }", "union Query = Query", "query($x: [Int] = [1]) { ... on I { a @skip(if: $x) } }")
	f.Fuzz(func(_ *testing.T, before, after, operation string) {
		a, err1 := check.ReadSchema("before", before)
		b, err2 := check.ReadSchema("after", after)
		operations, _ := check.ReadOperations([]check.Recording{{Name: "o.graphql", Text: []byte(operation)}, {Name: "o.jsonl", Text: []byte(operation)}})
		if err1 == nil && err2 == nil {
			check.Check(a, b, operations)
		}
		if err1 == nil {
			check.Check(a, a, operations)
		}
	})
}
