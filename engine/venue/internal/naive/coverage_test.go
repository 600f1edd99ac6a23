package naive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bourse/engine/fault"
	"bourse/engine/market"
)

// coverage counts what occurred in the streams, by the rows of a table.
type coverage struct{ rows map[string]int }

func newCoverage() *coverage { return &coverage{map[string]int{}} }

func (c *coverage) count(parts ...any) { c.rows[strings.TrimSpace(fmt.Sprintln(parts...))]++ }

// String is the table.
func (c *coverage) String() string {
	var b strings.Builder
	for _, row := range slices.Sorted(maps.Keys(c.rows)) {
		fmt.Fprintf(&b, "%9d  %s\n", c.rows[row], row)
	}
	return b.String()
}

// command counts a command with what came of it. The phases are those before it.
func (c *coverage) command(v *Venue, command any, refusal fault.Code, receipt Receipt, effects []Effect, phases []market.Phase) {
	name := fmt.Sprintf("%T", command)[strings.Index(fmt.Sprintf("%T", command), ".")+1:]
	if receipt.Repeated {
		c.count("command", name, "repeated")
		return
	}
	c.count("command", name, cmpOr(refusal))
	for _, note := range v.notes {
		c.count(note)
	}
	if phase := phaseOf(v, command, phases); phase != 0 {
		outcome := "accepted"
		if refusal != "" {
			outcome = "refused"
		}
		c.count("phase", phase, name, outcome)
	}
	if refusal == "" {
		c.effects(v, effects)
		if place, ok := command.(*PlaceOrder); ok {
			c.placed(place, effects[0])
		}
	}
}

func phaseOf(v *Venue, command any, phases []market.Phase) market.Phase {
	var m *Market
	switch command := command.(type) {
	case *PlaceOrder:
		m = v.market(command.Symbol)
	case *CancelOrder:
		if o := v.known(command.Order); o != nil {
			m = o.Market
		}
	}
	if m == nil || m.ID > len(phases) {
		return 0
	}
	return phases[m.ID-1]
}

func (c *coverage) step(v *Venue, effects []Effect) {
	c.count("step", stepOf(effects))
	for _, note := range v.notes {
		c.count(note)
	}
	c.effects(v, effects)
}

func stepOf(effects []Effect) string {
	if len(effects) == 0 {
		return "nothing"
	}
	first := effects[0]
	if first.What == "cancelled" {
		return fmt.Sprintln("cancelled", first.Reason)
	}
	return first.What
}

func (c *coverage) placed(place *PlaceOrder, e Effect) {
	c.count("order", e.Type, e.TimeInForce)
	c.count("self-trade mode", e.SelfTrade)
	if e.PostOnly {
		c.count("option post-only")
	}
	if e.Display > 0 {
		c.count("option display")
	}
	if place.QuoteAmount > 0 {
		c.count("option quote amount")
	}
}

func (c *coverage) effects(v *Venue, effects []Effect) {
	for _, e := range effects {
		c.count("effect", e.What)
		if e.What == "cancelled" {
			c.count("cancelled", e.Reason)
		}
	}
}
