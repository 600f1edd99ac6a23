package plan

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Labels lists the labels of progressive overrides, sorted, that may change the plan of an operation: those of the fields that
// it selects, of what these require and of the keys by which they may be reached. Only these need to be decided for a
// request, and to keep plans apart. doc must be validated.
func (p *Planner) Labels(doc *ast.QueryDocument, operationName string) []string {
	op := doc.Operations.ForName(operationName)
	if !p.labelled || op == nil {
		return nil
	}
	l := labelFinder{sg: p.sg, contextTypes: p.contextTypes, fields: map[*federation.Field]bool{}, spreads: map[*ast.FragmentDefinition]bool{}, found: map[string]bool{}}
	l.walk(p.sg.Root(op.Operation), op.SelectionSet)
	return slices.Sorted(maps.Keys(l.found))
}

// on lists the labels that are on, sorted.
func (g Given) on() []string {
	var on []string
	for l, is := range g.Labels {
		if is {
			on = append(on, l)
		}
	}
	slices.Sort(on)
	return on
}

// hasLabels says whether any field is under a progressive override.
func hasLabels(sg *federation.Supergraph) bool {
	for _, def := range sg.Definitions() {
		for _, f := range sg.Type(def.Name).Fields {
			for _, j := range f.In {
				if j != nil && j.Label != "" {
					return true
				}
			}
		}
	}
	return false
}

type labelFinder struct {
	sg           *federation.Supergraph
	contextTypes map[string][]*federation.Type
	fields       map[*federation.Field]bool
	spreads      map[*ast.FragmentDefinition]bool
	found        map[string]bool
}

func (l *labelFinder) walk(t *federation.Type, set ast.SelectionSet) {
	if t == nil {
		return
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			l.field(t, sel)
		case *ast.InlineFragment:
			on := t
			if sel.TypeCondition != "" {
				on = l.sg.Type(sel.TypeCondition)
			}
			l.walk(on, sel.SelectionSet)
		case *ast.FragmentSpread:
			if d := sel.Definition; d != nil && !l.spreads[d] {
				l.spreads[d] = true
				l.walk(l.sg.Type(d.TypeCondition), d.SelectionSet)
			}
		}
	}
}

// field looks at a selected field as every concrete type may have it.
func (l *labelFinder) field(t *federation.Type, sel *ast.Field) {
	for _, p := range t.Possible {
		if f := p.Field(sel.Name); f != nil {
			l.add(f)
		}
	}
	if f := t.Field(sel.Name); f != nil && len(sel.SelectionSet) > 0 {
		l.walk(l.sg.Type(f.Def.Type.Name()), sel.SelectionSet)
	}
}

func (l *labelFinder) add(f *federation.Field) {
	if l.fields[f] {
		return
	}
	l.fields[f] = true
	for _, j := range f.In {
		if j == nil {
			continue
		}
		if j.Label != "" {
			l.found[j.Label] = true
		}
		l.walk(f.Parent, j.Requires)
		for _, c := range j.Contexts {
			for _, t := range l.contextTypes[c.Context] {
				l.walk(t, c.Selection)
			}
		}
	}
	for _, j := range f.Parent.In {
		if j == nil {
			continue
		}
		for _, k := range j.Keys {
			l.walk(f.Parent, k.Fields)
		}
	}
}
