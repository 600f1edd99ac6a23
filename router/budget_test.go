package router_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/cost"
)

func TestBudgetsByRole(t *testing.T) {
	h := open(t, router.Options{
		Admit: inRole, Explain: &router.Explain{Roles: []string{"admin"}},
		Budget: &router.Budget{Max: 15, Roles: map[string]int{"partner": 30, "trial": 5, "exact": 20, "admin": 0}, Model: cost.Options{ListSize: 10}},
	})
	for _, c := range []struct{ operation, role, code string }{
		{`{ markets { name } }`, "", ""},
		{`{ markets { name } a: markets { name } }`, "", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } }`, "partner", ""},
		{`{ markets { name } }`, "trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "partner", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "admin", ""},
		{`{ markets { name } a: markets { name } }`, "exact", ""},
		{`{ markets { name } a: markets { name } busiest { name } }`, "exact", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } }`, "partner,trial", ""},
		{`{ markets { name } a: markets { name } }`, "trial,stranger,partner", ""},
		{`{ markets { name } }`, "stranger,trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "trial,admin,partner", ""},
		{`mutation { rename(symbol: "BTC", name: "B") { name } }`, "", ""},
		{`mutation { rename(symbol: "BTC", name: "B") { name } }`, "trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
	} {
		for range 2 { // cold and known
			if code, _, text := h.ask(t, "POST", query(c.operation), "Role", c.role); code != c.code {
				t.Errorf("%s as %q: %s", c.operation, c.role, text)
			}
		}
	}
	_, res, text := h.ask(t, "POST", query(`{ markets { name } a: markets { name } }`))
	if res.StatusCode != 400 || !strings.Contains(text, `"cost":20`) || !strings.Contains(text, `"max":15`) {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	if _, _, text = h.ask(t, "POST", query(`{ busiest { name } }`), "Role", "admin", "Bourse-Explain", "cost"); !strings.Contains(text, `"extensions":{"cost":{"estimated":1}}`) {
		t.Errorf("whoever may is told the cost: %s", text)
	}
}

func TestABudgetMayOnlyWarn(t *testing.T) {
	var log bytes.Buffer
	h := open(t, router.Options{Budget: &router.Budget{Max: 1, Warn: true}, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if code, _, text := h.ask(t, "POST", query(`query Dear { markets { name } }`)); code != "" {
		t.Error(text)
	}
	if err := h.router.Close(t.Context()); err != nil { // nothing is logged any more
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `msg="operation over budget" operation=Dear cost=10 max=1`) {
		t.Errorf("the operator is told %s", &log)
	}
}

// What an operation says of sizes counts as it says it, in a literal or a variable, the first time or when its like is known.
func TestSizesCountAsTheyAreSaid(t *testing.T) {
	h := serving(t, `schema
  @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"])
{ query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1") }
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
type Query @join__type(graph: A) { books(first: Int, last: Int): [Book] @listSize(slicingArguments: ["first", "last"]) }
type Book @join__type(graph: A) { title: String }`, router.Options{Budget: &router.Budget{Max: 100}})
	const tooDear, slicing = "COST_ESTIMATED_TOO_EXPENSIVE", "COST_SLICING_ARGUMENTS"
	for range 2 {
		for _, c := range []struct{ body, code string }{
			{query(`{ books(first: 100) { title } }`), "SUBREQUEST_HTTP_ERROR"},
			{query(`{ books(first: 101) { title } }`), tooDear},
			{query(`query($n: Int) { books(first: $n) { title } }`, `{"n":100}`), "SUBREQUEST_HTTP_ERROR"},
			{query(`query($n: Int) { books(first: $n) { title } }`, `{"n":101}`), tooDear},
			{query(`query($n: Int = 101) { books(first: $n) { title } }`), tooDear},
			{query(`query($n: Int = 101) { books(first: $n) { title } }`, `{"n":1}`), "SUBREQUEST_HTTP_ERROR"},
			{query(`{ books(first: 51) { title } b: books(first: 50) { title } }`), tooDear},
			{query(`{ books(first: 101) @skip(if: true) { title } b: books(first: 1) { title } }`), "SUBREQUEST_HTTP_ERROR"},
			{query(`query($s: Boolean!) { books(first: 101) @skip(if: $s) { title } }`, `{"s":false}`), tooDear},
			{query(`{ books { title } }`), slicing},
			{query(`{ books(first: 1, last: 1) { title } }`), slicing},
			{query(`{ books(first: null) { title } }`), slicing},
			{query(`query($n: Int) { books(first: $n) { title } }`), slicing},
		} {
			if code, _, text := h.ask(t, "POST", c.body); code != c.code {
				t.Errorf("%s: %s", c.body, text)
			}
		}
	}
	if _, _, text := h.ask(t, "POST", query(`{ books { title } }`)); !strings.Contains(text, `"locations":[{"line":1,"column":3}]`) {
		t.Errorf("where? %s", text)
	}
}
