package check

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// argumentCodes are the codes for what changes in arguments: fields and directives have their own.
type argumentCodes struct {
	removed, optional, required, typed, nullable, becameRequired, defaulted Code
}

var (
	fieldArguments     = argumentCodes{ArgRemoved, OptionalArgAdded, RequiredArgAdded, ArgTypeChanged, ArgBecameNullable, ArgBecameRequired, ArgDefaultChanged}
	directiveArguments = argumentCodes{DirectiveArgRemoved, OptionalDirectiveArg, RequiredDirectiveArg, DirectiveArgTypeChanged, DirectiveArgNullable, DirectiveArgRequired, DirectiveArgDefault}
)

// arguments compares what calls of a field or directive may pass.
func (c *comparison) arguments(before, after ast.ArgumentDefinitionList, codes argumentCodes, coordinate func(string) string, calls func(*uses) []call) {
	for _, a := range before {
		where, is := coordinate(a.Name), after.ForName(a.Name)
		passing := anyCall(calls, func(one call) bool { return one.args[a.Name] != nil })
		omitting := anyCall(calls, func(one call) bool { return one.args[a.Name] == nil })
		if is == nil {
			c.add(codes.removed, where, passing, "argument %s was removed", where)
			continue
		}
		c.argumentType(where, a, is, codes, calls, omitting)
		if was, now := defaultOf(a.DefaultValue), defaultOf(is.DefaultValue); was != now && required(a.Type, a.DefaultValue) == required(is.Type, is.DefaultValue) {
			c.add(codes.defaulted, where, omitting, "the default of %s was %s and is %s", where, orNone(was), orNone(now))
		}
		c.described(where, a.Description, is.Description)
		c.applied(where, a.Directives, is.Directives)
	}
	for _, a := range after {
		where := coordinate(a.Name)
		switch {
		case before.ForName(a.Name) != nil:
		case required(a.Type, a.DefaultValue):
			c.add(codes.required, where, anyCall(calls, func(call) bool { return true }), "argument %s is new and required", where)
		default:
			c.add(codes.optional, where, nil, "argument %s is new", where)
		}
	}
}

func (c *comparison) argumentType(where string, was, is *ast.ArgumentDefinition, codes argumentCodes, calls func(*uses) []call, omitting func(*uses) verdict) {
	refused := func(u *uses) verdict {
		worst := no
		for _, one := range calls(u) {
			if v := one.args[was.Name]; v != nil {
				worst = max(worst, u.refused(c.after, v, is.Type, is.DefaultValue != nil))
			}
		}
		return worst
	}
	becameRequired := !required(was.Type, was.DefaultValue) && required(is.Type, is.DefaultValue)
	switch {
	case becameRequired && sameButNulls(was.Type, is.Type):
		c.add(codes.becameRequired, where, func(u *uses) verdict { return max(omitting(u), refused(u)) }, "argument %s was optional and is required", where)
	case was.Type.String() == is.Type.String():
	case relaxes(was.Type, is.Type):
		c.add(codes.nullable, where, nil, "argument %s was %s and is %s", where, was.Type, is.Type)
	case becameRequired:
		c.add(codes.typed, where, func(u *uses) verdict { return max(omitting(u), refused(u)) }, "argument %s was %s and is %s, and required", where, was.Type, is.Type)
	default:
		c.add(codes.typed, where, refused, "argument %s was %s and is %s", where, was.Type, is.Type)
	}
}

func anyCall(calls func(*uses) []call, holds func(call) bool) func(*uses) verdict {
	return func(u *uses) verdict {
		for _, one := range calls(u) {
			if holds(one) {
				return yes
			}
		}
		return no
	}
}

