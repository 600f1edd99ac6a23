package check

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Compare lists what changed from one schema to the other, what matters most first.
func Compare(before, after *ast.Schema) []*Change {
	c := &comparison{before: before, after: after, read: outputTypes(after)}
	c.roots()
	for _, name := range names(before.Types, after.Types) {
		c.types(name)
	}
	for _, name := range names(before.Directives, after.Directives) {
		c.directives(name)
	}
	sortChanges(c.changes)
	return c.changes
}

type comparison struct {
	before, after *ast.Schema
	read          map[string]bool // types that answers may hold values of, in the newer schema
	changes       []*Change
}

func (c *comparison) add(code Code, coordinate string, hits func(*uses) verdict, format string, args ...any) {
	c.changes = append(c.changes, &Change{
		Code: code, Severity: severities[code], Coordinate: coordinate, Message: fmt.Sprintf(format, args...), Operations: []Use{}, hits: hits,
	})
}

func (c *comparison) roots() {
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		before, after := root(c.before, op), root(c.after, op)
		ofKind := func(u *uses) verdict { return certainly(u.kind == op) }
		switch {
		case before == nil && after == nil:
		case before == nil:
			c.add(RootTypeAdded, after.Name, nil, "the schema has a %s type", op)
		case after == nil:
			c.add(RootTypeRemoved, before.Name, ofKind, "the schema no longer has a %s type", op)
		case before.Name != after.Name:
			c.add(RootTypeChanged, before.Name, ofKind, "the %s type was %s and is %s", op, before.Name, after.Name)
			c.fields(before, after)
		}
	}
}

// renamedRoot says whether a root type of the older schema is another in the newer.
func (c *comparison) renamedRoot(name string) bool {
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		before, after := root(c.before, op), root(c.after, op)
		if before != nil && after != nil && before.Name == name && after.Name != name {
			return true
		}
	}
	return false
}

func root(s *ast.Schema, op ast.Operation) *ast.Definition {
	switch op {
	case ast.Query:
		return s.Query
	case ast.Mutation:
		return s.Mutation
	default:
		return s.Subscription
	}
}

func (c *comparison) types(name string) {
	before, after := c.before.Types[name], c.after.Types[name]
	named := func(u *uses) verdict { return certainly(u.types[name]) }
	if c.renamedRoot(name) { // operations start from the root without naming it
		named = func(u *uses) verdict {
			return certainly(slices.ContainsFunc(u.spreads, func(s spread) bool { return s.on == name }))
		}
	}
	switch {
	case before == nil && after.BuiltIn, after == nil && before.BuiltIn, before != nil && before.BuiltIn:
	case before == nil:
		c.add(TypeAdded, name, nil, "%s %s is new", kindWord(after.Kind), name)
	case after == nil:
		c.add(TypeRemoved, name, named, "%s %s was removed", kindWord(before.Kind), name)
	case before.Kind != after.Kind:
		c.add(TypeKindChanged, name, named, "%s was %s and is %s", name, article(before.Kind), article(after.Kind))
	default:
		c.sameKind(before, after)
	}
}

func (c *comparison) sameKind(before, after *ast.Definition) {
	c.described(before.Name, before.Description, after.Description)
	c.applied(before.Name, before.Directives, after.Directives)
	switch before.Kind {
	case ast.Object, ast.Interface:
		c.interfaces(before, after)
		c.fields(before, after)
	case ast.Union:
		c.members(before, after)
	case ast.Enum:
		c.values(before, after)
	case ast.InputObject:
		c.inputFields(before, after)
		c.oneOf(before, after)
	case ast.Scalar:
		if was, is := argumentOf(before.Directives, "specifiedBy", "url"), argumentOf(after.Directives, "specifiedBy", "url"); was != is {
			c.add(SpecifiedByChanged, before.Name, func(u *uses) verdict { return certainly(u.types[before.Name] || u.returns[before.Name]) },
				"the specification of %s was %q and is %q", before.Name, was, is)
		}
	}
}

func (c *comparison) interfaces(before, after *ast.Definition) {
	for _, name := range before.Interfaces {
		if !slices.Contains(after.Interfaces, name) {
			c.add(InterfaceRemoved, before.Name, c.lost(name, before.Name), "%s no longer implements %s", before.Name, name)
		}
	}
	for _, name := range after.Interfaces {
		if !slices.Contains(before.Interfaces, name) {
			c.add(InterfaceAdded, before.Name, onto(name), "%s implements %s now", before.Name, name)
		}
	}
}

