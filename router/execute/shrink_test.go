package execute_test

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/internal/oracle"
)

// maxShrinks bounds the trials that shrinking makes.
const maxShrinks = 4000

// shrink leaves out of the operation and of the subgraphs whatever the fault does not need.
func shrink(c trial, f fault) (trial, fault) {
	s := &shrinker{best: c, fault: f, budget: maxShrinks}
	if c.failures {
		calm := c
		calm.failures = false
		s.accepts(calm)
	}
	for before := -1; before != s.size() && s.budget > 0; {
		before = s.size()
		if c.text != "" {
			s.operation()
		}
		s.subgraphs()
	}
	return s.best, s.fault
}

type shrinker struct {
	best   trial
	fault  fault
	budget int
}

func (s *shrinker) size() int {
	n := len(s.best.text)
	for _, src := range s.best.sources {
		n += len(src.SDL)
	}
	return n
}

// accepts takes a smaller trial when it fails in the same way.
func (s *shrinker) accepts(c trial) bool {
	if s.budget--; s.budget < 0 {
		return false
	}
	c.sources = swept(c.sources)
	w, f := build(c.sources)
	if w != nil && c.text != "" {
		f = w.try(c)
	}
	if f.class != s.fault.class {
		return false
	}
	s.best, s.fault = c, f
	return true
}

// swept leaves out external fields that no field set names any more: they would keep the rest from composing.
func swept(sources []oracle.Source) []oracle.Source {
	out := slices.Clone(sources)
	for i, src := range out {
		doc, err := parser.ParseSchema(&ast.Source{Input: src.SDL})
		if err != nil {
			continue
		}
		var sets []string
		fields := 0
		for _, d := range slices.Concat(doc.Definitions, doc.Extensions) {
			for _, dir := range d.Directives {
				sets = append(sets, words(dir)...)
			}
			for _, f := range d.Fields {
				for _, dir := range f.Directives {
					sets = append(sets, words(dir)...)
				}
			}
		}
		for _, d := range slices.Concat(doc.Definitions, doc.Extensions) {
			d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool {
				idle := f.Directives.ForName("external") != nil && !slices.Contains(sets, f.Name)
				if idle {
					fields++
				}
				return idle
			})
		}
		if fields > 0 {
			out[i].SDL = printSchema(doc)
		}
	}
	return out
}

func words(d *ast.Directive) []string {
	fields := d.Arguments.ForName("fields")
	if fields == nil {
		return nil
	}
	return strings.FieldsFunc(fields.Value.Raw, func(r rune) bool { return strings.ContainsRune("{}() ,:", r) })
}

func printSchema(doc *ast.SchemaDocument) string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchemaDocument(doc)
	return b.String()
}

// operation drops selections, directives, arguments, variables and fragments, one at a time.
func (s *shrinker) operation() {
	for n := 0; ; n++ {
		doc, err := parser.ParseQuery(&ast.Source{Input: s.best.text})
		if err != nil {
			return
		}
		cut := &cutter{at: n}
		for _, op := range doc.Operations {
			op.SelectionSet = cut.selections(op.SelectionSet)
			op.VariableDefinitions = cut1(cut, op.VariableDefinitions)
		}
		for _, f := range doc.Fragments {
			f.SelectionSet = cut.selections(f.SelectionSet)
		}
		if !cut.done {
			doc.Fragments = cut1(cut, doc.Fragments)
		}
		if !cut.done {
			return
		}
		c := s.best
		c.text = printQuery(doc)
		c.vars = map[string]any{}
		for _, v := range doc.Operations[0].VariableDefinitions {
			if value, ok := s.best.vars[v.Variable]; ok {
				c.vars[v.Variable] = value
			}
		}
		if s.accepts(c) {
			n-- // the next thing has moved to this place
		}
	}
}

// printQuery writes a document without what nothing uses.
func printQuery(doc *ast.QueryDocument) string {
	write := func() string {
		var b strings.Builder
		formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(doc)
		return b.String()
	}
	for {
		text, before := write(), len(doc.Fragments)
		doc.Fragments = slices.DeleteFunc(doc.Fragments, func(f *ast.FragmentDefinition) bool {
			return !strings.Contains(text, "..."+f.Name) && !strings.Contains(text, "... "+f.Name)
		})
		for _, op := range doc.Operations {
			op.VariableDefinitions = slices.DeleteFunc(op.VariableDefinitions, func(v *ast.VariableDefinition) bool { return strings.Count(text, "$"+v.Variable) < 2 })
		}
		if len(doc.Fragments) == before {
			return write()
		}
	}
}

// cutter leaves out the thing with a number, in the order of a walk.
type cutter struct {
	at, seen int
	done     bool
}

