package venue

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (c *AddAsset) decide(s *State, d *decision) error {
	if !c.Asset.Valid() {
		return fault.New(fault.InvalidArgument, "an asset has a code of 1 to 12 capital letters and digits and at most 18 decimals")
	}
	if _, ok := s.asset(c.Asset.Code); ok {
		return fault.New(fault.AssetExists, "the asset exists already")
	}
	id := ledger.AssetID(len(s.assets) + 1)
	if id > ledger.MaxAsset {
		return fault.New(fault.InvalidArgument, "the exchange has as many assets as it can have")
	}
	ev := d.add(AssetAdded)
	ev.Asset, ev.NewAsset = id, c.Asset
	return nil
}

func (c *CreateMarket) decide(s *State, d *decision) error {
	definition := c.Definition
	terms, err := definition.Terms()
	if err != nil {
		return err
	}
	definition.Protection = terms.Protection
	if _, ok := s.bySymbol[definition.Symbol]; ok {
		return fault.New(fault.MarketExists, "a market with this symbol exists already")
	}
	base, baseAsset, ok := s.AssetByCode(definition.Base.Code)
	if !ok {
		return fault.New(fault.UnknownAsset, "the exchange has no such base asset")
	}
	quote, quoteAsset, ok := s.AssetByCode(definition.Quote.Code)
	if !ok {
		return fault.New(fault.UnknownAsset, "the exchange has no such quote asset")
	}
	if baseAsset != definition.Base || quoteAsset != definition.Quote {
		return fault.New(fault.InvalidMarket, "the definition gives an asset other decimals than it has")
	}
	if len(s.markets) >= maxMarkets {
		return fault.New(fault.InvalidMarket, "the exchange has as many markets as it can have")
	}
	ev := d.add(MarketCreated)
	ev.Market = MarketID(len(s.markets) + 1)
	ev.Definition, ev.Base, ev.Quote = &definition, base, quote
	return nil
}

func (c *SetPhase) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if !c.Phase.Valid() {
		return fault.New(fault.InvalidArgument, "a market has no such phase")
	}
	ev := d.add(PhaseChanged)
	ev.Market, ev.Phase = m.id, c.Phase
	return nil
}

func (c *CreditDeposit) decide(s *State, d *decision) error {
	asset, ok := s.asset(c.Asset)
	switch {
	case !ok:
		return fault.New(fault.UnknownAsset, "the exchange has no such asset")
	case c.Member == 0:
		return fault.New(fault.InvalidArgument, "a deposit is credited to a member")
	case c.Amount <= 0:
		return fault.New(fault.InvalidAmount, "the amount must be positive")
	case c.Deposit != 0 && s.deposits.has(c.Deposit):
		return fault.New(fault.DepositNotPending, "the deposit was credited before")
	}
	// What is outside is the negative of all that is inside. As long as it can be
	// counted, so can every balance, and every sum of holds and of fees.
	if _, ok := s.ledger.House(ledger.Deposits, asset).Sub(c.Amount); !ok {
		return fault.New(fault.AmountOverflow, "the exchange cannot count that much of the asset")
	}
	ev := d.add(DepositCredited)
	ev.Deposit, ev.Member, ev.Asset, ev.Amount = c.Deposit, c.Member, asset, c.Amount
	return nil
}

func (c *CancelOrder) decide(s *State, d *decision) error {
	place := s.orders.find(c.Order)
	if place == 0 || s.orders.at(place).owner != d.owner {
		return fault.New(fault.OrderNotFound, "you have no such order")
	}
	o := s.orders.at(place)
	if !o.status.Live() {
		return fault.New(fault.OrderNotOpen, "the order is filled or cancelled already")
	}
	s.cancel(o, d)
	d.receipt = Receipt{
		Order: o.id, Status: market.Cancelled, Filled: o.filled, Notional: o.notional, Fee: o.fee,
	}
	return nil
}

func (c *CancelAll) decide(s *State, d *decision) error {
	var only MarketID
	if c.Symbol != "" {
		m, ok := s.bySymbol[c.Symbol]
		if !ok {
			return unknownMarket()
		}
		only = m.id
	}
	d.add(OrdersCancelled).Market = only
	place := s.members.find(c.Actor)
	if place == 0 {
		return nil
	}
	for at := s.members.at(place).oldest; at != 0; {
		o := s.orders.at(at)
		if only == 0 || o.market == only {
			s.cancel(o, d)
			d.receipt.Count++
		}
		at = o.next
	}
	return nil
}

// cancel adds the cancel of a resting order that its member asked for.
func (s *State) cancel(o *order, d *decision) {
	cancelled(d, o, d.actor, market.CancelRequested, o.remaining(), o.hold, s.markets[o.market-1])
}

func cancelled(d *decision, o *order, member account.ID, why market.CancelReason, left market.Quantity, release money.Amount, m *venueMarket) {
	ev := d.add(OrderCancelled)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Price = m.id, o.id, member, o.side, o.price
	ev.Reason, ev.Quantity, ev.Asset, ev.Amount = why, left, m.held(o.side), release
}

func unknownMarket() error {
	return fault.New(fault.UnknownMarket, "the exchange has no such market")
}
