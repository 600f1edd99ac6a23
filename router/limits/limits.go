// Package limits refuses operations that ask for too much before anything is spent on them.
//
// It looks only at the text of the operation and at the JSON of its variables, never at a schema: what an operation costs by the schema
// is another matter (package cost). Fragments count where they are spread, as often as they are spread, so that a small text cannot stand
// for a huge operation.
//
// A limit either refuses or, with Warn, is only measured. Measuring has an end as well: what breaks a limit ten times over is refused all
// the same, because the work that follows is bounded by nothing else.
package limits

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/federation"
)

// Limits of one operation. A zero field means its default; there is no way to have no limit.
type Limits struct {
	Depth       int   // nesting of selection sets; default 30 (GraphiQL's introspection has 16)
	Aliases     int   // fields under another name, after spreading fragments; default 100
	RootFields  int   // fields of the operation's root, after spreading fragments; default 50
	Fields      int   // all fields, after spreading fragments; default 5,000
	Fragments   int   // fragments in one another, inline or spread, with fields between them or without; default 100
	Repeats     int   // how often one selection set asks for the same key, after spreading fragments; default 100
	Directives  int   // directives, after spreading fragments; default 200
	Tokens      int   // tokens of the text; default 10,000
	Operations  int   // operations of a document; default 50
	ListItems   int   // items of one list, in a literal or a variable; default 5,000
	InputDepth  int   // nesting of lists and objects in a literal or a variable; default 16
	InputValues int   // values in all literals, or in all variables, of an operation; default 50,000
	BodyBytes   int64 // size of a request's body or a WebSocket message; default 1 MiB

	// Warn lets operations pass that exceed a limit, up to ten times of it; they are reported instead. The limits of tokens and bytes
	// always refuse.
	Warn bool
}

// tolerance is how many times a limit may be exceeded where it only warns.
const tolerance = 10

// parserDepth is how deep anything may stand in anything else for the parser, which goes down with it.
const parserDepth = 1000

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	for _, d := range []struct {
		field    *int
		standard int
	}{
		{&l.Depth, 30},
		{&l.Aliases, 100},
		{&l.RootFields, 50},
		{&l.Fields, 5_000},
		{&l.Fragments, 100},
		{&l.Repeats, 100},
		{&l.Directives, 200},
		{&l.Tokens, 10_000},
		{&l.Operations, 50},
		{&l.ListItems, 5_000},
		{&l.InputDepth, 16},
		{&l.InputValues, 50_000},
	} {
		if *d.field <= 0 {
			*d.field = d.standard
		}
	}
	if l.BodyBytes <= 0 {
		l.BodyBytes = 1 << 20
	}
	return l
}

// Exceeded says which limit an operation breaks.
type Exceeded struct {
	Limit  string // as in a configuration: depth, aliases, root_fields, …
	Max    int
	Actual int // what the operation has, or where counting stopped
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("the operation exceeds a limit: %s %d, at most %d", strings.ReplaceAll(e.Limit, "_", " "), e.Actual, e.Max)
}

// Parse reads a document and holds it against the limits. The error is *Exceeded, or *gqlerror.Error where the text is not GraphQL;
// warnings are the limits that it exceeds where they only warn.
func (l Limits) Parse(text string) (doc *ast.QueryDocument, warnings []Exceeded, err error) {
	doc, err = parser.ParseQueryWithTokenLimit(federation.Source("operation", text), l.Tokens)
	if err != nil {
		var g *gqlerror.Error
		if errors.As(err, &g) && strings.HasPrefix(g.Message, "exceeded token limit") {
			return nil, nil, &Exceeded{"tokens", l.Tokens, l.Tokens + 1}
		}
		if errors.As(err, &g) && strings.HasPrefix(g.Message, "exceeded maximum nesting depth") {
			return nil, nil, &Exceeded{"nesting", parserDepth, parserDepth + 1}
		}
		return nil, nil, err
	}
	warnings, err = l.check(doc)
	return doc, warnings, err
}

// check holds every operation of a document against the limits. Unknown fragments and fragments that spread themselves count as
// nothing: validation refuses them.
func (l Limits) check(doc *ast.QueryDocument) ([]Exceeded, error) {
	j := judge{l: l}
	j.hold("operations", l.Operations, len(doc.Operations))
	c := &counter{doc: doc, known: map[string]*size{}, maxFields: tolerance * l.Fields, maxFragments: l.Fragments}
	if l.Warn {
		c.maxFragments *= tolerance
	}
	for _, op := range doc.Operations {
		s := c.selection(op.SelectionSet)
		for _, v := range op.VariableDefinitions {
			s.directives = add(s.directives, len(v.Directives))
			s.values.count(v.DefaultValue, 1)
			s.arguments(v.Directives)
		}
		s.directives = add(s.directives, len(op.Directives))
		s.arguments(op.Directives)
		j.hold("depth", l.Depth, s.depth)
		j.hold("root_fields", l.RootFields, s.top)
		j.hold("fields", l.Fields, s.fields)
		j.hold("fragments", l.Fragments, s.fragments)
		j.hold("aliases", l.Aliases, s.aliases)
		j.hold("repeats", l.Repeats, s.repeats)
		j.hold("directives", l.Directives, s.directives)
		j.values(s.values)
	}
	return j.warnings, j.refused()
}

// CheckVariables holds the JSON of a request's variables against the limits. It does not look further than they go.
func (l Limits) CheckVariables(variables map[string]any) ([]Exceeded, error) {
	var v values
	for _, value := range variables {
		if !v.countJSON(value, 1, tolerance*l.InputValues) {
			break
		}
	}
	j := judge{l: l}
	j.values(v)
	return j.warnings, j.refused()
}

// judge collects what is exceeded.
type judge struct {
	l        Limits
	warnings []Exceeded
	refusal  *Exceeded
}

func (j *judge) hold(limit string, most, actual int) {
	switch {
	case actual <= most || j.refusal != nil:
	case j.l.Warn && actual <= tolerance*most:
		j.warnings = append(j.warnings, Exceeded{limit, most, actual})
	default:
		j.refusal = &Exceeded{limit, most, actual}
	}
}

func (j *judge) values(v values) {
	j.hold("input_depth", j.l.InputDepth, v.depth)
	j.hold("list_items", j.l.ListItems, v.items)
	j.hold("input_values", j.l.InputValues, v.total)
}

// refused keeps a nil *Exceeded from becoming an error.
func (j *judge) refused() error {
	if j.refusal == nil {
		return nil
	}
	return j.refusal
}