func (c *cutter) here() bool {
	c.seen++
	if c.seen-1 == c.at {
		c.done = true
		return true
	}
	return false
}

func cut1[S ~[]E, E any](c *cutter, list S) S {
	return slices.DeleteFunc(slices.Clone(list), func(E) bool { return c.here() })
}

func (c *cutter) selections(set ast.SelectionSet) ast.SelectionSet {
	var out ast.SelectionSet
	for _, sel := range set {
		if len(set) > 1 && c.here() {
			continue
		}
		switch sel := sel.(type) {
		case *ast.Field:
			sel.Directives, sel.Arguments = cut1(c, sel.Directives), cut1(c, sel.Arguments)
			if sel.Alias != sel.Name && c.here() {
				sel.Alias = sel.Name
			}
			if len(sel.SelectionSet) > 0 {
				if len(sel.SelectionSet) > 1 || !isTypename(sel.SelectionSet[0]) {
					if c.here() {
						sel.SelectionSet = ast.SelectionSet{&ast.Field{Name: "__typename", Alias: "__typename"}}
					} else {
						sel.SelectionSet = c.selections(sel.SelectionSet)
					}
				}
			}
			out = append(out, sel)
		case *ast.InlineFragment:
			if c.here() {
				out = append(out, sel.SelectionSet...)
				continue
			}
			sel.Directives = cut1(c, sel.Directives)
			sel.SelectionSet = c.selections(sel.SelectionSet)
			out = append(out, sel)
		case *ast.FragmentSpread:
			sel.Directives = cut1(c, sel.Directives)
			out = append(out, sel)
		}
	}
	return out
}

func isTypename(sel ast.Selection) bool {
	f, ok := sel.(*ast.Field)
	return ok && f.Name == "__typename"
}

// subgraphs drops whole subgraphs, types and fields wherever they are, then types, fields, arguments, members and directives, one at a time.
func (s *shrinker) subgraphs() {
	for i := 0; i < len(s.best.sources); i++ {
		c := s.best
		c.sources = slices.Delete(slices.Clone(c.sources), i, i+1)
		if len(c.sources) > 0 && s.accepts(c) {
			i--
		}
	}
	s.everywhere()
	for i := range s.best.sources {
		for n := 0; ; n++ {
			doc, err := parser.ParseSchema(&ast.Source{Input: s.best.sources[i].SDL})
			if err != nil {
				return
			}
			cut := &cutter{at: n}
			doc.Definitions = cut.definitions(doc.Definitions)
			doc.Extensions = cut.definitions(doc.Extensions)
			if !cut.done {
				break
			}
			c := s.best
			c.sources = slices.Clone(c.sources)
			c.sources[i] = oracle.Source{Name: c.sources[i].Name, SDL: printSchema(doc)}
			if s.accepts(c) {
				n--
			}
		}
	}
}

// everywhere drops types, and fields of types, from all subgraphs at once.
func (s *shrinker) everywhere() {
	tried := map[string]bool{}
	for {
		place := ""
		for _, src := range s.best.sources {
			doc, err := parser.ParseSchema(&ast.Source{Input: src.SDL})
			if err != nil {
				return
			}
			for _, d := range slices.Concat(doc.Definitions, doc.Extensions) {
				for _, f := range append(ast.FieldList{{}}, d.Fields...) {
					if at := d.Name + "." + f.Name; !tried[at] && place == "" {
						place = at
					}
				}
			}
		}
		if place == "" {
			return
		}
		tried[place] = true
		c := s.best
		c.sources = slices.Clone(c.sources)
		for i, src := range c.sources {
			doc, _ := parser.ParseSchema(&ast.Source{Input: src.SDL})
			for _, list := range []*ast.DefinitionList{&doc.Definitions, &doc.Extensions} {
				*list = slices.DeleteFunc(*list, func(d *ast.Definition) bool { return place == d.Name+"." })
				for _, d := range *list {
					d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool { return place == d.Name+"."+f.Name })
				}
			}
			c.sources[i].SDL = printSchema(doc)
		}
		s.accepts(c)
	}
}

func (c *cutter) definitions(list ast.DefinitionList) ast.DefinitionList {
	list = cut1(c, list)
	for _, d := range list {
		d.Directives, d.Interfaces, d.Types = cut1(c, d.Directives), cut1(c, d.Interfaces), cut1(c, d.Types)
		d.EnumValues = cut1(c, d.EnumValues)
		d.Fields = cut1(c, d.Fields)
		for _, f := range d.Fields {
			f.Directives, f.Arguments = cut1(c, f.Directives), cut1(c, f.Arguments)
		}
	}
	return list
}
