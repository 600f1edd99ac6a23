package compose

import (
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkCost looks at what @cost and @listSize are applied to.
func (s *subgraph) checkCost(def *ast.Definition, f *ast.FieldDefinition, r *report) {
	if d := f.Directives.ForName(dirCost); d != nil && def.Kind == ast.Interface {
		r.fail(CostOnInterfaceField, s.at(d.Position), "[%s] @cost has no meaning on the interface field %s.%s: what it costs depends on the type", s.name, def.Name, f.Name)
	}
	d := f.Directives.ForName(dirListSize)
	if d == nil {
		return
	}
	where := def.Name + "." + f.Name
	fail := func(code Code, format string, args ...any) {
		r.fail(code, s.at(d.Position), "[%s] @listSize of "+where+": "+format, append([]any{s.name}, args...)...)
	}
	sized := stringList(d, "sizedFields")
	if f.Type.Elem == nil && len(sized) == 0 {
		fail(ListSizeNotOnList, "the field is not a list")
	}
	if a := d.Arguments.ForName("assumedSize"); a != nil && a.Value.Kind == ast.IntValue {
		if n, err := strconv.Atoi(a.Value.Raw); err != nil || n < 0 {
			fail(ListSizeInvalidAssumed, "assumedSize must not be negative")
		}
	}
	for _, name := range stringList(d, "slicingArguments") {
		switch arg := f.Arguments.ForName(name); {
		case arg == nil:
			fail(ListSizeInvalidSlicing, "slicing argument %q is no argument of the field", name)
		case arg.Type.NamedType != "Int":
			fail(ListSizeInvalidSlicing, "slicing argument %q must be Int or Int!", name)
		}
	}
	target := s.has(f.Type.Name())
	for _, name := range sized {
		switch inner := target.Fields.ForName(name); {
		case inner == nil:
			fail(ListSizeInvalidSized, "sized field %q is no field of type %q", name, target.Name)
		case inner.Type.Elem == nil:
			fail(ListSizeNotOnList, "sized field %s.%s is not a list", target.Name, name)
		}
	}
}

func stringList(d *ast.Directive, name string) []string {
	var out []string
	if a := d.Arguments.ForName(name); a != nil {
		if a.Value.Kind == ast.StringValue {
			return []string{a.Value.Raw}
		}
		for _, c := range a.Value.Children {
			out = append(out, c.Value.Raw)
		}
	}
	return out
}

// mergeCost takes the highest weight: an estimate that is too low protects nobody.
func (m *merger) mergeCost(coordinate string, all []applied) ast.DirectiveList {
	uses := applications(all, dirCost)
	if len(uses) == 0 {
		return nil
	}
	best := 0
	for i, u := range uses {
		if weight := intArg(u.dir, "weight"); i == 0 || weight > best {
			best = weight
		}
	}
	return ast.DirectiveList{m.mergedUse("cost", coordinate, uses, ast.ArgumentList{intArgument("weight", best)})}
}

// mergeListSize takes the largest assumed size, every slicing argument and sized field, and insists on one slicing argument only where all do.
func (m *merger) mergeListSize(coordinate string, all []applied) ast.DirectiveList {
	uses := applications(all, dirListSize)
	if len(uses) == 0 {
		return nil
	}
	var args ast.ArgumentList
	assumed := -1
	lists := map[string][]string{}
	given := map[string]bool{}
	one := true
	for _, u := range uses {
		for _, a := range u.dir.Arguments {
			given[a.Name] = given[a.Name] || a.Value.Kind != ast.NullValue
		}
		assumed = max(assumed, intArg(u.dir, "assumedSize"))
		for _, name := range []string{"slicingArguments", "sizedFields"} {
			for _, v := range stringList(u.dir, name) {
				if !slices.Contains(lists[name], v) {
					lists[name] = append(lists[name], v)
				}
			}
		}
		if a := u.dir.Arguments.ForName("requireOneSlicingArgument"); a != nil && a.Value.Raw == "false" {
			one = false
		}
	}
	if given["assumedSize"] {
		args = append(args, intArgument("assumedSize", assumed))
	}
	for _, name := range []string{"slicingArguments", "sizedFields"} {
		if given[name] {
			args = append(args, stringsArgument(name, lists[name]))
		}
	}
	if given["requireOneSlicingArgument"] || differ(uses) {
		args = append(args, boolArgument("requireOneSlicingArgument", one))
	}
	return ast.DirectiveList{m.mergedUse("listSize", coordinate, uses, args)}
}

// mergedUse applies a directive whose arguments were merged by a rule of its own, and hints at it when there was something to merge.
func (m *merger) mergedUse(name, coordinate string, uses []application, args ast.ArgumentList) *ast.Directive {
	merged := &ast.Directive{Name: name, Arguments: args}
	if differ(uses) {
		var sites []site
		for _, u := range uses {
			sites = append(sites, site{u.sub, u.dir.Position})
		}
		m.r.hint(MergedDirectiveArguments, sites, "@%s on %s has different arguments in %s; merged they are (%s)",
			name, coordinate, subgraphNames(siteNames(sites)), argumentsText(merged.Arguments))
	}
	return merged
}

// differ reports whether the applications are not all the same.
func differ(uses []application) bool {
	return slices.ContainsFunc(uses, func(u application) bool {
		return argumentsText(u.dir.Arguments) != argumentsText(uses[0].dir.Arguments)
	})
}

func intArg(d *ast.Directive, name string) int {
	if a := d.Arguments.ForName(name); a != nil {
		if n, err := strconv.Atoi(a.Value.Raw); err == nil {
			return n
		}
	}
	return -1
}

func intArgument(name string, value int) *ast.Argument {
	return &ast.Argument{Name: name, Value: &ast.Value{Kind: ast.IntValue, Raw: strconv.Itoa(value)}}
}

func stringsArgument(name string, values []string) *ast.Argument {
	list := &ast.Value{Kind: ast.ListValue}
	for _, v := range values {
		list.Children = append(list.Children, &ast.ChildValue{Value: &ast.Value{Kind: ast.StringValue, Raw: v}})
	}
	return &ast.Argument{Name: name, Value: list}
}
