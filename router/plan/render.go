package plan

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// renderer writes selections in the words of a subgraph.
type renderer struct {
	strings.Builder
	b    *builder
	of   *entry
	vars map[string]bool
}

// entry writes the selection of an entry without its outer braces.
func (r *renderer) entry(e *entry, outer cond) {
	r.of = e
	if e.reps == nil {
		r.selection(e.sel, e.site.types[0], outer)
		return
	}
	seen := map[string]bool{}
	if e.of != nil {
		r.WriteString(" ... on " + e.of.Name + " {")
		r.selection(e.sel, e.of, outer)
		r.WriteString(" }")
		return
	}
	for _, rep := range e.reps {
		inner := &renderer{b: r.b, of: e, vars: r.vars}
		inner.WriteString(" ... on " + rep.name(e) + " {")
		inner.fields(e.sel, rep.typ, outer)
		inner.WriteString(" }")
		if text := inner.String(); !seen[text] {
			seen[text] = true
			r.WriteString(text)
		}
	}
}

// selection writes what is asked at a position of type static: common fields on an interface itself, the
// rest in a fragment for each concrete type.
func (r *renderer) selection(s *selection, static *federation.Type, outer cond) {
	if s.stub {
		for _, f := range s.fields {
			r.field(f, static, s.graph, outer)
		}
		if len(s.fields) == 0 {
			r.WriteString(" __typename")
		}
		return
	}
	if !static.IsAbstract() {
		if s.typename && len(s.fields) > 0 {
			r.WriteString(" __typename")
		}
		r.fields(s, static, outer)
		return
	}
	r.WriteString(" __typename")
	possible := possibleIn(static, s.graph)
	common := map[*selField]bool{}
	for _, f := range s.fields {
		if r.isCommon(f, static, possible, s.graph) {
			common[f] = true
			r.field(f, static, s.graph, outer)
		}
	}
	for _, t := range possible {
		rest := slices.ContainsFunc(s.fields, func(f *selField) bool { return !common[f] && slices.Contains(f.types, t) })
		if !rest {
			continue
		}
		r.WriteString(" ... on " + t.Name + " {")
		for _, f := range s.fields {
			if !common[f] && slices.Contains(f.types, t) {
				r.field(f, t, s.graph, outer)
			}
		}
		r.WriteString(" }")
	}
}

// isCommon says whether a field can be asked of the interface for all of its types at once.
func (r *renderer) isCommon(f *selField, static *federation.Type, possible []*federation.Type, g federation.GraphID) bool {
	own := static.Field(f.slot.name)
	if static.Kind != ast.Interface || own == nil || own.In[g] == nil || len(possible) == 0 {
		return false
	}
	for _, t := range possible {
		if !slices.Contains(f.types, t) {
			return false
		}
	}
	return true
}

func (r *renderer) fields(s *selection, t *federation.Type, outer cond) {
	empty := true
	for _, f := range s.fields {
		if slices.Contains(f.types, t) || s.entry.reps == nil && s.site == r.b.root {
			r.field(f, t, s.graph, outer)
			empty = false
		}
	}
	if empty {
		r.WriteString(" __typename")
	}
}

// field writes one field of type t, once for each way in which it may be wanted.
func (r *renderer) field(f *selField, t *federation.Type, g federation.GraphID, outer cond) {
	for _, cl := range f.cond.given(outer) {
		for i, l := range cl {
			if i < len(cl)-1 {
				r.WriteString(" ...")
				r.directive(l)
				r.WriteString(" {")
			}
		}
		r.WriteByte(' ')
		if f.alias != f.slot.name {
			r.WriteString(f.alias + ": ")
		}
		r.WriteString(f.slot.name)
		j := t.Field(f.slot.name).In[g]
		r.arguments(f.slot.args, j)
		if len(cl) > 0 {
			r.directive(cl[len(cl)-1])
		}
		if f.child != nil {
			r.WriteString(" {")
			r.selection(f.child, r.b.sg.Type(j.Type.Name()), f.cond)
			r.WriteString(" }")
		}
		for i := 0; i < len(cl)-1; i++ {
			r.WriteString(" }")
		}
	}
}

func (r *renderer) directive(l Literal) {
	r.vars[l.Variable] = true
	if l.Want {
		r.WriteString(" @include(if: $" + l.Variable + ")")
	} else {
		r.WriteString(" @skip(if: $" + l.Variable + ")")
	}
}

func (r *renderer) arguments(args ast.ArgumentList, j *federation.FieldJoin) {
	if len(args)+len(j.Contexts) == 0 {
		return
	}
	r.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			r.WriteString(", ")
		}
		r.WriteString(a.Name + ": " + a.Value.String())
		r.variables(a.Value)
	}
	r.contextArguments(j, len(args) > 0)
	r.WriteByte(')')
}

func (r *renderer) variables(v *ast.Value) {
	if v.Kind == ast.Variable {
		r.vars[v.Raw] = true
	}
	for _, c := range v.Children {
		r.variables(c.Value)
	}
}

// define notes what the operation of a fetch needs beside its entries, and writes it.
func (f *finisher) define(fetch *Fetch, vars map[string]bool, n int) {
	fetch.Variables = slices.Sorted(maps.Keys(vars))
	if f.op.Name != "" {
		fetch.name = f.op.Name + "__" + wordOf(fetch.Subgraph) + "__" + strconv.Itoa(n)
	}
	fetch.defs = map[string]string{}
	for _, v := range fetch.Variables {
		if def := f.variableDefinition(v); def != nil {
			text := "$" + v + ": " + def.Type.String()
			if def.DefaultValue != nil {
				text += " = " + def.DefaultValue.String()
			}
			fetch.defs[v] = text
		}
	}
	fetch.write()
}

// write writes the operation of a fetch and the start of its request body.
func (f *Fetch) write() {
	var q strings.Builder
	q.WriteString(string(f.Operation))
	if f.name != "" {
		q.WriteString(" " + f.name)
	}
	var defs []string
	for _, e := range f.Entries {
		if e.Variable != "" {
			defs = append(defs, "$"+e.Variable+": [_Any!]!")
		}
		for _, c := range e.Contexts {
			defs = append(defs, "$"+c.Variable+": "+c.Type.String())
		}
	}
	for _, v := range f.Variables {
		defs = append(defs, f.defs[v])
	}
	if len(defs) > 0 {
		q.WriteString("(" + strings.Join(defs, ", ") + ")")
	} else if f.name == "" && f.Operation == ast.Query {
		q.Reset()
	}
	q.WriteString(" {")
	for _, e := range f.Entries {
		if e.Variable == "" {
			q.WriteString(e.selection())
			continue
		}
		q.WriteByte(' ')
		if e.Alias != "_entities" {
			q.WriteString(e.Alias + ": ")
		}
		q.WriteString("_entities(representations: $" + e.Variable + ") {" + e.selection() + " }")
	}
	q.WriteString(" }")
	f.Query = strings.TrimSpace(q.String())

	body := append([]byte(`{"query":`), jsonString(f.Query)...)
	if f.name != "" {
		body = append(append(body, `,"operationName":`...), jsonString(f.name)...)
	}
	f.Prefix = append(body, `,"variables":{`...)
}

func (e *Entry) selection() string {
	if len(e.Contexts) == 0 {
		return e.text
	}
	return strings.ReplaceAll(e.text, contextMark, e.suffix)
}

// wordOf makes a GraphQL name part of a subgraph's name.
func wordOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}

func jsonString(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("plan: a string does not marshal: " + err.Error())
	}
	return b
}

func jsonKey(name string) string { return string(append(jsonString(name), ':')) }
