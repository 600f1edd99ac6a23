package engine

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"bourse/engine/account"
	"bourse/engine/feed"
	"bourse/engine/internal/sequencer"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// live is what is made of committed batches on the way to those who watch.
//
// A watch must begin with a snapshot and go on with what follows it, without a gap or a repeat. The
// sequencer holds gate while a batch enters the view and is published; whoever begins a watch holds
// it for reading while it takes the snapshot and joins, and so stands between two batches.
type live struct {
	gate  sync.RWMutex
	tapes map[venue.MarketID]*feed.Tape // guarded by gate

	trades   *feed.Hub[market.Symbol, TradeUpdate]
	depths   *feed.Hub[depthKey, DepthUpdate]
	orders   *feed.Hub[account.ID, OrderUpdate]
	balances *feed.Hub[account.ID, BalanceUpdate]
	groups   map[depthKey]*depthGroup // guarded by gate; written under its write lock

	// The rest belongs to the publisher.
	sequence Sequence
	dirty    map[venue.MarketID]bool
	tradesOf map[venue.MarketID][]Trade
	members  map[account.ID]*touched
	scratch  []ledger.Posting
}

type depthKey struct {
	symbol market.Symbol
	levels int
}

// depthGroup is those who watch the same levels: they all hold the same depth.
type depthGroup struct {
	last  venue.Depth
	sent  time.Time
	dirty bool
}

// touched is what a batch did to a member who watches.
type touched struct {
	orders []market.OrderID
	fills  []Fill
	assets []ledger.AssetID
}

const (
	// maxWatchers bounds the watches of each kind.
	maxWatchers = 100_000
	// watchBuffer is how many messages a watcher may be behind.
	watchBuffer = 256
	// depthPause is the least time between two depth messages of a group: a book can change at each
	// of a thousand commits a second, and what counts is where it stands.
	depthPause = 25 * time.Millisecond
)

func newLive() *live {
	return &live{
		tapes:    map[venue.MarketID]*feed.Tape{},
		trades:   feed.NewHub[market.Symbol](maxWatchers, func(err error) TradeUpdate { return TradeUpdate{Err: err} }),
		depths:   feed.NewHub[depthKey](maxWatchers, func(err error) DepthUpdate { return DepthUpdate{Err: err} }),
		orders:   feed.NewHub[account.ID](maxWatchers, func(err error) OrderUpdate { return OrderUpdate{Err: err} }),
		balances: feed.NewHub[account.ID](maxWatchers, func(err error) BalanceUpdate { return BalanceUpdate{Err: err} }),
		groups:   map[depthKey]*depthGroup{},
		dirty:    map[venue.MarketID]bool{},
		tradesOf: map[venue.MarketID][]Trade{},
		members:  map[account.ID]*touched{},
	}
}

func (l *live) close() {
	l.trades.Close()
	l.depths.Close()
	l.orders.Close()
	l.balances.Close()
}

// published takes a committed batch. The sequencer calls it while it holds the gate.
func (x *Exchange) published(b sequencer.Batch) {
	l := x.live
	l.sequence = venue.Sequence(b.Head.Sequence)
	l.beginBatch()
	for i := range b.Events {
		ev := &b.Events[i]
		switch ev.Kind {
		case venue.AssetAdded, venue.MarketCreated, venue.PhaseChanged, venue.RulesSet:
			x.renewCatalogue()
		case venue.OrderPlaced, venue.OrderCancelled, venue.OrderAmended, venue.OrderReduced, venue.OrderTriggered, venue.OrderActivated:
			l.dirty[ev.Market] = true
			l.touch(ev.Member, ev.Order)
		case venue.Traded, venue.AuctionTraded:
			l.dirty[ev.Market] = true
			l.trade(x.catalogue.Load(), ev)
		}
		l.post(ev)
	}
	x.publishTrades()
	x.publishMembers()
	x.publishDepths(false)
	x.projector.NotifyTo(uint64(l.sequence))
}

func (l *live) beginBatch() {
	clear(l.members)
	clear(l.tradesOf)
	if l.orders.Watchers() == 0 && l.balances.Watchers() == 0 {
		return
	}
	for _, member := range l.balances.Keys(l.orders.Keys(nil)) {
		l.members[member] = &touched{}
	}
}

func (l *live) touch(member account.ID, order market.OrderID) {
	if t := l.members[member]; t != nil && !slices.Contains(t.orders, order) {
		t.orders = append(t.orders, order)
	}
}

func (l *live) post(ev *venue.Event) {
	if len(l.members) == 0 {
		return
	}
	l.scratch = venue.AppendPostings(l.scratch[:0], ev)
	for _, p := range l.scratch {
		if t := l.members[p.Account.Owner]; t != nil && !slices.Contains(t.assets, p.Asset) {
			t.assets = append(t.assets, p.Asset)
		}
	}
}

