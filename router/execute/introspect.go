package execute

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// introspect appends a __schema or __type field out of the API schema.
func (r *run) introspect(out []byte, f *ast.Field) []byte {
	w := &introspection{schema: r.e.sg.API(), vars: r.in.Variables, hidden: r.e.hidden, out: out}
	if f.Name == "__schema" {
		w.object(f.SelectionSet, "__Schema", w.schemaField)
	} else {
		name, _ := w.argument(f, "name").(string)
		if w.hidden[name] {
			name = ""
		}
		w.typeRef(f.SelectionSet, ast.NamedType(name, nil))
	}
	return w.out
}

// introspection prints parts of a schema (GraphQL specification, section 4.2).
type introspection struct {
	schema *ast.Schema
	vars   map[string]any
	hidden map[string]bool // types that are not part of the schema
	out    []byte
}

// resolver prints one field.
type resolver func(f *ast.Field)

func (w *introspection) object(set ast.SelectionSet, typename string, resolve resolver) {
	w.out = append(w.out, '{')
	for i, f := range w.merge(nil, set) {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.string(f.Alias)
		w.out = append(w.out, ':')
		if f.Name == "__typename" {
			w.string(typename)
			continue
		}
		resolve(f)
	}
	w.out = append(w.out, '}')
}

// merge flattens fragments and joins fields of one response key. Introspection types are objects, so every
// fragment applies.
func (w *introspection) merge(into []*ast.Field, set ast.SelectionSet) []*ast.Field {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if w.excluded(sel.Directives) {
				continue
			}
			i := slices.IndexFunc(into, func(f *ast.Field) bool { return f.Alias == sel.Alias })
			if i < 0 {
				into = append(into, sel)
				continue
			}
			joined := *into[i]
			joined.SelectionSet = slices.Concat(joined.SelectionSet, sel.SelectionSet)
			into[i] = &joined
		case *ast.InlineFragment:
			if !w.excluded(sel.Directives) {
				into = w.merge(into, sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !w.excluded(sel.Directives) && sel.Definition != nil {
				into = w.merge(into, sel.Definition.SelectionSet)
			}
		}
	}
	return into
}

func (w *introspection) excluded(ds ast.DirectiveList) bool {
	for _, d := range ds {
		a := d.Arguments.ForName("if")
		if a == nil || d.Name != "skip" && d.Name != "include" {
			continue
		}
		v, _ := a.Value.Value(w.vars)
		if on, _ := v.(bool); on == (d.Name == "skip") {
			return true
		}
	}
	return false
}

func (w *introspection) argument(f *ast.Field, name string) any {
	a := f.Arguments.ForName(name)
	if a == nil {
		return nil
	}
	v, err := a.Value.Value(w.vars)
	if err != nil {
		return nil
	}
	return v
}

func (w *introspection) string(s string) { w.out = append(w.out, quote(s)...) }

func (w *introspection) null() { w.out = append(w.out, "null"...) }

func (w *introspection) bool(b bool) {
	if b {
		w.out = append(w.out, "true"...)
	} else {
		w.out = append(w.out, "false"...)
	}
}

func (w *introspection) optional(s string) {
	if s == "" {
		w.null()
		return
	}
	w.string(s)
}

func each[T any](w *introspection, items []T, print func(T)) {
	w.out = append(w.out, '[')
	for i, item := range items {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		print(item)
	}
	w.out = append(w.out, ']')
}

func (w *introspection) schemaField(f *ast.Field) {
	switch f.Name {
	case "description":
		w.optional(w.schema.Description)
	case "types":
		types := make([]*ast.Definition, 0, len(w.schema.Types))
		for name, d := range w.schema.Types {
			if !w.hidden[name] {
				types = append(types, d)
			}
		}
		slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
		each(w, types, func(d *ast.Definition) { w.definition(f.SelectionSet, d) })
	case "queryType":
		w.definition(f.SelectionSet, w.schema.Query)
	case "mutationType":
		w.definition(f.SelectionSet, w.schema.Mutation)
	case "subscriptionType":
		w.definition(f.SelectionSet, w.schema.Subscription)
	case "directives":
		ds := make([]*ast.DirectiveDefinition, 0, len(w.schema.Directives))
		for _, d := range w.schema.Directives {
			ds = append(ds, d)
		}
		slices.SortFunc(ds, func(a, b *ast.DirectiveDefinition) int { return strings.Compare(a.Name, b.Name) })
		each(w, ds, func(d *ast.DirectiveDefinition) { w.directive(f.SelectionSet, d) })
	default:
		w.null()
	}
}

// typeRef prints a type with its wrappers.
func (w *introspection) typeRef(set ast.SelectionSet, t *ast.Type) {
	var kind string
	var of *ast.Type
	switch {
	case t.NonNull:
		bare := *t
		bare.NonNull = false
		kind, of = "NON_NULL", &bare
	case t.Elem != nil:
		kind, of = "LIST", t.Elem
	default:
		w.definition(set, w.schema.Types[t.NamedType])
		return
	}
	w.object(set, "__Type", func(f *ast.Field) {
		switch f.Name {
		case "kind":
			w.string(kind)
		case "ofType":
			w.typeRef(f.SelectionSet, of)
		default:
			w.null()
		}
	})
}

func (w *introspection) definition(set ast.SelectionSet, d *ast.Definition) {
	if d == nil {
		w.null()
		return
	}
	w.object(set, "__Type", func(f *ast.Field) { w.typeField(f, d) })
}