// inputFields compares the fields of input objects.
func (c *comparison) inputFields(before, after *ast.Definition) {
	sends := func(holds func(object) verdict) func(*uses) verdict {
		return func(u *uses) verdict { return u.sendsObject(before.Name, holds) }
	}
	for _, f := range before.Fields {
		where, is := before.Name+"."+f.Name, after.Fields.ForName(f.Name)
		with := func(o object) verdict { return o.has(f.Name) }
		without := func(o object) verdict { return o.lacks(f.Name) }
		if is == nil {
			c.add(InputFieldRemoved, where, sends(with), "input field %s was removed%s", where, deprecatedBefore(f.Directives))
			continue
		}
		refused := func(o object) verdict { return o.refused(c.after, f.Name, is) }
		becameRequired := !required(f.Type, f.DefaultValue) && required(is.Type, is.DefaultValue)
		switch {
		case becameRequired && sameButNulls(f.Type, is.Type):
			c.add(InputFieldBecameRequired, where, sends(func(o object) verdict { return max(without(o), refused(o)) }), "input field %s was optional and is required", where)
		case f.Type.String() == is.Type.String():
		case relaxes(f.Type, is.Type):
			c.add(InputFieldBecameNullable, where, nil, "input field %s was %s and is %s", where, f.Type, is.Type)
		case becameRequired:
			c.add(InputFieldTypeChanged, where, sends(func(o object) verdict { return max(without(o), refused(o)) }), "input field %s was %s and is %s, and required", where, f.Type, is.Type)
		default:
			c.add(InputFieldTypeChanged, where, sends(refused), "input field %s was %s and is %s", where, f.Type, is.Type)
		}
		if was, now := defaultOf(f.DefaultValue), defaultOf(is.DefaultValue); was != now && required(f.Type, f.DefaultValue) == required(is.Type, is.DefaultValue) {
			c.add(InputFieldDefaultChanged, where, sends(without), "the default of %s was %s and is %s", where, orNone(was), orNone(now))
		}
		c.described(where, f.Description, is.Description)
		c.applied(where, f.Directives, is.Directives)
	}
	for _, f := range after.Fields {
		where := before.Name + "." + f.Name
		switch {
		case before.Fields.ForName(f.Name) != nil:
		case required(f.Type, f.DefaultValue):
			c.add(RequiredInputFieldAdded, where, sends(func(object) verdict { return yes }), "input field %s is new and required", where)
		default:
			c.add(OptionalInputFieldAdded, where, nil, "input field %s is new", where)
		}
	}
}

func (c *comparison) directives(name string) {
	before, after := c.before.Directives[name], c.after.Directives[name]
	coordinate := "@" + name
	used := func(u *uses) verdict { return certainly(len(u.directives[name]) > 0) }
	switch {
	case before == nil && builtIn(after), after == nil && builtIn(before), before != nil && builtIn(before):
		return
	case before == nil:
		c.add(DirectiveAdded, coordinate, nil, "directive @%s is new", name)
		return
	case after == nil:
		if !executable(before) {
			c.add(AppliedDirectiveChanged, coordinate, nil, "directive @%s, which operations could not use, was removed", name)
			return
		}
		c.add(DirectiveRemoved, coordinate, used, "directive @%s was removed", name)
		return
	}
	c.described(coordinate, before.Description, after.Description)
	if !executable(before) && !executable(after) {
		return // clients neither write nor read them
	}
	for _, l := range before.Locations {
		if executableLocations[l] && !contains(after.Locations, l) {
			c.add(DirectiveLocationRemoved, coordinate, func(u *uses) verdict { return u.placed(name, l) }, "directive @%s can no longer stand on %s", name, l)
		}
	}
	for _, l := range after.Locations {
		if executableLocations[l] && !contains(before.Locations, l) {
			c.add(DirectiveLocationAdded, coordinate, nil, "directive @%s can stand on %s now", name, l)
		}
	}
	switch {
	case before.IsRepeatable && !after.IsRepeatable:
		c.add(DirectiveNotRepeatable, coordinate, func(u *uses) verdict { return certainly(u.repeated[name]) }, "directive @%s can no longer be repeated", name)
	case !before.IsRepeatable && after.IsRepeatable:
		c.add(DirectiveRepeatable, coordinate, nil, "directive @%s can be repeated now", name)
	}
	c.arguments(before.Arguments, after.Arguments, directiveArguments, func(arg string) string { return coordinate + "(" + arg + ":)" },
		func(u *uses) []call { return u.directives[name] })
}
