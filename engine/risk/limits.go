package risk

import (
	"strconv"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Limits bound what one member may do. A limit of zero says nothing.
type Limits struct {
	OpenOrders       int64           // open orders that the member may have, over all markets
	OrdersPerSecond  int64           // placings and amends within one whole second, over all markets
	OrderQuantity    market.Quantity // of one order
	OrderNotional    money.Amount    // of one order, in quote
	ApprovalNotional money.Amount    // of one order, in quote, above which it must be approved
	Distance         money.Rate      // of a limit price beyond the last price
	Position         money.Amount    // base that a member may come to hold
	Exposure         money.Amount    // quote that the open orders of a market may come to
}

// DefaultOpenOrders stands where no limit of open orders is set.
const DefaultOpenOrders = 1000

// Validate returns INVALID_LIMITS when a limit is out of range, when two of them
// contradict one another, when one is counted in units of a market and the
// limits are of all markets, or the other way round.
func (l *Limits) Validate(ofMarket bool) error {
	switch {
	case l.OpenOrders < 0 || l.OrdersPerSecond < 0 || l.OrderQuantity < 0 || l.OrderNotional < 0 || l.ApprovalNotional < 0 ||
		l.Distance < 0 || l.Position < 0 || l.Exposure < 0:
		return fault.New(fault.InvalidLimits, "a limit must not be negative")
	case l.Distance > money.Whole:
		return fault.New(fault.InvalidLimits, "a distance is at most 1,000,000 parts per million")
	case !ofMarket && (l.OrderQuantity != 0 || l.OrderNotional != 0 || l.ApprovalNotional != 0 || l.Position != 0 || l.Exposure != 0):
		return fault.New(fault.InvalidLimits, "quantity, notional, position and exposure are counted in units of a market: name one")
	case ofMarket && (l.OpenOrders != 0 || l.OrdersPerSecond != 0):
		return fault.New(fault.InvalidLimits, "open orders and their rate are counted over all markets: name none")
	case l.OrderNotional != 0 && l.ApprovalNotional > l.OrderNotional:
		return fault.New(fault.InvalidLimits, "an approval above the largest notional would never be asked for")
	}
	return nil
}

// Scope is whom limits bind.
type Scope uint8

const (
	// OfHouse binds everybody.
	OfHouse Scope = 1
	// OfGroup binds the members of a group.
	OfGroup Scope = 2
	// OfAgent binds the members below an agent, and only ever makes it tighter.
	OfAgent Scope = 3
	// OfMember binds one member.
	OfMember Scope = 4
)

// Valid reports whether the scope is one.
func (s Scope) Valid() bool { return s >= OfHouse && s <= OfMember }

func (s Scope) String() string {
	names := [...]string{"", "HOUSE", "GROUP", "AGENT", "MEMBER"}
	if !s.Valid() {
		return "UNKNOWN(" + strconv.Itoa(int(s)) + ")"
	}
	return names[s]
}

// Freeze is what an account is kept from.
type Freeze uint8

const (
	// NotFrozen keeps from nothing.
	NotFrozen Freeze = 0
	// FrozenTrading keeps from placing and amending orders.
	FrozenTrading Freeze = 1
	// FrozenWholly keeps from moving money out as well.
	FrozenWholly Freeze = 2
)

// Valid reports whether the freeze is one.
func (f Freeze) Valid() bool { return f <= FrozenWholly }

func (f Freeze) String() string {
	names := [...]string{"NONE", "TRADING", "WHOLLY"}
	if !f.Valid() {
		return "UNKNOWN(" + strconv.Itoa(int(f)) + ")"
	}
	return names[f]
}

// Resolve returns the limits that bind a member in a market. Own are those that
// were set for it, the more specific first; above are those of its agents, each
// with that of the market before that of all markets. Entries may be nil.
//
// Each limit is found by itself: the first of own that says something, which
// each agent may only make tighter.
func Resolve(own []*Limits, above [][2]*Limits) Limits {
	var found Limits
	for _, l := range own {
		found.fill(l)
	}
	first(&found.OpenOrders, DefaultOpenOrders)
	for _, pair := range above {
		var agent Limits
		agent.fill(pair[0])
		agent.fill(pair[1])
		found.tighten(&agent)
	}
	return found
}

// fill takes over what l does not say yet.
func (l *Limits) fill(from *Limits) {
	if from == nil {
		return
	}
	first(&l.OpenOrders, from.OpenOrders)
	first(&l.OrdersPerSecond, from.OrdersPerSecond)
	first(&l.OrderQuantity, from.OrderQuantity)
	first(&l.OrderNotional, from.OrderNotional)
	first(&l.ApprovalNotional, from.ApprovalNotional)
	first(&l.Distance, from.Distance)
	first(&l.Position, from.Position)
	first(&l.Exposure, from.Exposure)
}

// tighten takes over what is smaller, or what l does not say.
func (l *Limits) tighten(by *Limits) {
	smaller(&l.OpenOrders, by.OpenOrders)
	smaller(&l.OrdersPerSecond, by.OrdersPerSecond)
	smaller(&l.OrderQuantity, by.OrderQuantity)
	smaller(&l.OrderNotional, by.OrderNotional)
	smaller(&l.ApprovalNotional, by.ApprovalNotional)
	smaller(&l.Distance, by.Distance)
	smaller(&l.Position, by.Position)
	smaller(&l.Exposure, by.Exposure)
}

func first[T ~int64](limit *T, other T) {
	if *limit == 0 {
		*limit = other
	}
}

func smaller[T ~int64](limit *T, other T) {
	if other != 0 && (*limit == 0 || other < *limit) {
		*limit = other
	}
}
