package engine

import (
	"math"
	"time"

	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// catalogue is the assets and markets there are, as decimals need them. It is replaced as a whole
// when one is added, so that the path of an order reads it without a lock.
type catalogue struct {
	assets   []money.Asset // by AssetID, from 1
	markets  []*venue.Market
	bySymbol map[market.Symbol]*venue.Market
}

func newCatalogue(s *venue.State) *catalogue {
	c := &catalogue{assets: s.Assets(), bySymbol: map[market.Symbol]*venue.Market{}}
	for _, m := range s.Markets() {
		c.markets = append(c.markets, &m)
		c.bySymbol[m.Definition.Symbol] = &m
	}
	return c
}

// market returns a market by its id; nil when there is none.
func (c *catalogue) market(id venue.MarketID) *venue.Market {
	if id == 0 || int(id) > len(c.markets) {
		return nil
	}
	return c.markets[id-1]
}

func (c *catalogue) asset(id ledger.AssetID) money.Asset {
	if id == 0 || int(id) > len(c.assets) {
		return money.Asset{}
	}
	return c.assets[id-1]
}

// times is step * n as a decimal. A sum over a level or a day may be more than a decimal holds; it
// then stands at the largest one.
func times(step money.Decimal, n int64) money.Decimal {
	if product, ok := step.Times(n); ok {
		return product
	}
	return money.NewDecimal(math.MaxInt64, step.Scale())
}

func priceOf(d *market.Definition, p market.Price) money.Decimal { return times(d.TickSize, int64(p)) }

func priceOrNil(d *market.Definition, p market.Price) *money.Decimal {
	if p == 0 {
		return nil
	}
	price := priceOf(d, p)
	return &price
}

func quantityOf(d *market.Definition, q market.Quantity) money.Decimal {
	return times(d.LotSize, int64(q))
}

func amountOf(a money.Asset, amount money.Amount) money.Decimal {
	return money.NewDecimal(int64(amount), a.Scale)
}

// rateScale is the decimals of a rate: parts per million.
const rateScale = 6

func marketOf(m *venue.Market) Market {
	d := &m.Definition
	return Market{
		Symbol: d.Symbol, Base: d.Base, Quote: d.Quote, TickSize: d.TickSize, LotSize: d.LotSize,
		MinNotional:  amountOf(d.Quote, m.Terms.MinNotional),
		MakerFeeRate: money.NewDecimal(int64(d.MakerFee), rateScale).Trim(),
		TakerFeeRate: money.NewDecimal(int64(d.TakerFee), rateScale).Trim(),
		Phase:        m.Phase, PhaseEndsAt: timeOrZero(m.PhaseEnds), Rules: rulesOf(&m.Rules), OpenOrders: m.OpenOrders, Definition: *d,
	}
}

func rulesOf(r *market.Rules) MarketRules {
	rate := func(r money.Rate) money.Decimal { return money.NewDecimal(int64(r), rateScale).Trim() }
	return MarketRules{
		Band: rate(r.Band), Breaker: rate(r.Breaker), Protection: rate(r.Protection),
		BreakerWindow: time.Duration(r.BreakerWindow), BreakerPause: time.Duration(r.BreakerPause), DayEnd: time.Duration(r.DayEnd),
	}
}

func timeOrZero(t venue.Time) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return timeOf(t)
}

func timeOf(t venue.Time) time.Time { return time.Unix(0, int64(t)).UTC() }

func (c *catalogue) order(o *venue.Order) Order {
	m := c.market(o.Market)
	d := &m.Definition
	order := Order{
		ID: o.ID, MemberID: o.Member, Symbol: d.Symbol, Side: o.Side, Type: o.Type, TimeInForce: o.TimeInForce,
		Quantity: quantityOf(d, o.Quantity), Filled: quantityOf(d, o.Filled), Remaining: quantityOf(d, o.Remaining()),
		Fee: amountOf(d.Quote, o.Fee), Status: o.Status, Reason: o.Reason, Sequence: o.Sequence,
		PlacedAt: timeOf(o.PlacedAt), UpdatedAt: timeOf(o.UpdatedAt),
	}
	if o.Type == market.Limit || o.Type == market.StopLimit {
		order.Price = priceOrNil(d, o.Price)
	}
	order.SelfTrade, order.PostOnly = o.SelfTrade, o.PostOnly
	if o.Conditions != (venue.Conditions{}) {
		order.TriggerPrice, order.TrailDistance = priceOrNil(d, o.Trigger), priceOrNil(d, o.Trail)
		if o.Display != 0 {
			display := quantityOf(d, o.Display)
			order.DisplayQuantity = &display
		}
		if o.ExpiresAt != 0 {
			order.ExpiresAt = timeOf(o.ExpiresAt)
		}
		order.SiblingID, order.ParentID, order.ChildID = o.Sibling, o.Parent, o.Child
	}
	if o.Filled > 0 {
		order.AveragePrice = priceOrNil(d, averagePrice(&m.Terms, o.Filled, o.Notional))
	}
	return order
}

// averagePrice is in ticks, rounded half up.
func averagePrice(terms *market.Terms, filled market.Quantity, notional money.Amount) market.Price {
	// Filled lots at one tick are at most the notional, so the product fits.
	perTick := int64(filled) * int64(terms.TickValue)
	ticks, rest := int64(notional)/perTick, int64(notional)%perTick
	if rest >= perTick-rest {
		ticks++
	}
	return market.Price(ticks)
}
