package compose

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomMerge makes a set of subgraphs that share value types, enums, inputs, arguments and directives, alike more often than not: what merging
// decides about. Some are of Federation 1.
func randomMerge(seed uint64) []Subgraph {
	w := &mixture{r: rand.New(rand.NewPCG(seed, 1))}
	var out []Subgraph
	fed1 := w.chance(25)
	for i := range 2 + w.r.IntN(2) {
		w.fed1 = fed1 && w.chance(60)
		out = append(out, Subgraph{Name: string(rune('a' + i)), URL: "http://x", SDL: w.subgraph(i)})
	}
	return out
}

type mixture struct {
	r    *rand.Rand
	fed1 bool
}

func (w *mixture) chance(percent int) bool { return w.r.IntN(100) < percent }

// mostly gives the first choice four times out of five.
func (w *mixture) mostly(choices ...string) string {
	if w.chance(80) {
		return choices[0]
	}
	return choices[w.r.IntN(len(choices))]
}

func (w *mixture) maybe(percent int, text string) string {
	if w.chance(percent) {
		return text
	}
	return ""
}

// marks are directives that may stand at a place; kinds of places have different sets.
func (w *mixture) marks(all ...string) string {
	var b strings.Builder
	for _, m := range all {
		fed2 := !strings.HasPrefix(m, "@deprecated") && !strings.HasPrefix(m, "@tag") && !strings.HasPrefix(m, "@inaccessible")
		if w.chance(7) && (!fed2 || !w.fed1) {
			b.WriteString(" " + m)
		}
	}
	return b.String()
}

const (
	tagOne     = `@tag(name: "one")`
	tagTwo     = `@tag(name: "two")`
	scopesAB   = `@requiresScopes(scopes: [["a"], ["b"]])`
	scopesAC   = `@requiresScopes(scopes: [["a", "c"]])`
	policyP    = `@policy(policies: [["p"]])`
	policyQ    = `@policy(policies: [["q"], ["p"]])`
	costLow    = `@cost(weight: 2)`
	deprecated = `@deprecated(reason: "old")`
)

func (w *mixture) value(kind string) string {
	if w.fed1 {
		return w.marks(tagOne, tagTwo)
	}
	switch kind {
	case "field":
		return w.marks(tagOne, tagTwo, "@inaccessible", "@authenticated", scopesAB, policyP, costLow, deprecated)
	case "argument":
		return w.marks(tagOne, "@inaccessible", costLow)
	case "value":
		return w.marks(tagOne, "@inaccessible", deprecated, "@deprecated")
	default:
		return w.marks(tagOne, tagTwo, "@authenticated", scopesAC, policyQ)
	}
}

func (w *mixture) doc() string { return w.maybe(15, "\""+w.mostly("One.", "Two.")+"\" ") }

func (w *mixture) shareable() string {
	if w.fed1 {
		return ""
	}
	return w.mostly(" @shareable", " @shareable", "")
}

func (w *mixture) subgraph(i int) string {
	var b strings.Builder
	if !w.fed1 {
		b.WriteString(linkAll + "\n")
	}
	name := string(rune('a' + i))
	fmt.Fprintf(&b, "%stype Query { q%s: V%s shared(%s): %s%s%s\n", w.doc(), name, w.value("field"), w.arguments(), w.mostly("Int", "Int!"), w.shareable(), w.value("field"))
	if w.chance(60) {
		fmt.Fprintf(&b, "  out%s: E in%s(e: F): Int\n", name, name)
	}
	if w.chance(10) {
		fmt.Fprintf(&b, "  both%s(e: E): Int\n", name)
	}
	if w.chance(40) && !w.fed1 {
		fmt.Fprintf(&b, "  list%s(first: Int, last: Int): [V] @listSize(slicingArguments: [%q]%s)\n  list(first: Int, last: Int): [Int] @shareable @listSize(slicingArguments: [%q]%s)\n",
			name, w.mostly("first", "last"), w.maybe(30, ", assumedSize: 4"), w.mostly("first", "last"), w.maybe(30, ", requireOneSlicingArgument: false"))
	}
	b.WriteString("}\n")
	fmt.Fprintf(&b, "%stype V%s%s {\n", w.doc(), w.maybe(50, " implements N"), w.value("type"))
	for _, f := range []string{"x", "y", "z"} {
		if f != "z" || w.chance(95) {
			fmt.Fprintf(&b, "  %s%s%s: %s%s%s\n", w.doc(), f, w.maybe(20, "("+w.arguments()+")"), w.mostly("Int", "Int", "Int!", "Int", "Float"), w.shareable(), w.value("field"))
		}
	}
	fmt.Fprintf(&b, "}\ninterface N { x: %s %s}\n", w.mostly("Int", "Int!"), w.maybe(10, "y: Int "))
	fmt.Fprintf(&b, "enum E%s { ONE%s TWO%s %s}\n", w.value("type"), w.value("value"), w.value("value"), w.maybe(20, "THREE "))
	fmt.Fprintf(&b, "enum F { RED%s BLUE %s}\n", w.value("value"), w.maybe(30, "GREEN "))
	fmt.Fprintf(&b, "input In { text: %s%s size: Int%s%s %s}\n", w.mostly("String", "String!"), w.value("argument"), w.mostly(" = 3", " = 4", ""), w.value("argument"), w.maybe(25, "more: [F!]"+w.maybe(30, " = [RED]")+w.value("argument")+" "))
	fmt.Fprintf(&b, "scalar Day%s\nunion U%s = V%s\n", w.maybe(30, ` @specifiedBy(url: "https://day")`), w.marks(tagOne), w.maybe(30, " | W"))
	fmt.Fprintf(&b, "type W { day: Day%s u: U%s }\n", w.shareable(), w.shareable())
	if w.chance(40) {
		fmt.Fprintf(&b, "%sdirective @mark(on: Boolean%s) %son FIELD%s\n", w.doc(), w.mostly(" = true", ""), w.maybe(15, "repeatable "), w.maybe(30, " | QUERY"))
	}
	return b.String()
}

func (w *mixture) arguments() string {
	return fmt.Sprintf("%sa: %s%s%s in: In%s", w.doc(), w.mostly("Int", "Int!"), w.mostly(" = 1", " = 2", ""), w.value("argument"),
		w.maybe(15, " c: "+w.mostly("F", "F!")))
}
