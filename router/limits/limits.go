// Package limits refuses operations that ask for too much before anything is spent on them.
//
// It looks only at the text of the operation and never at a schema: what an operation costs by the schema is another matter. Fragments
// count where they are spread, as often as they are spread, so that a small text cannot stand for a huge operation.
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
	Depth      int   // nesting of selection sets; default 30 (GraphiQL's introspection has 16)
	Aliases    int   // fields under another name, after spreading fragments; default 100
	RootFields int   // fields of the operation's root, after spreading fragments; default 50
	Fields     int   // all fields, after spreading fragments; default 5,000
	Directives int   // directives, after spreading fragments; default 200
	Tokens     int   // tokens of the text; default 10,000
	BodyBytes  int64 // size of a request's body or a WebSocket message; default 1 MiB
}

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	for _, d := range []struct {
		field    *int
		standard int
	}{{&l.Depth, 30}, {&l.Aliases, 100}, {&l.RootFields, 50}, {&l.Fields, 5_000}, {&l.Directives, 200}, {&l.Tokens, 10_000}} {
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
	Limit  string // as in the JSON of a configuration: depth, aliases, root_fields, fields, directives, tokens
	Max    int
	Actual int // what the operation has; for tokens, where counting stopped
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("the operation exceeds the limit of %d %s: it has %d", e.Max, strings.ReplaceAll(e.Limit, "_", " "), e.Actual)
}

// Parse reads an operation and holds it against the limits. It returns *Exceeded, or *gqlerror.Error where the text is not GraphQL.
func (l Limits) Parse(text string) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQueryWithTokenLimit(federation.Source("operation", text), l.Tokens)
	if err != nil {
		var g *gqlerror.Error
		if errors.As(err, &g) && strings.HasPrefix(g.Message, "exceeded token limit") {
			return nil, &Exceeded{"tokens", l.Tokens, l.Tokens + 1}
		}
		return nil, err
	}
	return doc, l.Check(doc)
}

// Check holds every operation of a document against the limits. Unknown fragments and fragments that spread themselves count as
// nothing: validation refuses them.
func (l Limits) Check(doc *ast.QueryDocument) error {
	c := &counter{doc: doc, known: map[string]size{}}
	for _, op := range doc.Operations {
		s := c.selection(op.SelectionSet)
		for _, v := range op.VariableDefinitions {
			s.directives = add(s.directives, len(v.Directives))
		}
		s.directives = add(s.directives, len(op.Directives))
		for _, e := range []Exceeded{
			{"depth", l.Depth, s.depth},
			{"root_fields", l.RootFields, s.top},
			{"fields", l.Fields, s.fields},
			{"aliases", l.Aliases, s.aliases},
			{"directives", l.Directives, s.directives},
		} {
			if e.Actual > e.Max {
				return &e
			}
		}
	}
	return nil
}

// size of a selection set with its fragments spread out.
type size struct {
	depth, top, fields, aliases, directives int
}

type counter struct {
	doc   *ast.QueryDocument
	known map[string]size // by fragment name; an empty entry while it is being counted, which cuts cycles
}

func (c *counter) selection(set ast.SelectionSet) size {
	var total size
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			below := c.selection(sel.SelectionSet)
			one := size{depth: below.depth + 1, top: 1, fields: add(below.fields, 1), aliases: below.aliases, directives: add(below.directives, len(sel.Directives))}
			if sel.Alias != sel.Name {
				one.aliases = add(one.aliases, 1)
			}
			total.merge(one)
		case *ast.InlineFragment:
			one := c.selection(sel.SelectionSet)
			one.directives = add(one.directives, len(sel.Directives))
			total.merge(one)
		case *ast.FragmentSpread:
			one := c.fragment(sel.Name)
			one.directives = add(one.directives, len(sel.Directives))
			total.merge(one)
		}
	}
	return total
}

func (c *counter) fragment(name string) size {
	if s, ok := c.known[name]; ok {
		return s
	}
	c.known[name] = size{}
	def := c.doc.Fragments.ForName(name)
	if def == nil {
		return size{}
	}
	s := c.selection(def.SelectionSet)
	s.directives = add(s.directives, len(def.Directives))
	c.known[name] = s
	return s
}

func (s *size) merge(o size) {
	s.depth = max(s.depth, o.depth)
	s.top = add(s.top, o.top)
	s.fields = add(s.fields, o.fields)
	s.aliases = add(s.aliases, o.aliases)
	s.directives = add(s.directives, o.directives)
}

const most = 1 << 30

// add does not overflow: fragments that double each other forty times would.
func add(a, b int) int { return min(a+b, most) }
