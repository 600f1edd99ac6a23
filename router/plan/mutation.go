package plan

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// acts says whether the fields of a site do something, so that none may be called that the client excludes.
func (b *builder) acts(s *site) bool { return s.parent == nil && b.op.Operation == ast.Mutation }

// buildMutation runs root fields in document order. A field joins the fetch before it when that is of the same subgraph, nothing else
// follows from it, and it has not been asked for there.
func (b *builder) buildMutation(a *arrival) error {
	turns, err := b.turns()
	if err != nil {
		return err
	}
	for _, w := range turns {
		g, err := b.rootGraph(w)
		if err != nil {
			return err
		}
		last := b.lastEntry()
		if last == nil || last.graph != g || last.site != b.root || last.reps != nil || last.sel.field(w.slot, b.rootType) != nil {
			if last != nil {
				b.stage, b.epoch = b.lastStage()+1, b.epoch+1
			}
			a = &arrival{site: b.root, types: a.types}
			b.addRoot(a, g)
		}
		placed, err := b.place(a, b.rootType, w)
		if err != nil {
			return err
		}
		if err := b.descend(placed); err != nil {
			return err
		}
	}
	return nil
}

// turns are the root fields in the order in which they may run. A field that is mentioned under several conditions has a turn at each
// mention, for when none of those before it ran: where a field stands in the order depends on variables.
func (b *builder) turns() ([]*want, error) {
	var turns []*want
	for _, m := range b.mentions {
		if m.denied || strings.HasPrefix(m.field.Name, "__") {
			continue
		}
		w := b.root.groups[0].want(b.findSlot(b.root, m.collected), m.part)
		turn := *w
		turn.cond = m.cond.except(m.unless)
		if len(turn.cond) > maxClauses {
			return nil, &Error{Message: fmt.Sprintf("the conditions that decide when %s runs are too many", m.key)}
		}
		if len(turn.cond) > 0 {
			turns = append(turns, &turn)
		}
	}
	return turns, nil
}
