package workload

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Size of a graph. Types counts the distinct types of the supergraph besides the roots.
type Size struct {
	Subgraphs, Types int
	Seed             uint64
}

// Large is the size that BENCHMARKS.md speaks of.
var Large = Size{Subgraphs: 50, Types: 2000, Seed: 1}

// Subgraph is the schema of one team.
type Subgraph struct{ Name, SDL string }

// Subgraphs makes the schemas. Subgraphs and Types are taken to be at least 2 and 40 for each subgraph's kinds to fit.
func Subgraphs(size Size) []Subgraph {
	c := &company{r: rand.New(rand.NewPCG(size.Seed, 0))}
	for i := range size.Subgraphs {
		c.teams = append(c.teams, &team{number: i, name: fmt.Sprintf("team%02d", i)})
	}
	// Each team's share, less what all share.
	each := (size.Types - shared) / size.Subgraphs
	rest := (size.Types - shared) % size.Subgraphs
	for i, t := range c.teams {
		own := each
		if i < rest {
			own++
		}
		c.found(t, own)
	}
	for _, t := range c.teams {
		c.extend(t)
	}
	var out []Subgraph
	for _, t := range c.teams {
		out = append(out, Subgraph{t.name, head + t.query() + t.sdl.String()})
	}
	return out
}

const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@requires", "@external", "@shareable", "@provides", "@tag", "@inaccessible"])
` + sharedTypes

// Value types that every team has a copy of, and how many they are.
const (
	shared      = 5
	sharedTypes = `
"An amount in minor units."
type Money @shareable { units: Int! currency: Currency! }
enum Currency { EUR USD CNY }
type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
scalar DateTime
interface Node { id: ID! }
`
)

type company struct {
	r     *rand.Rand
	teams []*team
}

type team struct {
	number   int
	name     string
	entities []string
	known    map[string]bool // other teams' entities that this one speaks of
	roots    []string
	sdl      strings.Builder
}

func (t *team) query() string { return "type Query {\n  " + strings.Join(t.roots, "\n  ") + "\n}\n" }

// found writes the types that belong to the team, count of them: out of ten, four entities, three value types, and one each of enums, inputs
// and abstract types.
func (c *company) found(t *team, count int) {
	t.known = map[string]bool{}
	name := func(kind string, i int) string { return fmt.Sprintf("%s%02dx%d", kind, t.number, i) }
	kinds := map[string]int{}
	order := []string{"Entity", "Value", "Enum", "Entity", "Value", "Input", "Entity", "Value", "Abstract", "Entity"}
	for i := range count {
		kinds[order[i%len(order)]]++
	}
	for i := range kinds["Entity"] {
		t.entities = append(t.entities, name("Entity", i))
	}
	for i := range kinds["Enum"] {
		fmt.Fprintf(&t.sdl, "enum %s { OPEN CLOSED LATER }\n", name("Enum", i))
	}
	for i := range kinds["Input"] {
		fmt.Fprintf(&t.sdl, "input %s { text: String first: Int = 20 of: [ID!] }\n", name("Input", i))
	}
	for i := range kinds["Value"] {
		fmt.Fprintf(&t.sdl, "type %s { text: String! at: DateTime price: Money state: %s }\n", name("Value", i), name("Enum", i%max(1, kinds["Enum"])))
	}
	abstract := kinds["Abstract"]
	for i := range abstract {
		fmt.Fprintf(&t.sdl, "interface %s { id: ID! label: String }\n", name("Abstract", i))
	}
	for i, entity := range t.entities {
		key, implements := `@key(fields: "id")`, " implements Node"
		if i%5 == 4 {
			key += ` @key(fields: "sku region")`
		}
		if abstract > 0 {
			implements += " & " + name("Abstract", i%abstract)
		}
		fmt.Fprintf(&t.sdl, "\"Entity %d of %s.\"\ntype %s%s %s {\n  id: ID!\n  label: String\n  sku: String!\n  region: String!\n  created: DateTime\n  price: Money\n", i, t.name, entity, implements, key)
		fmt.Fprintf(&t.sdl, "  detail: %s\n  parts: [%s!]!\n", name("Value", i%kinds["Value"]), name("Value", (i+1)%kinds["Value"]))
		fmt.Fprintf(&t.sdl, "  next(first: Int = 10): [%s!]\n", t.entities[(i+1)%len(t.entities)])
		fmt.Fprintf(&t.sdl, "  weight: Int @tag(name: \"internal\")\n}\n")
		t.roots = append(t.roots, fmt.Sprintf("%s(id: ID!): %s", strings.ToLower(entity), entity))
		if abstract > 0 && i < abstract {
			t.roots = append(t.roots, fmt.Sprintf("%ss(filter: %s): [%s]", strings.ToLower(name("Abstract", i)), name("Input", i%max(1, kinds["Input"])), name("Abstract", i)))
		}
	}
}

// extend lets the team add fields to entities of about as many others as it has of its own, some of which need what their owner knows.
func (c *company) extend(t *team) {
	var own []string
	for range len(t.entities) {
		other := c.teams[c.r.IntN(len(c.teams))]
		entity := other.entities[c.r.IntN(len(other.entities))]
		if other == t || t.known[entity] {
			continue
		}
		t.known[entity] = true
		fmt.Fprintf(&t.sdl, "type %s @key(fields: \"id\") {\n  id: ID!\n", entity)
		fmt.Fprintf(&t.sdl, "  by%02d: Int\n  rel%02d: [%s!]\n", t.number, t.number, t.entities[c.r.IntN(len(t.entities))])
		if c.r.IntN(4) == 0 {
			fmt.Fprintf(&t.sdl, "  weight: Int @external\n  price: Money @external\n  cost%02d: Money @requires(fields: \"weight price { units }\")\n", t.number)
		}
		t.sdl.WriteString("}\n")
		own = append(own, entity)
	}
	for i, entity := range own {
		if i%3 == 0 {
			t.roots = append(t.roots, fmt.Sprintf("top%02dx%d: [%s!]", t.number, i, entity))
		}
	}
}
