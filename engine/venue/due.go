package venue

import (
	"errors"

	"bourse/engine/fault"
	"bourse/engine/market"
)

// duty is a kind of thing that falls due, in the order in which they are done
// (docs/trading-rules.md, section 10).
type duty uint8

const (
	nothing duty = iota
	auctionTrades
	doomedOrder
	actingOrder
	phaseEnd
	orderExpiry
	transferExpiry
)

var (
	errDue    = errors.New("venue: a command was given while something was due")
	errNotDue = errors.New("venue: nothing is due")
)

// Due reports whether something is to be done by Advance at the time now before
// anything else.
func (s *State) Due(now Time) bool {
	what, _ := s.duty(now)
	return what != nothing
}

// NextDue returns when something falls due: the time of the last command, when it
// has already. ok is false when nothing will before the next command.
func (s *State) NextDue() (at Time, ok bool) {
	if s.Due(s.time) {
		return s.time, true
	}
	if len(s.expiries.heap) > 0 {
		at, ok = s.expiries.heap[0].at, true
	}
	if s.phaseEnd != 0 && (!ok || s.phaseEnd < at) {
		at, ok = s.phaseEnd, true
	}
	if x := s.transfers.expire; len(x) > 0 && (!ok || x[0].at < at) {
		at, ok = x[0].at, true
	}
	return at, ok
}

// duty is what is to be done first at the time now, and where.
func (s *State) duty(now Time) (duty, *venueMarket) {
	if s.uncrossing.market != 0 {
		return auctionTrades, nil
	}
	if len(s.busy) > 0 {
		if what, m := s.queued(); what != nothing {
			return what, m
		}
	}
	if s.phaseEnd != 0 && s.phaseEnd <= now {
		return phaseEnd, nil
	}
	if len(s.expiries.heap) > 0 && s.expiries.heap[0].at <= now {
		return orderExpiry, nil
	}
	if s.transfers.due(now) {
		return transferExpiry, nil
	}
	return nothing, nil
}

// queued is what waits in the queues of the markets, by market.
func (s *State) queued() (duty, *venueMarket) {
	for _, m := range s.busy {
		if m.doomed.head != 0 {
			return doomedOrder, m
		}
	}
	for _, m := range s.busy {
		if m.acting.head != 0 && m.phase == market.Continuous {
			return actingOrder, m
		}
	}
	return nothing, nil
}

// Advance does the next thing that has fallen due by itself, appends its events to
// out and folds them: one action, which has a sequence number and a time but
// neither actor nor key. Whoever applies commands calls it as long as Due says so,
// before every command, and when NextDue comes. Refusal: CLOCK_WENT_BACK. Any
// other error means that nothing is due or that an invariant is broken.
//
// Things are not done within the command that made them due, so that a command
// costs what it says and no cascade is decided on a state that is not yet there.
func (s *State) Advance(now Time, out *Events) (Receipt, error) {
	if now < s.time {
		return Receipt{}, fault.New(fault.ClockWentBack, "the step is stamped earlier than the last one")
	}
	d := &s.decision
	*d = decision{events: out, start: len(*out), sequence: s.sequence + 1, time: now}
	d.add(ClockAdvanced)
	err := errNotDue
	switch what, m := s.duty(now); what {
	case auctionTrades:
		err = s.uncross(d)
	case phaseEnd:
		err = s.endPhase(d)
	case doomedOrder:
		err = s.cancelDoomed(m, d)
	case actingOrder:
		err = s.act(m, d)
	case orderExpiry:
		err = s.expire(d)
	case transferExpiry:
		err = s.voidExpired(d)
	}
	if err != nil {
		*out = (*out)[:d.start]
		return Receipt{}, err
	}
	return s.conclude(d, keyPrint{})
}
