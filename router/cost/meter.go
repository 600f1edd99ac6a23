package cost

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// Meter says what the answer to one operation costs, by what stands in it. It is immutable.
//
//	cost of a field    its arguments + for each value that is there: weight + its selections, never below 0
//
// Each value counts once, however often the operation asks for it under the key, and null counts nothing. What an answer does not tell is the type
// of an object: of several that fragments are for, the dearest counts.
type Meter struct {
	m *Model
	reading
}

// Meter reads a validated operation of doc.
func (m *Model) Meter(doc *ast.QueryDocument, operationName string) *Meter {
	return &Meter{m, m.read(doc, operationName)}
}

// Cost is what an answer costs: JSON with data, which answers an operation with these variables. What is no such answer costs its base.
func (t *Meter) Cost(variables map[string]any, answer []byte) int {
	var got struct{ Data map[string]any }
	if json.Unmarshal(answer, &got) != nil {
		return t.base
	}
	e := evaluation{m: t.m, variables: decoded(variables)}
	return e.object(t.terms, got.Data, t.base)
}

// object adds to total what the fields of an object cost.
func (e *evaluation) object(terms []*term, of map[string]any, total int) int {
	byKey := map[string][]*term{}
	for _, t := range terms {
		if e.asked(t) && of[t.key] != nil {
			byKey[t.key] = append(byKey[t.key], t)
		}
	}
	for key, same := range byKey {
		total = plus(total, e.value(same, of[key]))
	}
	return total
}

func (e *evaluation) asked(t *term) bool {
	for _, c := range t.when {
		if holds, _ := e.holds(c); !holds {
			return false
		}
	}
	return true
}

// value is what a field costs that is asked for by all of these.
func (e *evaluation) value(same []*term, v any) int {
	spent, weight := 0, same[0].fixed
	var below []*term
	for i, t := range same {
		arguments := 0
		for _, a := range t.arguments {
			n, _ := e.argument(a)
			arguments = plus(arguments, n)
		}
		if i == 0 || arguments > spent {
			spent = arguments
		}
		weight, below = max(weight, t.fixed), append(below, t.below...)
	}
	return max(0, plus(spent, e.items(weight, below, v)))
}

func (e *evaluation) items(weight int, below []*term, v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []any:
		total := 0
		for _, item := range v {
			total = plus(total, e.items(weight, below, item))
		}
		return total
	case map[string]any:
		return e.object(below, v, weight)
	}
	return weight
}