func (w *introspection) typeField(f *ast.Field, d *ast.Definition) {
	deprecated, _ := w.argument(f, "includeDeprecated").(bool)
	shown := func(ds ast.DirectiveList) bool { return deprecated || ds.ForName("deprecated") == nil }
	names := func(names []string) {
		each(w, names, func(n string) { w.definition(f.SelectionSet, w.schema.Types[n]) })
	}
	switch {
	case f.Name == "kind":
		w.string(string(d.Kind))
	case f.Name == "name":
		w.string(d.Name)
	case f.Name == "description":
		w.optional(d.Description)
	case f.Name == "specifiedByURL":
		w.optional(directiveText(d.Directives, "specifiedBy", "url"))
	case f.Name == "isOneOf" && d.Kind == ast.InputObject:
		w.bool(d.Directives.ForName("oneOf") != nil)
	case f.Name == "fields" && (d.Kind == ast.Object || d.Kind == ast.Interface):
		var fields []*ast.FieldDefinition
		for _, fd := range d.Fields {
			if shown(fd.Directives) && !strings.HasPrefix(fd.Name, "__") {
				fields = append(fields, fd)
			}
		}
		each(w, fields, func(fd *ast.FieldDefinition) { w.field(f.SelectionSet, fd) })
	case f.Name == "interfaces" && (d.Kind == ast.Object || d.Kind == ast.Interface):
		names(d.Interfaces)
	case f.Name == "possibleTypes" && d.IsAbstractType():
		var possible []string
		for _, p := range w.schema.PossibleTypes[d.Name] {
			if p.Kind == ast.Object {
				possible = append(possible, p.Name)
			}
		}
		names(possible)
	case f.Name == "enumValues" && d.Kind == ast.Enum:
		var values []*ast.EnumValueDefinition
		for _, v := range d.EnumValues {
			if shown(v.Directives) {
				values = append(values, v)
			}
		}
		each(w, values, func(v *ast.EnumValueDefinition) { w.enumValue(f.SelectionSet, v) })
	case f.Name == "inputFields" && d.Kind == ast.InputObject:
		var fields []*ast.FieldDefinition
		for _, fd := range d.Fields {
			if shown(fd.Directives) {
				fields = append(fields, fd)
			}
		}
		each(w, fields, func(fd *ast.FieldDefinition) {
			w.input(f.SelectionSet, fd.Name, fd.Description, fd.Type, fd.DefaultValue, fd.Directives)
		})
	default:
		w.null()
	}
}

func (w *introspection) field(set ast.SelectionSet, d *ast.FieldDefinition) {
	w.object(set, "__Field", func(f *ast.Field) {
		switch f.Name {
		case "name":
			w.string(d.Name)
		case "description":
			w.optional(d.Description)
		case "args":
			w.arguments(f, d.Arguments)
		case "type":
			w.typeRef(f.SelectionSet, d.Type)
		default:
			w.deprecation(f, d.Directives)
		}
	})
}

func (w *introspection) arguments(f *ast.Field, args ast.ArgumentDefinitionList) {
	deprecated, _ := w.argument(f, "includeDeprecated").(bool)
	var shown []*ast.ArgumentDefinition
	for _, a := range args {
		if deprecated || a.Directives.ForName("deprecated") == nil {
			shown = append(shown, a)
		}
	}
	each(w, shown, func(a *ast.ArgumentDefinition) {
		w.input(f.SelectionSet, a.Name, a.Description, a.Type, a.DefaultValue, a.Directives)
	})
}

func (w *introspection) input(set ast.SelectionSet, name, description string, t *ast.Type, value *ast.Value, ds ast.DirectiveList) {
	w.object(set, "__InputValue", func(f *ast.Field) {
		switch f.Name {
		case "name":
			w.string(name)
		case "description":
			w.optional(description)
		case "type":
			w.typeRef(f.SelectionSet, t)
		case "defaultValue":
			if value == nil {
				w.null()
				return
			}
			w.string(string(appendLiteral(nil, value)))
		default:
			w.deprecation(f, ds)
		}
	})
}

func (w *introspection) enumValue(set ast.SelectionSet, v *ast.EnumValueDefinition) {
	w.object(set, "__EnumValue", func(f *ast.Field) {
		switch f.Name {
		case "name":
			w.string(v.Name)
		case "description":
			w.optional(v.Description)
		default:
			w.deprecation(f, v.Directives)
		}
	})
}

func (w *introspection) deprecation(f *ast.Field, ds ast.DirectiveList) {
	d := ds.ForName("deprecated")
	switch {
	case f.Name == "isDeprecated":
		w.bool(d != nil)
	case f.Name == "deprecationReason" && d != nil:
		reason := directiveText(ds, "deprecated", "reason")
		if reason == "" {
			reason = "No longer supported"
		}
		w.string(reason)
	default:
		w.null()
	}
}

func (w *introspection) directive(set ast.SelectionSet, d *ast.DirectiveDefinition) {
	w.object(set, "__Directive", func(f *ast.Field) {
		switch f.Name {
		case "name":
			w.string(d.Name)
		case "description":
			w.optional(d.Description)
		case "isRepeatable":
			w.bool(d.IsRepeatable)
		case "locations":
			each(w, d.Locations, func(l ast.DirectiveLocation) { w.string(string(l)) })
		case "args":
			w.arguments(f, d.Arguments)
		default:
			w.null()
		}
	})
}

func directiveText(ds ast.DirectiveList, name, argument string) string {
	if d := ds.ForName(name); d != nil {
		if a := d.Arguments.ForName(argument); a != nil && a.Value != nil {
			return a.Value.Raw
		}
	}
	return ""
}