func (l *live) trade(c *catalogue, ev *venue.Event) {
	tape := l.tapes[ev.Market]
	if tape == nil {
		tape = &feed.Tape{}
		l.tapes[ev.Market] = tape
	}
	trade := tapeTrade(ev)
	tape.Add(trade)
	d := &c.market(ev.Market).Definition
	if l.trades.Watchers() > 0 {
		l.tradesOf[ev.Market] = append(l.tradesOf[ev.Market], tradeOf(d, &trade))
	}
	l.touch(ev.Member, ev.Order)
	l.touch(ev.MakerMember, ev.Maker)
	for _, side := range [...]struct {
		member account.ID
		taker  bool
	}{{ev.Member, true}, {ev.MakerMember, false}} {
		if t := l.members[side.member]; t != nil {
			t.fills = append(t.fills, fillOfEvent(d, ev, side.taker))
		}
	}
}

func tapeTrade(ev *venue.Event) feed.Trade {
	return feed.Trade{
		ID: ev.Trade, Sequence: uint64(ev.Sequence), Time: int64(ev.Time),
		Price: ev.Price, Quantity: ev.Quantity, Notional: ev.Notional, Side: ev.Side,
	}
}

func (x *Exchange) renewCatalogue() {
	x.read(func(s *venue.State) { x.catalogue.Store(newCatalogue(s)) })
}

func (x *Exchange) publishTrades() {
	c := x.catalogue.Load()
	for id, trades := range x.live.tradesOf {
		x.live.trades.Publish(c.market(id).Definition.Symbol, TradeUpdate{Sequence: x.live.sequence, Trades: trades})
	}
}

func (x *Exchange) publishMembers() {
	l, c := x.live, x.catalogue.Load()
	for member, t := range l.members {
		if len(t.orders) > 0 {
			update := OrderUpdate{Sequence: l.sequence, Fills: t.fills}
			x.read(func(s *venue.State) {
				for _, id := range t.orders {
					if o, ok := s.Order(id); ok {
						update.Orders = append(update.Orders, c.order(&o))
					}
				}
			})
			l.orders.Publish(member, update)
		}
		if len(t.assets) > 0 {
			update := BalanceUpdate{Sequence: l.sequence}
			x.read(func(s *venue.State) {
				for _, id := range t.assets {
					b := s.Balance(member, id)
					update.Balances = append(update.Balances, balanceOf(venue.Balance{
						Asset: c.asset(id), Available: b.Available, Held: b.Held,
					}))
				}
			})
			sortBalances(update.Balances)
			l.balances.Publish(member, update)
		}
	}
}

func sortBalances(balances []Balance) {
	slices.SortFunc(balances, func(a, b Balance) int { return cmp.Compare(a.Asset.Code, b.Asset.Code) })
}

// publishDepths sends each group what changed among its levels, unless it has heard a moment ago:
// then the flusher does. The gate is held.
func (x *Exchange) publishDepths(flush bool) {
	l, c := x.live, x.catalogue.Load()
	now := time.Now() // paces messages, decides nothing
	for key, group := range l.groups {
		if m := c.bySymbol[key.symbol]; m != nil && l.dirty[m.ID] {
			group.dirty = true
		}
		if !l.depths.Watched(key) {
			delete(l.groups, key)
			continue
		}
		if group.dirty && (flush || now.Sub(group.sent) >= depthPause) {
			x.publishDepth(key, group)
			group.sent = now
		}
	}
	clear(l.dirty)
}

func (x *Exchange) publishDepth(key depthKey, group *depthGroup) {
	group.dirty = false
	var next venue.Depth
	x.read(func(s *venue.State) { next, _ = s.Depth(key.symbol, key.levels) })
	d := &x.catalogue.Load().bySymbol[key.symbol].Definition
	update := DepthUpdate{
		Sequence: next.Sequence, Previous: group.last.Sequence,
		Bids: changedLevels(d, group.last.Bids, next.Bids, func(a, b market.Price) bool { return a > b }),
		Asks: changedLevels(d, group.last.Asks, next.Asks, func(a, b market.Price) bool { return a < b }),
	}
	if len(update.Bids)+len(update.Asks) == 0 {
		return // what changed lies deeper; the group still holds this depth
	}
	group.last = next
	x.live.depths.Publish(key, update)
}

// changedLevels walks two sides of a book, both best first, and returns where they differ: the new
// quantity, zero for a level that is gone.
func changedLevels(d *market.Definition, old, next []venue.Level, better func(a, b market.Price) bool) (changes []Level) {
	for len(old) > 0 || len(next) > 0 {
		switch {
		case len(next) == 0 || len(old) > 0 && better(old[0].Price, next[0].Price):
			changes = append(changes, Level{Price: priceOf(d, old[0].Price), Quantity: quantityOf(d, 0)})
			old = old[1:]
		case len(old) == 0 || better(next[0].Price, old[0].Price):
			changes = append(changes, levelOf(d, next[0]))
			next = next[1:]
		default:
			if old[0].Quantity != next[0].Quantity {
				changes = append(changes, levelOf(d, next[0]))
			}
			old, next = old[1:], next[1:]
		}
	}
	return changes
}

// flushDepths sends what publishDepths held back, until stop.
func (x *Exchange) flushDepths(stop <-chan struct{}) {
	ticker := time.NewTicker(depthPause)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if x.live.depths.Watchers() == 0 {
			continue
		}
		x.live.gate.Lock()
		x.publishDepths(true)
		x.live.gate.Unlock()
	}
}
