package naive

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Who takes part, and in what.
const (
	house       account.ID = 900
	firstMember            = 1
	members                = 9 // the last has nothing
	firstAgent  account.ID = 101
	agents                 = 18
	groups                 = 3
)

var (
	btc  = money.Asset{Code: "BTC", Scale: 4}
	eth  = money.Asset{Code: "ETH", Scale: 2}
	usdt = money.Asset{Code: "USDT", Scale: 6}

	assets  = []money.Asset{btc, eth, usdt}
	symbols = []market.Symbol{"BTC-USDT", "ETH-USDT", "ETH-BTC"}
)

// definitions: one lot at one tick is one minor unit in the first, ten in the second; fees are large enough to be seen.
func definitions() []market.Definition {
	return []market.Definition{{
		Symbol: "BTC-USDT", Base: btc, Quote: usdt,
		TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("0.0001"), MinNotional: 100,
		MakerFee: 10_000, TakerFee: 20_000,
	}, {
		Symbol: "ETH-USDT", Base: eth, Quote: usdt,
		TickSize: money.MustDecimal("0.001"), LotSize: money.MustDecimal("0.01"), MinNotional: 1,
		MakerFee: 30_000, TakerFee: 7, Protection: 100_000,
	}, {
		Symbol: "ETH-BTC", Base: eth, Quote: btc,
		TickSize: money.MustDecimal("0.001"), LotSize: money.MustDecimal("0.1"), MinNotional: 0,
		MakerFee: 0, TakerFee: 1_000, Protection: 10_000,
	}}
}

// stream invents commands from a seed, with an eye on the naive venue so that interesting things happen.
type stream struct {
	*rand.Rand
	venue   *Venue
	now     Time
	keys    int
	played  []any // the latest, to be repeated
	waiting []any // commands of a scene that comes next
	anchors map[market.Symbol]market.Price
	ids     uint64 // of deposits and transfers
	delayed []delayed
	trades  []TradeRecord // the latest, to be busted
}

func newStream(seed uint64, v *Venue) *stream {
	s := &stream{Rand: rand.New(rand.NewPCG(seed, 1)), venue: v, now: Time(20_000 * market.Day), anchors: map[market.Symbol]market.Price{}}
	s.opening(seed)
	return s
}

// opening is how each stream begins.
func (s *stream) opening(seed uint64) {
	for _, a := range assets {
		add := &AddAsset{Actor: house, Asset: a}
		s.later(add)
		s.later(add) // again, under the key that it got
	}
	for _, d := range definitions() {
		create := &CreateMarket{Actor: house, Definition: d}
		s.later(create)
		s.later(create)
		s.anchors[d.Symbol] = 1000
	}
	// The last market opens later, one way or the other.
	first := market.PreOpen
	if seed%4 == 0 {
		first = market.Draft
	}
	s.waiting = s.waiting[:len(s.waiting)-1]
	s.waiting[len(s.waiting)-1] = &CreateMarket{Actor: house, Definition: definitions()[2], Phase: first}
	s.later(&SetPhase{Actor: house, Symbol: symbols[2], Phase: market.Continuous})
	s.hold(300 + s.IntN(300))
	if seed%4 == 1 {
		s.firstUncrossing()
	}
	for id := account.ID(firstMember); id < members; id++ {
		for _, a := range assets {
			s.later(&CreditDeposit{Actor: house, Member: id, Asset: a.Code, Amount: 2_000_000})
		}
	}
	for i := range account.ID(agents) {
		s.later(&SetAgent{Actor: house, Agent: firstAgent + i, Plan: Plan{Default: 200_000}})
	}
}

func (s *stream) later(c any) { s.waiting = append(s.waiting, c) }

// next returns the next command, with a key and a time.
func (s *stream) next() play {
	for {
		c := s.draw()
		if at, ok := c.(until); ok {
			s.now = max(s.now, Time(at))
			continue
		}
		if c == nil {
			continue
		}
		return s.stamp(c)
	}
}

