package execute_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"bourse/router/execute"
)

const introspectedSDL = `"The desk." schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) { query: Query mutation: Change }
directive @internal(why: String = "a \"b\" <c>", kind: Kind) repeatable on FIELD | QUERY
directive @defer(if: Boolean) on FIELD
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
scalar Money @join__type(graph: A) @specifiedBy(url: "https://money.example")
"Kinds." enum Kind @join__type(graph: A) { "buy" BUY SELL @deprecated HOLD @deprecated(reason: "no") SECRET @inaccessible }
interface Node @join__type(graph: A) { id: ID! }
interface Named implements Node @join__implements(graph: A, interface: "Node") @join__type(graph: A) { id: ID! name(upper: Boolean = false): String }
type Order implements Node & Named @join__implements(graph: A, interface: "Node") @join__implements(graph: A, interface: "Named") @join__type(graph: A) {
  id: ID!
  name(upper: Boolean = false, old: String @deprecated(reason: "x")): String
  kind: Kind!
  price(in: Filter = {kinds: [BUY], text: "é\n", deep: {n: 3}}): Money @deprecated
  lots: [[Int!]]!
}
union Found @join__type(graph: A) @join__unionMember(graph: A, member: "Order") = Order
input Filter @join__type(graph: A) { text: String = "x" kinds: [Kind!] = [BUY, SELL] deep: Deep old: Int = 3 @deprecated }
input Deep @join__type(graph: A) { n: Int! }
type Hidden @join__type(graph: A) @inaccessible { id: ID! }
type Query @join__type(graph: A) { node(id: ID!): Node find(filter: Filter, kind: Kind = SELL): [Found!] }
type Change @join__type(graph: A) { touch: Boolean }
`

