package engine

import (
	"context"
	"errors"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// SetPhase moves a market to another phase.
type SetPhase struct {
	Key    string
	Symbol market.Symbol
	Phase  market.Phase
	// Until is when an auction ends by itself; zero for when the house says so.
	Until time.Time
	// Reason stands in the audit.
	Reason string
}

// SetPhase moves a market to another phase; needs the duty markets. Refusals: UNKNOWN_MARKET,
// INVALID_PHASE_CHANGE, INVALID_ARGUMENT and those of every command.
func (a *Admin) SetPhase(ctx context.Context, c SetPhase) (Market, Sequence, error) {
	if err := errors.Join(a.must(account.DutyMarkets), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return Market{}, 0, err
	}
	if _, err := a.x.Visitor().Market(ctx, c.Symbol); err != nil {
		return Market{}, 0, err
	}
	cmd := &venue.SetPhase{Actor: a.actor.ID, Key: c.Key, Symbol: c.Symbol, Phase: c.Phase}
	if !c.Until.IsZero() {
		cmd.Until = stampOf(c.Until)
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: actionMarketPhase, Subject: marketSubject(c.Symbol), Command: c.Key,
		Details: map[string]string{"phase": c.Phase.String(), "reason": c.Reason},
	}, cmd)
	if err != nil {
		return Market{}, 0, err
	}
	m, err := a.x.Visitor().Market(ctx, c.Symbol)
	return m, receipt.Sequence, err
}

// SetRules is how a market may move, as a person writes it: decimals in the units of the market,
// rates as fractions; an empty one is 0.
type SetRules struct {
	Key            string
	Symbol         market.Symbol
	ReferencePrice string // empty leaves the one that stands
	Band, Breaker  string
	// BreakerWindow is after which time the reference price follows the market, BreakerPause how long
	// a market that the breaker stopped collects orders.
	BreakerWindow, BreakerPause time.Duration
	// DayEnd is when the trading day ends, after midnight UTC.
	DayEnd                  time.Duration
	MinNotional, Protection string
	// Reason stands in the audit.
	Reason string
}

// SetRules sets what the house may change about a market that trades; needs the duty markets.
// Refusals: UNKNOWN_MARKET, INVALID_MARKET, INVALID_PRICE, PRICE_OFF_TICK, INVALID_ARGUMENT and those
// of every command.
func (a *Admin) SetRules(ctx context.Context, c SetRules) (Market, Sequence, error) {
	if err := errors.Join(a.must(account.DutyMarkets), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return Market{}, 0, err
	}
	m := a.x.catalogue.Load().bySymbol[c.Symbol]
	if m == nil {
		return Market{}, 0, errUnknownMarket
	}
	rules, err := c.parse(&m.Definition)
	if err != nil {
		return Market{}, 0, err
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: actionMarketRules, Subject: marketSubject(c.Symbol), Command: c.Key, Details: map[string]string{
			"referencePrice": c.ReferencePrice, "band": c.Band, "breaker": c.Breaker, "minNotional": c.MinNotional,
			"protection": c.Protection, "reason": c.Reason,
		},
	}, &venue.SetRules{Actor: a.actor.ID, Key: c.Key, Symbol: c.Symbol, Rules: rules})
	if err != nil {
		return Market{}, 0, err
	}
	changed, err := a.x.Visitor().Market(ctx, c.Symbol)
	return changed, receipt.Sequence, err
}

func (c *SetRules) parse(d *market.Definition) (market.Rules, error) {
	rules := market.Rules{
		BreakerWindow: int64(c.BreakerWindow), BreakerPause: int64(c.BreakerPause), DayEnd: int64(c.DayEnd),
	}
	p := orderParser{definition: d}
	if c.ReferencePrice != "" {
		rules.ReferencePrice = p.price(c.ReferencePrice)
	}
	rate := func(field, text string) money.Rate {
		if text == "" {
			return 0
		}
		r, err := parseRate(field, text)
		p.note(err)
		return r
	}
	rules.Band, rules.Breaker = rate("band", c.Band), rate("breaker", c.Breaker)
	rules.Protection = rate("protection", c.Protection)
	if c.MinNotional != "" {
		least, err := parseDecimal("minNotional", c.MinNotional)
		p.note(err)
		if rules.MinNotional, err = d.Quote.Parse(least); err != nil {
			p.note(badArgument("minNotional", "is not an amount of the quote asset"))
		}
	}
	return rules, p.err
}
