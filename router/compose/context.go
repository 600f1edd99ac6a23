package compose

import (
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// contextual is what @fromContext says of one argument: where its value comes from.
type contextual struct {
	arg       *ast.ArgumentDefinition
	context   string
	selection string // as written after the context's name
	set       ast.SelectionSet
}

var contextReference = regexp.MustCompile(`(?s)^\s*\$([A-Za-z_][A-Za-z0-9_]*)(.*)$`)

// contextuals lists the arguments of a field that its subgraph takes from a context. Those that do not parse are left out; the checks
// report them.
func contextuals(f *ast.FieldDefinition) []contextual {
	var out []contextual
	for _, a := range f.Arguments {
		if d := a.Directives.ForName(dirFromContext); d != nil {
			if c, err := parseContextual(a, d); err == nil && c.context != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// parseContextual reads "$name selection", where the selection is in braces or made of fragments.
func parseContextual(a *ast.ArgumentDefinition, d *ast.Directive) (contextual, error) {
	c := contextual{arg: a}
	m := contextReference.FindStringSubmatch(stringArg(d, "field"))
	if m == nil {
		return c, nil
	}
	c.context, c.selection = m[1], m[2]
	text := strings.TrimSpace(c.selection)
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		text = text[1 : len(text)-1]
	}
	var err error
	c.set, err = federation.ParseFieldSet(text)
	return c, err
}

// contextName is the name of a context in the supergraph, where subgraphs must not meet.
func (s *subgraph) contextName(name string) string { return s.name + "__" + name }

// settersOf lists the types that set the context.
func (s *subgraph) settersOf(context string) []*ast.Definition {
	var out []*ast.Definition
	s.types(func(def *ast.Definition) {
		if slices.ContainsFunc(def.Directives.ForNames(dirContext), func(d *ast.Directive) bool { return stringArg(d, "name") == context }) {
			out = append(out, def)
		}
	})
	return out
}

var contextNamePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

func (s *subgraph) checkContexts(r *report) {
	for _, name := range sortedKeys(s.schema.Directives) {
		for _, a := range s.schema.Directives[name].Arguments {
			if a.Directives.ForName(dirFromContext) != nil {
				r.fail(ContextNotSet, s.at(a.Position), "[%s] @fromContext cannot be used on @%s(%s:), the argument of a directive", s.name, name, a.Name)
			}
		}
	}
	s.types(func(def *ast.Definition) {
		for _, d := range def.Directives.ForNames(dirContext) {
			if name := stringArg(d, "name"); !contextNamePattern.MatchString(name) {
				r.fail(ContextNameInvalid, s.at(d.Position), "[%s] context name %q of type %q may have letters and digits only", s.name, name, def.Name)
			}
		}
		needsKey := false
		for _, f := range def.Fields {
			for _, a := range f.Arguments {
				if d := a.Directives.ForName(dirFromContext); d != nil {
					needsKey = true
					s.checkContextual(def, f, a, d, r)
				}
			}
		}
		if needsKey && def.Kind == ast.Object && !slices.ContainsFunc(def.Directives.ForNames(dirKey), resolvable) {
			r.fail(ContextNoResolvableKey, s.at(def.Position), "[%s] type %q takes an argument from a context, so it needs a resolvable @key", s.name, def.Name)
		}
	})
}

func (s *subgraph) checkContextual(def *ast.Definition, f *ast.FieldDefinition, a *ast.ArgumentDefinition, d *ast.Directive, r *report) {
	where := def.Name + "." + f.Name + "(" + a.Name + ":)"
	fail := func(code Code, format string, args ...any) {
		r.fail(code, s.at(d.Position), "[%s] @fromContext of "+where+": "+format, append([]any{s.name}, args...)...)
	}
	for _, name := range def.Interfaces {
		if iface := s.has(name); iface != nil && iface.Fields.ForName(f.Name) != nil {
			fail(ContextNotSet, "the field implements %s.%s, and interfaces cannot have arguments from a context", name, f.Name)
			return
		}
	}
	c, err := parseContextual(a, d)
	switch setters := s.settersOf(c.context); {
	case def.Kind == ast.Interface:
		fail(ContextNotSet, "the field belongs to an abstract type")
	case a.DefaultValue != nil:
		fail(ContextNotSet, "an argument from a context may not have a default")
	case c.context == "":
		fail(NoContextInSelection, "%q does not start with the name of a context such as $name", stringArg(d, "field"))
	case len(setters) == 0:
		fail(ContextNotSet, "no type sets context %q", c.context)
	case err != nil:
		fail(ContextInvalidSelection, "%s", err)
	default:
		for _, setter := range setters {
			if problem := s.contextProblem(c, setter); problem != "" {
				fail(ContextInvalidSelection, "%s", problem)
				return
			}
		}
	}
}

// contextProblem says why the selection does not give the argument one value at the type that sets the context; "" when it does.
func (s *subgraph) contextProblem(c contextual, setter *ast.Definition) string {
	if _, plain := c.set[0].(*ast.Field); plain {
		return s.pathProblem(c, setter, c.set, nil)
	}
	matched := false
	for _, sel := range c.set {
		fragment, ok := sel.(*ast.InlineFragment)
		if !ok || fragment.TypeCondition == "" || s.has(fragment.TypeCondition) == nil {
			return "it must be one field, or fragments on known types with one field each"
		}
		on := s.has(fragment.TypeCondition)
		if !s.overlap(on, setter) {
			continue
		}
		matched = true
		if problem := s.pathProblem(c, on, fragment.SelectionSet, nil); problem != "" {
			return problem
		}
	}
	if !matched {
		return "no type condition matches " + setter.Name + ", which sets the context"
	}
	return ""
}

func (s *subgraph) overlap(a, b *ast.Definition) bool {
	return slices.ContainsFunc(s.schema.GetPossibleTypes(a), func(t *ast.Definition) bool { return slices.Contains(s.schema.GetPossibleTypes(b), t) })
}

// pathProblem follows one field after the other to a leaf. The value may always be missing, so its type is taken as nullable.
func (s *subgraph) pathProblem(c contextual, on *ast.Definition, set ast.SelectionSet, wrap []bool) string {
	field, ok := set[0].(*ast.Field)
	if len(set) != 1 || !ok {
		return "it selects more than one field"
	}
	if len(field.Directives) > 0 {
		return "directives are not allowed in it"
	}
	f := on.Fields.ForName(field.Name)
	if f == nil {
		return "type " + on.Name + " has no field " + field.Name
	}
	target := s.has(f.Type.Name())
	switch {
	case target.IsCompositeType() && len(field.SelectionSet) > 0:
		if f.Type.Elem != nil {
			wrap = append(wrap, true)
		}
		return s.pathProblem(c, target, field.SelectionSet, wrap)
	case target.IsCompositeType() || len(field.SelectionSet) > 0:
		return "it must end with a field that has no fields of its own"
	}
	typ := *f.Type
	typ.NonNull = false
	got := &typ
	for range wrap {
		got = ast.ListType(got, nil)
	}
	if !isNonNullSubtype(got, c.arg.Type) {
		return "its type " + got.String() + " does not go with the argument's type " + c.arg.Type.String()
	}
	return ""
}

// mergeContexts tells the contexts that a type sets, each under the name of its subgraph.
func mergeContexts(parts []part) ast.DirectiveList {
	var out ast.DirectiveList
	for _, p := range parts {
		for _, d := range p.def.Directives.ForNames(dirContext) {
			out = append(out, &ast.Directive{Name: "context", Arguments: ast.ArgumentList{stringArgument("name", p.sub.contextName(stringArg(d, "name")))}})
		}
	}
	return out
}

// contextArguments is the argument of @join__field that says what the router puts into the subgraph's arguments.
func (p fieldPart) contextArguments() *ast.Argument {
	list := &ast.Value{Kind: ast.ListValue}
	for _, c := range contextuals(p.field) {
		one := &ast.Value{Kind: ast.ObjectValue}
		for _, pair := range [][2]string{{"context", p.sub.contextName(c.context)}, {"name", c.arg.Name}, {"type", c.arg.Type.String()}, {"selection", c.selection}} {
			one.Children = append(one.Children, &ast.ChildValue{Name: pair[0], Value: &ast.Value{Kind: ast.StringValue, Raw: pair[1]}})
		}
		list.Children = append(list.Children, &ast.ChildValue{Value: one})
	}
	if len(list.Children) == 0 {
		return nil
	}
	return &ast.Argument{Name: "contextArguments", Value: list}
}

// dropContextual decides on an argument that some subgraphs take from a context: clients never see it. A subgraph that wants it from
// clients all the same goes without, unless it cannot.
func (m *merger) dropContextual(where string, parts []inputPart) bool {
	var from, plain, need []inputPart
	for _, p := range parts {
		switch {
		case p.dirs.ForName(dirFromContext) != nil:
			from = append(from, p)
		case p.required():
			need = append(need, p)
		default:
			plain = append(plain, p)
		}
	}
	if len(from) == 0 {
		return false
	}
	if len(need) > 0 {
		m.r.fail(ContextualNotEverywhere, inputSites(parts), "%s comes from a context in %s but is required of clients in %s", where,
			subgraphNames(inputNames(from)), subgraphNames(inputNames(need)))
	} else if len(plain) > 0 {
		m.r.hint(ContextualNotEverywhere, inputSites(parts), "%s is left out of the supergraph: it comes from a context in %s but not in %s", where,
			subgraphNames(inputNames(from)), subgraphNames(inputNames(plain)))
	}
	return true
}

func inputNames(parts []inputPart) []string { return siteNames(inputSites(parts)) }
