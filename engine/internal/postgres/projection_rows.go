package postgres

import (
	"math"
	"slices"

	"bourse/engine/account"
	"bourse/engine/feed"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// rows is what a stretch of the journal adds to the projections. Orders that were placed within it
// are copied as they stand at its end; of older ones only the change is kept.
type rows struct {
	events int
	tables
	placed    map[market.OrderID]*orderRow
	inOrder   []*orderRow // the placed ones as they came
	changed   map[market.OrderID]*orderChange
	moved     map[balanceKey]money.Amount
	candles   map[candleKey]*feed.Candle
	volumes   map[volumeKey]money.Amount
	busts     []bustRow
	unwound   map[volumeKey]money.Amount // what busts took out of volumes
	transfers []transferRow
	assets    []assetRow
	markets   []marketRow

	sequence venue.Sequence // of the last posting, and its line
	line     int32
	scratch  []ledger.Posting
}

type orderRow struct {
	id          market.OrderID
	member      account.ID
	market      venue.MarketID
	side        market.Side
	kind        market.Type
	timeInForce market.TimeInForce
	price       market.Price
	quantity    market.Quantity
	sequence    venue.Sequence
	placed      venue.Time
	pending     bool
	orderChange
}

// orderChange is what happened to an order.
type orderChange struct {
	filled   market.Quantity
	notional money.Amount
	fee      money.Amount
	reason   market.CancelReason
	at       venue.Time
	price    market.Price    // a new one, or 0
	quantity market.Quantity // a new one, or 0
	cut      market.Quantity // lost since then without a trade
	acts     bool            // it waits no longer
}

type balanceKey struct {
	owner account.ID
	kind  ledger.Kind
	asset ledger.AssetID
}

type candleKey struct {
	market  venue.MarketID
	seconds int32
	opened  int64
}

type volumeKey struct {
	member account.ID
	market venue.MarketID
	hour   int64
}

type assetRow struct {
	id    int64
	asset money.Asset
}

type marketRow struct {
	id, base, quote int64
	definition      market.Definition
}

// tables are those that are only ever added to.
type tables struct {
	orders, conditions, trades, fills, commissions, postings *table
}

func newTables() tables {
	return tables{
		orders: newTable("orders", `id, member_id, market_id, side, type, time_in_force, status, reason, price, quantity,
			filled, notional, fee, sequence, placed_at, updated_at`),
		conditions: newTable("order_conditions", `order_id, member_id, self_trade, post_only, trigger_price, trail, display,
			expires_at, sibling_id, parent_id, child_id`),
		trades: newTable("trades", `id, market_id, price, quantity, notional, taker_side, taker_order_id, maker_order_id,
			sequence, executed_at`),
		fills: newTable("fills", `trade_id, member_id, order_id, market_id, side, liquidity, price, quantity, notional, fee,
			sequence, executed_at`),
		commissions: newTable("commissions", `trade_id, order_id, agent_id, member_id, market_id, asset_id, amount, sequence, accrued_at, line`),
		postings:    newTable("postings", `sequence, line, owner_id, kind, asset_id, amount, at, reason, ref`),
	}
}

// each is all of them, in the order in which they are written.
func (t *tables) each() []*table {
	return []*table{t.orders, t.conditions, t.trades, t.fills, t.commissions, t.postings}
}

func newRows() *rows {
	r := &rows{
		tables:  newTables(),
		placed:  map[market.OrderID]*orderRow{},
		changed: map[market.OrderID]*orderChange{},
		moved:   map[balanceKey]money.Amount{},
		candles: map[candleKey]*feed.Candle{},
		volumes: map[volumeKey]money.Amount{},
		unwound: map[volumeKey]money.Amount{},
	}
	r.reset()
	return r
}

func (r *rows) reset() {
	r.events = 0
	for _, t := range r.each() {
		t.reset()
	}
	clear(r.placed)
	clear(r.changed)
	clear(r.moved)
	clear(r.candles)
	clear(r.volumes)
	clear(r.unwound)
	r.inOrder, r.assets, r.markets = r.inOrder[:0], r.assets[:0], r.markets[:0]
	r.busts, r.transfers = r.busts[:0], r.transfers[:0]
}

// add takes an event in. Events of one command come together.
func (r *rows) add(ev *venue.Event) error {
	r.events++
	r.post(ev)
	switch ev.Kind {
	case venue.AssetAdded:
		r.assets = append(r.assets, assetRow{int64(ev.Asset), ev.NewAsset})
	case venue.MarketCreated:
		r.markets = append(r.markets, marketRow{int64(ev.Market), int64(ev.Base), int64(ev.Quote), *ev.Definition})
	case venue.OrderPlaced:
		row := &orderRow{
			id: ev.Order, member: ev.Member, market: ev.Market, side: ev.Side, kind: ev.Type, timeInForce: ev.TimeInForce,
			price: ev.Price, quantity: ev.Quantity, sequence: ev.Sequence, placed: ev.Time,
			pending: ev.Receipt.Status == market.Pending, orderChange: orderChange{at: ev.Time},
		}
		r.placed[ev.Order] = row
		r.inOrder = append(r.inOrder, row)
		r.condition(ev)
	case venue.OrderCancelled:
		order := r.order(ev.Order)
		order.reason, order.at = ev.Reason, ev.Time
	case venue.Traded:
		r.trade(ev, Taker, Maker)
	case venue.AuctionTraded:
		r.trade(ev, Auction, Auction)
	case venue.OrderAmended:
		order := r.order(ev.Order)
		order.price, order.quantity, order.cut, order.at = ev.Price, ev.Quantity, 0, ev.Time
	case venue.OrderReduced:
		order := r.order(ev.Order)
		order.cut += ev.Quantity
		order.at = ev.Time
	case venue.OrderTriggered:
		order := r.order(ev.Order)
		order.price, order.acts, order.at = ev.Price, true, ev.Time
	case venue.OrderActivated:
		order := r.order(ev.Order)
		order.quantity, order.cut, order.at = ev.Quantity, 0, ev.Time
		order.acts = ev.Receipt.Status != market.Pending
	case venue.CommissionAccrued:
		r.commission(ev)
	case venue.TradeBusted:
		r.bust(ev)
	case venue.TransferMade, venue.TransferBegun, venue.TransferPosted, venue.TransferVoided:
		r.transfers = append(r.transfers, transferRow{
			kind: ev.Kind, expired: ev.Kind == venue.TransferVoided && !ev.First, sequence: ev.Sequence, at: ev.Time, transfer: ev.Detail.Transfer,
		})
	}
	return nil
}

func (r *rows) post(ev *venue.Event) {
	if ev.Sequence != r.sequence {
		r.sequence, r.line = ev.Sequence, 0
	}
	r.scratch = venue.AppendPostings(r.scratch[:0], ev)
	reference := referenceOf(ev)
	for _, p := range r.scratch {
		t := r.postings
		t.row(9)
		t.bigint(int64(ev.Sequence))
		t.integer(r.line)
		t.bigint(int64(p.Account.Owner))
		t.smallint(int16(p.Account.Kind))
		t.integer(int32(p.Asset))
		t.bigint(int64(p.Amount))
		t.bigint(int64(ev.Time))
		t.smallint(int16(ev.Kind))
		t.bigint(int64(reference))
		r.line++
		// The sum of a stretch may pass through more than either end, but not through more than all
		// the money there is, which the venue has counted in the same width.
		r.moved[balanceKey{p.Account.Owner, p.Account.Kind, p.Asset}] += p.Amount
	}
}

// referenceOf is what a line of a statement names as its cause besides the kind of event.
func referenceOf(ev *venue.Event) uint64 {
	switch ev.Kind {
	case venue.DepositCredited:
		return ev.Deposit
	case venue.Traded, venue.AuctionTraded, venue.CommissionAccrued, venue.TradeBusted:
		return uint64(ev.Trade)
	case venue.TransferMade, venue.TransferBegun, venue.TransferPosted, venue.TransferVoided:
		return ev.Detail.Transfer.ID
	}
	return uint64(ev.Order)
}

// order is where changes of an order are gathered.
func (r *rows) order(id market.OrderID) *orderChange {
	if row, ok := r.placed[id]; ok {
		return &row.orderChange
	}
	change, ok := r.changed[id]
	if !ok {
		change = &orderChange{}
		r.changed[id] = change
	}
	return change
}

func (r *rows) trade(ev *venue.Event, taker, maker Liquidity) {
	for _, side := range [...]struct {
		order market.OrderID
		fee   money.Amount
	}{{ev.Order, ev.TakerFee}, {ev.Maker, ev.MakerFee}} {
		order := r.order(side.order)
		order.filled += ev.Quantity
		order.notional += ev.Notional
		order.fee += side.fee
		order.at = ev.Time
	}
	t := r.trades
	t.row(10)
	t.bigint(int64(ev.Trade))
	t.integer(int32(ev.Market))
	t.bigint(int64(ev.Price))
	t.bigint(int64(ev.Quantity))
	t.bigint(int64(ev.Notional))
	t.smallint(int16(ev.Side))
	t.bigint(int64(ev.Order))
	t.bigint(int64(ev.Maker))
	t.bigint(int64(ev.Sequence))
	t.bigint(int64(ev.Time))
	r.fill(ev, ev.Member, ev.Order, ev.Side, taker, ev.TakerFee)
	r.fill(ev, ev.MakerMember, ev.Maker, ev.Side.Opposite(), maker, ev.MakerFee)
	for _, length := range feed.CandleSeconds {
		opened := feed.OpenedAt(int64(ev.Time), length)
		key := candleKey{ev.Market, length, opened}
		candle, ok := r.candles[key]
		if !ok {
			candle = &feed.Candle{OpenedAt: opened}
			r.candles[key] = candle
		}
		candle.Add(ev.Price, ev.Quantity, ev.Notional)
	}
}

// Liquidity is how an order came to a trade.
type Liquidity int16

const (
	Maker Liquidity = 1
	Taker Liquidity = 2
	// Auction is that of both orders where a book is uncrossed.
	Auction Liquidity = 3
)

func (r *rows) fill(ev *venue.Event, member account.ID, order market.OrderID, side market.Side, liquidity Liquidity, fee money.Amount) {
	t := r.fills
	t.row(12)
	t.bigint(int64(ev.Trade))
	t.bigint(int64(member))
	t.bigint(int64(order))
	t.integer(int32(ev.Market))
	t.smallint(int16(side))
	t.smallint(int16(liquidity))
	t.bigint(int64(ev.Price))
	t.bigint(int64(ev.Quantity))
	t.bigint(int64(ev.Notional))
	t.bigint(int64(fee))
	t.bigint(int64(ev.Sequence))
	t.bigint(int64(ev.Time))
	key := volumeKey{member, ev.Market, feed.OpenedAt(int64(ev.Time), 3600)}
	r.volumes[key] = feed.Saturated(r.volumes[key], ev.Notional)
}

// condition writes what an order has besides the plain case.
func (r *rows) condition(ev *venue.Event) {
	c := venue.Conditions{}
	if ev.Conditions != nil {
		c = *ev.Conditions
	} else if !ev.PostOnly && ev.SelfTrade == market.CancelTaker {
		return
	}
	postOnly := int16(0)
	if ev.PostOnly {
		postOnly = 1
	}
	t := r.conditions
	t.row(11)
	t.bigint(int64(ev.Order))
	t.bigint(int64(ev.Member))
	t.smallint(int16(ev.SelfTrade))
	t.smallint(postOnly)
	t.bigint(int64(c.Trigger))
	t.bigint(int64(c.Trail))
	t.bigint(int64(c.Display))
	t.bigint(int64(c.ExpiresAt))
	t.bigint(int64(c.Sibling))
	t.bigint(int64(c.Parent))
	t.bigint(int64(c.Child))
}

// finish writes the orders that were placed.
func (r *rows) finish() {
	for _, row := range r.inOrder {
		if row.orderChange.price != 0 {
			row.price = row.orderChange.price
		}
		if row.orderChange.quantity != 0 {
			row.quantity = row.orderChange.quantity
		}
		row.quantity -= row.cut
		t := r.orders
		t.row(16)
		t.bigint(int64(row.id))
		t.bigint(int64(row.member))
		t.integer(int32(row.market))
		t.smallint(int16(row.side))
		t.smallint(int16(row.kind))
		t.smallint(int16(row.timeInForce))
		t.smallint(int16(row.status()))
		t.smallint(int16(row.reason))
		t.bigint(int64(row.price))
		t.bigint(int64(row.quantity))
		t.bigint(int64(row.filled))
		t.bigint(int64(row.notional))
		t.bigint(int64(row.fee))
		t.bigint(int64(row.sequence))
		t.bigint(int64(row.placed))
		t.bigint(int64(row.at))
	}
}

func (row *orderRow) status() market.Status {
	switch {
	case row.reason != 0:
		return market.Cancelled
	case row.filled == row.quantity:
		return market.Filled
	case row.filled > 0:
		return market.PartiallyFilled
	case row.pending && !row.acts:
		return market.Pending
	}
	return market.Open
}

// sortedKeys fixes the order in which rows are locked and written.
func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compare)
	return keys
}

// maxBigint is where sums that have no natural bound stand still.
const maxBigint = math.MaxInt64
