package engine

import (
	"cmp"
	"context"
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
	"bourse/engine/venue"
)

var errOrderNotFound = fault.New(fault.OrderNotFound, "there is no such order")

// CancelOrder cancels what is left of an order and returns the order as it then stands. Refusals:
// ORDER_NOT_FOUND, ORDER_NOT_OPEN, OVERLOADED, UNAVAILABLE, OUTCOME_UNKNOWN.
func (m *Member) CancelOrder(ctx context.Context, ask CancelOrder) (Order, Sequence, error) {
	receipt, err := m.x.submit(ctx, &venue.CancelOrder{Actor: m.actor.ID, Key: ask.Key, Order: ask.OrderID})
	if err != nil {
		return Order{}, 0, err
	}
	order, err := m.x.memberOrder(ctx, m.actor.ID, receipt.Order)
	return order, receipt.Sequence, unread(err)
}

// CancelAll cancels the open orders of a market, or all, and returns how many there were. Refusals:
// UNKNOWN_MARKET, OVERLOADED, UNAVAILABLE, OUTCOME_UNKNOWN.
func (m *Member) CancelAll(ctx context.Context, ask CancelAll) (int, Sequence, error) {
	receipt, err := m.x.submit(ctx, &venue.CancelAll{Actor: m.actor.ID, Key: ask.Key, Symbol: ask.Symbol})
	return int(receipt.Count), receipt.Sequence, err
}

// Order returns one of the member's orders. Refusal: ORDER_NOT_FOUND, also for someone else's.
func (m *Member) Order(ctx context.Context, id market.OrderID) (Order, error) {
	return m.x.memberOrder(ctx, m.actor.ID, id)
}

func (x *Exchange) memberOrder(ctx context.Context, member account.ID, id market.OrderID) (Order, error) {
	order, err := x.order(ctx, member, id)
	if err == nil && order.MemberID != member {
		return Order{}, errOrderNotFound
	}
	return order, err
}

// anyOrder returns anybody's order. Refusal: ORDER_NOT_FOUND.
func (x *Exchange) anyOrder(ctx context.Context, id market.OrderID) (Order, error) {
	return x.order(ctx, 0, id)
}

// order looks at what is live, then into history with the eyes of a viewer.
func (x *Exchange) order(ctx context.Context, viewer account.ID, id market.OrderID) (Order, error) {
	if err := x.reach(ctx); err != nil {
		return Order{}, err
	}
	var o venue.Order
	var found bool
	x.read(func(s *venue.State) { o, found = s.Order(id) })
	if found {
		return x.catalogue.Load().order(&o), nil
	}
	if err := x.reachProjected(ctx); err != nil {
		return Order{}, err
	}
	rows, err := x.db.OrdersByID(ctx, viewer, []market.OrderID{id})
	if err != nil {
		return Order{}, refusal(err)
	}
	if len(rows) == 0 {
		return Order{}, errOrderNotFound
	}
	return x.catalogue.Load().order(&rows[0]), nil
}

// OrdersByID returns those of the orders that are the member's, in no order; at most MaxPage ids.
func (m *Member) OrdersByID(ctx context.Context, ids []market.OrderID) ([]Order, error) {
	if len(ids) > MaxPage {
		return nil, fault.Newf(fault.InvalidArgument, "at most %d orders can be had at once", MaxPage)
	}
	if err := m.x.reach(ctx); err != nil {
		return nil, err
	}
	c := m.x.catalogue.Load()
	var orders []Order
	var rest []market.OrderID
	m.x.read(func(s *venue.State) {
		for _, id := range ids {
			o, found := s.Order(id)
			switch {
			case !found:
				rest = append(rest, id)
			case o.Member == m.actor.ID:
				orders = append(orders, c.order(&o))
			}
		}
	})
	if len(rest) == 0 {
		return orders, nil
	}
	if err := m.x.reachProjected(ctx); err != nil {
		return nil, err
	}
	rows, err := m.x.db.OrdersByID(ctx, m.actor.ID, rest)
	if err != nil {
		return nil, refusal(err)
	}
	for i := range rows {
		if rows[i].Member == m.actor.ID {
			orders = append(orders, m.x.catalogue.Load().order(&rows[i]))
		}
	}
	return orders, nil
}

