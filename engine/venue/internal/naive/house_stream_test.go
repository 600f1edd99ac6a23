package naive

import (
	"time"

	"bourse/engine/risk"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (s *stream) agent() account.ID { return firstAgent + account.ID(s.IntN(agents)) }

func (s *stream) group() uint32 { return uint32(s.IntN(groups + 1)) }

func (s *stream) setMember() any {
	c := &SetMember{Actor: house, Member: s.member(), Group: s.group(), TradeGroup: uint64(pick(s, 0, 0, 0, 1, 2))}
	if s.IntN(3) > 0 && len(s.venue.agents) > 0 {
		c.Agent = s.agent()
	}
	if s.rarely(6) {
		c.Freeze = Freeze(s.IntN(3))
	}
	if s.rarely(15) {
		switch s.IntN(3) {
		case 0:
			c.Member = 0
		case 1:
			c.Freeze = 3
		case 2:
			c.Agent = 7777
		}
	}
	return c
}

func (s *stream) setAgent() any {
	c := &SetAgent{Actor: house, Agent: s.agent()}
	if s.IntN(5) > 0 {
		c.Parent = c.Agent - 1 // long chains come about
		if s.rarely(3) {
			c.Parent = s.agent()
		}
		if c.Parent < firstAgent {
			c.Parent = 0
		}
	}
	rate := func() money.Rate { return pick[money.Rate](s, 0, 100_000, 333_333, 500_000, 700_000, money.Whole) }
	c.Plan.Default = rate()
	if s.rarely(3) {
		c.Plan.Markets = append(c.Plan.Markets, MarketRate{Symbol: symbols[0], Rate: rate()})
	}
	if s.rarely(3) {
		c.Plan.Groups = append(c.Plan.Groups, GroupRate{Group: 1, Rate: rate()}, GroupRate{Group: 3, Rate: rate()})
	}
	if s.rarely(12) {
		switch s.IntN(6) {
		case 0:
			c.Agent = 0
		case 1:
			c.Parent = 7777
		case 2:
			c.Plan.Default = pick[money.Rate](s, -1, money.Whole+1)
		case 3:
			c.Plan.Groups = append(c.Plan.Groups, GroupRate{Group: uint32(s.IntN(2)), Rate: rate()})
		case 4:
			c.Plan.Markets = append(c.Plan.Markets, MarketRate{Symbol: symbols[0], Rate: -1})
		case 5:
			c.Parent = c.Agent
		}
	}
	return c
}

// setLimits mostly sets one limit, tight enough to be met, and mostly takes it away soon after.
func (s *stream) setLimits() any {
	c := &SetLimits{Actor: house, Symbol: s.symbol(), Scope: pick(s, risk.OfHouse, risk.OfGroup, risk.OfAgent, risk.OfAgent, risk.OfMember)}
	switch c.Scope {
	case risk.OfGroup:
		c.ID = uint64(1 + s.IntN(groups))
	case risk.OfAgent:
		c.ID = uint64(s.agent())
		if agent := s.venue.member(s.member()).Agent; agent != 0 {
			c.ID = uint64(agent)
		}
	case risk.OfMember:
		c.ID = uint64(s.member())
	}
	l := &c.Limits
	switch s.IntN(11) {
	case 0:
		l.OpenOrders, c.Symbol = int64(1+s.IntN(20)), ""
	case 1:
		l.OrdersPerSecond, c.Symbol = int64(1+s.IntN(3)), ""
	case 2:
		l.OrderQuantity = market.Quantity(5 + s.IntN(60))
	case 3:
		l.OrderNotional = money.Amount(5_000 + s.IntN(60_000))
	case 4:
		l.ApprovalNotional = money.Amount(3_000 + s.IntN(40_000))
	case 5:
		l.Distance = money.Rate(500 + s.IntN(20_000))
	case 6:
		l.Position = money.Amount(1 + s.IntN(4_000_000))
	case 7:
		l.Exposure = money.Amount(5_000 + s.IntN(400_000))
	case 9:
		l.OpenOrders = int64(pick(s, 0, 30)) // of one market: not to be had
	case 8:
		l.OpenOrders, l.Distance, c.Symbol = int64(10+s.IntN(20)), money.Rate(20_000+s.IntN(40_000)), ""
	}
	if c.Scope != risk.OfMember {
		s.later(&SetLimits{Actor: house, Symbol: c.Symbol, Scope: c.Scope, ID: c.ID})
		s.hold(3 + s.IntN(60))
	}
	if s.rarely(12) {
		switch s.IntN(6) {
		case 0:
			c.Scope = pick[Scope](s, 0, 5)
		case 1:
			c.ID = pick[uint64](s, 0, 1, 7777, 1<<33)
		case 2:
			l.OrderQuantity = -1
		case 3:
			l.Distance = money.Whole + 1
		case 4:
			c.Symbol, l.Exposure = "", 1000
		case 5:
			l.OrderNotional, l.ApprovalNotional = 1000, 1001
		}
	}
	return c
}

// hold lets other commands come before the last of those that wait.
func (s *stream) hold(n int) {
	last := s.waiting[len(s.waiting)-1]
	s.waiting = s.waiting[:len(s.waiting)-1]
	s.delayed = append(s.delayed, delayed{last, n})
}

// delayed is a command that comes after n others.
type delayed struct {
	command any
	n       int
}

func (s *stream) fees() any {
	c := &SetFees{Actor: house, Symbol: s.symbol(), Group: s.group()}
	volume := money.Amount(0)
	for range s.IntN(5) {
		c.Tiers = append(c.Tiers, FeeTier{Volume: volume, Maker: money.Rate(s.IntN(30_000)), Taker: money.Rate(s.IntN(30_000))})
		volume += money.Amount(1 + s.IntN(3_000_000))
	}
	if s.rarely(8) {
		switch s.IntN(4) {
		case 0:
			c.Tiers = append(c.Tiers, FeeTier{Maker: 1, Taker: 1})
		case 1:
			c.Tiers = append(c.Tiers, FeeTier{Volume: volume, Maker: -1})
		case 2:
			c.Tiers = append(c.Tiers, FeeTier{Volume: volume, Taker: money.Whole + 1})
		case 3:
			c.Tiers = []FeeTier{{Volume: 1, Maker: 1, Taker: 1}}
		}
	}
	return c
}

func (s *stream) credit() any {
	c := &SetCredit{Actor: house, Member: s.member(), Asset: pick(s, assets...).Code, Amount: money.Amount(s.IntN(300_000))}
	if s.rarely(3) {
		c.Amount = 0
	}
	if s.rarely(8) {
		switch s.IntN(4) {
		case 0:
			c.Member = 0
		case 1:
			c.Asset = "NONE"
		case 2:
			c.Amount = -1
		case 3:
			c.Amount = money.MaxAmount
		}
	}
	return c
}

// account is one that money might come from or go to, mostly a fitting one.
func (s *stream) account() ledger.Account {
	switch s.IntN(12) {
	case 0:
		return deposits
	case 1:
		return fees
	case 2:
		return ledger.Account{Kind: ledger.Adjustments}
	case 3, 4:
		return earned(s.agent())
	case 5:
		return available(s.agent())
	case 6:
		if s.rarely(4) {
			return ledger.Account{Owner: account.ID(s.IntN(3)), Kind: ledger.Kind(s.IntN(9))}
		}
	}
	return available(s.member())
}

func (s *stream) transfer() any {
	s.ids++
	id := s.ids
	if s.rarely(15) {
		id = s.Uint64N(s.ids + 1)
	}
	from, to := s.account(), s.account()
	if s.rarely(3) {
		agent := s.agent()
		from, to = earned(agent), available(agent)
	}
	asset := pick(s, usdt, usdt, btc, eth).Code
	amount := money.Amount(1 + s.IntN(20_000))
	if from.Kind == ledger.Commission && s.IntN(3) > 0 {
		amount = max(s.venue.balance(from, asset), 1)
	}
	if s.rarely(25) {
		amount = pick[money.Amount](s, 0, -1, money.MaxAmount)
		if s.rarely(2) {
			from, to = pick(s, deposits, ledger.Account{Kind: ledger.Adjustments}), available(s.member())
		}
	}
	if s.rarely(25) {
		from, to = earned(7777), available(s.member())
	}
	if s.rarely(40) {
		asset = "NONE"
	}
	if s.rarely(2) {
		return &MakeTransfer{Actor: house, Transfer: id, From: from, To: to, Asset: asset, Amount: amount}
	}
	c := &BeginTransfer{Actor: house, Transfer: id, From: from, To: to, Asset: asset, Amount: amount}
	switch s.IntN(8) {
	case 0:
	case 1:
		c.ExpiresAt = pick(s, s.now, s.now+maxExpiry+Time(time.Hour))
	default:
		c.ExpiresAt = s.now + Time(s.Int64N(int64(pick(s, time.Second, time.Minute, time.Hour))))
	}
	return c
}

// decideTransfer posts or voids a transfer, mostly one that is pending.
func (s *stream) decideTransfer() any {
	id := s.Uint64N(s.ids + 2)
	for _, t := range s.venue.transfers {
		if t.Pending && s.rarely(2) {
			id = t.ID
		}
	}
	if s.rarely(2) {
		return &PostTransfer{Actor: house, Transfer: id}
	}
	return &VoidTransfer{Actor: house, Transfer: id}
}

// bust takes back one of the latest trades.
func (s *stream) bust() any {
	if len(s.trades) == 0 {
		return nil
	}
	record := s.trades[s.IntN(len(s.trades))]
	record.Shares = append([]FeeShare(nil), record.Shares...)
	if s.rarely(8) {
		switch s.IntN(14) {
		case 12:
			record.Maker = record.Order
		case 13:
			record.Shares = append(record.Shares, FeeShare{Order: record.Order, Agent: 7777, Amount: 1})
		case 0:
			record.Symbol = "NONE"
		case 1:
			record.Trade = pick(s, 0, s.venue.lastTrade+1)
		case 2:
			record.Price = pick[market.Price](s, 0, -1, market.MaxPrice, market.MaxPrice+1)
		case 3:
			record.Quantity = pick[market.Quantity](s, 0, -1, market.MaxQuantity)
		case 4:
			record.TakerFee = pick[money.Amount](s, -1, money.MaxAmount)
		case 5:
			record.MakerFee = pick[money.Amount](s, -1, money.MaxAmount)
		case 6:
			record.Shares = append(record.Shares, FeeShare{Order: record.Order, Agent: firstAgent, Amount: record.TakerFee + 1})
		case 7:
			record.Side = 0
		case 8:
			record.Member = 0
		case 9:
			record.Maker = 0
		case 10:
			record.Time = s.now + Time(time.Hour)
		case 11:
			record.Shares = append(record.Shares, FeeShare{Order: record.Order + 1_000_000, Agent: firstAgent, Amount: 1})
		}
	}
	if len(record.Shares) == 0 {
		record.Shares = nil
	}
	return &BustTrade{Actor: house, Trade: record}
}

// remember keeps the latest trades, to be busted.
func (s *stream) remember(effects []Effect) {
	for _, e := range effects {
		switch e.What {
		case "traded", "auction traded":
			s.trades = append(s.trades, TradeRecord{
				Trade: e.Trade, Symbol: symbols[e.Market-1], Time: s.venue.now, Side: e.Side, Price: e.Price, Quantity: e.Quantity,
				Order: e.Order, Member: e.Member, Maker: e.Maker, MakerMember: e.MakerMember, TakerFee: e.TakerFee, MakerFee: e.MakerFee,
			})
		case "accrued":
			last := &s.trades[len(s.trades)-1]
			last.Shares = append(last.Shares, FeeShare{Order: e.Order, Agent: e.Member, Amount: e.Amount})
		}
	}
	if extra := len(s.trades) - 200; extra > 0 {
		s.trades = s.trades[extra:]
	}
}
