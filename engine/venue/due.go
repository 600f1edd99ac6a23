package venue

import (
	"errors"

	"bourse/engine/fault"
)

// duty is a kind of thing that falls due, in the order in which they are done
// (docs/trading-rules.md, section 10).
type duty uint8

const (
	nothing duty = iota
	auctionTrades
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
func (s *State) Due(now Time) bool { return s.duty(now) != nothing }

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

// duty is what is to be done first at the time now.
func (s *State) duty(now Time) duty {
	if s.uncrossing.market != 0 {
		return auctionTrades
	}
	if s.phaseEnd != 0 && s.phaseEnd <= now {
		return phaseEnd
	}
	if len(s.expiries.heap) > 0 && s.expiries.heap[0].at <= now {
		return orderExpiry
	}
	if s.transfers.due(now) {
		return transferExpiry
	}
	return nothing
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
	switch s.duty(now) {
	case auctionTrades:
		if err := s.uncross(d); err != nil {
			return Receipt{}, err
		}
	case phaseEnd:
		s.endPhase(d)
	case orderExpiry:
		s.expire(d)
	case transferExpiry:
		s.voidExpired(d)
	default:
		*out = (*out)[:d.start]
		return Receipt{}, errNotDue
	}
	return s.conclude(d, keyPrint{})
}
