package limits

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestParseRefusesTooMuch(t *testing.T) {
	l := Limits{Depth: 3, Aliases: 2, RootFields: 3, Fields: 8, Fragments: 2, Directives: 2, Tokens: 3_000, Repeats: 2, Operations: 2, ListItems: 3, InputDepth: 3, InputValues: 10}.WithDefaults()
	for _, c := range []struct{ name, text, limit string }{
		{"within all", "{ a { b { c } } x: a y: b }", ""},
		{"depth", "{ a { b { c { d } } } }", "depth"},
		{"depth through fragments", "{ a { ...F } } fragment F on T { b { ... on U { c { d } } } }", "depth"},
		{"aliases", "{ a { x: a y: a z: a } }", "aliases"},
		{"aliases through fragments", "{ a { ...F } b { ...F } c { ...F } } fragment F on T { x: a }", "aliases"},
		{"root fields", "{ a b c d }", "root_fields"},
		{"aliases far below", "{ a { b { x: a y: a z: a } } }", "aliases"},
		{"root fields through fragments", "{ ...F ...F } fragment F on Query { a b }", "root_fields"},
		{"fields", "{ a { b c d e f g h i } }", "fields"},
		{"fragments in one another", "{ ... { ... { ... { a } } } }", "fragments"},
		{"fragments in one another, spread and with fields between", "{ ...F } fragment F on Query { a { ... { b { ...G } } } } fragment G on T { c }", "fragments"},
		{"fragments beside one another", "{ ...F ...F ... { a } ... { ... { b } } } fragment F on Query { a }", "root_fields"},
		{"as many fragments as may be", "{ a { ...F } } fragment F on T { ... { b } }", ""},
		{"directives", "{ a @x @y @z }", "directives"},
		{"directives on spreads", "{ ...F @x @y @z } fragment F on Query { a }", "directives"},
		{"directives on inline fragments", "{ ... @x @y @z { a } }", "directives"},
		{"directives on a fragment", "{ ...F } fragment F on Query @x @y @z { a }", "directives"},
		{"directives on variables", "query($v: Int @x @y @z) { a }", "directives"},
		{"directives far below", "{ a { b @x @y { c @z } } }", "directives"},
		{"list in a directive", "{ a @x(y: [1 2 3 4]) }", "list_items"},
		{"list in a directive of a fragment", "{ ... @x(y: [1 2 3 4]) { a } }", "list_items"},
		{"list in a directive of a named fragment", "{ ...F } fragment F on Query @x(y: [1 2 3 4]) { a }", "list_items"},
		{"list in a directive of the operation", "query @x(y: [1 2 3 4]) { a }", "list_items"},
		{"list in a directive of a variable", "query($v: Int @x(y: [1 2 3 4])) { a }", "list_items"},
		{"directives on the operation", "query @a @b @c { a }", "directives"},
		{"tokens", "{ " + strings.Repeat("a ", 3_000) + "}", "tokens"},
		{"second operation", "query A { a } query B { a b c d }", "root_fields"},
		{"nesting beyond the parser", "{ a(x: " + strings.Repeat("[", 1_200) + strings.Repeat("]", 1_200) + ") }", "nesting"},
		{"repeated fields", "{ a { b b b } }", "repeats"},
		{"repeated fields through fragments", "{ a { ...F ...F b } } fragment F on T { b }", "repeats"},
		{"keys repeat, not fields", "{ a { b } c { b } d { b } }", ""},
		{"operations", "query A { a } query B { a } query C { a }", "operations"},
		{"list", "{ a(x: [1 2 3 4]) }", "list_items"},
		{"list inside", "{ a(x: {y: [1 2 3 4]}) }", "list_items"},
		{"nesting", "{ a(x: [[[1]]]) }", "input_depth"},
		{"nesting in a directive", "{ a @x(y: {y: {y: {y: 1}}}) }", "input_depth"},
		{"nesting in a default", "query($v: [[[Int]]] = [[[1]]]) { a }", "input_depth"},
		{"values", "{ a(x: [1 2 3] y: [1 2 3] z: [1 2 3]) }", "input_values"},
		{"values through fragments", "{ a { ...F } b { ...F } c { ...F } } fragment F on T { a(x: [1 2 3]) }", "input_values"},
		{"cycle", "{ ...F } fragment F on Query { a ...F }", ""},
		{"unknown fragment", "{ ...F }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := l.Parse(c.text)
			var e *Exceeded
			switch {
			case c.limit == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.limit != "" && (!errors.As(err, &e) || e.Limit != c.limit || e.Actual <= e.Max):
				t.Errorf("got %v, want %s exceeded", err, c.limit)
			}
		})
	}
}