func (s *stream) draw() any {
	if len(s.waiting) > 0 {
		c := s.waiting[0]
		s.waiting = s.waiting[1:]
		return c
	}
	for i := range s.delayed {
		if s.delayed[i].n--; s.delayed[i].n <= 0 {
			c := s.delayed[i].command
			s.delayed = slices.Delete(s.delayed, i, i+1)
			return c
		}
	}
	if s.rarely(50) && len(s.played) > 0 {
		return s.repeat()
	}
	return s.invent()
}

// stamp gives a command a key and a time.
func (s *stream) stamp(c any) play {
	if key := keyOf(c); *key == "" && !s.rarely(2000) {
		s.keys++
		*key = "k" + strconv.Itoa(s.keys)
	} else if s.rarely(2000) {
		*key = "with a space"
	}
	s.played = append(s.played, c)
	if len(s.played) > 50 {
		s.played = s.played[1:]
	}
	if s.rarely(500) {
		return play{c, s.now - Time(s.IntN(3))}
	}
	s.now += s.pause()
	return play{c, s.now}
}

func (s *stream) pause() Time {
	switch x := s.IntN(2000); {
	case x < 1000:
		return Time(s.IntN(3)) * Time(time.Millisecond)
	case x < 1900:
		return Time(s.Int64N(int64(200 * time.Millisecond)))
	case x < 1970:
		return Time(s.Int64N(int64(2 * time.Minute)))
	case x < 1995:
		return max(s.soon()-s.now+Time(s.IntN(2)), 0)
	case x < 1999:
		return Time(s.Int64N(int64(5 * time.Hour)))
	}
	return Time(s.Int64N(40 * market.Day))
}

// soon is the next time at which something is due by itself.
func (s *stream) soon() Time {
	next := s.now + Time(time.Second)
	look := func(at Time) {
		if at > s.now && at < next {
			next = at
		}
	}
	next = s.now + Time(market.Day)
	for _, m := range s.venue.markets {
		look(m.PhaseEnds)
	}
	for _, o := range s.venue.open {
		look(o.ExpiresAt)
	}
	for _, t := range s.venue.transfers {
		if t.Pending {
			look(t.ExpiresAt)
		}
	}
	return next
}

func (s *stream) rarely(n int) bool { return s.IntN(n) == 0 }

func pick[T any](s *stream, of ...T) T { return of[s.IntN(len(of))] }

func (s *stream) member() account.ID { return account.ID(firstMember + s.IntN(members)) }

func (s *stream) symbol() market.Symbol {
	if s.rarely(100) {
		return "NONE"
	}
	return pick(s, symbols[0], symbols[0], symbols[0], symbols[1], symbols[1], symbols[2])
}

// invent draws a command by weight.
func (s *stream) invent() any {
	x := s.IntN(total)
	for _, kind := range kinds {
		if x -= kind.weight; x < 0 {
			return kind.draw(s)
		}
	}
	panic("naive: the weights do not sum up")
}

type kind struct {
	weight int
	draw   func(*stream) any
}

var (
	kinds []kind
	total int
)

func init() {
	kinds = []kind{
		{5000, func(s *stream) any { return s.order() }},
		{300, (*stream).oco},
		{400, (*stream).bracket},
		{900, (*stream).amend},
		{900, (*stream).cancel},
		{60, (*stream).cancelFor},
		{60, (*stream).cancelAll},
		{150, (*stream).phase},
		{80, (*stream).rules},
		{150, (*stream).deposit},
		{30, (*stream).nonsense},
		{120, (*stream).setMember},
		{60, (*stream).setAgent},
		{160, (*stream).setLimits},
		{60, (*stream).fees},
		{40, (*stream).credit},
		{250, (*stream).transfer},
		{200, (*stream).decideTransfer},
		{80, (*stream).bust},
		{1, (*stream).longUncrossing},
		{6, (*stream).unfunded},
	}
	for _, k := range kinds {
		total += k.weight
	}
}

