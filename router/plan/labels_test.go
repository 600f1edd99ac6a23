package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bourse/router/federation"
)

const percentSDL = header + `
type Query @join__type(graph: A) @join__type(graph: B) { item: Item @join__field(graph: A) }
type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  moved: String @join__field(graph: A, overrideLabel: "percent(5)") @join__field(graph: B, override: "a", overrideLabel: "percent(5)")
  needs: String @join__field(graph: A, requires: "moved")
  own: String @join__field(graph: A)
  flagged: String @join__field(graph: A, overrideLabel: "flag") @join__field(graph: B, override: "a", overrideLabel: "flag")
  gone: String @join__field(graph: A) @join__field(graph: B, override: "a")
}
`

func loaded(t testing.TB, sdl string) *federation.Supergraph {
	t.Helper()
	sg, err := federation.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

// calls is a plan in short: stages apart by semicolons, and of each fetch its subgraph and query.
func calls(p *Plan) string {
	var stages []string
	for _, fetches := range p.Stages {
		var stage []string
		for _, f := range fetches {
			stage = append(stage, f.Subgraph+" "+f.Query)
		}
		slices.Sort(stage)
		stages = append(stages, strings.Join(stage, " | "))
	}
	return strings.Join(stages, "; ")
}

func TestProgressiveOverride(t *testing.T) {
	sg := loaded(t, percentSDL)
	planner := New(sg, Options{})
	entity := func(field string) string {
		return "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Item { " + field + " } } }"
	}
	for _, c := range []struct {
		query  string
		labels []string
		on     string
		want   string
	}{
		{"{ item { own } }", nil, "", "a { item { own } }"},
		{"{ item { gone } }", nil, "", "a { item { id } }; b " + entity("gone")},
		{"{ item { moved } }", []string{"percent(5)"}, "", "a { item { moved } }"},
		{"{ item { moved } }", []string{"percent(5)"}, "percent(5)", "a { item { id } }; b " + entity("moved")},
		{"{ item { moved flagged } }", []string{"flag", "percent(5)"}, "percent(5)", "a { item { flagged id } }; b " + entity("moved")},
		{"{ item { moved flagged } }", []string{"flag", "percent(5)"}, "flag", "a { item { moved id } }; b " + entity("flagged")},
		{"{ item { needs } }", []string{"percent(5)"}, "", "a { item { moved id } }; a " + entity("needs")},
		{"{ item { needs } }", []string{"percent(5)"}, "percent(5)", "a { item { id } }; b " + entity("moved") + "; a " + entity("needs")},
		{"{ item { ...F } } fragment F on Item { flagged }", []string{"flag"}, "flag", "a { item { id } }; b " + entity("flagged")},
	} {
		t.Run(fmt.Sprint(c.query, " on: ", c.on), func(t *testing.T) {
			doc := parse(t, sg, c.query)
			if got := planner.Labels(doc, ""); !slices.Equal(got, c.labels) {
				t.Errorf("labels %q, want %q", got, c.labels)
			}
			p, err := planner.Plan(doc, "", Given{Labels: map[string]bool{c.on: true}})
			if err != nil {
				t.Fatal(err)
			}
			if got := calls(p); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
