package engine

import (
	"context"

	"bourse/engine/market"
)

// Signatures first; the bodies follow at once.

func (m *Member) PlaceOrder(ctx context.Context, ask PlaceOrder) (Order, Sequence, error) {
	panic("not built yet")
}
func (m *Member) CancelOrder(ctx context.Context, ask CancelOrder) (Order, Sequence, error) {
	panic("not built yet")
}

// CancelAll returns how many orders were cancelled.
func (m *Member) CancelAll(ctx context.Context, ask CancelAll) (int, Sequence, error) {
	panic("not built yet")
}

// Order is refused with ORDER_NOT_FOUND also for someone else's order.
func (m *Member) Order(ctx context.Context, id market.OrderID) (Order, error) { panic("not built yet") }

// OrdersByID leaves out what is not the member's.
func (m *Member) OrdersByID(ctx context.Context, ids []market.OrderID) ([]Order, error) {
	panic("not built yet")
}
func (m *Member) Orders(ctx context.Context, filter OrderFilter, page Page) (OrderPage, error) {
	panic("not built yet")
}
func (m *Member) Fills(ctx context.Context, filter FillFilter, page Page) (FillPage, error) {
	panic("not built yet")
}

// Balances has one row for each asset that the member ever had, by code.
func (m *Member) Balances(ctx context.Context) ([]Balance, error) { panic("not built yet") }
func (m *Member) Balance(ctx context.Context, asset string) (Balance, error) {
	panic("not built yet")
}
func (m *Member) WatchOrders(ctx context.Context) (<-chan OrderUpdate, error) {
	panic("not built yet")
}
func (m *Member) WatchBalances(ctx context.Context) (<-chan BalanceUpdate, error) {
	panic("not built yet")
}
