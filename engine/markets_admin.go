package engine

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// CreateAsset is an asset to be.
type CreateAsset struct {
	Key string
	// Code is 1 to 12 capital letters and digits.
	Code string
	// Scale is the number of decimals, 0 to 18.
	Scale uint8
}

// CreateMarket is a market to be. Decimals are plain text.
type CreateMarket struct {
	Key         string
	Base, Quote string // codes of assets
	TickSize    string // in quote per base
	LotSize     string // in base
	MinNotional string // in quote
	// Fee rates are fractions, such as 0.001, with at most six decimals.
	MakerFeeRate, TakerFeeRate string
}

// ChangePhase halts or resumes a market.
type ChangePhase struct {
	Key    string
	Symbol market.Symbol
	// Reason stands in the audit.
	Reason string
}

// PhaseChange is a halt or a resumption that was asked for and not refused.
type PhaseChange struct {
	At     time.Time
	Phase  market.Phase
	Reason string
	By     string // username
}

// The actions of the audit that this file writes.
const (
	actionAssetCreate  = "asset.create"
	actionMarketCreate = "market.create"
	actionMarketHalt   = "market.halt"
	actionMarketResume = "market.resume"
	actionMarketPhase  = "market.phase"
	actionMarketRules  = "market.rules"
	// refusedSuffix marks the row that follows when the venue said no.
	refusedSuffix = ".refused"
)

// CreateAsset adds an asset; needs the duty markets. Refusals: ASSET_EXISTS, INVALID_ARGUMENT,
// IDEMPOTENCY_CONFLICT, UNAVAILABLE, OUTCOME_UNKNOWN.
func (a *Admin) CreateAsset(ctx context.Context, c CreateAsset) (money.Asset, Sequence, error) {
	asset := money.Asset{Code: c.Code, Scale: c.Scale}
	if err := errors.Join(a.must(account.DutyMarkets), checkKey(c.Key)); err != nil {
		return money.Asset{}, 0, err
	}
	if !asset.Valid() {
		return money.Asset{}, 0, fault.Newf(fault.InvalidArgument, "an asset has a code of 1 to %d capital letters and digits, and 0 to %d decimals", money.MaxCode, money.MaxScale)
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: actionAssetCreate, Subject: "asset:" + c.Code, Command: c.Key, Details: map[string]string{"scale": money.NewDecimal(int64(c.Scale), 0).String()},
	}, &venue.AddAsset{Actor: a.actor.ID, Key: c.Key, Asset: asset})
	return asset, receipt.Sequence, err
}

// CreateMarket opens a market; needs the duty markets. Refusals: MARKET_EXISTS, UNKNOWN_ASSET,
// INVALID_ARGUMENT, INVALID_MARKET, IDEMPOTENCY_CONFLICT, UNAVAILABLE, OUTCOME_UNKNOWN.
func (a *Admin) CreateMarket(ctx context.Context, c CreateMarket) (Market, Sequence, error) {
	if err := errors.Join(a.must(account.DutyMarkets), checkKey(c.Key)); err != nil {
		return Market{}, 0, err
	}
	definition, err := a.x.define(ctx, c)
	if err != nil {
		return Market{}, 0, err
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: actionMarketCreate, Subject: marketSubject(definition.Symbol), Command: c.Key,
		Details: map[string]string{
			"tickSize": c.TickSize, "lotSize": c.LotSize, "minNotional": c.MinNotional, "makerFeeRate": c.MakerFeeRate, "takerFeeRate": c.TakerFeeRate,
		},
	}, &venue.CreateMarket{Actor: a.actor.ID, Key: c.Key, Definition: definition})
	if err != nil {
		return Market{}, 0, err
	}
	m, err := a.x.Visitor().Market(ctx, definition.Symbol)
	return m, receipt.Sequence, err
}

// define reads the decimals of a market.
func (x *Exchange) define(ctx context.Context, c CreateMarket) (market.Definition, error) {
	base, err := x.asset(ctx, c.Base)
	if err != nil {
		return market.Definition{}, err
	}
	quote, err := x.asset(ctx, c.Quote)
	if err != nil {
		return market.Definition{}, err
	}
	tick, err1 := positive("tickSize", c.TickSize)
	lot, err2 := positive("lotSize", c.LotSize)
	least, err3 := parseDecimal("minNotional", c.MinNotional)
	maker, err4 := parseRate("makerFeeRate", c.MakerFeeRate)
	taker, err5 := parseRate("takerFeeRate", c.TakerFeeRate)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return market.Definition{}, err
	}
	minNotional, err := quote.Parse(least)
	if err != nil || minNotional < 0 {
		return market.Definition{}, badArgument("minNotional", "is not an amount of the quote asset")
	}
	return market.Definition{
		Symbol: market.Symbol(c.Base + "-" + c.Quote), Base: base, Quote: quote,
		TickSize: tick, LotSize: lot, MinNotional: minNotional, MakerFee: maker, TakerFee: taker,
	}, nil
}

// Halt stops trading in a market; orders rest and may be cancelled. Needs the duty markets. Refusals:
// UNKNOWN_MARKET, INVALID_ARGUMENT, IDEMPOTENCY_CONFLICT, UNAVAILABLE, OUTCOME_UNKNOWN.
func (a *Admin) Halt(ctx context.Context, c ChangePhase) (Market, Sequence, error) {
	return a.changePhase(ctx, actionMarketHalt, market.Halted, c)
}

// Resume starts trading again. Refusals as of Halt.
func (a *Admin) Resume(ctx context.Context, c ChangePhase) (Market, Sequence, error) {
	return a.changePhase(ctx, actionMarketResume, market.Continuous, c)
}