// price is one near the market, sometimes far away.
func (s *stream) price(symbol market.Symbol, side market.Side) market.Price {
	anchor := s.anchors[symbol]
	if anchor == 0 {
		anchor = 1000
	}
	if s.rarely(10) {
		anchor = min(max(anchor+market.Price(s.IntN(7)-3), 500), 2000)
		s.anchors[symbol] = anchor
	}
	towards := market.Price(s.IntN(25) - 8)
	if s.rarely(20) {
		towards = market.Price(s.IntN(400) - 200)
	}
	if side == market.Buy {
		return max(anchor-towards, 1)
	}
	return max(anchor+towards, 1)
}

func (s *stream) quantity() market.Quantity {
	if s.rarely(15) {
		return market.Quantity(1 + s.IntN(600))
	}
	return market.Quantity(1 + s.IntN(40))
}

func (s *stream) mode() market.SelfTrade {
	return pick(s, 0, 0, 0, 0, market.CancelTaker, market.CancelMaker, market.CancelBoth, market.Decrement, market.Allow)
}

func (s *stream) side() market.Side { return pick(s, market.Buy, market.Sell) }

// order draws an order of any kind.
func (s *stream) order() *PlaceOrder {
	c := &PlaceOrder{Actor: s.member(), Symbol: s.symbol(), Side: s.side(), Type: market.Limit, Quantity: s.quantity(), SelfTrade: s.mode()}
	c.Price = s.price(c.Symbol, c.Side)
	c.Approved = s.rarely(3)
	switch x := s.IntN(100); {
	case x < 38:
		c.TimeInForce = pick(s, 0, market.GTC, market.GTC)
	case x < 46:
		c.TimeInForce = market.IOC
	case x < 52:
		c.TimeInForce = market.FOK
	case x < 60:
		s.restFor(c)
	case x < 64:
		c.PostOnly = true
		s.restFor(c)
	case x < 72:
		c.Quantity += 2
		c.Display = max((c.Quantity+99)/100, min(market.Quantity(1+s.IntN(10)), c.Quantity-1))
		c.PostOnly = s.rarely(8)
		s.restFor(c)
	case x < 78:
		s.toMarket(c)
	default:
		s.toStop(c)
	}
	if s.rarely(25) {
		s.spoil(c)
	}
	return c
}

// restFor gives an order that rests a time in force.
func (s *stream) restFor(c *PlaceOrder) {
	c.TimeInForce, c.ExpiresAt = s.resting()
}

func (s *stream) resting() (market.TimeInForce, Time) {
	switch s.IntN(4) {
	case 0:
		return market.DAY, 0
	case 1, 2:
		return market.GTD, s.now + 1 + Time(s.Int64N(pick(s, int64(time.Second), int64(time.Minute), int64(time.Hour), 3*market.Day)))
	}
	return market.GTC, 0
}

func (s *stream) toMarket(c *PlaceOrder) {
	c.Type, c.Price, c.TimeInForce = market.Market, 0, pick(s, 0, market.IOC, market.FOK)
	if s.rarely(2) {
		c.Side, c.Quantity, c.TimeInForce = market.Buy, 0, pick(s, 0, market.IOC)
		c.QuoteAmount = money.Amount(1 + s.IntN(60_000))
		if s.rarely(8) {
			c.QuoteAmount = money.Amount(1 + s.IntN(2000))
		}
	}
}

func (s *stream) toStop(c *PlaceOrder) {
	c.Type = pick(s, market.Stop, market.StopLimit, market.StopLimit, market.TrailingStop)
	limit := c.Price
	c.Price = 0
	if c.Type == market.TrailingStop {
		c.Trail = market.Price(1 + s.IntN(20))
	} else {
		c.Trigger = s.trigger(c.Symbol, c.Side)
	}
	if c.Type == market.StopLimit {
		c.Price = limit
		if s.rarely(2) {
			c.Price = max(c.Trigger+market.Price(s.IntN(21)-10), 1)
		}
	}
	s.restFor(c)
}

// trigger is a little beyond the last price.
func (s *stream) trigger(symbol market.Symbol, side market.Side) market.Price {
	last := s.anchors[symbol]
	if m := s.venue.market(symbol); m != nil && m.Last != 0 {
		last = m.Last
	}
	if side == market.Buy {
		return max(last+market.Price(s.IntN(14)-1), 1)
	}
	return max(last-market.Price(s.IntN(14)-1), 1)
}

