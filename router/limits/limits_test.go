package limits

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseRefusesTooMuch(t *testing.T) {
	l := Limits{Depth: 3, Aliases: 2, RootFields: 3, Fields: 8, Directives: 2, Tokens: 60}.WithDefaults()
	for _, c := range []struct{ name, text, limit string }{
		{"within all", "{ a { b { c } } x: a y: b }", ""},
		{"depth", "{ a { b { c { d } } } }", "depth"},
		{"depth through fragments", "{ a { ...F } } fragment F on T { b { ... on U { c { d } } } }", "depth"},
		{"aliases", "{ a { x: a y: a z: a } }", "aliases"},
		{"aliases through fragments", "{ a { ...F } b { ...F } c { ...F } } fragment F on T { x: a }", "aliases"},
		{"root fields", "{ a b c d }", "root_fields"},
		{"root fields through fragments", "{ ...F ...F } fragment F on Query { a b }", "root_fields"},
		{"fields", "{ a { b c d e f g h i } }", "fields"},
		{"directives", "{ a @x @y @z }", "directives"},
		{"directives on the operation", "query @a @b @c { a }", "directives"},
		{"tokens", "{ " + strings.Repeat("a ", 60) + "}", "tokens"},
		{"second operation", "query A { a } query B { a b c d }", "root_fields"},
		{"cycle", "{ ...F } fragment F on Query { a ...F }", ""},
		{"unknown fragment", "{ ...F }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := l.Parse(c.text)
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
	for i := range 100 {
		fmt.Fprintf(&b, " fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
	}
	b.WriteString(" fragment F100 on Query { a { b } }")
	_, err := Limits{}.WithDefaults().Parse(b.String())
	var e *Exceeded
	if !errors.As(err, &e) || e.Limit != "root_fields" {
		t.Fatalf("got %v", err)
	}
}

func TestSyntaxErrorsComeThrough(t *testing.T) {
	_, err := Limits{}.WithDefaults().Parse("{ a ")
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
	if _, err := (Limits{}).WithDefaults().Parse(text); err != nil {
		t.Fatal(err)
	}
}