func (c *comparison) members(before, after *ast.Definition) {
	for _, name := range before.Types {
		if !slices.Contains(after.Types, name) {
			c.add(UnionMemberRemoved, before.Name, c.lost(before.Name, name), "%s is no longer a member of %s", name, before.Name)
		}
	}
	for _, name := range after.Types {
		if !slices.Contains(before.Types, name) {
			c.add(UnionMemberAdded, before.Name, onto(before.Name), "%s is a member of %s now", name, before.Name)
		}
	}
}

// lost breaks operations with a fragment that could apply only because member was an abstract type's.
func (c *comparison) lost(abstract, member string) func(*uses) verdict {
	return func(u *uses) verdict {
		for _, s := range u.spreads {
			concerns := s.parent == abstract || s.on == abstract || s.parent == member || s.on == member
			if concerns && overlap(c.before, s.parent, s.on) && !overlap(c.after, s.parent, s.on) {
				return yes
			}
		}
		return no
	}
}

// onto concerns operations that select on an abstract type: they may meet a type that they do not expect.
func onto(abstract string) func(*uses) verdict {
	return func(u *uses) verdict { return certainly(u.parents[abstract]) }
}

func (c *comparison) values(before, after *ast.Definition) {
	for _, v := range before.EnumValues {
		coordinate := before.Name + "." + v.Name
		is := after.EnumValues.ForName(v.Name)
		if is == nil {
			c.add(EnumValueRemoved, coordinate, func(u *uses) verdict { return u.sendsEnum(before.Name, v.Name) }, "value %s of %s was removed", v.Name, before.Name)
			continue
		}
		c.described(coordinate, v.Description, is.Description)
		c.applied(coordinate, v.Directives, is.Directives)
	}
	for _, v := range after.EnumValues {
		switch coordinate := before.Name + "." + v.Name; {
		case before.EnumValues.ForName(v.Name) != nil:
		case c.read[before.Name]:
			c.add(EnumValueAdded, coordinate, func(u *uses) verdict { return certainly(u.returns[before.Name]) },
				"value %s of %s is new: answers may hold it", v.Name, before.Name)
		default:
			c.add(InputEnumValueAdded, coordinate, nil, "value %s of %s is new", v.Name, before.Name)
		}
	}
}

func (c *comparison) oneOf(before, after *ast.Definition) {
	was, is := before.Directives.ForName("oneOf") != nil, after.Directives.ForName("oneOf") != nil
	switch {
	case !was && is:
		c.add(OneOfAdded, before.Name, func(u *uses) verdict {
			return u.sendsObject(before.Name, func(o object) verdict { return o.notOne() })
		}, "%s takes exactly one of its fields now", before.Name)
	case was && !is:
		c.add(OneOfRemoved, before.Name, nil, "%s takes any number of its fields now", before.Name)
	}
}

// fields compares the fields of objects and interfaces.
func (c *comparison) fields(before, after *ast.Definition) {
	for _, f := range before.Fields {
		if hiddenField(f) {
			continue
		}
		coordinate := before.Name + "." + f.Name
		selected := func(u *uses) verdict { return certainly(len(u.fields[coordinate]) > 0) }
		is := after.Fields.ForName(f.Name)
		if is == nil {
			c.add(FieldRemoved, coordinate, selected, "field %s was removed%s", coordinate, deprecatedBefore(f.Directives))
			continue
		}
		c.fieldType(coordinate, f.Type, is.Type, selected)
		c.described(coordinate, f.Description, is.Description)
		c.applied(coordinate, f.Directives, is.Directives)
		c.arguments(f.Arguments, is.Arguments, fieldArguments, func(arg string) string { return coordinate + "(" + arg + ":)" },
			func(u *uses) []call { return u.fields[coordinate] })
	}
	for _, f := range after.Fields {
		if before.Fields.ForName(f.Name) == nil && !hiddenField(f) {
			c.add(FieldAdded, before.Name+"."+f.Name, nil, "field %s.%s is new", before.Name, f.Name)
		}
	}
}

func (c *comparison) fieldType(coordinate string, was, is *ast.Type, selected func(*uses) verdict) {
	switch {
	case was.String() == is.String():
	case tightens(was, is):
		// Safe for whoever reads it, but not beside another field under the same response name: see unexplained.
		c.add(FieldBecameNonNull, coordinate, nil, "%s was %s and is %s", coordinate, was, is)
	case sameButNulls(was, is):
		c.add(FieldBecameNullable, coordinate, selected, "%s was %s and is %s: answers may hold null where they did not", coordinate, was, is)
	default:
		c.add(FieldTypeChanged, coordinate, selected, "%s was %s and is %s", coordinate, was, is)
	}
}

func hiddenField(f *ast.FieldDefinition) bool { return len(f.Name) > 1 && f.Name[:2] == "__" }

func deprecatedBefore(dirs ast.DirectiveList) string {
	if dirs.ForName("deprecated") != nil {
		return "; it was deprecated"
	}
	return ""
}