// spoil makes an order wrong in one way, most of the time.
func (s *stream) spoil(c *PlaceOrder) {
	price := pick[market.Price](s, 0, 1, -1, market.MaxPrice, market.MaxPrice+1, 1000)
	switch s.IntN(13) {
	case 0:
		c.Price = price
	case 1:
		c.Quantity = pick[market.Quantity](s, 0, -1, market.MaxQuantity, market.MaxQuantity+1, 1<<40)
	case 2:
		c.Side = pick[market.Side](s, 0, 3)
	case 3:
		c.Type = pick[market.Type](s, 0, market.Limit, market.Market, market.Stop, market.StopLimit, market.TrailingStop, 6)
	case 4:
		c.TimeInForce = market.TimeInForce(s.IntN(7))
	case 5:
		c.Trigger = price
	case 6:
		c.Trail = price
	case 7:
		c.Display = pick[market.Quantity](s, -1, 1, c.Quantity, c.Quantity-1, c.Quantity/101)
	case 8:
		c.PostOnly = !c.PostOnly
	case 9:
		c.SelfTrade = market.SelfTrade(s.IntN(8))
	case 10:
		c.ExpiresAt = pick(s, 0, s.now, s.now-1, s.now+maxExpiry+Time(time.Hour), s.now+Time(time.Minute), -1)
	case 11:
		c.QuoteAmount = pick[money.Amount](s, -1, 1, 50_000)
	case 12:
		c.Price, c.Quantity = market.MaxPrice, market.MaxQuantity
	}
}

func (s *stream) oco() any {
	c := &PlaceOCO{Actor: s.member(), Symbol: s.symbol(), Side: s.side(), Quantity: s.quantity(), SelfTrade: s.mode(), Approved: s.rarely(3)}
	c.TimeInForce, c.ExpiresAt = s.resting()
	c.Trigger = s.trigger(c.Symbol, c.Side)
	c.Price = c.Trigger + market.Price(s.IntN(30))
	if c.Side == market.Buy {
		c.Price = max(c.Trigger-market.Price(s.IntN(30)), 1)
	}
	if s.rarely(2) {
		c.StopPrice = max(c.Trigger+market.Price(s.IntN(21)-10), 1)
	}
	if s.rarely(20) {
		switch s.IntN(7) {
		case 0:
			c.TimeInForce = market.TimeInForce(s.IntN(7))
		case 1:
			c.Price = pick[market.Price](s, 0, -1, c.Trigger, market.MaxPrice+1)
		case 2:
			c.Trigger = pick[market.Price](s, 0, -1, market.MaxPrice+1)
		case 3:
			c.StopPrice = pick[market.Price](s, -1, market.MaxPrice+1)
		case 4:
			c.Quantity = pick[market.Quantity](s, 0, -1, market.MaxQuantity+1, 1<<45)
		case 5:
			c.Side = pick[market.Side](s, 0, 3)
		case 6:
			c.ExpiresAt = pick(s, 0, s.now, s.now+Time(time.Second))
		}
	}
	return c
}