// Orders returns the member's orders, newest first. Refusals: INVALID_ARGUMENT, UNKNOWN_MARKET.
func (m *Member) Orders(ctx context.Context, filter OrderFilter, page Page) (OrderPage, error) {
	before, id, err := m.x.pageOf('o', filter.Symbol, page)
	if err != nil {
		return OrderPage{}, err
	}
	if err := m.x.reach(ctx); err != nil {
		return OrderPage{}, err
	}
	var rows []venue.Order
	if filter.OpenOnly {
		rows = m.x.openOrders(m.actor.ID, id, market.OrderID(before), page.First+1)
	} else {
		if err := m.x.reachProjected(ctx); err != nil {
			return OrderPage{}, err
		}
		rows, err = m.x.db.Orders(ctx, m.actor.ID, postgres.OrderQuery{
			Member: m.actor.ID, Market: id, Before: market.OrderID(before), Limit: page.First + 1,
		})
		if err != nil {
			return OrderPage{}, refusal(err)
		}
		m.x.refresh(rows)
	}
	c := m.x.catalogue.Load()
	result := OrderPage{HasNext: len(rows) > page.First}
	for i := range rows[:min(len(rows), page.First)] {
		result.Items = append(result.Items, c.order(&rows[i]))
	}
	if n := len(result.Items); n > 0 {
		result.Next = result.Items[n-1].Cursor()
	}
	return result, nil
}

// pageOf reads what a page and a symbol ask for; no symbol is market 0.
func (x *Exchange) pageOf(list byte, symbol market.Symbol, page Page) (before uint64, id venue.MarketID, err error) {
	if err := page.check(); err != nil {
		return 0, 0, err
	}
	if page.After != "" {
		if before, err = decodeCursor(list, page.After); err != nil {
			return 0, 0, err
		}
	}
	if symbol != "" {
		m := x.catalogue.Load().bySymbol[symbol]
		if m == nil {
			return 0, 0, errUnknownMarket
		}
		id = m.ID
	}
	return before, id, nil
}

// openOrders are the member's open orders in a market (0: all) below an id (0: all), newest first.
func (x *Exchange) openOrders(member account.ID, id venue.MarketID, before market.OrderID, limit int) []venue.Order {
	var orders []venue.Order
	x.read(func(s *venue.State) { orders = s.OpenOrders(member) })
	orders = slices.DeleteFunc(orders, func(o venue.Order) bool {
		return id != 0 && o.Market != id || before != 0 && o.ID >= before
	})
	slices.SortFunc(orders, func(a, b venue.Order) int { return cmp.Compare(b.ID, a.ID) })
	return orders[:min(limit, len(orders))]
}

// refresh replaces projected orders by what is live of them.
func (x *Exchange) refresh(rows []venue.Order) {
	x.read(func(s *venue.State) {
		for i := range rows {
			if o, found := s.Order(rows[i].ID); found {
				rows[i] = o
			}
		}
	})
}

// Fills returns the member's sides of trades, newest first. Refusals: INVALID_ARGUMENT,
// UNKNOWN_MARKET.
func (m *Member) Fills(ctx context.Context, filter FillFilter, page Page) (FillPage, error) {
	before, id, err := m.x.pageOf('f', filter.Symbol, page)
	if err != nil {
		return FillPage{}, err
	}
	if err := m.x.reachProjected(ctx); err != nil {
		return FillPage{}, err
	}
	rows, err := m.x.db.Fills(ctx, m.actor.ID, postgres.FillQuery{
		Member: m.actor.ID, Market: id, Order: filter.OrderID, Before: before, Limit: page.First + 1,
	})
	if err != nil {
		return FillPage{}, refusal(err)
	}
	c := m.x.catalogue.Load()
	result := FillPage{HasNext: len(rows) > page.First}
	for i := range rows[:min(len(rows), page.First)] {
		result.Items = append(result.Items, fillOf(&c.market(rows[i].Market).Definition, &rows[i]))
	}
	if n := len(result.Items); n > 0 {
		result.Next = result.Items[n-1].Cursor()
	}
	return result, nil
}

func fillOf(d *market.Definition, f *postgres.Fill) Fill {
	fill := Fill{
		TradeID: f.Trade, OrderID: f.Order, MemberID: f.Member, Symbol: d.Symbol, Side: f.Side, TakerSide: f.Side.Opposite(),
		Liquidity: Maker, Price: priceOf(d, f.Price), Quantity: quantityOf(d, f.Quantity),
		Fee: amountOf(d.Quote, f.Fee), Sequence: f.Sequence, ExecutedAt: timeOf(f.Time),
	}
	switch f.Liquidity {
	case postgres.Taker:
		fill.Liquidity, fill.TakerSide = Taker, f.Side
	case postgres.Auction:
		fill.Liquidity, fill.TakerSide = Auction, market.Buy
	}
	return fill
}

