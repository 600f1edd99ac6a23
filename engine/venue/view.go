package venue

import (
	"bourse/engine/account"
	"bourse/engine/book"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Order is an order as it stands. The venue knows the open ones and the last
// ClosedOrders that were closed.
type Order struct {
	ID          market.OrderID
	Member      account.ID
	Market      MarketID
	Symbol      market.Symbol
	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce
	Status      market.Status
	Reason      market.CancelReason // why it was cancelled, zero unless it was
	Price       market.Price        // the protection price of a market order
	Quantity    market.Quantity
	Filled      market.Quantity
	Notional    money.Amount // quote minor units of what was filled
	Fee         money.Amount // quote minor units
	Held        money.Amount // quote of a buy, base of a sell; zero when closed
	Sequence    Sequence     // of the command that placed it
	PlacedAt    Time
	UpdatedAt   Time
	MakerRate   money.Rate // in force for it since it was placed
	TakerRate   money.Rate
	SelfTrade   market.SelfTrade
	PostOnly    bool
	Conditions  // zero for an order that has none
}

// Remaining is what has not traded, whether or not it still can.
func (o *Order) Remaining() market.Quantity { return o.Quantity - o.Filled }

// Market is a market as it stands.
type Market struct {
	ID         MarketID
	Definition market.Definition
	Terms      market.Terms
	Base       ledger.AssetID
	Quote      ledger.AssetID
	Phase      market.Phase
	PhaseEnds  Time // when the phase goes on by itself, 0: never
	OpenOrders int

	Rules       market.Rules
	Reference   market.Price // that the breaker measures from, 0: none yet
	ReferenceAt Time         // when it became that
}

// Trade is the last trade of a market.
type Trade struct {
	ID       market.TradeID
	Sequence Sequence
	Time     Time
	Price    market.Price
	Quantity market.Quantity
	Side     market.Side // of the taker
}

// Balance is what a member has of an asset.
type Balance struct {
	Asset     money.Asset
	Available money.Amount
	Held      money.Amount
}

// Level is all that rests at one price.
type Level = book.Level

// Depth is the best levels of both sides, best first.
type Depth struct {
	Sequence Sequence
	Bids     []Level
	Asks     []Level
}
