package venue

import (
	"errors"

	"bourse/engine/account"
	"bourse/engine/book"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// State is the venue at some sequence number. Make it with New or Restore.
type State struct {
	sequence  Sequence
	time      Time
	lastOrder market.OrderID
	lastTrade market.TradeID

	assets      []money.Asset // by AssetID, from 1
	assetByCode map[string]ledger.AssetID
	markets     []*venueMarket // by MarketID, from 1
	bySymbol    map[market.Symbol]*venueMarket

	ledger   ledger.Ledger
	orders   orders
	members  members
	receipts receipts
	deposits idSet // that were credited

	rules     rules
	transfers transfers
	busted    idSet   // trades
	dividing  divided // the fees of the last trade

	expiries   expiries
	uncrossing uncrossing
	phaseEnd   Time           // the earliest end of a phase, 0: none
	busy       []*venueMarket // that have orders which became due, by id

	// taking is the order whose trades are being folded: between the event that
	// has its outcome and the last of those that follow from it.
	taking struct {
		place  uint32
		status market.Status   // that it will have then
		follow uint64          // events until then, the present one among them
		filled market.Quantity // that it will have come to
	}

	decision decision           // reused
	postings []ledger.Posting   // reused
	shares   []commission.Share // reused
}

// venueMarket is a market with its book.
type venueMarket struct {
	id          MarketID
	definition  market.Definition
	terms       market.Terms
	base, quote ledger.AssetID
	phase       market.Phase
	phaseEnds   Time // 0: not by itself
	rules       market.Rules
	book        *book.Book
	open        int // orders in the book, and pending
	pending     int
	lastTrade   Trade
	reference   market.Price // that the breaker measures from, 0: none yet
	referenceAt Time         // when it became that
	plain       standing     // of members whom nothing in particular binds

	waiting  int         // stops in triggers
	triggers [2]triggers // by side
	acting   placeQueue  // stops that triggered and brackets whose entry ended
	doomed   placeQueue  // orders to be cancelled because their sibling traded
}

// held is the asset that an order of this side holds.
func (m *venueMarket) held(s market.Side) ledger.AssetID {
	if s == market.Buy {
		return m.quote
	}
	return m.base
}

// New returns an empty venue.
func New() *State {
	return &State{
		assetByCode: make(map[string]ledger.AssetID),
		bySymbol:    make(map[market.Symbol]*venueMarket),
		deposits:    make(idSet),
		rules:       newRules(),
		transfers:   newTransfers(),
		busted:      make(idSet),
	}
}

func (s *State) asset(code string) (ledger.AssetID, bool) {
	id, ok := s.assetByCode[code]
	return id, ok
}

// market returns a market by id, nil when there is none.
func (s *State) market(id MarketID) *venueMarket {
	if id == 0 || int(id) > len(s.markets) {
		return nil
	}
	return s.markets[id-1]
}

// Sequence is that of the last command, zero before the first.
func (s *State) Sequence() Sequence { return s.sequence }

// Time is when the last command was accepted.
func (s *State) Time() Time { return s.time }

// Assets returns all assets; the one at i has AssetID i+1. The caller owns the
// slice, as it does all that the methods below return.
func (s *State) Assets() []money.Asset { return append([]money.Asset(nil), s.assets...) }

// Asset returns an asset by its id.
func (s *State) Asset(id ledger.AssetID) (money.Asset, bool) {
	if id == 0 || int(id) > len(s.assets) {
		return money.Asset{}, false
	}
	return s.assets[id-1], true
}

// AssetByCode returns an asset by its code.
func (s *State) AssetByCode(code string) (ledger.AssetID, money.Asset, bool) {
	id, ok := s.asset(code)
	if !ok {
		return 0, money.Asset{}, false
	}
	return id, s.assets[id-1], true
}

// Markets returns all markets; the one at i has MarketID i+1.
func (s *State) Markets() []Market {
	list := make([]Market, len(s.markets))
	for i, m := range s.markets {
		list[i] = m.view()
	}
	return list
}

// Market returns a market by its symbol.
func (s *State) Market(symbol market.Symbol) (Market, bool) {
	m, ok := s.bySymbol[symbol]
	if !ok {
		return Market{}, false
	}
	return m.view(), true
}

// MarketByID returns a market by its id.
func (s *State) MarketByID(id MarketID) (Market, bool) {
	m := s.market(id)
	if m == nil {
		return Market{}, false
	}
	return m.view(), true
}

func (m *venueMarket) view() Market {
	return Market{
		ID: m.id, Definition: m.definition, Terms: m.terms, Base: m.base, Quote: m.quote,
		Phase: m.phase, PhaseEnds: m.phaseEnds, OpenOrders: m.open,
		Rules: m.rules, Reference: m.reference, ReferenceAt: m.referenceAt,
	}
}

// Order returns an order that is open or among the last ClosedOrders closed.
func (s *State) Order(id market.OrderID) (Order, bool) {
	place := s.orders.find(id)
	if place == 0 {
		return Order{}, false
	}
	return s.orderView(s.orders.at(place)), true
}

func (s *State) orderView(o *order) Order {
	view := Order{
		ID: o.id, Member: s.members.at(o.owner).id, Market: o.market, Symbol: s.markets[o.market-1].definition.Symbol,
		Side: o.side, Type: o.kind, TimeInForce: o.timeInForce, Status: o.status, Reason: o.reason,
		Price: o.price, Quantity: o.quantity, Filled: o.filled, Notional: o.notional, Fee: o.fee,
		Held: o.hold, Sequence: o.sequence, PlacedAt: o.placedAt, UpdatedAt: o.updatedAt,
		MakerRate: money.Rate(o.makerRate), TakerRate: money.Rate(o.takerRate),
		SelfTrade: o.mode, PostOnly: o.has(flagPostOnly),
	}
	if o.has(flagConditions) {
		c := s.orders.conditions.of(o.id)
		view.Conditions = c.Conditions
		if c.stage == waiting {
			view.Trigger = s.markets[o.market-1].stops(o.side).trigger(c)
		}
	}
	return view
}

// OpenOrders returns a member's open orders in all markets, oldest first.
func (s *State) OpenOrders(id account.ID) []Order {
	place := s.members.find(id)
	if place == 0 {
		return nil
	}
	m := s.members.at(place)
	list := make([]Order, 0, m.open)
	for at := m.oldest; at != 0; at = s.orders.at(at).next {
		list = append(list, s.orderView(s.orders.at(at)))
	}
	return list
}

// OpenOrderCount is the number of open orders in all markets.
func (s *State) OpenOrderCount() int { return s.orders.open }

// Balances returns what a member has of every asset, zero balances included, in
// the order of the assets' ids.
func (s *State) Balances(member account.ID) []Balance {
	list := make([]Balance, len(s.assets))
	for i, asset := range s.assets {
		b := s.ledger.Balance(member, ledger.AssetID(i+1))
		list[i] = Balance{Asset: asset, Available: b.Available, Held: b.Held}
	}
	return list
}

// Balance returns what a member has of one asset.
func (s *State) Balance(member account.ID, asset ledger.AssetID) ledger.Balance {
	return s.ledger.Balance(member, asset)
}

// AccountBalance returns the balance of any account, zero when there is none.
func (s *State) AccountBalance(at ledger.Account, asset ledger.AssetID) money.Amount {
	return s.ledger.Of(at, asset)
}

// Credit returns by how much an account's available balance may fall below zero.
func (s *State) Credit(id account.ID, asset ledger.AssetID) money.Amount {
	return s.ledger.Credit(id, asset)
}

// House returns the balance of one of the house's accounts.
func (s *State) House(kind ledger.Kind, asset ledger.AssetID) money.Amount {
	return s.ledger.House(kind, asset)
}

// Depth returns up to n levels of each side of a market.
func (s *State) Depth(symbol market.Symbol, n int) (Depth, bool) {
	m, ok := s.bySymbol[symbol]
	if !ok {
		return Depth{}, false
	}
	return Depth{
		Sequence: s.sequence,
		Bids:     m.book.AppendLevels(nil, market.Buy, n),
		Asks:     m.book.AppendLevels(nil, market.Sell, n),
	}, true
}

// Level returns what rests at a price, with a quantity of zero when nothing does
// or there is no such market.
func (s *State) Level(id MarketID, side market.Side, price market.Price) Level {
	m := s.market(id)
	if m == nil || !side.Valid() || price <= 0 {
		return Level{Price: price}
	}
	return m.book.At(side, price)
}

// LastTrade returns the last trade of a market; false when there was none.
func (s *State) LastTrade(symbol market.Symbol) (Trade, bool) {
	m, ok := s.bySymbol[symbol]
	if !ok || m.lastTrade.ID == 0 {
		return Trade{}, false
	}
	return m.lastTrade, true
}

// newMarket works out a market of known assets with an empty book.
func (s *State) newMarket(id MarketID, definition *market.Definition) (*venueMarket, error) {
	terms, err := definition.Terms()
	if err != nil {
		return nil, err
	}
	base, baseAsset, knowsBase := s.AssetByCode(definition.Base.Code)
	quote, quoteAsset, knowsQuote := s.AssetByCode(definition.Quote.Code)
	if !knowsBase || !knowsQuote || baseAsset != definition.Base || quoteAsset != definition.Quote {
		return nil, errors.New("the market's assets are not known")
	}
	if _, exists := s.bySymbol[definition.Symbol]; exists {
		return nil, errors.New("the market exists already")
	}
	m := &venueMarket{
		id: id, definition: *definition, terms: terms, base: base, quote: quote,
		phase: market.Continuous, rules: definition.Rules(), book: book.New(),
	}
	m.plain = m.plainStanding()
	for _, side := range [...]market.Side{market.Buy, market.Sell} {
		*m.stops(side) = triggers{side: side, table: &s.orders.conditions}
	}
	return m, nil
}

func (s *State) addMarket(m *venueMarket) {
	s.markets = append(s.markets, m)
	s.bySymbol[m.definition.Symbol] = m
}
