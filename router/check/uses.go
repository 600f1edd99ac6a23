package check

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// uses is what one operation needs of the schema that it was written for.
type uses struct {
	kind       ast.Operation
	schema     *ast.Schema
	variables  ast.VariableDefinitionList
	types      map[string]bool       // named, selected on, returned or passed
	parents    map[string]bool       // selected on
	returns    map[string]bool       // of selected fields
	fields     map[string][]call     // by Type.field
	directives map[string][]call     // by name
	repeated   map[string]bool       // directives that stand twice in one place
	spreads    []spread              // fragments and where they stand
	objects    map[string][]object   // input objects that it sends, by type
	enums      map[string]verdict    // Enum.VALUE that it sends
	anyEnum    map[string]bool       // enums of which it may send any value
	written    map[*ast.Value]string // types that literal objects were written for
	fragments  map[string]bool
}

// call is one selection of a field or one use of a directive.
type call struct {
	args     map[string]*ast.Value
	location ast.DirectiveLocation
}

// spread is a fragment of type on where objects are of type parent.
type spread struct{ parent, on string }

// object is an input object that an operation sends: written in its text, recorded among its variables, or neither.
type object struct {
	u        *uses
	literal  *ast.Value
	recorded map[string]any
	unsure   bool // it is not certain that it is sent at all
}

func usesOf(schema *ast.Schema, op *Operation) *uses {
	o := op.Document.Operations[0]
	u := &uses{
		kind: o.Operation, schema: schema, variables: o.VariableDefinitions,
		types: map[string]bool{}, parents: map[string]bool{}, returns: map[string]bool{}, fields: map[string][]call{},
		directives: map[string][]call{}, repeated: map[string]bool{}, objects: map[string][]object{}, enums: map[string]verdict{},
		anyEnum: map[string]bool{}, written: map[*ast.Value]string{}, fragments: map[string]bool{},
	}
	locations := map[ast.Operation]ast.DirectiveLocation{ast.Query: ast.LocationQuery, ast.Mutation: ast.LocationMutation, ast.Subscription: ast.LocationSubscription}
	u.place(o.Directives, locations[o.Operation])
	for _, v := range o.VariableDefinitions {
		u.variable(v, op)
	}
	if root := root(schema, o.Operation); root != nil {
		u.selection(o.SelectionSet, root)
	}
	return u
}

func (u *uses) selection(set ast.SelectionSet, parent *ast.Definition) {
	u.types[parent.Name], u.parents[parent.Name] = true, true
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			u.place(sel.Directives, ast.LocationField)
			u.field(sel, parent)
		case *ast.InlineFragment:
			u.place(sel.Directives, ast.LocationInlineFragment)
			u.fragment(sel.TypeCondition, parent, sel.SelectionSet)
		case *ast.FragmentSpread:
			u.place(sel.Directives, ast.LocationFragmentSpread)
			if sel.Definition == nil {
				continue
			}
			if u.fragments[sel.Name] {
				u.spreads = append(u.spreads, spread{parent.Name, sel.Definition.TypeCondition})
				continue
			}
			u.fragments[sel.Name] = true
			u.place(sel.Definition.Directives, ast.LocationFragmentDefinition)
			u.fragment(sel.Definition.TypeCondition, parent, sel.Definition.SelectionSet)
		}
	}
}

func (u *uses) fragment(condition string, parent *ast.Definition, set ast.SelectionSet) {
	on := parent
	if condition != "" {
		u.spreads = append(u.spreads, spread{parent.Name, condition})
		if on = u.schema.Types[condition]; on == nil {
			return
		}
	}
	u.selection(set, on)
}

func (u *uses) field(f *ast.Field, parent *ast.Definition) {
	def := parent.Fields.ForName(f.Name)
	if def == nil {
		return // __typename
	}
	coordinate := parent.Name + "." + f.Name
	u.fields[coordinate] = append(u.fields[coordinate], u.call(f.Arguments, def.Arguments, ast.LocationField))
	returned := def.Type.Name()
	u.types[returned], u.returns[returned] = true, true
	if t := u.schema.Types[returned]; t != nil && len(f.SelectionSet) > 0 {
		u.selection(f.SelectionSet, t)
	}
}

func (u *uses) call(args ast.ArgumentList, defs ast.ArgumentDefinitionList, location ast.DirectiveLocation) call {
	c := call{map[string]*ast.Value{}, location}
	for _, a := range args {
		c.args[a.Name] = a.Value
		if def := defs.ForName(a.Name); def != nil {
			u.value(a.Value, def.Type)
		}
	}
	return c
}

func (u *uses) place(list ast.DirectiveList, location ast.DirectiveLocation) {
	here := map[string]bool{}
	for _, d := range list {
		u.repeated[d.Name] = u.repeated[d.Name] || here[d.Name]
		here[d.Name] = true
		var defs ast.ArgumentDefinitionList
		if def := u.schema.Directives[d.Name]; def != nil {
			defs = def.Arguments
		}
		u.directives[d.Name] = append(u.directives[d.Name], u.call(d.Arguments, defs, location))
	}
}

