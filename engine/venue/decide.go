package venue

import (
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
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
	phase := max(c.Phase, market.Continuous) // none stands for it
	if !phase.Opens() {
		return fault.New(fault.InvalidArgument, "a market is created in CONTINUOUS, DRAFT or PRE_OPEN")
	}
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
	ev.Definition, ev.Base, ev.Quote, ev.Phase = &definition, base, quote, phase
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
	if c.Amount > s.ledger.RoomFrom(ledger.Deposits, asset) {
		return uncountable()
	}
	ev := d.add(DepositCredited)
	ev.Deposit, ev.Member, ev.Asset, ev.Amount = c.Deposit, c.Member, asset, c.Amount
	return nil
}

func unknownMarket() error {
	return fault.New(fault.UnknownMarket, "the exchange has no such market")
}
