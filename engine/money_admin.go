package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/commission"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// Adjust corrects a balance by hand.
type Adjust struct {
	Key    string
	Member account.ID
	Asset  string
	// Amount is a decimal: what the member gets, or, with a minus, gives back.
	Amount string
	// Reason stands in the audit.
	Reason string
}

// Adjust moves an amount between a member's available balance and the house's adjustments; needs the
// duty money. Refusals: NOT_FOUND, UNKNOWN_ASSET, INVALID_AMOUNT, TOO_MANY_DECIMALS,
// INSUFFICIENT_BALANCE, ACCOUNT_FROZEN, AMOUNT_OVERFLOW and those of every command.
func (a *Admin) Adjust(ctx context.Context, c Adjust) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return 0, err
	}
	m, err := a.Member(ctx, c.Member)
	if err != nil {
		return 0, err
	}
	_, asset, err := a.x.assetByCode(c.Asset)
	if err != nil {
		return 0, err
	}
	text, back := strings.CutPrefix(c.Amount, "-")
	amount, err := market.ParseAmountText(asset, text)
	if err != nil {
		return 0, err
	}
	from, to := ledger.Account{Kind: ledger.Adjustments}, ledger.Account{Owner: m.ID, Kind: ledger.Available}
	if back {
		from, to = to, from
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "balance.adjust", Subject: "member:" + m.Username, Command: c.Key,
		Details: map[string]string{"asset": c.Asset, "amount": c.Amount, "reason": c.Reason},
	}, &venue.MakeTransfer{
		Actor: a.actor.ID, Key: c.Key, Transfer: a.transferID(c.Key), From: from, To: to, Asset: c.Asset, Amount: amount,
	})
	return receipt.Sequence, err
}

// transferID names a transfer after the command that makes it, so that asking again names the same
// one. Two commands share a name once in 2^63.
func (a *Admin) transferID(key string) uint64 {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(a.actor.ID)), key...))
	return max(binary.BigEndian.Uint64(sum[:])>>1, 1)
}

// SetCredit lets a member's available balance of an asset fall below zero by an amount, 0 ends that;
// needs the duty money. Refusals: NOT_FOUND, UNKNOWN_ASSET, INVALID_AMOUNT, INSUFFICIENT_BALANCE when
// more is drawn already, AMOUNT_OVERFLOW and those of every command.
func (a *Admin) SetCredit(ctx context.Context, c Adjust) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(c.Key), checkNote(c.Reason, "reason", true)); err != nil {
		return 0, err
	}
	m, err := a.Member(ctx, c.Member)
	if err != nil {
		return 0, err
	}
	_, asset, err := a.x.assetByCode(c.Asset)
	if err != nil {
		return 0, err
	}
	line, err := asset.ParseText(c.Amount)
	if err != nil || line < 0 {
		return 0, fault.New(fault.InvalidAmount, "a credit line must be a plain decimal of at least 0")
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "credit.set", Subject: "member:" + m.Username, Command: c.Key,
		Details: map[string]string{"asset": c.Asset, "amount": c.Amount, "reason": c.Reason},
	}, &venue.SetCredit{Actor: a.actor.ID, Key: c.Key, Member: m.ID, Asset: c.Asset, Amount: line})
	return receipt.Sequence, err
}

// FeeTier is the rates, as fractions, of members who traded at least Volume, in quote, in the 30 days
// before.
type FeeTier struct{ Volume, MakerFeeRate, TakerFeeRate string }

// SetFees sets the tiers of a market for a group, or for all with group 0, by ascending volume; none
// takes them away. Orders that were placed keep their rates. Needs the duty money. Refusals:
// UNKNOWN_MARKET, INVALID_FEES, INVALID_ARGUMENT and those of every command.
func (a *Admin) SetFees(ctx context.Context, key string, symbol market.Symbol, group uint32, tiers []FeeTier) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(key)); err != nil {
		return 0, err
	}
	m := a.x.catalogue.Load().bySymbol[symbol]
	if m == nil {
		return 0, errUnknownMarket
	}
	var parsed []market.FeeTier
	for _, t := range tiers {
		volume, err1 := m.Definition.Quote.ParseText(t.Volume)
		maker, err2 := parseRate("makerFeeRate", t.MakerFeeRate)
		taker, err3 := parseRate("takerFeeRate", t.TakerFeeRate)
		if err1 != nil {
			err1 = badArgument("volume", "is not an amount of the quote asset")
		}
		if err := errors.Join(err1, err2, err3); err != nil {
			return 0, err
		}
		parsed = append(parsed, market.FeeTier{Volume: volume, Maker: maker, Taker: taker})
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "fees.set", Subject: marketSubject(symbol), Command: key,
		Details: map[string]string{"group": strconv.FormatUint(uint64(group), 10), "tiers": strconv.Itoa(len(tiers))},
	}, &venue.SetFees{Actor: a.actor.ID, Key: key, Symbol: symbol, Group: group, Tiers: parsed})
	return receipt.Sequence, err
}

// CommissionPlan is which part of a fee, as a fraction, an agent and those below it may have together.
type CommissionPlan struct {
	Default string
	Markets map[market.Symbol]string
	Groups  map[uint32]string
}