func TestFragmentBombIsCountedNotSpread(t *testing.T) {
	var b strings.Builder
	b.WriteString("{ ...F0 }")
	for i := range 90 {
		fmt.Fprintf(&b, " fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
	}
	b.WriteString(" fragment F90 on Query { a { b } }")
	_, _, err := Limits{}.WithDefaults().Parse(b.String())
	var e *Exceeded
	if !errors.As(err, &e) || e.Limit != "root_fields" {
		t.Fatalf("got %v", err)
	}
}

// Directives of fragments that double each other are more than any integer has room for, where nothing else stops the counting.
func TestCountsDoNotOverflow(t *testing.T) {
	var b strings.Builder
	b.WriteString("{ ...F0 }")
	for i := range 80 {
		fmt.Fprintf(&b, " fragment F%d on Query { ...F%d @x ...F%d @x }", i, i+1, i+1)
	}
	b.WriteString(" fragment F80 on Query { ...Unknown @x }")
	_, _, err := Limits{}.WithDefaults().Parse(b.String())
	var e *Exceeded
	if !errors.As(err, &e) || e.Limit != "directives" || e.Actual < 0 {
		t.Fatalf("got %v", err)
	}
}

func TestSyntaxErrorsComeThrough(t *testing.T) {
	_, _, err := Limits{}.WithDefaults().Parse("{ a ")
	var e *Exceeded
	if err == nil || errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
}

// The introspection that GraphiQL sends, with nine levels of ofType.
func TestDefaultsLetIntrospectionThrough(t *testing.T) {
	ref := "fragment R on __Type { kind name " + strings.Repeat("ofType { kind name ", 9) + strings.Repeat("} ", 9) + "}"
	text := `query IntrospectionQuery { __schema { queryType { name } types { ...T } directives { name args { ...V } } } }
fragment T on __Type { kind name fields(includeDeprecated: true) { name args { ...V } type { ...R } } inputFields { ...V } interfaces { ...R } possibleTypes { ...R } }
fragment V on __InputValue { name type { ...R } defaultValue } ` + ref
	if _, _, err := (Limits{}).WithDefaults().Parse(text); err != nil {
		t.Fatal(err)
	}
}

func TestVariablesAreCountedNoFurtherThanTheyMayGo(t *testing.T) {
	l := Limits{ListItems: 3, InputDepth: 3, InputValues: 10}.WithDefaults()
	wide := make([]any, 4)
	many := make([]any, 1_000_000)
	deep := any(1)
	for range 5_000 {
		deep = []any{deep}
	}
	for name, c := range map[string]struct {
		value any
		limit string
	}{
		"within":  {map[string]any{"a": []any{1, 2}}, ""},
		"list":    {map[string]any{"a": wide}, "list_items"},
		"nesting": {[]any{[]any{[]any{1}}}, "input_depth"},
		"deep":    {deep, "input_depth"},
		"many":    {many, "list_items"},
		"values":  {[]any{wide[:3], wide[:3], wide[:3]}, "input_values"},
	} {
		_, err := l.CheckVariables(map[string]any{"v": c.value})
		var e *Exceeded
		if c.limit == "" && err != nil || c.limit != "" && (!errors.As(err, &e) || e.Limit != c.limit) {
			t.Errorf("%s: got %v, want %q", name, err, c.limit)
		}
	}
	var v values
	if v.countJSON(many, 1, 100) || v.total > 101 {
		t.Errorf("%d values were looked at, where 101 are enough", v.total)
	}
}

func TestWarningsHaveAnEnd(t *testing.T) {
	l := Limits{RootFields: 2, Warn: true}.WithDefaults()
	_, warnings, err := l.Parse("{ a b c }")
	if err != nil || len(warnings) != 1 || warnings[0] != (Exceeded{"root_fields", 2, 3}) {
		t.Errorf("three where two are allowed: %v, %v", warnings, err)
	}
	var e *Exceeded
	if _, _, err = l.Parse("{ " + strings.Repeat("a ", 21) + "}"); !errors.As(err, &e) {
		t.Errorf("more than ten times the limit: %v", err)
	}
	if warnings, err = l.CheckVariables(map[string]any{"a": make([]any, 5_001)}); err != nil || len(warnings) != 1 {
		t.Errorf("variables: %v, %v", warnings, err)
	}
}

// Each of 60 fragments spreads the next one twice, beside a field: written out that is 2^60 fields. Counting them may take no more steps than
// there are selections in the text, and stops where no limit allows more.
func TestBombsAreCountedInStepsOfTheirText(t *testing.T) {
	var b strings.Builder
	b.WriteString("{ ...F0 }")
	for i := range 60 {
		fmt.Fprintf(&b, " fragment F%d on Query { a%d ...F%d ...F%d }", i, i, i+1, i+1)
	}
	b.WriteString(" fragment F60 on Query { a { b } }")
	l := Limits{}.WithDefaults()
	allocated := testing.AllocsPerRun(5, func() {
		var e *Exceeded
		if _, _, err := l.Parse(b.String()); !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
	})
	if allocated > 5_000 {
		t.Errorf("%.0f allocations for a text of %d bytes", allocated, b.Len())
	}
}

// Fragments in one another each pass the keys of those inside on. What that takes is bounded by how many may: a text of 30 kB with a thousand around
// four thousand keys would take hundreds of megabytes.
func TestFragmentsInOneAnotherAreCountedNoFurtherThanTheyMayGo(t *testing.T) {
	var keys, chain, spreads, beside strings.Builder
	for i := range 3_500 {
		fmt.Fprintf(&keys, " a%d", i)
	}
	for i := range 400 {
		fmt.Fprintf(&chain, " fragment F%d on T { ...F%d }", i, i+1)
		fmt.Fprintf(&spreads, " ...G%d", i)
		fmt.Fprintf(&beside, " fragment G%d on T { ...F400 }", i)
	}
	last := " fragment F400 on T {" + keys.String() + " }"
	for name, c := range map[string]struct{ text, limit string }{
		"inline": {"{ a { " + strings.Repeat("... { ", 900) + keys.String() + strings.Repeat(" }", 900) + " } }", "fragments"},
		"spread": {"{ a { ...F0 } }" + chain.String() + last, "fragments"},
		"beside": {"{ a {" + spreads.String() + " } }" + beside.String() + last, "fields"},
	} {
		for _, warn := range []bool{false, true} {
			var before, after runtime.MemStats
			var e *Exceeded
			runtime.ReadMemStats(&before)
			_, _, err := Limits{Fragments: 20, Warn: warn}.WithDefaults().Parse(c.text)
			runtime.ReadMemStats(&after)
			if !errors.As(err, &e) || e.Limit != c.limit {
				t.Fatalf("%s: got %v", name, err)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
				t.Errorf("%s: %d bytes were allocated for a text of %d", name, allocated, len(c.text))
			}
		}
	}
}
