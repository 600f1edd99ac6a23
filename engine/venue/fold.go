package venue

import (
	"errors"
	"fmt"

	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// ErrMisfit means that an event does not follow from the state that it is folded
// into: it was left out, doubled, reordered, altered or forged.
var ErrMisfit = errors.New("venue: the event does not fit the state")

// Fold applies an event that Apply made, in order and without gaps. It decides
// nothing: amounts are taken from the event. It does check that the event fits,
// and returns an error that wraps ErrMisfit or a ledger error if it does not;
// the state must then be thrown away. The event is not kept, except for its
// Definition.
func (s *State) Fold(ev *Event) error {
	var print keyPrint
	if ev.First {
		if !validKey(ev.Key) {
			return misfit(ev, "its key is malformed")
		}
		print = printKey(ev.Actor, ev.Key)
		if owner := s.members.find(ev.Actor); owner != 0 && s.receipts.find(&s.members.at(owner).keys, print) != nil {
			return misfit(ev, "its key was used before")
		}
	}
	return s.fold(ev, print)
}

func misfit(ev *Event, why string) error {
	return fmt.Errorf("%w: %v at sequence %d: %s", ErrMisfit, ev.Kind, ev.Sequence, why)
}

func (s *State) fold(ev *Event, print keyPrint) error {
	if ev.First {
		if ev.Sequence != s.sequence+1 || ev.Time < s.time {
			return misfit(ev, "its sequence or time does not follow the last")
		}
		if s.taking.place != 0 {
			return misfit(ev, "the command before is incomplete")
		}
	} else if ev.Sequence != s.sequence || ev.Sequence == 0 {
		return misfit(ev, "it belongs to another command")
	}
	if err := s.foldKind(ev); err != nil {
		return err
	}
	if ev.First {
		s.sequence, s.time = ev.Sequence, ev.Time
		s.remember(s.members.take(ev.Actor), print, ev.Body, &ev.Receipt)
	}
	return nil
}

func (s *State) foldKind(ev *Event) error {
	if !ev.First && ev.Kind != Traded && ev.Kind != OrderCancelled || ev.First && ev.Kind == Traded {
		return misfit(ev, "it stands at the wrong place of its command")
	}
	switch ev.Kind {
	case AssetAdded:
		return s.foldAsset(ev)
	case MarketCreated:
		return s.foldMarket(ev)
	case PhaseChanged:
		m := s.market(ev.Market)
		if m == nil || !ev.Phase.Valid() {
			return misfit(ev, "there is no such market or phase")
		}
		m.phase = ev.Phase
		return nil
	case DepositCredited:
		return s.foldDeposit(ev)
	case OrderPlaced:
		return s.foldPlaced(ev)
	case Traded:
		return s.foldTraded(ev)
	case OrderCancelled:
		return s.foldCancelled(ev)
	case OrdersCancelled:
		return nil // what it comes to follows
	}
	return misfit(ev, "its kind is not known")
}

func (s *State) foldAsset(ev *Event) error {
	_, exists := s.asset(ev.NewAsset.Code)
	if int(ev.Asset) != len(s.assets)+1 || ev.Asset > ledger.MaxAsset || exists || !ev.NewAsset.Valid() {
		return misfit(ev, "the asset is malformed, known or out of order")
	}
	s.assets = append(s.assets, ev.NewAsset)
	s.assetByCode[ev.NewAsset.Code] = ev.Asset
	return nil
}

func (s *State) foldMarket(ev *Event) error {
	if int(ev.Market) != len(s.markets)+1 || len(s.markets) >= maxMarkets || ev.Definition == nil {
		return misfit(ev, "the market is out of order")
	}
	m, err := s.newMarket(ev.Market, ev.Definition)
	if err != nil {
		return misfit(ev, err.Error())
	}
	if m.base != ev.Base || m.quote != ev.Quote {
		return misfit(ev, "the market's assets have other ids")
	}
	s.addMarket(m)
	return nil
}

func (s *State) foldDeposit(ev *Event) error {
	if _, ok := s.Asset(ev.Asset); !ok || ev.Member == 0 || ev.Amount <= 0 {
		return misfit(ev, "there is no such asset, member or amount")
	}
	if ev.Deposit != 0 && s.deposits.has(ev.Deposit) {
		return misfit(ev, "the deposit was credited before")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	if ev.Deposit != 0 {
		s.deposits.add(ev.Deposit)
	}
	return nil
}

func (s *State) post(ev *Event) error {
	s.postings = AppendPostings(s.postings[:0], ev)
	if err := s.ledger.Post(s.postings); err != nil {
		return fmt.Errorf("venue: %v at sequence %d: %w", ev.Kind, ev.Sequence, err)
	}
	return nil
}

func (s *State) foldPlaced(ev *Event) error {
	m := s.market(ev.Market)
	switch {
	case m == nil || !ev.Side.Valid() || !ev.Type.Valid() || !ev.TimeInForce.Valid():
		return misfit(ev, "there is no such market, side, type or time in force")
	case ev.Order != s.lastOrder+1 || ev.Member == 0 || ev.Asset != m.held(ev.Side):
		return misfit(ev, "its order, member or asset is wrong")
	case ev.Price <= 0 || ev.Price > market.MaxPrice || ev.Quantity <= 0 || ev.Quantity > market.MaxQuantity || ev.Amount < 0:
		return misfit(ev, "a number is out of range")
	case !foreseeable(&ev.Receipt, ev.Quantity):
		return misfit(ev, "its receipt contradicts itself")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	owner := s.members.take(ev.Member)
	place := s.orders.take(ev.Order)
	*s.orders.at(place) = order{
		id: ev.Order, owner: owner, market: ev.Market,
		side: ev.Side, kind: ev.Type, timeInForce: ev.TimeInForce, status: market.Open,
		price: ev.Price, quantity: ev.Quantity, hold: ev.Amount,
		sequence: ev.Sequence, placedAt: ev.Time, updatedAt: ev.Time,
	}
	s.lastOrder = ev.Order
	s.taking.place, s.taking.filled, s.taking.status = place, ev.Receipt.Filled, ev.Receipt.Status
	return s.settle(ev)
}

// foreseeable reports whether an order of this quantity can come to what its
// receipt says.
func foreseeable(r *Receipt, quantity market.Quantity) bool {
	switch r.Status {
	case market.Open:
		return r.Filled == 0
	case market.PartiallyFilled:
		return r.Filled > 0 && r.Filled < quantity
	case market.Filled:
		return r.Filled == quantity
	case market.Cancelled:
		return r.Filled >= 0 && r.Filled < quantity
	}
	return false
}

// settle ends the taking once all trades that were foreseen are folded: what is
// left rests or goes. A rest that is to be cancelled waits for its event.
func (s *State) settle(ev *Event) error {
	o := s.orders.at(s.taking.place)
	if o.filled < s.taking.filled {
		return nil
	}
	switch s.taking.status {
	case market.Filled:
		if o.hold != 0 {
			return misfit(ev, "a filled order still holds")
		}
		s.closeOrder(s.taking.place, market.Filled, ev.Time)
	case market.Open, market.PartiallyFilled:
		if err := s.rest(ev); err != nil {
			return err
		}
	case market.Cancelled:
		return nil
	}
	s.taking.place = 0
	return nil
}

func (s *State) rest(ev *Event) error {
	place := s.taking.place
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	best, ok := m.book.Best(o.side.Opposite())
	if ok && (o.side == market.Buy && o.price >= best || o.side == market.Sell && o.price <= best) {
		return misfit(ev, "the book would be crossed")
	}
	o.handle = m.book.Add(o.side, o.price, o.remaining(), place)
	s.enlist(place)
	return nil
}

// closeOrder retires an order that is no longer in the book.
func (s *State) closeOrder(place uint32, status market.Status, at Time) {
	o := s.orders.at(place)
	if o.handle != 0 {
		o.handle = 0
		s.delist(place)
	}
	o.status, o.updatedAt = status, at
	s.orders.retire(place)
}

func (s *State) foldTraded(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || s.taking.place == 0 || ev.Trade != s.lastTrade+1 || ev.Base != m.base || ev.Quote != m.quote {
		return misfit(ev, "there is no such market or the trade is out of order")
	}
	taker := s.orders.at(s.taking.place)
	if taker.id != ev.Order || s.members.at(taker.owner).id != ev.Member || taker.market != ev.Market || taker.side != ev.Side {
		return misfit(ev, "it is not a trade of the order that was placed")
	}
	h := m.book.First(ev.Side.Opposite())
	if h == 0 {
		return misfit(ev, "nothing rests on the other side")
	}
	price, rested, ref := m.book.Resting(h)
	maker := s.orders.at(ref)
	if maker.id != ev.Maker || s.members.at(maker.owner).id != ev.MakerMember || price != ev.Price {
		return misfit(ev, "another order trades first")
	}
	if ev.Quantity <= 0 || ev.Quantity > rested || ev.Quantity > s.taking.filled-taker.filled {
		return misfit(ev, "it trades more than there is")
	}
	if !affordable(ev, taker, maker) {
		return misfit(ev, "its amounts exceed what is held")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.lastTrade = ev.Trade
	m.lastTrade = Trade{ev.Trade, ev.Sequence, ev.Time, ev.Price, ev.Quantity, ev.Side}
	fill(maker, ev, ev.MakerFee)
	fill(taker, ev, ev.TakerFee)
	if m.book.Reduce(h, ev.Quantity) == 0 {
		if maker.hold != 0 {
			return misfit(ev, "a filled order still holds")
		}
		s.closeOrder(ref, market.Filled, ev.Time)
	}
	return s.settle(ev)
}

// affordable reports whether every amount of a trade is in range and within what
// its parties hold, so that nothing below can overflow.
func affordable(ev *Event, taker, maker *order) bool {
	if ev.Notional < 0 || ev.MakerFee < 0 || ev.TakerFee < 0 || ev.Release < 0 || ev.Amount < 0 ||
		ev.MakerFee > ev.Notional || ev.TakerFee > ev.Notional {
		return false
	}
	buyer, seller, fee := maker, taker, ev.MakerFee
	if ev.Side == market.Buy {
		buyer, seller, fee = taker, maker, ev.TakerFee
	}
	return ev.Amount <= seller.hold &&
		ev.Notional <= buyer.hold && fee <= buyer.hold-ev.Notional && ev.Release <= buyer.hold-ev.Notional-fee
}

func fill(o *order, ev *Event, fee money.Amount) {
	o.filled += ev.Quantity
	o.notional += ev.Notional
	o.fee += fee
	o.hold -= spent(ev, o.side)
	o.updatedAt = ev.Time
	o.status = market.PartiallyFilled
}

func (s *State) foldCancelled(ev *Event) error {
	place := s.orders.find(ev.Order)
	if place == 0 {
		return misfit(ev, "there is no such order")
	}
	o := s.orders.at(place)
	resting := o.handle != 0
	switch {
	case !resting && (place != s.taking.place || o.filled != s.taking.filled || s.taking.status != market.Cancelled):
		return misfit(ev, "the order is not open")
	case resting && s.taking.place != 0:
		return misfit(ev, "another order is being taken")
	case s.members.at(o.owner).id != ev.Member || o.market != ev.Market || o.side != ev.Side || o.price != ev.Price || !ev.Reason.Valid():
		return misfit(ev, "it does not describe the order")
	case ev.Quantity != o.remaining() || ev.Amount != o.hold || ev.Asset != s.markets[o.market-1].held(o.side):
		return misfit(ev, "it does not release what the order holds")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	o.hold, o.reason = 0, ev.Reason
	if resting {
		s.markets[o.market-1].book.Cancel(o.handle)
	} else {
		s.taking.place = 0
	}
	s.closeOrder(place, market.Cancelled, ev.Time)
	return nil
}