// SetCommissionPlan gives an agent a plan; needs the duty money. Refusals: NOT_FOUND,
// INVALID_COMMISSION, INVALID_ARGUMENT and those of every command.
func (a *Admin) SetCommissionPlan(ctx context.Context, key string, agent account.ID, plan CommissionPlan) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(key)); err != nil {
		return 0, err
	}
	parsed, err := parsePlan(&plan)
	if err != nil {
		return 0, err
	}
	found, err := a.x.db.Agent(ctx, 0, agent)
	if err != nil {
		return 0, refusal(err, refusalOf{postgres.ErrNotFound, errNoAgent})
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "commission.plan", Subject: "agent:" + found.Username, Command: key, Details: map[string]string{"default": plan.Default},
	}, &venue.SetAgent{Actor: a.actor.ID, Key: key, Agent: found.ID, Parent: found.ParentID, Plan: parsed})
	return receipt.Sequence, err
}

func parsePlan(plan *CommissionPlan) (commission.Plan, error) {
	var parsed commission.Plan
	var errs [3]error
	parsed.Default, errs[0] = parseRate("default", plan.Default)
	for symbol, text := range plan.Markets {
		rate, err := parseRate("markets", text)
		errs[1] = errors.Join(errs[1], err)
		parsed.Markets = append(parsed.Markets, commission.MarketRate{Symbol: symbol, Rate: rate})
	}
	for group, text := range plan.Groups {
		rate, err := parseRate("groups", text)
		errs[2] = errors.Join(errs[2], err)
		parsed.Groups = append(parsed.Groups, commission.GroupRate{Group: group, Rate: rate})
	}
	slices.SortFunc(parsed.Markets, func(a, b commission.MarketRate) int { return strings.Compare(string(a.Symbol), string(b.Symbol)) })
	slices.SortFunc(parsed.Groups, func(a, b commission.GroupRate) int { return int(int64(a.Group) - int64(b.Group)) })
	return parsed, errors.Join(errs[:]...)
}

// BustTrade takes back all that a trade moved: base, quote, fees and the agents' shares of them. Needs
// the duty money. Refusals: TRADE_NOT_FOUND, TRADE_BUSTED, BUST_NOT_COVERED when a party no longer has
// what it would give back, and those of every command.
func (a *Admin) BustTrade(ctx context.Context, key string, id market.TradeID, reason string) (Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(key), checkNote(reason, "reason", true)); err != nil {
		return 0, err
	}
	if err := a.x.reachProjected(ctx); err != nil {
		return 0, err
	}
	record, found, err := a.x.db.TradeRecord(ctx, id)
	if err != nil {
		return 0, refusal(err)
	}
	if !found {
		return 0, fault.New(fault.TradeNotFound, "there is no such trade")
	}
	record.Symbol = a.x.catalogue.Load().market(record.Market).Definition.Symbol
	receipt, err := a.command(ctx, audit.Entry{
		Action: "trade.bust", Subject: "trade:" + strconv.FormatUint(uint64(id), 10), Command: key,
		Details: map[string]string{"reason": reason},
	}, &venue.BustTrade{Actor: a.actor.ID, Key: key, Trade: record.TradeRecord})
	return receipt.Sequence, err
}

// SettleCommission pays out what an agent has accrued in an asset, all of it; needs the duty money.
// Nothing accrued is INVALID_AMOUNT. Refusals besides: NOT_FOUND, UNKNOWN_ASSET and those of every
// command.
func (a *Admin) SettleCommission(ctx context.Context, key string, agent account.ID, code string) (money.Decimal, Sequence, error) {
	if err := errors.Join(a.must(account.DutyMoney), checkKey(key)); err != nil {
		return money.Decimal{}, 0, err
	}
	id, asset, err := a.x.assetByCode(code)
	if err != nil {
		return money.Decimal{}, 0, err
	}
	transfer := a.transferID(key)
	if err := a.x.reachProjected(ctx); err != nil {
		return money.Decimal{}, 0, err
	}
	if done, at, found, err := a.x.db.MadeTransfer(ctx, transfer); err != nil || found { // asked for again
		return amountOf(asset, done), at, refusal(err)
	}
	var amount money.Amount
	a.x.read(func(s *venue.State) {
		amount = s.AccountBalance(ledger.Account{Owner: agent, Kind: ledger.Commission}, id)
	})
	if amount <= 0 {
		return money.Decimal{}, 0, fault.New(fault.InvalidAmount, "the agent has accrued nothing to settle")
	}
	receipt, err := a.command(ctx, audit.Entry{
		Action: "commission.settle", Subject: "agent:" + agent.String(), Command: key,
		Details: map[string]string{"asset": code, "amount": asset.Format(amount)},
	}, &venue.MakeTransfer{
		Actor: a.actor.ID, Key: key, Transfer: transfer, Asset: code, Amount: amount,
		From: ledger.Account{Owner: agent, Kind: ledger.Commission}, To: ledger.Account{Owner: agent, Kind: ledger.Available},
	})
	return amountOf(asset, amount), receipt.Sequence, err
}