func (s *stream) bracket() any {
	c := &PlaceBracket{
		Actor: s.member(), Symbol: s.symbol(), Side: s.side(), Type: market.Limit, Quantity: s.quantity(),
		SelfTrade: s.mode(), Approved: s.rarely(3),
	}
	c.Price = s.price(c.Symbol, c.Side)
	away := [2]market.Price{market.Price(s.IntN(20) - 4), market.Price(s.IntN(20) - 4)}
	if c.Side == market.Buy {
		c.TakeProfit, c.StopTrigger = c.Price+away[0], max(c.Price-away[1], 1)
	} else {
		c.TakeProfit, c.StopTrigger = max(c.Price-away[0], 1), c.Price+away[1]
	}
	if s.rarely(2) {
		c.StopPrice = max(c.StopTrigger+market.Price(s.IntN(21)-10), 1)
	}
	switch s.IntN(6) {
	case 0:
		c.TimeInForce = pick(s, market.IOC, market.FOK)
	case 1:
		c.Type, c.Price, c.TimeInForce = market.Market, 0, pick(s, 0, market.IOC, market.FOK)
	default:
		c.TimeInForce, c.ExpiresAt = s.resting()
	}
	if s.rarely(20) {
		switch s.IntN(7) {
		case 0:
			c.TimeInForce = market.TimeInForce(s.IntN(7))
		case 1:
			c.TakeProfit = pick[market.Price](s, 0, -1, c.StopTrigger, market.MaxPrice+1)
		case 2:
			c.StopTrigger = pick[market.Price](s, 0, -1, market.MaxPrice+1)
		case 3:
			c.StopPrice = pick[market.Price](s, -1, market.MaxPrice+1)
		case 4:
			c.Quantity = pick[market.Quantity](s, 0, -1, market.MaxQuantity+1, 1<<45)
		case 5:
			c.Type = market.Type(s.IntN(7))
		case 6:
			c.ExpiresAt = pick(s, 0, s.now, s.now+Time(time.Second))
		}
	}
	return c
}

// target is an order to be cancelled or amended: mostly an open one, by its own member.
func (s *stream) target() (account.ID, market.OrderID) {
	v := s.venue
	if len(v.open) == 0 || s.rarely(20) {
		return s.member(), pick(s, 0, v.lastOrder+1, market.OrderID(s.Uint64N(uint64(v.lastOrder)+1)))
	}
	o := v.open[s.IntN(len(v.open))]
	if s.rarely(30) {
		return s.member(), o.ID
	}
	return o.Member, o.ID
}

func (s *stream) cancel() any {
	c := &CancelOrder{}
	c.Actor, c.Order = s.target()
	return c
}

func (s *stream) cancelFor() any {
	_, id := s.target()
	return &CancelFor{Actor: house, Order: id}
}

func (s *stream) cancelAll() any {
	symbol := s.symbol()
	if s.rarely(3) {
		symbol = ""
	}
	return &CancelAll{Actor: s.member(), Symbol: symbol}
}

func (s *stream) amend() any {
	c := &AmendOrder{}
	c.Actor, c.Order = s.target()
	o := s.venue.order(c.Order)
	if o == nil {
		c.Quantity = s.quantity()
		return c
	}
	switch s.IntN(5) {
	case 0:
		c.Quantity = o.Filled + market.Quantity(s.Int64N(int64(max(o.Left(), 1))))
	case 1:
		c.Quantity = o.Quantity + market.Quantity(s.IntN(20))
	case 2:
		c.Price = o.Price + market.Price(s.IntN(21)-10)
	case 3:
		c.Price, c.Quantity = o.Price+market.Price(s.IntN(41)-20), o.Quantity+market.Quantity(s.IntN(21)-10)
	case 4:
		c.Price, c.Quantity = o.Price, o.Filled+market.Quantity(s.IntN(5)-1)
	}
	if s.rarely(50) {
		c.Price, c.Quantity = pick[market.Price](s, -1, market.MaxPrice+1, c.Price), pick[market.Quantity](s, -1, market.MaxQuantity+1, c.Quantity)
	}
	return c
}

func (s *stream) phase() any {
	c := &SetPhase{Actor: house, Symbol: s.symbol(), Phase: market.Phase(1 + s.IntN(8))}
	m := s.venue.market(c.Symbol)
	switch {
	case m == nil:
	case s.rarely(20):
		c.Phase = market.Phase(s.IntN(11))
	case m.Phase != market.Continuous && s.IntN(3) > 0:
		c.Phase = market.Continuous // most of the day is continuous
	default:
		if to := ways[m.Phase]; len(to) > 0 {
			c.Phase = to[s.IntN(len(to))]
		}
	}
	if m != nil && m.Phase == market.Continuous {
		s.later(&SetPhase{Actor: house, Symbol: c.Symbol, Phase: market.Continuous}) // most of the day is continuous
		s.hold(5 + s.IntN(60))
	}
	if following[c.Phase] != 0 && s.rarely(2) || s.rarely(30) {
		c.Until = s.now + Time(s.Int64N(int64(20*time.Second))) + Time(s.IntN(2))
	}
	if s.rarely(50) {
		c.Until = pick(s, s.now, s.now-1, -1)
	}
	return c
}

