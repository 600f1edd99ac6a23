package venue

import (
	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// appendHouseFields writes the fields of what the house sets and moves.
func appendHouseFields(dst []byte, ev *Event) []byte {
	d := ev.Detail
	switch ev.Kind {
	case MemberSet:
		return appendProfile(appendNumbers(dst, uint64(ev.Member)), &d.Profile)
	case AgentSet:
		return appendPlan(appendNumbers(dst, uint64(ev.Agent), uint64(d.Parent)), d.Plan)
	case LimitsSet:
		dst = append(appendNumbers(dst, uint64(ev.Market)), byte(d.Scope))
		return appendLimits(appendNumbers(dst, d.ID), &d.Limits)
	case FeesSet:
		return appendTiers(appendNumbers(dst, uint64(ev.Market), uint64(d.Group)), d.Tiers)
	case CreditSet:
		return appendNumbers(dst, uint64(ev.Member), uint64(ev.Asset), uint64(ev.Amount))
	case CommissionAccrued:
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Trade), uint64(ev.Order), uint64(ev.Member))
		return appendNumbers(dst, uint64(ev.Agent), uint64(ev.Asset), uint64(ev.Amount))
	case TransferMade, TransferBegun, TransferPosted, TransferVoided:
		return appendTransfer(dst, &d.Transfer)
	case TradeBusted:
		return appendBust(dst, ev)
	}
	return dst
}

func (d *Decoder) readHouseFields(ev *Event) {
	x := &Detail{}
	switch ev.Kind {
	default:
		return
	case MemberSet:
		ev.Member, x.Profile = account.ID(d.number()), d.profile()
	case AgentSet:
		ev.Agent, x.Parent, x.Plan = account.ID(d.number()), account.ID(d.number()), d.plan()
	case LimitsSet:
		ev.Market, x.Scope, x.ID, x.Limits = d.marketID(), risk.Scope(d.byte()), d.number(), d.limits()
	case FeesSet:
		ev.Market, x.Group, x.Tiers = d.marketID(), d.group(), d.tiers()
	case CreditSet:
		ev.Member, ev.Asset, ev.Amount = account.ID(d.number()), d.assetID(), d.amount()
		return
	case CommissionAccrued:
		ev.Market, ev.Trade, ev.Order = d.marketID(), market.TradeID(d.number()), market.OrderID(d.number())
		ev.Member, ev.Agent = account.ID(d.number()), account.ID(d.number())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
		return
	case TransferMade, TransferBegun, TransferPosted, TransferVoided:
		x.Transfer = d.transfer()
	case TradeBusted:
		d.readBust(ev, x)
	}
	ev.Detail = x
}

func appendBust(dst []byte, ev *Event) []byte {
	dst = append(dst, byte(ev.Side))
	dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Base), uint64(ev.Quote), uint64(ev.Trade))
	dst = appendNumbers(dst, uint64(ev.Order), uint64(ev.Member), uint64(ev.Maker), uint64(ev.MakerMember))
	dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Amount), uint64(ev.Notional))
	dst = appendNumbers(dst, uint64(ev.MakerFee), uint64(ev.TakerFee), uint64(ev.Detail.TradedAt))
	dst = appendNumbers(dst, uint64(len(ev.Detail.Shares)))
	for _, s := range ev.Detail.Shares {
		dst = appendNumbers(dst, uint64(s.Order), uint64(s.Agent), uint64(s.Amount))
	}
	return dst
}

func (d *Decoder) readBust(ev *Event, x *Detail) {
	ev.Side = market.Side(d.byte())
	ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
	ev.Trade = market.TradeID(d.number())
	ev.Order, ev.Member = market.OrderID(d.number()), account.ID(d.number())
	ev.Maker, ev.MakerMember = market.OrderID(d.number()), account.ID(d.number())
	ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
	ev.Amount, ev.Notional = d.amount(), d.amount()
	ev.MakerFee, ev.TakerFee, x.TradedAt = d.amount(), d.amount(), Time(d.amount())
	for n := d.bounded(2 * account.MaxTreeDepth); n > 0 && d.err == nil; n-- {
		x.Shares = append(x.Shares, FeeShare{market.OrderID(d.number()), account.ID(d.number()), d.amount()})
	}
}

