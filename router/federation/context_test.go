package federation

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

const contextual = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
type Query @join__type(graph: A) { member: Member }
type Member @join__type(graph: A, key: "id") @context(name: "a__member") @context(name: "a__other") { id: ID! locale: String! order: Order! }
`

func TestLoadReadsContexts(t *testing.T) {
	sg, err := Load(contextual + `type Order @join__type(graph: A, key: "id") {
  id: ID!
  title: String! @join__field(graph: A, contextArguments: [{context: "a__member", name: "locale", type: "String!", selection: "{ locale }"},
    {context: "a__other", name: "x", type: "ID", selection: "... on Member { id }"}])
}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := sg.Type("Member").Contexts; len(got) != 2 || got[0] != "a__member" {
		t.Errorf("contexts of Member: %v", got)
	}
	args := sg.Type("Order").Field("title").In[0].Contexts
	if len(args) != 2 {
		t.Fatalf("context arguments: %+v", args)
	}
	if a := args[0]; a.Name != "locale" || a.Context != "a__member" || a.Type.String() != "String!" || a.Selection[0].(*ast.Field).Name != "locale" {
		t.Errorf("first: %+v", a)
	}
	if f, ok := args[1].Selection[0].(*ast.InlineFragment); !ok || f.TypeCondition != "Member" {
		t.Errorf("second: %+v", args[1])
	}
}

func TestLoadRefusesMalformedContextArguments(t *testing.T) {
	for name, bad := range map[string]string{
		"no name":      `{context: "c", type: "String", selection: "{ locale }"}`,
		"no context":   `{name: "x", type: "String", selection: "{ locale }"}`,
		"no type":      `{name: "x", context: "c", selection: "{ locale }"}`,
		"no selection": `{name: "x", context: "c", type: "String"}`,
		"two":          `{name: "x", context: "c", type: "String", selection: "{ a } query { b }"}`,
	} {
		if _, err := Load(contextual + `type Order @join__type(graph: A) { id: ID! title: String @join__field(graph: A, contextArguments: [` + bad + `]) }`); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLoadKeepsBothSidesOfALabelledOverride(t *testing.T) {
	sg, err := Load(prelude + `
type Query @join__type(graph: A) @join__type(graph: B) { p: Product }
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  share: Int @join__field(graph: A, usedOverridden: true, overrideLabel: "half") @join__field(graph: B, override: "a", overrideLabel: "half")
  all: Int @join__field(graph: A, overrideLabel: "percent(100)") @join__field(graph: B, override: "a", overrideLabel: "percent(100)")
  none: Int @join__field(graph: A, overrideLabel: "percent(0)") @join__field(graph: B, override: "a", overrideLabel: "percent(0)")
  stranger: Int @join__field(graph: B, override: "z", overrideLabel: "half")
}`)
	if err != nil {
		t.Fatal(err)
	}
	on, off := map[string]bool{"half": true}, map[string]bool{}
	for _, c := range []struct {
		field            string
		aOff, aOn        bool
		bOff, bOn, label bool
	}{
		{field: "share", aOff: true, bOn: true, label: true},
		{field: "all", bOff: true, bOn: true},
		{field: "none", aOff: true, aOn: true},
		{field: "id", aOff: true, aOn: true, bOff: true, bOn: true},
	} {
		f := sg.Type("Product").Field(c.field)
		a, b := f.In[0], f.In[1]
		if a.LocalFor(off) != c.aOff || a.LocalFor(on) != c.aOn || b.LocalFor(off) != c.bOff || b.LocalFor(on) != c.bOn {
			t.Errorf("%s: a %+v, b %+v", c.field, a, b)
		}
		if (a.Label == "half" && b.Label == "half" && b.LabelOn && !a.LabelOn) != c.label {
			t.Errorf("labels of %s: a %+v, b %+v", c.field, a, b)
		}
	}
	if j := sg.Type("Product").Field("stranger").In[1]; !j.LocalFor(off) || !j.LocalFor(on) {
		t.Errorf("an override from a subgraph that is not there: %+v", j)
	}
}
