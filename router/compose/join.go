package compose

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

var notName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// nameGraphs gives each subgraph its value in the join__Graph enum: upper case, other characters made underscores, clashes
// numbered in the order of the subgraphs.
func nameGraphs(subs []*subgraph) {
	count := map[string]int{}
	base := make([]string, len(subs))
	for i, s := range subs {
		name := strings.ToUpper(notName.ReplaceAllString(s.name, "_"))
		if name[0] >= '0' && name[0] <= '9' {
			name = "_" + name
		}
		base[i] = name
		count[name]++
	}
	next := map[string]int{}
	for i, s := range subs {
		s.graph = base[i]
		if count[base[i]] > 1 {
			next[base[i]]++
			s.graph = fmt.Sprintf("%s_%d", base[i], next[base[i]])
		}
	}
}

// joinDirective applies @join__NAME(graph: S, args...).
func joinDirective(name string, s *subgraph, args ...*ast.Argument) *ast.Directive {
	graph := &ast.Argument{Name: "graph", Value: &ast.Value{Kind: ast.EnumValue, Raw: s.graph}}
	return &ast.Directive{Name: "join__" + name, Arguments: append(ast.ArgumentList{graph}, args...)}
}

func stringArgument(name, value string) *ast.Argument {
	return &ast.Argument{Name: name, Value: &ast.Value{Kind: ast.StringValue, Raw: value}}
}

func boolArgument(name string, value bool) *ast.Argument {
	return &ast.Argument{Name: name, Value: &ast.Value{Kind: ast.BooleanValue, Raw: strconv.FormatBool(value)}}
}

// joinMinor is the version of the join specification that the subgraphs need: that of the newest federation which one of them links, or which
// a directive comes from that it links by itself.
func (m *merger) joinMinor() int {
	linked, latest := 0, 0
	for _, s := range m.subs {
		linked = max(linked, s.minor)
	}
	latest = linked
	for _, s := range m.subs {
		for _, l := range s.links {
			for _, d := range ownSpecs[l.name] {
				if l.apollo() && since[d] > latest {
					latest = since[d]
				}
			}
			if latest > linked && l.apollo() && len(ownSpecs[l.name]) > 0 {
				m.r.hint(ImplicitlyUpgraded, []site{{s, l.pos}}, "[%s] %s needs federation v2.%d, which no subgraph links; the supergraph is written for that version", s.name, l.url, latest)
				linked = latest
			}
		}
	}
	switch {
	case latest >= 8:
		return 5
	case latest == 7:
		return 4
	default:
		return 3
	}
}

// joinDefinitions declares the machinery of the join and link specifications at the version in use.
func joinDefinitions(minor int) string {
	var b strings.Builder
	b.WriteString(`
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose {
  """
  ` + "`SECURITY`" + ` features provide metadata necessary to securely resolve fields.
  """
  SECURITY
  """
  ` + "`EXECUTION`" + ` features provide metadata necessary for operation execution.
  """
  EXECUTION
}
`)
	field := `directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean`
	if minor >= 4 {
		field += `, overrideLabel: String`
		b.WriteString(`
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION
scalar join__DirectiveArguments
`)
	}
	if minor >= 5 {
		field += `, contextArguments: [join__ContextArgument!]`
		b.WriteString(`
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
scalar join__FieldValue
`)
	}
	b.WriteString(field + ") repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION\n")
	return b.String()
}

// carriedSpec is a specification whose directives the supergraph keeps.
type carriedSpec struct {
	canonical  string
	spec       string // identity/version below the host of Apollo's specifications
	purpose    string
	imports    string // as it stands in @link
	definition string
}

var carried = []carriedSpec{
	{dirTag, "tag/v0.3", "", "", `directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA`},
	{dirInaccessible, "inaccessible/v0.2", "SECURITY", "", `directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`},
	{dirAuthenticated, "authenticated/v0.1", "SECURITY", "", `directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM`},
	{dirRequiresScopes, "requiresScopes/v0.1", "SECURITY", "", "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\nscalar requiresScopes__Scope"},
	{dirPolicy, "policy/v0.1", "SECURITY", "", "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\nscalar policy__Policy"},
	{dirContext, "context/v0.1", "SECURITY", "", "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION\n" +
		"directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION\nscalar context__ContextFieldValue"},
	{dirCost, "cost/v0.1", "", "", costDefinition + listSizeDefinition("cost__listSize")},
}

// sized is what is carried instead of the last when a list's size is estimated: the second directive of a specification is known under its
// plain name only where it is imported.
var sized = carriedSpec{dirListSize, "cost/v0.1", "", `, import: ["@listSize"]`, costDefinition + listSizeDefinition("listSize")}

const costDefinition = "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR\n"

func listSizeDefinition(name string) string {
	return "directive @" + name + "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION"
}
