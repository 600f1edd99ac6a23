package compose

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// CheckVisible refuses what would leave the API broken when the elements that carry the directive are taken out of it. fail hears of
// each fault, with the type that it is in and its coordinate.
func CheckVisible(types map[string]*ast.Definition, order []string, query, directive string, fail func(code Code, typeName, coordinate, message string)) {
	v := visibility{types, directive, fail}
	for _, name := range order {
		v.check(types[name])
	}
	v.checkQuery(query)
}

// visibility is a schema some elements of which a directive hides.
type visibility struct {
	types     map[string]*ast.Definition
	directive string // without @
	fail      func(code Code, typeName, coordinate, message string)
}

func (v *visibility) hidden(dirs ast.DirectiveList) bool { return dirs.ForName(v.directive) != nil }

func (v *visibility) refuse(code Code, typeName, coordinate, format string, args ...any) {
	v.fail(code, typeName, coordinate, fmt.Sprintf(format, args...))
}

func (v *visibility) checkQuery(name string) {
	if q := v.types[name]; q != nil && v.hidden(q.Directives) {
		v.refuse(QueryRootTypeInaccessible, name, name, "the query root type is @%s but every API needs one", v.directive)
	}
}

// check refuses visible elements of a type that would be broken when hidden ones are taken out of the API.
func (v *visibility) check(def *ast.Definition) {
	if v.hidden(def.Directives) {
		return
	}
	children, visible := len(def.Fields)+len(def.EnumValues)+len(def.Types), 0
	for _, f := range def.Fields {
		coordinate := def.Name + "." + f.Name
		if v.hidden(f.Directives) {
			if def.Kind == ast.InputObject && f.Type.NonNull && f.DefaultValue == nil {
				v.refuse(RequiredInaccessible, def.Name, coordinate, "%s is @%s but required", coordinate, v.directive)
			}
			v.checkImplementation(def, f)
			continue
		}
		visible++
		v.checkReference(f.Type, def.Name, coordinate)
		v.checkDefault(f.Type, f.DefaultValue, def.Name, coordinate)
		for _, a := range f.Arguments {
			coordinate := coordinate + "(" + a.Name + ":)"
			if !v.hidden(a.Directives) {
				v.checkReference(a.Type, def.Name, coordinate)
				v.checkDefault(a.Type, a.DefaultValue, def.Name, coordinate)
			} else if a.Type.NonNull && a.DefaultValue == nil {
				v.refuse(RequiredInaccessible, def.Name, coordinate, "argument %s is @%s but required", coordinate, v.directive)
			}
		}
	}
	for _, value := range def.EnumValues {
		if !v.hidden(value.Directives) {
			visible++
		}
	}
	for _, name := range def.Types {
		if t := v.types[name]; t != nil && !v.hidden(t.Directives) {
			visible++
		}
	}
	if children > 0 && visible == 0 {
		v.refuse(OnlyInaccessibleChildren, def.Name, def.Name, "%s %q is visible but everything in it is @%s", kindWord(def.Kind), def.Name, v.directive)
	}
}

func (v *visibility) checkReference(t *ast.Type, typeName, coordinate string) {
	if target := v.types[t.Name()]; target != nil && v.hidden(target.Directives) {
		v.refuse(ReferencedInaccessible, typeName, coordinate, "type %q is @%s but %s, which is visible, is of that type", target.Name, v.directive, coordinate)
	}
}

// checkImplementation refuses to hide a field that a visible interface promises.
func (v *visibility) checkImplementation(def *ast.Definition, f *ast.FieldDefinition) {
	for _, name := range def.Interfaces {
		iface := v.types[name]
		if iface == nil || v.hidden(iface.Directives) {
			continue
		}
		if promised := iface.Fields.ForName(f.Name); promised != nil && !v.hidden(promised.Directives) {
			v.refuse(ImplementedByInaccessible, def.Name, def.Name+"."+f.Name,
				"%s.%s is @%s but implements %s.%s, which is visible", def.Name, f.Name, v.directive, name, f.Name)
		}
	}
}

func (v *visibility) checkDefault(t *ast.Type, value *ast.Value, typeName, coordinate string) {
	if value == nil {
		return
	}
	target := v.types[t.Name()]
	switch {
	case target == nil:
	case value.Kind == ast.ListValue:
		for _, c := range value.Children {
			v.checkDefault(t, c.Value, typeName, coordinate)
		}
	case value.Kind == ast.EnumValue:
		if one := target.EnumValues.ForName(value.Raw); one != nil && v.hidden(one.Directives) {
			v.refuse(DefaultValueUsesInaccessible, typeName, coordinate,
				"%s is visible but its default uses %s.%s, which is @%s", coordinate, target.Name, value.Raw, v.directive)
		}
	case value.Kind == ast.ObjectValue:
		for _, c := range value.Children {
			f := target.Fields.ForName(c.Name)
			if f == nil {
				continue
			}
			if v.hidden(f.Directives) {
				v.refuse(DefaultValueUsesInaccessible, typeName, coordinate,
					"%s is visible but its default uses %s.%s, which is @%s", coordinate, target.Name, c.Name, v.directive)
			}
			v.checkDefault(f.Type, c.Value, typeName, coordinate)
		}
	}
}
