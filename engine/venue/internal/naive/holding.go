package naive

import (
	"math/big"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// need is what must be held for what is left of an order, whatever another leg holds.
func need(o *Order) money.Amount {
	amount, _ := needOf(o)
	return amount
}

func needOf(o *Order) (amount money.Amount, countable bool) {
	notional, ok := product(int64(o.Price), int64(o.Left()), int64(o.Market.Terms.TickValue))
	if !ok {
		return 0, false
	}
	if o.Side == market.Sell {
		return baseOf(o.Market, o.Left())
	}
	return sum(notional, max(o.MakerRate, o.TakerRate).Of(notional))
}

func baseOf(m *Market, lots market.Quantity) (money.Amount, bool) {
	return product(int64(lots), int64(m.Terms.LotValue))
}

func notionalOf(m *Market, price market.Price, lots market.Quantity) money.Amount {
	notional, ok := product(int64(price), int64(lots), int64(m.Terms.TickValue))
	if !ok {
		panic("naive: a trade costs more than can be counted")
	}
	return notional
}

// product and sum tell whether the result is an amount that can be counted.
func product(factors ...int64) (money.Amount, bool) {
	result := big.NewInt(1)
	for _, f := range factors {
		result.Mul(result, big.NewInt(f))
	}
	return money.Amount(result.Int64()), result.IsInt64()
}

func sum(parts ...money.Amount) (money.Amount, bool) {
	result := new(big.Int)
	for _, p := range parts {
		result.Add(result, big.NewInt(int64(p)))
	}
	return money.Amount(result.Int64()), result.IsInt64()
}

func heldAsset(o *Order) string {
	if o.Side == market.Buy {
		return o.Market.Definition.Quote.Code
	}
	return o.Market.Definition.Base.Code
}

// hold moves an amount from the member's available balance into the order's hold, or back when it is negative.
func (v *Venue) hold(o *Order, amount money.Amount) {
	o.Held += amount
	v.move(available(o.Member), held(o.Member), heldAsset(o), amount)
	if v.balance(available(o.Member), heldAsset(o)) < 0 {
		v.note("credit is drawn")
	}
}

func available(id account.ID) ledger.Account {
	return ledger.Account{Owner: id, Kind: ledger.Available}
}
func held(id account.ID) ledger.Account { return ledger.Account{Owner: id, Kind: ledger.Held} }

// exchange lets a taker and a maker trade.
func (v *Venue) exchange(taker, maker *Order, price market.Price, lots market.Quantity) {
	takerFee := taker.TakerRate.Of(notionalOf(taker.Market, price, lots))
	makerFee := maker.MakerRate.Of(notionalOf(taker.Market, price, lots))
	v.deal("traded", taker, maker, price, lots, takerFee, makerFee)
}

// deal moves what a trade moves. In an uncrossing the buyer's order stands first.
func (v *Venue) deal(what string, order, maker *Order, price market.Price, lots market.Quantity, orderFee, makerFee money.Amount) {
	m := order.Market
	notional := notionalOf(m, price, lots)
	amount, _ := baseOf(m, lots)
	buyer, seller, buyerFee, sellerFee := order, maker, orderFee, makerFee
	if order.Side == market.Sell {
		buyer, seller, buyerFee, sellerFee = maker, order, makerFee, orderFee
	}
	base, quote := m.Definition.Base.Code, m.Definition.Quote.Code

	v.move(held(buyer.Member), available(seller.Member), quote, notional-sellerFee)
	v.move(held(buyer.Member), fees, quote, buyerFee+sellerFee)
	v.move(held(seller.Member), available(buyer.Member), base, amount)
	seller.Held -= amount
	buyer.Held -= notional + buyerFee

	for _, part := range []struct {
		order *Order
		fee   money.Amount
	}{{order, orderFee}, {maker, makerFee}} {
		part.order.Filled += lots
		part.order.Notional += notional
		part.order.Fee += part.fee
		if part.order.InBook() {
			part.order.Status = market.PartiallyFilled
			v.take(part.order, lots)
		}
	}
	release := buyer.Held - need(buyer)
	if buyer.Exact {
		release = 0
	}
	v.hold(buyer, -release)

	v.lastTrade++
	v.tell(Effect{
		What: what, Market: m.ID, Order: order.ID, Member: order.Member, Maker: maker.ID, MakerMember: maker.Member, Trade: v.lastTrade,
		Side: order.Side, Price: price, Quantity: lots, Amount: amount, Notional: notional,
		TakerFee: orderFee, MakerFee: makerFee, Release: release,
	})
	v.accrue(order, orderFee)
	v.accrue(maker, makerFee)
	v.addVolume(order.Member, m, notional)
	v.addVolume(maker.Member, m, notional)

	for _, o := range []*Order{order, maker} {
		v.linkTraded(o)
	}
	for _, o := range []*Order{order, maker} {
		if o.InBook() && o.Left() == 0 {
			v.fill(o)
		}
	}
	v.look(m, price)
}

// cost is what a taker pays for lots at a price.
func cost(taker *Order, price market.Price, lots market.Quantity) money.Amount {
	notional := notionalOf(taker.Market, price, lots)
	return notional + taker.TakerRate.Of(notional)
}

// affordable is how many of a maker's displayed lots an amount pays for, with the taker's fee.
func affordable(taker, maker *Order, amount money.Amount) market.Quantity {
	low, high := market.Quantity(0), maker.Shown // low can be paid
	for low < high {
		middle := high - (high-low)/2
		notional, ok := product(int64(maker.Price), int64(middle), int64(taker.Market.Terms.TickValue))
		if ok {
			notional, ok = sum(notional, taker.TakerRate.Of(notional))
		}
		if ok && notional <= amount {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// costOf is exactly what a market buy by quote amount will pay.
func (v *Venue) costOf(o *Order, amount money.Amount) (total money.Amount) {
	for _, met := range v.plan(o, amount).meetings {
		if met.what == trades {
			total += cost(o, met.price, met.lots)
		}
	}
	return total
}

// protected is a price as far beyond another as the market's protection reaches.
func protected(m *Market, side market.Side, price market.Price) market.Price {
	distance := share(m.Rules.Protection, price)
	if side == market.Buy {
		return min(price+distance, market.MaxPrice)
	}
	return max(price-distance, 1)
}

// share is a rate of a price, rounded down to ticks.
func share(rate money.Rate, price market.Price) market.Price {
	return market.Price(rate.Of(money.Amount(price)))
}

// priceMarketOrder gives a market order its protection price and, when it buys for an amount, its quantity.
func (v *Venue) priceMarketOrder(o *Order, amount money.Amount) fault.Code {
	best := v.best(o.Market, o.Side.Opposite())
	if best == 0 {
		return fault.NoLiquidity
	}
	o.Best, o.Price = best, protected(o.Market, o.Side, best)
	if amount > 0 {
		if o.Quantity = v.plan(o, amount).traded; o.Quantity == 0 {
			return fault.NoLiquidity
		}
	}
	return ""
}
