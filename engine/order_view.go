package engine

import (
	"time"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Order is an order as it stands.
type Order struct {
	ID          market.OrderID
	MemberID    account.ID
	Symbol      market.Symbol
	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce
	// Price is nil for an order that names no limit.
	Price *money.Decimal
	// TriggerPrice is what a stop waits for; of a trailing one where it stands while the order is live,
	// where it began afterwards. TrailDistance is how far that follows the market. Both nil for others.
	TriggerPrice, TrailDistance *money.Decimal
	// DisplayQuantity is how much of an iceberg stands in the book at most; nil for others.
	DisplayQuantity *money.Decimal
	PostOnly        bool
	SelfTrade       market.SelfTrade
	// ExpiresAt is when the order ends by itself; zero for never.
	ExpiresAt time.Time
	// SiblingID is the other leg of an OCO, ParentID the entry of the bracket that the order belongs to,
	// ChildID the take-profit of the bracket that it is the entry of; 0 for none.
	SiblingID, ParentID, ChildID market.OrderID
	Quantity, Filled, Remaining  money.Decimal
	// AveragePrice is that of what traded, rounded half up to the tick; nil before the first fill.
	AveragePrice *money.Decimal
	// Fee is what was paid so far, in quote.
	Fee    money.Decimal
	Status market.Status
	// Reason says why it was cancelled; zero unless it was.
	Reason market.CancelReason
	// Sequence is where the order was accepted.
	Sequence            Sequence
	PlacedAt, UpdatedAt time.Time
}

// Liquidity says on which side of a trade an order stood.
type Liquidity string

// Makers rest in the book, takers come to it.
const (
	Maker Liquidity = "MAKER"
	Taker Liquidity = "TAKER"
	// Auction is that of both where a book is uncrossed; the taker's side is BUY there by convention.
	Auction Liquidity = "AUCTION"
)

// Fill is one member's side of a trade.
type Fill struct {
	TradeID   market.TradeID
	OrderID   market.OrderID
	MemberID  account.ID
	Symbol    market.Symbol
	Side      market.Side
	TakerSide market.Side
	Liquidity Liquidity
	Price     money.Decimal
	Quantity  money.Decimal
	// Fee is in quote.
	Fee        money.Decimal
	Sequence   Sequence
	ExecutedAt time.Time
}

// Balance is what a member has of one asset.
type Balance struct {
	Asset money.Asset
	// Available may be spent or held, Held is reserved for open orders; Total is their sum.
	Available, Held, Total money.Decimal
}

// CancelOrder asks to cancel what is left of an order.
type CancelOrder struct {
	Key     string
	OrderID market.OrderID
}

// CancelAll asks to cancel all open orders of a market, or of all when Symbol is empty.
type CancelAll struct {
	Key    string
	Symbol market.Symbol
}

// OrderFilter narrows a list of orders; the zero filter is all of them.
type OrderFilter struct {
	Symbol   market.Symbol
	OpenOnly bool
}

// FillFilter narrows a list of fills; the zero filter is all of them.
type FillFilter struct {
	Symbol market.Symbol
	// OrderID, when not 0, wants the fills of one order.
	OrderID market.OrderID
}

// OrderPage is a page of orders, newest first.
type OrderPage struct {
	Items []Order
	// Next is the After of the next page; empty when Items is.
	Next    string
	HasNext bool
}

// FillPage is a page of fills, newest first.
type FillPage struct {
	Items   []Fill
	Next    string
	HasNext bool
}

// Cursor is the After that begins a page behind this order.
func (o *Order) Cursor() string { return encodeCursor('o', uint64(o.ID)) }

// Cursor is the After that begins a page behind this fill.
func (f *Fill) Cursor() string { return encodeCursor('f', postgres.FillKey(f.TradeID, f.Side)) }

// OrderUpdate is a message of WatchOrders: first a snapshot of the open orders, then, for each
// commit that touched some, the orders as they stand after it and the fills that it brought.
type OrderUpdate struct {
	Snapshot bool
	Sequence Sequence
	Orders   []Order
	Fills    []Fill
	// Err is set on the last message only: ErrLagged or ErrClosing.
	Err error
}

// BalanceUpdate is a message of WatchBalances: all balances first, afterwards those that changed.
type BalanceUpdate struct {
	Snapshot bool
	Sequence Sequence
	Balances []Balance
	// Err is set on the last message only: ErrLagged or ErrClosing.
	Err error
}
