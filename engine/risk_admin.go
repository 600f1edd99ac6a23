package engine

import (
	"context"
	"errors"
	"strconv"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
	"bourse/engine/venue"
)

// Limits are what members may do at most, as a person writes them: decimals in the units of the
// market, rates as fractions; nothing, and 0, says nothing. Those counted over all markets are set
// without a symbol, those counted in units of a market with one.
type Limits struct {
	OpenOrders, OrdersPerSecond     int64
	OrderQuantity                   string // base
	OrderNotional, ApprovalNotional string // quote
	Distance                        string // fraction of the last price
	Position                        string // base
	Exposure                        string // quote
}

// SetLimits binds a scope in a market, or in all, in place of what bound it before.
type SetLimits struct {
	Key string
	// Scope with the id of the group, agent or member; 0 for the house.
	Scope  risk.Scope
	ID     uint64
	Symbol market.Symbol
	Limits Limits
	// Reason stands in the audit.
	Reason string
}

// SetLimits sets limits; needs the duty risk. Refusals: UNKNOWN_MARKET, INVALID_LIMITS,
// INVALID_ARGUMENT, INVALID_AMOUNT, TOO_MANY_DECIMALS, UNKNOWN_AGENT and those of every command.
func (a *Admin) SetLimits(ctx context.Context, c SetLimits) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyRisk), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return 0, err
	}
	limits, err := a.x.parseLimits(c.Symbol, &c.Limits)
	if err != nil {
		return 0, err
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "limits.set", Subject: "limits:" + c.Scope.String() + ":" + strconv.FormatUint(c.ID, 10), Command: c.Key,
		Details: map[string]string{"market": string(c.Symbol), "reason": c.Reason},
	}, &venue.SetLimits{Actor: a.actor.ID, Key: c.Key, Scope: c.Scope, ID: c.ID, Symbol: c.Symbol, Limits: limits})
	return receipt.Sequence, err
}

func (x *Exchange) parseLimits(symbol market.Symbol, l *Limits) (risk.Limits, error) {
	limits := risk.Limits{OpenOrders: l.OpenOrders, OrdersPerSecond: l.OrdersPerSecond}
	var d market.Definition
	if symbol != "" {
		m := x.catalogue.Load().bySymbol[symbol]
		if m == nil {
			return limits, errUnknownMarket
		}
		d = m.Definition
	} else if l.OrderQuantity+l.OrderNotional+l.ApprovalNotional+l.Position+l.Exposure != "" {
		return limits, fault.New(fault.InvalidLimits, "quantity, notional, position and exposure are counted in units of a market: name one")
	}
	p := orderParser{definition: &d}
	if l.OrderQuantity != "" {
		limits.OrderQuantity = p.quantity(l.OrderQuantity)
	}
	limits.OrderNotional, limits.ApprovalNotional = p.limit(d.Quote, l.OrderNotional), p.limit(d.Quote, l.ApprovalNotional)
	limits.Position, limits.Exposure = p.limit(d.Base, l.Position), p.limit(d.Quote, l.Exposure)
	if l.Distance != "" {
		rate, err := parseRate("distance", l.Distance)
		p.note(err)
		limits.Distance = rate
	}
	return limits, p.err
}

// limit reads an amount; absent is 0.
func (p *orderParser) limit(asset money.Asset, text string) money.Amount {
	if text == "" {
		return 0
	}
	amount, err := market.ParseAmountText(asset, text)
	p.note(err)
	return amount
}

// LimitsOf returns what was set for a scope in a market, or in all; false when nothing was. Needs the
// duty people.
func (a *Admin) LimitsOf(ctx context.Context, scope risk.Scope, id uint64, symbol market.Symbol) (risk.Limits, bool, error) {
	if err := errors.Join(a.must(account.DutyPeople), a.x.reach(ctx)); err != nil {
		return risk.Limits{}, false, err
	}
	var limits risk.Limits
	var found bool
	a.x.read(func(s *venue.State) { limits, found = s.Limits(scope, id, symbol) })
	return limits, found, nil
}