func (s *stream) rules() any {
	c := &SetRules{Actor: house, Symbol: s.symbol()}
	c.Rules = market.Rules{
		Band: pick[money.Rate](s, 0, 0, 20_000, 50_000, 300_000), Breaker: pick[money.Rate](s, 0, 5_000, 20_000, 100_000),
		BreakerWindow: int64(pick(s, 0, time.Second, time.Minute, time.Hour)), BreakerPause: int64(pick(s, time.Nanosecond, time.Second, 5*time.Second)),
		DayEnd: int64(pick(s, 0, time.Hour, 23*time.Hour)), MinNotional: pick[money.Amount](s, 0, 1, 100, 5_000),
		Protection: pick[money.Rate](s, 0, 0, 5_000, 50_000, 1_000_000),
	}
	if s.rarely(3) {
		c.Rules.ReferencePrice = s.price(c.Symbol, market.Buy)
	}
	if s.rarely(10) {
		switch s.IntN(9) {
		case 0:
			c.Rules.ReferencePrice = pick[market.Price](s, -1, market.MaxPrice, market.MaxPrice+1)
		case 1:
			c.Rules.Band = pick[money.Rate](s, -1, money.Whole, money.Whole+1)
		case 2:
			c.Rules.Breaker = pick[money.Rate](s, -1, money.Whole, money.Whole+1)
		case 3:
			c.Rules.BreakerWindow = pick(s, -1, int64(maxExpiry), int64(maxExpiry)+1)
		case 4:
			c.Rules.BreakerPause = pick(s, -1, 0, int64(maxExpiry)+1)
		case 5:
			c.Rules.DayEnd = pick(s, -1, market.Day, market.Day-1)
		case 6:
			c.Rules.MinNotional = -1
		case 7:
			c.Rules.Protection = pick[money.Rate](s, -1, money.Whole+1)
		}
	}
	return c
}

// deposit keeps members from going poor.
func (s *stream) deposit() any {
	c := &CreditDeposit{Actor: house, Member: account.ID(firstMember + s.IntN(members-1)), Asset: pick(s, assets...).Code, Amount: money.Amount(1 + s.IntN(100_000))}
	for id := account.ID(firstMember); id < members; id++ {
		for _, a := range assets {
			if s.venue.balance(available(id), a.Code) < s.venue.balance(available(c.Member), c.Asset) {
				c.Member, c.Asset = id, a.Code
			}
		}
	}
	if s.rarely(3) {
		s.ids++
		c.Deposit = s.ids
	}
	if s.rarely(10) {
		switch s.IntN(5) {
		case 0:
			c.Amount = pick[money.Amount](s, 0, -1, money.MaxAmount)
		case 1:
			c.Asset = "NONE"
		case 2:
			c.Member = 0
		case 3:
			c.Deposit = s.Uint64N(s.ids + 1)
		}
	}
	return c
}

// nonsense is what the house might get wrong about assets and markets.
func (s *stream) nonsense() any {
	d := definitions()[s.IntN(3)]
	switch s.IntN(6) {
	case 0:
		return &AddAsset{Actor: house, Asset: pick(s, btc, money.Asset{}, money.Asset{Code: "lower"})}
	case 1:
		return &CreateMarket{Actor: house, Definition: d}
	case 2:
		d.Symbol, d.Base = "X-USDT", money.Asset{Code: "X", Scale: 4}
		return &CreateMarket{Actor: house, Definition: d}
	case 3:
		d.Symbol, d.MakerFee = "Y-USDT", -1
		return &CreateMarket{Actor: house, Definition: d}
	case 4:
		d.Symbol = "Z-USDT"
		return &CreateMarket{Actor: house, Definition: d, Phase: pick(s, market.Halted, market.Closed, 9)}
	}
	return &CreateMarket{Actor: house}
}
