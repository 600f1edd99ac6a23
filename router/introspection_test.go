package router_test

import (
	"fmt"
	"strings"
	"testing"

	"bourse/router"
)

func TestIntrospectionBesideFields(t *testing.T) {
	h := openHouse(t, router.Options{Introspection: true}, true)
	_, got := h.post(t, query(`{ __schema { queryType { name } } market(symbol: "BTC") { __typename symbol } }`))
	same(t, got, `{"data":{"__schema":{"queryType":{"name":"Query"}},"market":{"__typename":"Market","symbol":"BTC"}}}`)
}

// The fragments of the usual introspection query stand on types of introspection.
func TestIntrospectionThroughFragments(t *testing.T) {
	h := openHouse(t, router.Options{Introspection: true}, true)
	_, got := h.post(t, query(`{ __type(name: "Market") { ...Fields } } fragment Fields on __Type { fields(includeDeprecated: true) { name } }`))
	same(t, got, `{"data":{"__type":{"fields":[{"name":"symbol"},{"name":"name"},{"name":"volume"},{"name":"headline"}]}}}`)
}

func TestWhoMayIntrospect(t *testing.T) {
	h := open(t, router.Options{Admit: inRole, IntrospectionRoles: []string{"admin"}})
	for range 2 { // cold and known
		for _, c := range []struct{ role, operation, code, message string }{
			{"admin", `{ __schema { queryType { name } } }`, "", ""},
			{"", `{ __schema { queryType { name } } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `query($n: String = "Market") { ...F } fragment F on Query { __type(name: $n) { name } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `{ busiest { __typename } }`, "", ""},
			{"member", `{ __typename busiest { __schema: __typename } }`, "", ""},
			{"member", `{ name: __schema { queryType { name } } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `{ ... { ... on Query @include(if: true) { t: __type(name: "Market") { name } } } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `{ __schema @skip(if: true) { queryType { name } } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"admin", `{ markets { nam } }`, "GRAPHQL_VALIDATION_FAILED", "Did you mean"},
		} {
			code, _, text := h.ask(t, "POST", query(c.operation), "Role", c.role)
			if code != c.code || !strings.Contains(text, c.message) {
				t.Errorf("%s as %q: %s", c.operation, c.role, text)
			}
		}
		const both = `{"query":"query A { busiest { name } } query B { __schema { queryType { name } } }","operationName":"%s"}`
		for name, want := range map[string]string{"A": "", "B": "GRAPHQL_VALIDATION_FAILED"} {
			if code, _, text := h.ask(t, "POST", fmt.Sprintf(both, name), "Role", "member"); code != want {
				t.Errorf("%s of two operations: %s", name, text)
			}
		}
		if _, _, text := h.ask(t, "POST", query(`{ markets { nam } }`), "Role", "member"); strings.Contains(text, "Did you mean") {
			t.Errorf("a suggestion tells a name: %s", text)
		}
	}
}

func TestIntrospectionThatGoesRound(t *testing.T) {
	h := open(t, router.Options{Introspection: true})
	round := func(n int) string {
		return "{ __schema { types { " + strings.Repeat("fields { type { ", n) + "name" + strings.Repeat(" } }", n) + " } } }"
	}
	for n, want := range map[int]string{2: "", 3: "GRAPHQL_VALIDATION_FAILED"} {
		if code, _, text := h.ask(t, "POST", query(round(n))); code != want {
			t.Errorf("%d lists deep: %s", n, text)
		}
	}
	inFragments := `{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } } fragment B on __Type { fields { type { possibleTypes { interfaces { name } } } } }`
	if code, _, text := h.ask(t, "POST", query(inFragments)); code != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("in fragments: %s", text)
	}
}

// Objects may have the root of queries as a field, so that the schema can be asked for far below.
func TestIntrospectionFarBelow(t *testing.T) {
	h := serving(t, `schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1") }
type Query @join__type(graph: A) { again: Query on: On }
type On @join__type(graph: A) { query: Query }`, router.Options{})
	for _, text := range []string{
		`{ again { again { __schema { queryType { name } } } } }`,
		`{ on { query { ...F } } } fragment F on Query { on { q: query { t: __type(name: "On") { name } } } }`,
	} {
		if _, _, got := h.ask(t, "POST", query(text)); !strings.Contains(got, "introspection is not allowed") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
