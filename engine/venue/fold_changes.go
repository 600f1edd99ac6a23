package venue

import "bourse/engine/market"

// What changes an order that was placed before: amending, losing lots, and what
// pending orders do when their turn comes.

func (s *State) foldAmended(ev *Event) error {
	place := s.orders.find(ev.Order)
	if place == 0 || s.orders.at(place).handle == 0 || s.taking.place != 0 {
		return misfit(ev, "the order is not in the book")
	}
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	switch {
	case !s.describes(ev, o) || ev.Amount != o.hold-ev.Release || ev.Release > o.hold:
		return misfit(ev, "it does not describe the order")
	case ev.Price <= 0 || ev.Price > market.MaxPrice || ev.Quantity <= o.filled || ev.Quantity > market.MaxQuantity:
		return misfit(ev, "a number is out of range")
	}
	stays := ev.Price == o.price && ev.Quantity < o.quantity
	if stays && (ev.Receipt.Status != o.status || ev.Receipt.Filled != 0 || ev.Follow != 0) {
		return misfit(ev, "an order that keeps its place does not trade")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.members.at(o.owner).rate.count(ev.Time)
	if stays {
		m.book.Shrink(o.handle, o.quantity-ev.Quantity)
	} else {
		m.book.Cancel(o.handle)
		o.handle = 0
		o.flags |= flagRequeued
	}
	o.price, o.quantity, o.hold, o.updatedAt = ev.Price, ev.Quantity, ev.Amount, ev.Time
	if stays {
		return nil
	}
	return s.begin(ev, place)
}

func (s *State) foldReduced(ev *Event) error {
	place := s.orders.find(ev.Order)
	if place == 0 || s.taking.place == 0 {
		return misfit(ev, "there is no such order, or none is taken")
	}
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	switch {
	case !o.status.Live() || o.handle == 0 && place != s.taking.place:
		return misfit(ev, "the order is neither in the book nor taken")
	case !s.describes(ev, o) || !ev.Reason.Valid() || ev.Amount > o.hold:
		return misfit(ev, "it does not describe the order")
	case ev.Quantity <= 0 || ev.Quantity >= o.remaining():
		return misfit(ev, "the order has not so many lots, or no more")
	}
	if o.handle != 0 {
		if _, displayed, _ := m.book.Resting(o.handle); ev.Quantity > displayed {
			return misfit(ev, "the order does not display so many lots")
		}
	}
	if err := s.post(ev); err != nil {
		return err
	}
	o.quantity -= ev.Quantity
	o.hold -= ev.Amount
	o.updatedAt = ev.Time
	if o.handle != 0 {
		m.book.Reduce(o.handle, ev.Quantity)
	}
	if o.has(flagConditions) {
		s.touched(o)
	}
	return nil
}

func (s *State) foldTriggered(ev *Event) error {
	at := s.orders.conditions.find(ev.Order)
	m := s.market(ev.Market)
	if m == nil || at == 0 || m.acting.head != at || s.orders.conditions.at(at).stage != triggered {
		return misfit(ev, "it is not the turn of this order")
	}
	place := s.orders.conditions.at(at).place
	o := s.orders.at(place)
	switch {
	case !s.describes(ev, o) || ev.Quantity != o.remaining() || ev.Release < 0 || ev.Release > o.hold || ev.Amount != o.hold-ev.Release:
		return misfit(ev, "it does not describe the order")
	case ev.Price <= 0 || ev.Price > market.MaxPrice || ev.Price != o.price && o.kind != market.TrailingStop:
		return misfit(ev, "its price is out of range")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.release(m, at, ev.Time)
	o.price, o.hold = ev.Price, ev.Amount
	return s.begin(ev, place)
}

// release takes a pending order out of what it waits in, to go on.
func (s *State) release(m *venueMarket, at uint32, now Time) {
	s.unhang(m, at)
	o := s.orders.at(s.orders.conditions.at(at).place)
	o.status, o.updatedAt = market.Open, now
	o.flags |= flagRequeued
	m.pending--
}

func (s *State) foldActivated(ev *Event) error {
	at := s.orders.conditions.find(ev.Order)
	m := s.market(ev.Market)
	if m == nil || at == 0 {
		return misfit(ev, "there is no such order or market")
	}
	c := s.orders.conditions.at(at)
	o := s.orders.at(c.place)
	profit := c.stage == ready && m.acting.head == at
	loss := c.stage == dependent && o.kind.Waits() && s.taking.place != 0 && s.orders.at(s.taking.place).id == c.Sibling
	switch {
	case !profit && !loss:
		return misfit(ev, "it is not the turn of this order")
	case !s.describes(ev, o) || o.hold != 0 || ev.Release != 0 || ev.Price != 0:
		return misfit(ev, "it does not describe the order")
	case ev.Quantity <= 0 || ev.Quantity > o.quantity || profit && ev.Quantity != c.entered,
		loss && ev.Quantity != s.orders.at(s.taking.place).quantity:
		return misfit(ev, "it is not what the entry filled")
	case loss && (ev.Follow != 0 || ev.Receipt.Status != market.Pending):
		return misfit(ev, "a stop waits")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	o.quantity, o.hold, o.updatedAt = ev.Quantity, ev.Amount, ev.Time
	if loss {
		s.hang(m, at)
		return nil
	}
	s.release(m, at, ev.Time)
	return s.begin(ev, c.place)
}
