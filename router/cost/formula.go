package cost

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Formula is the cost of one operation as far as it is known before its variables are. It is immutable.
type Formula struct {
	m     *Model
	fixed int
	terms []*term
}

// reading is an operation as it is written: its base and its fields.
type reading struct {
	base  int
	terms []*term
}

// term is the cost of a field that depends on variables.
type term struct {
	key       string // in the answer
	when      []condition
	arguments []argument
	slice     *slice // own @listSize; nil: none
	size      size
	fixed     int // the weight, and the selections that depend on nothing
	spent     int // arguments that depend on nothing
	below     []*term
}

// condition of @skip or @include.
type condition struct {
	value *ast.Value
	holds bool
}

// argument that may cost something.
type argument struct {
	typ   *ast.Type
	own   int // its @cost
	given bool
	value *ast.Value
}

// size of a field: that of a @listSize, or a number.
type size struct {
	by    *slice
	fixed int
}

// Formula reads a validated operation of doc.
func (m *Model) Formula(doc *ast.QueryDocument, operationName string) *Formula {
	r := m.read(doc, operationName)
	return (&Formula{m: m, fixed: r.base, terms: r.terms}).Bind(nil)
}

func (m *Model) read(doc *ast.QueryDocument, operationName string) (r reading) {
	op := doc.Operations.ForName(operationName)
	if op == nil {
		return r
	}
	if op.Operation == ast.Mutation {
		r.base = m.o.Mutation
	}
	r.terms = m.selections(nil, op.SelectionSet, nil, nil)
	return r
}

// selections appends the terms of a selection set under conditions; above is the @listSize of the field that it belongs to.
func (m *Model) selections(terms []*term, set ast.SelectionSet, when []condition, above *slice) []*term {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if t := m.field(sel, conditions(when, sel.Directives), above); t != nil {
				terms = append(terms, t)
			}
		case *ast.InlineFragment:
			terms = m.selections(terms, sel.SelectionSet, conditions(when, sel.Directives), above)
		case *ast.FragmentSpread:
			terms = m.selections(terms, sel.Definition.SelectionSet, conditions(when, sel.Directives), above)
		}
	}
	return terms
}

func conditions(when []condition, ds ast.DirectiveList) []condition {
	for _, d := range ds {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		if a := d.Arguments.ForName("if"); a != nil {
			when = append(slices.Clip(when), condition{a.Value, d.Name == "include"})
		}
	}
	return when
}

// field is nil for what is free: introspection.
func (m *Model) field(f *ast.Field, when []condition, above *slice) *term {
	on := f.ObjectDefinition
	if on == nil || f.Definition == nil || m.sg.Type(on.Name) == nil || len(f.Name) > 1 && f.Name[:2] == "__" {
		return nil
	}
	t := &term{key: f.Alias, when: when, fixed: m.weight(on, f.Definition), size: size{fixed: 1}}
	if rule := m.sizes(on, f.Name); rule != nil {
		t.slice = newSlice(rule, on.Name, f)
	}
	if f.Definition.Type.Elem != nil {
		switch {
		case above != nil && slices.Contains(above.rule.Sized, f.Name):
			t.size.by = above
		case t.slice != nil && len(t.slice.rule.Sized) == 0:
			t.size.by = t.slice
		default:
			t.size.fixed = m.o.ListSize
		}
	}
	for _, a := range f.Arguments {
		def := f.Definition.Arguments.ForName(a.Name)
		if def == nil {
			continue
		}
		own, given := m.ofArgument(on.Name, f.Name, a.Name)
		if !m.free(own, given, def.Type.Name()) {
			t.arguments = append(t.arguments, argument{def.Type, own, given, a.Value})
		}
	}
	t.below = m.selections(nil, f.SelectionSet, nil, t.slice)
	return t
}

// Bind puts in the variables that are known and leaves the rest open.
func (f *Formula) Bind(variables map[string]any) *Formula {
	e := evaluation{m: f.m, variables: decoded(variables), open: true}
	bound := &Formula{m: f.m, fixed: f.fixed}
	bound.terms, bound.fixed = e.fold(f.terms, bound.fixed)
	return bound
}

// fold keeps the terms that stay open and adds the others up.
func (e *evaluation) fold(terms []*term, fixed int) ([]*term, int) {
	var open []*term
	for _, t := range terms {
		rest, n := e.bind(t)
		fixed = plus(fixed, n)
		if rest != nil {
			open = append(open, rest)
		}
	}
	return open, fixed
}

// bind puts into a term what is known: the rest, or nil and the cost.
func (e *evaluation) bind(t *term) (rest *term, cost int) {
	b := &term{slice: t.slice, size: t.size, fixed: t.fixed, spent: t.spent}
	for _, c := range t.when {
		switch holds, unknown := e.holds(c); {
		case unknown:
			b.when = append(b.when, c)
		case !holds:
			return nil, 0
		}
	}
	for _, a := range t.arguments {
		if n, unknown := e.argument(a); unknown {
			b.arguments = append(b.arguments, a)
		} else {
			b.spent = plus(b.spent, n)
		}
	}
	if b.slice != nil {
		if _, unknown, err := e.slice(b.slice); !unknown && err == nil {
			b.slice = nil // it has been looked at
		}
	}
	if b.size.by != nil {
		if n, unknown, err := e.slice(b.size.by); !unknown && err == nil {
			b.size = size{fixed: n}
		}
	}
	b.below, b.fixed = e.fold(t.below, b.fixed)
	if len(b.when) > 0 || len(b.arguments) > 0 || b.slice != nil || b.size.by != nil || len(b.below) > 0 {
		return b, 0
	}
	return nil, max(0, plus(b.spent, times(b.size.fixed, b.fixed)))
}

// Cost is what the operation costs with these variables, of which the values are as JSON gives them (numbers as json.Number) or as coercion
// makes them. The error is a *SlicingError; the cost is then what it would be without that rule.
func (f *Formula) Cost(variables map[string]any) (int, error) {
	if len(f.terms) == 0 {
		return f.fixed, nil
	}
	e := evaluation{m: f.m, variables: variables}
	total := e.sum(f.terms, f.fixed)
	return total, e.err
}

func (e *evaluation) sum(terms []*term, total int) int {
	for _, t := range terms {
		total = plus(total, e.cost(t))
	}
	return total
}

func (e *evaluation) cost(t *term) int {
	for _, c := range t.when {
		if holds, _ := e.holds(c); !holds {
			return 0
		}
	}
	if t.slice != nil {
		e.size(t.slice)
	}
	n := t.size.fixed
	if t.size.by != nil {
		n = e.size(t.size.by)
	}
	spent := t.spent
	for _, a := range t.arguments {
		cost, _ := e.argument(a)
		spent = plus(spent, cost)
	}
	return max(0, plus(spent, times(n, e.sum(t.below, t.fixed))))
}

func (e *evaluation) size(s *slice) int {
	n, _, err := e.slice(s)
	if e.err == nil {
		e.err = err
	}
	return n
}

func plus(a, b int) int { return max(-Most, min(Most, a+b)) }

// times multiplies a size with a cost; both are at most Most.
func times(n, cost int) int {
	switch {
	case n == 0 || cost == 0:
		return 0
	case cost > 0 && n > Most/cost:
		return Most
	case cost < 0 && n > Most/-cost:
		return -Most
	}
	return n * cost
}