// SetLimits binds the downline of the agent, itself included in no one's: it can only make tighter
// what the house allows. Refusals as of Admin.SetLimits.
func (a *Agent) SetLimits(ctx context.Context, key string, symbol market.Symbol, l Limits) (Sequence, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	limits, err := a.x.parseLimits(symbol, &l)
	if err != nil {
		return 0, err
	}
	if err := a.x.db.AppendAudit(ctx, audit.Entry{
		At: stamp(a.x.now), Actor: a.actor, Action: "limits.set", Subject: "limits:AGENT:" + a.actor.ID.String(), Command: key,
		Details: map[string]string{"market": string(symbol)},
	}); err != nil {
		return 0, refusal(err)
	}
	receipt, err := a.x.submit(ctx, &venue.SetLimits{
		Actor: a.actor.ID, Key: key, Scope: risk.OfAgent, ID: uint64(a.actor.ID), Symbol: symbol, Limits: limits,
	})
	return receipt.Sequence, err
}

// SetStanding says what the house has decided about a member. Absent parts stay as they are.
type SetStanding struct {
	Key    string
	Member account.ID
	Freeze *risk.Freeze
	// Group is to which limits and fees are given, TradeGroup whose members are of one hand; 0 for none.
	Group      *uint32
	TradeGroup *uint64
	// Reason stands in the audit.
	Reason string
}

// SetStanding freezes or thaws a member, or puts it into groups; needs the duty risk. Refusals:
// NOT_FOUND, INVALID_ARGUMENT and those of every command.
func (a *Admin) SetStanding(ctx context.Context, c SetStanding) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyRisk), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return 0, err
	}
	m, err := a.Member(ctx, c.Member)
	if err != nil {
		return 0, err
	}
	details := map[string]string{"reason": c.Reason}
	cmd := a.x.memberCommand(a.actor.ID, c.Key, m.ID, func(p *venue.Profile) {
		p.Agent = m.AgentID
		if c.Freeze != nil {
			p.Freeze, details["freeze"] = *c.Freeze, c.Freeze.String()
		}
		if c.Group != nil {
			p.Group, details["group"] = *c.Group, strconv.FormatUint(uint64(*c.Group), 10)
		}
		if c.TradeGroup != nil {
			p.TradeGroup, details["tradeGroup"] = *c.TradeGroup, strconv.FormatUint(*c.TradeGroup, 10)
		}
	})
	receipt, err := a.command(ctx, audit.Entry{
		Action: "member.standing", Subject: "member:" + m.Username, Command: c.Key, Details: details,
	}, cmd)
	return receipt.Sequence, err
}

// Standing returns what the house has decided about a member. Needs the duty people.
func (a *Admin) Standing(ctx context.Context, id account.ID) (venue.Profile, error) {
	if err := errors.Join(a.must(account.DutyPeople), a.x.reach(ctx)); err != nil {
		return venue.Profile{}, err
	}
	var p venue.Profile
	a.x.read(func(s *venue.State) { p, _ = s.Profile(id) })
	return p, nil
}

// CancelOrder cancels anybody's order, with the reason ADMINISTRATIVE; needs the duty risk. Refusals:
// ORDER_NOT_FOUND, ORDER_NOT_OPEN, INVALID_ARGUMENT and those of every command.
func (a *Admin) CancelOrder(ctx context.Context, key string, id market.OrderID, reason string) (Order, Sequence, error) {
	if err := errors.Join(a.must(account.DutyRisk), checkKey(key), checkNote(reason, "reason", true)); err != nil {
		return Order{}, 0, err
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "order.cancel", Subject: "order:" + strconv.FormatUint(uint64(id), 10), Command: key,
		Details: map[string]string{"reason": reason},
	}, &venue.CancelFor{Actor: a.actor.ID, Key: key, Order: id})
	if err != nil {
		return Order{}, 0, err
	}
	order, err := a.x.anyOrder(ctx, id)
	return order, receipt.Sequence, err
}