// TestIntrospection is what the reference implementation answers for the same schema; it was compared with graphql-js.
func TestIntrospection(t *testing.T) {
	sg := load(t, introspectedSDL)
	for _, c := range []struct{ query, want string }{
		{
			`{ __schema { description queryType { name } mutationType { name kind } subscriptionType { name } __typename } }`,
			`{"__schema":{"description":"The desk.","queryType":{"name":"Query"},"mutationType":{"name":"Change","kind":"OBJECT"},"subscriptionType":null,"__typename":"__Schema"}}`,
		},
		{`{ __schema { types { name } } }`, `{"__schema":{"types":[{"name":"Boolean"},{"name":"Change"},{"name":"Deep"},{"name":"Filter"},{"name":"Found"},{"name":"ID"},{"name":"Int"},{"name":"Kind"},
			{"name":"Money"},{"name":"Named"},{"name":"Node"},{"name":"Order"},{"name":"Query"},{"name":"String"},{"name":"__Directive"},{"name":"__DirectiveLocation"},{"name":"__EnumValue"},
			{"name":"__Field"},{"name":"__InputValue"},{"name":"__Schema"},{"name":"__Type"},{"name":"__TypeKind"}]}}`},
		{`{ __schema { directives { name isRepeatable } } }`, `{"__schema":{"directives":[{"name":"defer","isRepeatable":false},{"name":"deprecated","isRepeatable":false},{"name":"include","isRepeatable":false},
			{"name":"internal","isRepeatable":true},{"name":"oneOf","isRepeatable":false},{"name":"skip","isRepeatable":false},{"name":"specifiedBy","isRepeatable":false}]}}`},
		{
			`{ __type(name: "Float") { name } a: __type(name: "Hidden") { name } b: __type(name: "No") { name } c: __type(name: "Int") { name kind ofType { name } } }`,
			`{"__type":null,"a":null,"b":null,"c":{"name":"Int","kind":"SCALAR","ofType":null}}`,
		},
		{
			`{ __type(name: "Kind") { kind name description enumValues { name description isDeprecated } all: enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } fields { name } possibleTypes { name } inputFields { name } interfaces { name } specifiedByURL } }`,
			`{"__type":{"kind":"ENUM","name":"Kind","description":"Kinds.","enumValues":[{"name":"BUY","description":"buy","isDeprecated":false}],
			"all":[{"name":"BUY","isDeprecated":false,"deprecationReason":null},{"name":"SELL","isDeprecated":true,"deprecationReason":"No longer supported"},{"name":"HOLD","isDeprecated":true,"deprecationReason":"no"}],
			"fields":null,"possibleTypes":null,"inputFields":null,"interfaces":null,"specifiedByURL":null}}`,
		},
		{
			`{ __type(name: "Order") { kind interfaces { name } possibleTypes { name } fields { name } all: fields(includeDeprecated: true) { name isDeprecated deprecationReason args { name } every: args(includeDeprecated: true) { name isDeprecated deprecationReason defaultValue } type { kind name ofType { kind ofType { kind ofType { kind name } } } } } } }`,
			`{"__type":{"kind":"OBJECT","interfaces":[{"name":"Node"},{"name":"Named"}],"possibleTypes":null,"fields":[{"name":"id"},{"name":"name"},{"name":"kind"},{"name":"lots"}],"all":[
			{"name":"id","isDeprecated":false,"deprecationReason":null,"args":[],"every":[],"type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"SCALAR","ofType":null}}},
			{"name":"name","isDeprecated":false,"deprecationReason":null,"args":[{"name":"upper"}],"every":[{"name":"upper","isDeprecated":false,"deprecationReason":null,"defaultValue":"false"},{"name":"old","isDeprecated":true,"deprecationReason":"x","defaultValue":null}],"type":{"kind":"SCALAR","name":"String","ofType":null}},
			{"name":"kind","isDeprecated":false,"deprecationReason":null,"args":[],"every":[],"type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"ENUM","ofType":null}}},
			{"name":"price","isDeprecated":true,"deprecationReason":"No longer supported","args":[{"name":"in"}],"every":[{"name":"in","isDeprecated":false,"deprecationReason":null,"defaultValue":"{kinds: [BUY], text: \"é\\n\", deep: {n: 3}}"}],"type":{"kind":"SCALAR","name":"Money","ofType":null}},
			{"name":"lots","isDeprecated":false,"deprecationReason":null,"args":[],"every":[],"type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"LIST","ofType":{"kind":"LIST","ofType":{"kind":"NON_NULL","name":null}}}}}]}}`,
		},
		{
			`{ __type(name: "Filter") { kind isOneOf inputFields { name } all: inputFields(includeDeprecated: true) { name defaultValue isDeprecated type { name kind } } } }`,
			`{"__type":{"kind":"INPUT_OBJECT","isOneOf":false,"inputFields":[{"name":"text"},{"name":"kinds"},{"name":"deep"}],"all":[{"name":"text","defaultValue":"\"x\"","isDeprecated":false,"type":{"name":"String","kind":"SCALAR"}},
			{"name":"kinds","defaultValue":"[BUY, SELL]","isDeprecated":false,"type":{"name":null,"kind":"LIST"}},{"name":"deep","defaultValue":null,"isDeprecated":false,"type":{"name":"Deep","kind":"INPUT_OBJECT"}},
			{"name":"old","defaultValue":"3","isDeprecated":true,"type":{"name":"Int","kind":"SCALAR"}}]}}`,
		},
		{
			`{ a: __type(name: "Node") { kind interfaces { name } possibleTypes { name } } b: __type(name: "Named") { interfaces { name } } c: __type(name: "Found") { kind possibleTypes { name } fields { name } } d: __type(name: "Money") { kind specifiedByURL isOneOf } }`,
			`{"a":{"kind":"INTERFACE","interfaces":[],"possibleTypes":[{"name":"Order"}]},"b":{"interfaces":[{"name":"Node"}]},"c":{"kind":"UNION","possibleTypes":[{"name":"Order"}],"fields":null},"d":{"kind":"SCALAR","specifiedByURL":"https://money.example","isOneOf":null}}`,
		},
		{
			`query ($all: Boolean!, $no: Boolean!) { ...T } fragment T on Query { __type(name: "Kind") { n: name enumValues(includeDeprecated: $all) { name } ... @include(if: $no) { kind } ...N @skip(if: $no) } } fragment N on __Type { again: name enumValues(includeDeprecated: $all) { d: isDeprecated } }`,
			`{"__type":{"n":"Kind","enumValues":[{"name":"BUY","d":false},{"name":"SELL","d":true},{"name":"HOLD","d":true}],"again":"Kind"}}`,
		},
	} {
		in := planFor(t, sg, c.query, map[string]any{"all": true, "no": false})
		r := execute.New(sg, &script{}, execute.Options{}).Execute(context.Background(), in)
		var got struct{ Data any }
		var want any
		if err := json.Unmarshal(r.JSON(), &got); err != nil {
			t.Fatalf("%s: %v", r.JSON(), err)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Data, want) {
			t.Errorf("%s\ngot  %s\nwant %s", c.query, r.JSON(), c.want)
		}
		r.Release()
	}
}

// TestDeferIsTheRouters shows that the router says what @defer is, whatever subgraphs define.
func TestDeferIsTheRouters(t *testing.T) {
	sg := load(t, introspectedSDL)
	r := execute.New(sg, &script{}, execute.Options{}).Execute(context.Background(), planFor(t, sg, `{ __schema { directives { name locations args { name defaultValue type { kind name ofType { name } } } } } }`, nil))
	defer r.Release()
	var got struct {
		Data struct {
			Schema struct {
				Directives []struct {
					Name      string
					Locations []string
					Args      any
				}
			} `json:"__schema"`
		}
	}
	if err := json.Unmarshal(r.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got.Data.Schema.Directives[0])
	if want := `{"Name":"defer","Locations":["FRAGMENT_SPREAD","INLINE_FRAGMENT"],"Args":[{"defaultValue":null,"name":"label","type":{"kind":"SCALAR","name":"String","ofType":null}},` +
		`{"defaultValue":"true","name":"if","type":{"kind":"NON_NULL","name":null,"ofType":{"name":"Boolean"}}}]}`; string(text) != want {
		t.Errorf("got %s", text)
	}
}
