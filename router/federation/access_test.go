package federation

import (
	"reflect"
	"strings"
	"testing"
)

const protected = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "signedIn", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", import: ["@requiresScopes"], for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", import: [{name: "@policy", as: "@rule"}], for: SECURITY) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
`

func TestLoadReadsAccess(t *testing.T) {
	sg, err := Load(protected + `
type Query @join__type(graph: A) {
  open: Int
  me: Me @signedIn
  scoped: Int @requiresScopes(scopes: [["a", "b"], ["c"]])
  ruled: Int @signedIn @rule(policies: [["p"], []])
  one: Int @requiresScopes(scopes: "a")
}
type Me @join__type(graph: A) @requiresScopes(scopes: [["me"]]) { id: ID! }
scalar Secret @join__type(graph: A) @rule(policies: [["s"]])
enum Grade @join__type(graph: A) @signedIn { HIGH @join__enumValue(graph: A) }`)
	if err != nil {
		t.Fatal(err)
	}
	q := sg.Type("Query")
	for _, c := range []struct {
		what      string
		got, want *Access
	}{
		{"open", q.Field("open").Access, nil},
		{"me", q.Field("me").Access, &Access{Authenticated: true}},
		{"scoped", q.Field("scoped").Access, &Access{Scopes: [][]string{{"a", "b"}, {"c"}}}},
		{"ruled", q.Field("ruled").Access, &Access{Authenticated: true, Policies: [][]string{{"p"}, {}}}},
		{"one", q.Field("one").Access, &Access{Scopes: [][]string{{"a"}}}},
		{"Me", sg.Type("Me").Access, &Access{Scopes: [][]string{{"me"}}}},
		{"Secret", sg.Type("Secret").Access, &Access{Policies: [][]string{{"s"}}}},
		{"Grade", sg.Type("Grade").Access, &Access{Authenticated: true}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.what, c.got, c.want)
		}
	}
	if sdl := sg.APISDL(); strings.Contains(sdl, "@") {
		t.Errorf("machinery in the API:\n%s", sdl)
	}
}

func TestLoadRefusesMalformedAccess(t *testing.T) {
	for name, bad := range map[string]string{
		"no scopes": `@requiresScopes`,
		"null":      `@requiresScopes(scopes: null)`,
		"numbers":   `@rule(policies: [[1]])`,
		"null name": `@rule(policies: [[null]])`,
	} {
		if _, err := Load(protected + `type Query @join__type(graph: A) { a: Int ` + bad + ` }`); err == nil {
			t.Errorf("%s: accepted, and so open to all", name)
		}
	}
}