func fillOfEvent(d *market.Definition, ev *venue.Event, taker bool) Fill {
	row := postgres.Fill{
		Liquidity: postgres.Maker, Trade: ev.Trade, Member: ev.MakerMember, Order: ev.Maker, Side: ev.Side.Opposite(), Price: ev.Price,
		Quantity: ev.Quantity, Fee: ev.MakerFee, Sequence: ev.Sequence, Time: ev.Time,
	}
	if taker {
		row.Liquidity, row.Member, row.Order, row.Side, row.Fee = postgres.Taker, ev.Member, ev.Order, ev.Side, ev.TakerFee
	}
	if ev.Kind == venue.AuctionTraded {
		row.Liquidity = postgres.Auction
	}
	return fillOf(d, &row)
}

// Balances has one row for each asset of the house, by code.
func (m *Member) Balances(ctx context.Context) ([]Balance, error) {
	if err := m.x.reach(ctx); err != nil {
		return nil, err
	}
	var balances []Balance
	m.x.read(func(s *venue.State) { balances = balancesOf(s, m.actor.ID) })
	return balances, nil
}

func balancesOf(s *venue.State, member account.ID) []Balance {
	rows := s.Balances(member)
	balances := make([]Balance, len(rows))
	for i := range rows {
		balances[i] = balanceOf(rows[i])
	}
	sortBalances(balances)
	return balances
}

// balanceOf: the venue counts all money of an asset in the width of an amount, so the total fits.
func balanceOf(b venue.Balance) Balance {
	return Balance{
		Asset: b.Asset, Available: amountOf(b.Asset, b.Available), Held: amountOf(b.Asset, b.Held),
		Total: amountOf(b.Asset, b.Available+b.Held),
	}
}

// Balance returns what the member has of an asset, zero when it never had any. Refusal:
// UNKNOWN_ASSET.
func (m *Member) Balance(ctx context.Context, code string) (Balance, error) {
	if err := m.x.reach(ctx); err != nil {
		return Balance{}, err
	}
	var balance Balance
	var found bool
	m.x.read(func(s *venue.State) {
		id, asset, known := s.AssetByCode(code)
		b := s.Balance(m.actor.ID, id)
		balance, found = balanceOf(venue.Balance{Asset: asset, Available: b.Available, Held: b.Held}), known
	})
	if !found {
		return Balance{}, fault.New(fault.UnknownAsset, "the exchange has no such asset")
	}
	return balance, nil
}

// WatchOrders sends the member's open orders, newest first, then those that each commit touched as
// they stand after it, with their fills. The channel is closed when ctx ends, and after an update
// with Err otherwise. Refusal: OVERLOADED.
func (m *Member) WatchOrders(ctx context.Context) (<-chan OrderUpdate, error) {
	m.x.live.gate.RLock()
	defer m.x.live.gate.RUnlock()
	c := m.x.catalogue.Load()
	first := OrderUpdate{Snapshot: true, Sequence: m.x.seq.View().Sequence()}
	for _, o := range m.x.openOrders(m.actor.ID, 0, 0, maxSnapshotOrders) {
		first.Orders = append(first.Orders, c.order(&o))
	}
	updates, err := m.x.live.orders.Watch(ctx, m.actor.ID, watchBuffer, first)
	return updates, watchRefusal(err)
}

// maxSnapshotOrders bounds the first message of WatchOrders: the newest ones.
const maxSnapshotOrders = 1000

// WatchBalances sends all balances of the member, then those that each commit changed. The channel
// is closed when ctx ends, and after an update with Err otherwise. Refusal: OVERLOADED.
func (m *Member) WatchBalances(ctx context.Context) (<-chan BalanceUpdate, error) {
	m.x.live.gate.RLock()
	defer m.x.live.gate.RUnlock()
	first := BalanceUpdate{Snapshot: true, Sequence: m.x.seq.View().Sequence()}
	m.x.read(func(s *venue.State) { first.Balances = balancesOf(s, m.actor.ID) })
	updates, err := m.x.live.balances.Watch(ctx, m.actor.ID, watchBuffer, first)
	return updates, watchRefusal(err)
}