func (a *Admin) changePhase(ctx context.Context, action string, phase market.Phase, c ChangePhase) (Market, Sequence, error) {
	if err := errors.Join(a.must(account.DutyMarkets), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return Market{}, 0, err
	}
	if _, err := a.x.Visitor().Market(ctx, c.Symbol); err != nil {
		return Market{}, 0, err
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: action, Subject: marketSubject(c.Symbol), Command: c.Key, Details: map[string]string{"reason": c.Reason},
	}, &venue.SetPhase{Actor: a.actor.ID, Key: c.Key, Symbol: c.Symbol, Phase: phase})
	if err != nil {
		return Market{}, 0, err
	}
	m, err := a.x.Visitor().Market(ctx, c.Symbol)
	return m, receipt.Sequence, err
}

// command sends a command of the admin to the venue, with its row in the audit written before: a row
// may describe what was then refused, and is followed by one that says so, but nothing ever changed
// without its row. The same command again, after its answer was lost, finds its row there; after a
// refusal it is another attempt, with a row of its own.
func (a *Admin) command(ctx context.Context, entry audit.Entry, cmd venue.Command) (venue.Receipt, error) {
	refusals, err := a.x.db.AuditedAttempts(ctx, a.actor.ID, entry.Action+refusedSuffix, entry.Subject, entry.Command)
	if err != nil {
		return venue.Receipt{}, refusal(err)
	}
	entry.At, entry.Actor = stamp(a.x.now), a.actor
	entry.Command += "#" + strconv.Itoa(refusals)
	if err := a.x.db.AppendAudit(ctx, entry); err != nil {
		return venue.Receipt{}, refusal(err)
	}
	receipt, err := a.x.submit(ctx, cmd)
	if code := fault.CodeOf(err); finalRefusal(err) || code == fault.IdempotencyConflict {
		entry.At = stamp(a.x.now)
		entry.Action += refusedSuffix
		entry.Details = map[string]string{"code": string(code)}
		if logged := a.x.db.AppendAudit(ctx, entry); logged != nil {
			a.x.log.ErrorContext(ctx, "refusal not audited", "action", entry.Action, "subject", entry.Subject, "error", logged)
		}
	}
	return receipt, err
}

// maxPhases bounds how far back the phases of a market are told.
const maxPhases = 200

// PhaseHistory returns the halts and resumptions of a market, oldest first, as the audit tells them.
func (a *Admin) PhaseHistory(ctx context.Context, symbol market.Symbol) ([]PhaseChange, error) {
	rows, err := a.x.db.AuditOf(ctx, marketSubject(symbol), maxPhases)
	if err != nil {
		return nil, refusal(err)
	}
	refused := make(map[string]bool)
	for _, r := range rows {
		if action, no := strings.CutSuffix(r.Action, refusedSuffix); no {
			refused[r.ActorID.String()+" "+action+" "+r.Command] = true
		}
	}
	var out []PhaseChange
	for _, r := range rows {
		phase, ok := phaseOf(r.Action, detail(r, "phase"))
		if !ok || refused[r.ActorID.String()+" "+r.Action+" "+r.Command] {
			continue
		}
		out = append(out, PhaseChange{At: r.At, Phase: phase, Reason: detail(r, "reason"), By: r.ActorName})
	}
	return out, nil
}

// phaseOf is what an action of the audit moved a market to.
func phaseOf(action, named string) (market.Phase, bool) {
	switch action {
	case actionMarketHalt:
		return market.Halted, true
	case actionMarketResume:
		return market.Continuous, true
	case actionMarketPhase:
		for phase := market.Continuous; phase.Valid(); phase++ {
			if phase.String() == named {
				return phase, true
			}
		}
	}
	return 0, false
}

// Assets, Markets and Market are the visitor's, here so that an admin needs no second view.

// Assets returns every asset, by code.
func (a *Admin) Assets(ctx context.Context) ([]money.Asset, error) {
	return a.x.Visitor().Assets(ctx)
}

// Markets returns every market, by symbol.
func (a *Admin) Markets(ctx context.Context) ([]Market, error) { return a.x.Visitor().Markets(ctx) }

// Market returns a market, or UNKNOWN_MARKET.
func (a *Admin) Market(ctx context.Context, symbol market.Symbol) (Market, error) {
	return a.x.Visitor().Market(ctx, symbol)
}

func marketSubject(symbol market.Symbol) string { return "market:" + string(symbol) }

func badArgument(field, problem string) error {
	return fault.New(fault.InvalidArgument, field+" "+problem, "field", field)
}

func parseDecimal(field, text string) (money.Decimal, error) {
	d, err := money.ParseDecimal(text)
	if err != nil || d.Sign() < 0 {
		return money.Decimal{}, badArgument(field, "is not a plain decimal of at least 0")
	}
	return d, nil
}

func positive(field, text string) (money.Decimal, error) {
	d, err := parseDecimal(field, text)
	if err == nil && d.Sign() == 0 {
		err = badArgument(field, "must be above 0")
	}
	return d, err
}

// parseRate reads a fraction into parts per million.
func parseRate(field, text string) (money.Rate, error) {
	d, err := parseDecimal(field, text)
	if err != nil {
		return 0, err
	}
	const millionth = 6
	parts, err := d.Units(millionth)
	if err != nil || parts > 1_000_000 {
		return 0, badArgument(field, "is not a fraction from 0 to 1 with at most six decimals")
	}
	return money.Rate(parts), nil
}