func appendProfile(dst []byte, p *Profile) []byte {
	return append(appendNumbers(dst, uint64(p.Agent), uint64(p.Group), p.TradeGroup), byte(p.Freeze))
}

func (r *reader) profile() Profile {
	return Profile{account.ID(r.number()), r.group(), r.number(), risk.Freeze(r.byte())}
}

func (r *reader) group() uint32 { return uint32(r.bounded(1<<32 - 1)) }

func (r *reader) rate() money.Rate { return money.Rate(r.bounded(uint64(money.Whole))) }

func appendPlan(dst []byte, p *commission.Plan) []byte {
	dst = appendNumbers(dst, uint64(p.Default), uint64(len(p.Markets)))
	for _, m := range p.Markets {
		dst = appendNumbers(appendText(dst, string(m.Symbol)), uint64(m.Rate))
	}
	dst = appendNumbers(dst, uint64(len(p.Groups)))
	for _, g := range p.Groups {
		dst = appendNumbers(dst, uint64(g.Group), uint64(g.Rate))
	}
	return dst
}

func (r *reader) plan() *commission.Plan {
	p := &commission.Plan{Default: r.rate()}
	for n := r.bounded(commission.MaxRates); n > 0 && r.err == nil; n-- {
		p.Markets = append(p.Markets, commission.MarketRate{Symbol: market.Symbol(r.text(market.MaxSymbol)), Rate: r.rate()})
	}
	for n := r.bounded(commission.MaxRates); n > 0 && r.err == nil; n-- {
		p.Groups = append(p.Groups, commission.GroupRate{Group: r.group(), Rate: r.rate()})
	}
	return p
}

func appendLimits(dst []byte, l *risk.Limits) []byte {
	dst = appendNumbers(dst, uint64(l.OpenOrders), uint64(l.OrdersPerSecond), uint64(l.OrderQuantity), uint64(l.OrderNotional))
	return appendNumbers(dst, uint64(l.ApprovalNotional), uint64(l.Distance), uint64(l.Position), uint64(l.Exposure))
}

func (r *reader) limits() risk.Limits {
	return risk.Limits{
		OpenOrders: int64(r.amount()), OrdersPerSecond: int64(r.amount()),
		OrderQuantity: market.Quantity(r.amount()), OrderNotional: r.amount(), ApprovalNotional: r.amount(),
		Distance: money.Rate(r.amount()), Position: r.amount(), Exposure: r.amount(),
	}
}

func appendTiers(dst []byte, tiers []market.FeeTier) []byte {
	dst = appendNumbers(dst, uint64(len(tiers)))
	for _, t := range tiers {
		dst = appendNumbers(dst, uint64(t.Volume), uint64(t.Maker), uint64(t.Taker))
	}
	return dst
}

func (r *reader) tiers() (tiers []market.FeeTier) {
	for n := r.bounded(market.MaxFeeTiers); n > 0 && r.err == nil; n-- {
		tiers = append(tiers, market.FeeTier{Volume: r.amount(), Maker: r.rate(), Taker: r.rate()})
	}
	return tiers
}

func appendAccount(dst []byte, a ledger.Account) []byte {
	return append(appendNumbers(dst, uint64(a.Owner)), byte(a.Kind))
}

func (r *reader) account() ledger.Account {
	return ledger.Account{Owner: account.ID(r.number()), Kind: ledger.Kind(r.byte())}
}

func appendTransfer(dst []byte, t *Transfer) []byte {
	dst = appendNumbers(dst, t.ID)
	dst = appendAccount(appendAccount(dst, t.From), t.To)
	return appendNumbers(dst, uint64(t.Asset), uint64(t.Amount), uint64(t.ExpiresAt))
}

func (r *reader) transfer() Transfer {
	return Transfer{
		ID: r.number(), From: r.account(), To: r.account(),
		Asset: r.assetID(), Amount: r.amount(), ExpiresAt: Time(r.amount()),
	}
}
