package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// An argument under @fromContext is filled with what the nearest object above has that sets the context. Such a field is
// always asked for in an entry of its own, by key, after the fetches that bring the value: even where the subgraph has
// the object at hand. Entities of different values cannot share one selection, so the executor repeats the entry for each
// value that it meets.

// Context is a variable of an entry that is filled from objects above the entities.
type Context struct {
	Variable string
	Type     *ast.Type
	// Sources are where the value may stand, the nearest first: the first counts whose object is of its type.
	Sources []ContextSource
}

// ContextSource is one concrete type of the objects at one level above the entities.
type ContextSource struct {
	Up     int // steps of the entry's path to go back
	Type   *federation.Type
	Fields []*RepField // the value: one leaf
	from   Path
}

// places says where the value may stand, for people.
func (c *Context) places() []string {
	var out []string
	for _, s := range c.Sources {
		path := s.from.String()
		if path != "" {
			path += "."
		}
		out = append(out, path+strings.Join(repNames("", s.Fields), ",")+" of "+s.Type.Name)
	}
	return out
}

// contextVar is a Context in the making.
type contextVar struct {
	key     string
	arg     federation.ContextArgument
	sources []contextSource
}

type contextSource struct {
	up     int
	site   *site
	typ    *federation.Type
	fields []*repField
}

// contextMark stands in the text of an entry behind the names of context variables: there the executor tells apart what it
// repeats. It cannot occur in GraphQL.
const contextMark = "\x00"

// needs says whether a subgraph has to be shown more than a key for a field.
func needs(j *federation.FieldJoin) bool { return len(j.Requires) > 0 || len(j.Contexts) > 0 }

// contextTypes are the concrete types that set each context.
func contextTypes(sg *federation.Supergraph) map[string][]*federation.Type {
	var set map[string][]*federation.Type
	for _, def := range sg.Definitions() {
		t := sg.Type(def.Name)
		for _, name := range t.Contexts {
			if set == nil {
				set = map[string][]*federation.Type{}
			}
			set[name] = unionTypes(set[name], t.Possible)
		}
	}
	return set
}

// above lists the levels above an arrival at which objects may set a context, the nearest first, as far as one that always
// does.
func (b *builder) above(a *arrival, context string, visit func(up int, at *arrival, types []*federation.Type) error) error {
	setting := b.contextTypes[context]
	up := 0
	for at := a.parent; at != nil; at = at.parent {
		up++
		types := intersect(at.types, setting)
		if len(types) == 0 {
			continue
		}
		if err := visit(up, at, types); err != nil || len(types) == len(at.types) {
			return err
		}
	}
	return nil
}

// contextCost is the stage at which the values of contexts are there.
func (b *builder) contextCost(a *arrival, args []federation.ContextArgument, depth int) int {
	c := 0
	for _, arg := range args {
		found := false
		_ = b.above(a, arg.Context, func(_ int, at *arrival, types []*federation.Type) error {
			found = true
			for _, t := range types {
				c = max(c, b.setCost(at, t, arg.Selection, b.reach(at, t, depth), depth))
			}
			return nil
		})
		if !found {
			return unreachableCost
		}
	}
	return c
}

// resolveContexts obtains the values of context arguments.
func (b *builder) resolveContexts(a *arrival, args []federation.ContextArgument, c cond) (vars []*contextVar, deps []*entry, err error) {
	for _, arg := range args {
		v := &contextVar{key: contextKey(arg), arg: arg}
		err := b.above(a, arg.Context, func(up int, at *arrival, types []*federation.Type) error {
			for _, t := range types {
				fields, more, err := b.resolveSet(at, t, arg.Selection, c, false)
				if err != nil {
					return err
				}
				deps = append(deps, more...)
				v.sources = append(v.sources, contextSource{up, at.site, t, fields})
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		if len(v.sources) == 0 {
			return nil, nil, &Error{Message: fmt.Sprintf("nothing above %s sets the context of argument %s", a.types[0].Name, arg.Name)}
		}
		vars = append(vars, v)
	}
	return vars, deps, nil
}

// contextKey tells values apart: arguments of the same value share a variable.
func contextKey(c federation.ContextArgument) string {
	return c.Context + " " + c.Type.String() + " " + fieldSetText(c.Selection)
}

func fieldSetText(set ast.SelectionSet) string {
	var b strings.Builder
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			b.WriteString(fieldKey(sel.Name, sel.Arguments))
			if len(sel.SelectionSet) > 0 {
				b.WriteString("{" + fieldSetText(sel.SelectionSet) + "}")
			}
		case *ast.InlineFragment:
			b.WriteString("..." + sel.TypeCondition + "{" + fieldSetText(sel.SelectionSet) + "}")
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func sameContexts(a, b []*contextVar) bool {
	return slices.EqualFunc(a, b, func(x, y *contextVar) bool {
		return x.key == y.key && slices.EqualFunc(x.sources, y.sources, func(s, u contextSource) bool {
			return s.up == u.up && s.typ == u.typ && sameFields(s.fields, u.fields)
		})
	})
}

// contextArguments writes the arguments of a field that come from contexts.
func (r *renderer) contextArguments(j *federation.FieldJoin, more bool) {
	for i, arg := range j.Contexts {
		at := slices.IndexFunc(r.of.contexts, func(v *contextVar) bool { return v.key == contextKey(arg) })
		if i > 0 || more {
			r.WriteString(", ")
		}
		r.WriteString(arg.Name + ": $" + contextName(at) + contextMark)
	}
}

func contextName(i int) string { return fmt.Sprintf("_context%d", i) }

func (f *finisher) exportContexts(e *Entry, of *entry, taken map[string]bool) {
	for slices.ContainsFunc(of.contexts, func(v *contextVar) bool { return taken[contextName(slices.Index(of.contexts, v))+e.suffix] }) {
		e.suffix += "_" // the client has a variable of that name
	}
	for i, v := range of.contexts {
		c := Context{Variable: contextName(i) + e.suffix, Type: v.arg.Type}
		for _, s := range v.sources {
			c.Sources = append(c.Sources, ContextSource{Up: s.up, Type: s.typ, Fields: exportRep(s.fields), from: pathTo(s.site)})
		}
		e.Contexts = append(e.Contexts, c)
	}
}

// Contextual says whether an entry of the fetch is filled from contexts.
func (f *Fetch) Contextual() bool {
	return slices.ContainsFunc(f.Entries, func(e *Entry) bool { return len(e.Contexts) > 0 })
}

// Repeat is the fetch with each entry as often as given, under names of their own. The fetch itself does not change.
func (f *Fetch) Repeat(times []int) *Fetch {
	out := *f
	out.Entries = nil
	for i, e := range f.Entries {
		for n := range times[i] {
			c := *e
			if n > 0 {
				again := fmt.Sprintf("_%d", n)
				for slices.ContainsFunc(f.Variables, func(v string) bool { return strings.HasSuffix(v, again) }) {
					again += "_"
				}
				c.suffix += again
				if c.Alias == "_entities" {
					c.Alias = "_e"
				}
				c.Alias += again
				c.Variable += again
				c.Contexts = slices.Clone(e.Contexts)
				for k := range c.Contexts {
					c.Contexts[k].Variable += again
				}
			}
			out.Entries = append(out.Entries, &c)
		}
	}
	out.Variables = slices.DeleteFunc(slices.Clone(f.Variables), func(v string) bool { // an operation defines no variable that it does not use
		return !slices.ContainsFunc(out.Entries, func(e *Entry) bool { return e.vars[v] })
	})
	out.write()
	return &out
}