// value notes what a written value sends.
func (u *uses) value(v *ast.Value, t *ast.Type) {
	u.types[t.Name()] = true
	def := u.schema.Types[t.Name()]
	switch {
	case v == nil || def == nil:
	case v.Kind == ast.ListValue:
		elem := t
		if t.Elem != nil {
			elem = t.Elem
		}
		for _, c := range v.Children {
			u.value(c.Value, elem)
		}
	case v.Kind == ast.EnumValue:
		u.enums[def.Name+"."+v.Raw] = yes
	case v.Kind == ast.ObjectValue && def.Kind == ast.InputObject:
		u.objects[def.Name] = append(u.objects[def.Name], object{u: u, literal: v})
		u.written[v] = def.Name
		for _, c := range v.Children {
			if f := def.Fields.ForName(c.Name); f != nil {
				u.value(c.Value, f.Type)
			}
		}
	}
}

// variable notes what a variable may send: what was recorded, and anything of its type where not all was.
func (u *uses) variable(v *ast.VariableDefinition, op *Operation) {
	u.place(v.Directives, ast.LocationVariableDefinition)
	u.types[v.Type.Name()] = true
	if v.DefaultValue != nil {
		u.value(v.DefaultValue, v.Type)
	}
	for _, values := range op.Variables {
		u.recorded(values[v.Variable], v.Type.Name())
	}
	if op.VariablesUnknown || len(op.Variables) == 0 {
		u.anything(v.Type.Name(), !v.Type.NonNull || v.Type.Elem != nil, map[string]bool{})
	}
}

func (u *uses) recorded(value any, typeName string) {
	def := u.schema.Types[typeName]
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			u.recorded(one, typeName)
		}
	case string:
		if def != nil && def.Kind == ast.Enum {
			u.enums[typeName+"."+value] = yes
		}
	case map[string]any:
		if def == nil || def.Kind != ast.InputObject {
			return
		}
		u.objects[typeName] = append(u.objects[typeName], object{u: u, recorded: value})
		for name, one := range value {
			if f := def.Fields.ForName(name); f != nil {
				u.recorded(one, f.Type.Name())
			}
		}
	}
}

// anything notes that any value of an input type may be sent.
func (u *uses) anything(typeName string, unsure bool, seen map[string]bool) {
	def := u.schema.Types[typeName]
	if def == nil || seen[typeName] {
		return
	}
	seen[typeName] = true
	switch def.Kind {
	case ast.Enum:
		u.anyEnum[typeName] = true
	case ast.InputObject:
		u.objects[typeName] = append(u.objects[typeName], object{u: u, unsure: unsure})
		for _, f := range def.Fields {
			u.anything(f.Type.Name(), true, seen)
		}
	}
}

func (u *uses) sendsEnum(enum, value string) verdict {
	return max(u.enums[enum+"."+value], possibly(u.anyEnum[enum]))
}

// sendsObject is the worst that holds says of the objects of a type that the operation sends.
func (u *uses) sendsObject(typeName string, holds func(object) verdict) verdict {
	worst := no
	for _, o := range u.objects[typeName] {
		v := holds(o)
		if o.unsure {
			v = min(v, perhaps)
		}
		worst = max(worst, v)
	}
	return worst
}

// placed says whether a directive is used at a location.
func (u *uses) placed(directive string, l ast.DirectiveLocation) verdict {
	for _, c := range u.directives[directive] {
		if c.location == l {
			return yes
		}
	}
	return no
}

func (o object) has(field string) verdict {
	switch {
	case o.literal != nil:
		return certainly(o.literal.Children.ForName(field) != nil)
	case o.recorded != nil:
		_, sent := o.recorded[field]
		return certainly(sent)
	}
	return perhaps
}

func (o object) lacks(field string) verdict {
	if v := o.has(field); v != perhaps {
		return yes - v
	}
	return perhaps
}

func (o object) notOne() verdict {
	switch {
	case o.literal != nil:
		if len(o.literal.Children) != 1 {
			return yes
		}
		only := o.literal.Children[0].Value
		variable := o.u.variables.ForName(only.Raw)
		return certainly(only.Kind == ast.NullValue || only.Kind == ast.Variable && (variable == nil || !variable.Type.NonNull))
	case o.recorded != nil:
		if len(o.recorded) != 1 {
			return yes
		}
		for _, v := range o.recorded {
			return certainly(v == nil)
		}
	}
	return perhaps
}

// refused says whether what the object has in a field is no longer taken there.
func (o object) refused(after *ast.Schema, field string, is *ast.FieldDefinition) verdict {
	if o.literal != nil {
		if v := o.literal.Children.ForName(field); v != nil {
			return o.u.refused(after, v, is.Type, is.DefaultValue != nil)
		}
		return no
	}
	if o.recorded != nil {
		if v, sent := o.recorded[field]; sent {
			return recordedRefused(after, v, is.Type)
		}
		return no
	}
	return perhaps
}
