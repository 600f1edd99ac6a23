package router_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/fetch"
)

const badInputSDL = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query subscription: Subscription }
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
enum Colour @join__type(graph: A) { RED @join__enumValue(graph: A) GREEN @join__enumValue(graph: A) }
input In @join__type(graph: A) { n: Int! s: String = "x" colour: Colour in: In lists: [[Int!]] }
type Query @join__type(graph: A) {
  f(i: Int, fl: Float, s: String, b: Boolean, id: ID, colour: Colour, in: In, list: [Int!], lists: [[Int!]!]): Int
  must(i: Int!): Int
  thing: Thing
}
type Subscription @join__type(graph: A) { one: Int two: Int }
type Thing @join__type(graph: A) { id: ID name(upper: Boolean): String thing: Thing query: Query }
`

// TestBadInput is the table of what clients may get wrong: each is refused with a code, a message and, where the text is to blame,
// the place (of a string literal: of its first character), with HTTP status 400 (GraphQL over HTTP, section 6.4.2), and no subgraph hears of it.
func TestBadInput(t *testing.T) {
	asked := 0
	r, err := router.New(badInputSDL, router.Options{Fetcher: fetch.NewLocal(map[string]http.Handler{
		"a": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }),
	})})
	if err != nil {
		t.Fatal(err)
	}
	const parse, invalid, input = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"
	type at struct{ Line, Column int }
	for _, c := range []struct {
		query, variables, operation string
		code, message               string
		at                          at
	}{
		// the document
		{query: `{ f`, code: parse, message: "Expected Name, found <EOF>", at: at{1, 4}},
		{query: "{ f }\n}", code: parse, message: "Unexpected }", at: at{2, 1}},
		{query: `{ f(s: "a`, code: parse, message: "Unexpected <Invalid>", at: at{1, 10}},
		{query: "\x00", code: parse, message: "Unexpected <Invalid>", at: at{1, 1}},
		{query: `{}`, code: parse, message: "expected at least one definition", at: at{1, 2}},
		{query: `fragment F on Thing { id }`, code: invalid, message: "the document has no operation"},
		{query: `query A { f } query B { f }`, code: invalid, message: "several operations"},
		{query: `{ thing { query { ...S } } } fragment S on Query { __schema { queryType { name } } }`, code: invalid, message: "introspection is not allowed", at: at{1, 52}},
		{query: `query A { f }`, operation: "B", code: invalid, message: `no operation named "B"`},
		{query: `query A { f } query A { f }`, operation: "A", code: invalid, message: `There can be only one operation named "A".`, at: at{1, 15}},
		{query: `{ f } query A { f }`, operation: "A", code: invalid, message: "This anonymous operation must be the only defined operation.", at: at{1, 1}},
		{query: `mutation { f }`, code: invalid, message: "Schema does not support operation type \"mutation\"", at: at{1, 1}},
		{query: `subscription { one two }`, code: invalid, message: "must select only one top level field", at: at{1, 20}},
		// selections
		{query: "{\n  nonsense\n}", code: invalid, message: `Cannot query field "nonsense" on type "Query".`, at: at{2, 3}},
		{query: `{ thing }`, code: invalid, message: `must have a selection of subfields`, at: at{1, 3}},
		{query: `{ f { id } }`, code: invalid, message: `must not have a selection`, at: at{1, 3}},
		{query: `{ thing { id: name id } }`, code: invalid, message: `Fields "id" conflict`, at: at{1, 20}},
		{query: `{ a: f(i: 1) a: f(i: 2) }`, code: invalid, message: `Fields "a" conflict`, at: at{1, 14}},
		{query: `{ thing { ...F } } fragment F on Thing { thing { ...F } }`, code: invalid, message: `Cannot spread fragment "F" within itself`, at: at{1, 53}},
		{query: `{ thing { ...F } } fragment F on Thing { ...G } fragment G on Thing { ...F }`, code: invalid, message: `Cannot spread fragment "F" within itself via "G"`, at: at{1, 74}},
		{query: `{ thing { ...F } }`, code: invalid, message: `Unknown fragment "F".`, at: at{1, 14}},
		{query: `{ f } fragment F on Thing { id }`, code: invalid, message: `Fragment "F" is never used.`, at: at{1, 7}},
		{query: `{ thing { ... on Query { f } } }`, code: invalid, message: `can never be of type "Query"`, at: at{1, 15}},
		{query: `{ thing { ... on Nothing { id } } }`, code: invalid, message: `Unknown type "Nothing".`, at: at{1, 15}},
		{query: `{ f @nonsense }`, code: invalid, message: `Unknown directive "@nonsense".`, at: at{1, 6}},
		{query: `{ f @skip }`, code: invalid, message: `"@skip" argument "if" of type "Boolean!" is required`, at: at{1, 6}},
		{query: `{ f @skip(if: "x") }`, code: invalid, message: `Boolean cannot represent a non boolean value: "x"`, at: at{1, 16}},
		{query: `{ f @skip(if: {}) }`, code: invalid, message: `Boolean cannot represent an object: {}`, at: at{1, 15}},
		// literals
		{query: `{ must }`, code: invalid, message: `argument "i" of type "Int!" is required`, at: at{1, 3}},
		{query: `{ must(i: null) }`, code: invalid, message: `Expected value of type "Int!", found null.`, at: at{1, 11}},
		{query: `{ f(j: 1) }`, code: invalid, message: `Unknown argument "j" on field "Query.f".`, at: at{1, 3}},
		{query: `{ f(i: 1, i: 2) }`, code: invalid, message: `There can be only one argument named "i".`, at: at{1, 11}},
		{query: `{ f(i: "1") }`, code: invalid, message: `Int cannot represent non-integer value: "1"`, at: at{1, 9}},
		{query: `{ f(i: 1.5) }`, code: invalid, message: `Int cannot represent non-integer value: 1.5`, at: at{1, 8}},
		{query: `{ f(i: 2147483648) }`, code: invalid, message: `Int cannot represent non 32-bit signed integer value: 2147483648`, at: at{1, 8}},
		{query: `{ f(i: -2147483649) }`, code: invalid, message: `Int cannot represent non 32-bit signed integer value: -2147483649`, at: at{1, 8}},
		{query: `{ f(i: 99999999999999999999) }`, code: invalid, message: `Int cannot represent non 32-bit signed integer value`, at: at{1, 8}},
		{query: `{ f(list: [1, 2147483648]) }`, code: invalid, message: `Int cannot represent non 32-bit`, at: at{1, 15}},
		{query: `{ f(s: 1) }`, code: invalid, message: `String cannot represent a non string value: 1`, at: at{1, 8}},
		{query: `{ f(id: 1.5) }`, code: invalid, message: `ID cannot represent`, at: at{1, 9}},
		{query: `{ f(fl: "1") }`, code: invalid, message: `Float cannot represent`, at: at{1, 10}},
		{query: `{ f(b: 1) }`, code: invalid, message: `Boolean cannot represent`, at: at{1, 8}},
		{query: `{ f(i: {}) }`, code: invalid, message: `Int cannot represent an object`, at: at{1, 8}},
		{query: `{ f(colour: BLUE) }`, code: invalid, message: `Value "BLUE" does not exist in "Colour" enum.`, at: at{1, 13}},
		{query: `{ f(colour: "RED") }`, code: invalid, message: `Enum "Colour" cannot represent non-enum value: "RED".`, at: at{1, 14}},
		{query: `{ f(in: {}) }`, code: invalid, message: `Field "In.n" of required type "Int!" was not provided.`, at: at{1, 9}},
		{query: `{ f(in: {n: 1, more: 2}) }`, code: invalid, message: `Field "more" is not defined by type "In".`, at: at{1, 16}},
		{query: `{ f(in: {n: 1, n: 2}) }`, code: invalid, message: `There can be only one input field named "n".`, at: at{1, 16}},
		{query: `{ f(list: [1, null]) }`, code: invalid, message: `Expected value of type "Int!", found null.`, at: at{1, 15}},
		{query: `{ f(i: [1]) }`, code: invalid, message: `Int cannot represent`, at: at{1, 8}},
		// definitions of variables
		{query: `{ f(i: $i) }`, code: invalid, message: `Variable "$i" is not defined`, at: at{1, 8}},
		{query: `query($i: Int) { f }`, code: invalid, message: `Variable "$i" is never used`, at: at{1, 7}},
		{query: `query($i: Int, $i: Int) { f(i: $i) }`, code: invalid, message: `There can be only one variable named "$i".`, at: at{1, 16}},
		{query: `query($i: Int) { must(i: $i) }`, code: invalid, message: `Variable "$i" of type "Int" used in position expecting type "Int!".`, at: at{1, 26}},
		{query: `query($t: Thing) { f(i: $t) }`, code: invalid, message: `Variable "$t" cannot be non-input type "Thing".`, at: at{1, 7}},
		{query: `query($t: Nothing) { f(i: $t) }`, code: invalid, message: `Unknown type "Nothing".`, at: at{1, 7}},
		// values of variables
		{query: `query($i: Int!) { must(i: $i) }`, code: input, message: "variable i: must be defined"},
		{query: `query($i: Int!) { must(i: $i) }`, variables: `{"i": null}`, code: input, message: "variable i: cannot be null"},
		{query: `query($i: Int) { f(i: $i) }`, variables: `{"i": "1"}`, code: input, message: "variable i: Int cannot be text"},
		{query: `query($i: Int) { f(i: $i) }`, variables: `{"i": 2147483648}`, code: input, message: "variable i: Int cannot be the number 2147483648"},
		{query: `query($i: Int) { f(i: $i) }`, variables: `{"i": 1e400}`, code: input, message: "variable i: Int cannot be the number 1e400"},
		{query: `query($i: Int) { f(i: $i) }`, variables: `{"i": [1]}`, code: input, message: "variable i: Int cannot be a list"},
		{query: `query($f: Float) { f(fl: $f) }`, variables: `{"f": "1.5"}`, code: input, message: "variable f: Float cannot be text"},
		{query: `query($f: Float) { f(fl: $f) }`, variables: `{"f": 1e400}`, code: input, message: "variable f: "},
		{query: `query($b: Boolean) { f(b: $b) }`, variables: `{"b": 1}`, code: input, message: "variable b: Boolean cannot be the number 1"},
		{query: `query($id: ID) { f(id: $id) }`, variables: `{"id": 1.5}`, code: input, message: "variable id: ID cannot be the number 1.5"},
		{query: `query($c: Colour) { f(colour: $c) }`, variables: `{"c": "BLUE"}`, code: input, message: "variable c: BLUE is not a valid Colour"},
		{query: `query($c: Colour) { f(colour: $c) }`, variables: `{"c": "red"}`, code: input, message: "variable c: red is not a valid Colour"},
		{query: `query($c: Colour) { f(colour: $c) }`, variables: `{"c": 0}`, code: input, message: "variable c: Colour cannot be the number 0"},
		{query: `query($in: In) { f(in: $in) }`, variables: `{"in": {}}`, code: input, message: "variable in.n: must be defined"},
		{query: `query($in: In) { f(in: $in) }`, variables: `{"in": {"n": 1, "more": 2}}`, code: input, message: "variable in.more: unknown field"},
		{query: `query($in: In) { f(in: $in) }`, variables: `{"in": {"n": 1, "in": {"n": "x"}}}`, code: input, message: "variable in.in.n: Int cannot be text"},
		{query: `query($in: In) { f(in: $in) }`, variables: `{"in": {"n": 1, "lists": [[1], [null]]}}`, code: input, message: "variable in.lists[1][0]: cannot be null"},
		{query: `query($in: In) { f(in: $in) }`, variables: `{"in": "x"}`, code: input, message: "variable in: "},
		{query: `query($l: [[Int!]!]) { f(lists: $l) }`, variables: `{"l": [[1], null]}`, code: input, message: "variable l[1]: cannot be null"},
		{query: `query($l: [[Int!]!]) { f(lists: $l) }`, variables: `{"l": [[1, [2]]]}`, code: input, message: "variable l[0][1]: Int cannot be a list"},
	} {
		body, err := json.Marshal(map[string]any{"query": c.query, "operationName": c.operation, "variables": json.RawMessage(orNull(c.variables))})
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []bool{false, true} { // what was refused once is refused again
			status, answer := askOnce(r, string(body))
			var got struct {
				Data   *json.RawMessage
				Errors []struct {
					Message    string
					Locations  []at
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal([]byte(answer), &got); err != nil || len(got.Errors) == 0 {
				t.Errorf("%s %s: %d %s", c.query, c.variables, status, answer)
				continue
			}
			said := false
			for _, e := range got.Errors {
				located := c.at == at{} || len(e.Locations) > 0 && e.Locations[0] == c.at
				said = said || e.Extensions.Code == c.code && strings.Contains(e.Message, c.message) && located
			}
			if status != http.StatusBadRequest || got.Data != nil || !said {
				t.Errorf("%q %s (again: %v):\n got %d %s\nwant %s %q at %v", c.query, c.variables, again, status, answer, c.code, c.message, c.at)
			}
		}
	}
	if asked > 0 {
		t.Errorf("%d requests reached the subgraph", asked)
	}
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func askOnce(h http.Handler, body string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}
