package venue

import (
	"fmt"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// Apply decides a command at the time now, appends its events to out and folds
// them. A *fault.Error is a refusal: state and out are as before. Refusals of
// every command: INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_CONFLICT, CLOCK_WENT_BACK;
// those of its own are said at the command.
//
// A command that was accepted before under the same key returns the receipt of
// then and appends no event.
//
// Any other error means that an invariant is broken, or that something is due
// (see Due): the state must be thrown away and rebuilt from its journal.
func (s *State) Apply(cmd Command, now Time, out *Events) (Receipt, error) {
	actor, key := cmd.origin()
	if now >= s.time && s.Due(now) { // earlier it is refused anyhow
		return Receipt{}, errDue
	}
	if !validKey(key) {
		return Receipt{}, fault.New(fault.InvalidIdempotencyKey, "the key must be 1 to 64 visible ASCII characters")
	}
	if c, ok := cmd.(*CancelOrder); ok {
		s.orders.expect(c.Order)
	}
	print := printKey(actor, key)
	owner := s.members.find(actor)
	if owner != 0 {
		s.members.at(owner).keys.expect(uint32(print.low))
	}
	start := len(*out)
	d := &s.decision
	*d = decision{} // a literal of values would be built elsewhere and copied
	d.events, d.start, d.sequence, d.time = out, start, s.sequence+1, now
	d.actor, d.owner, d.key, d.body = actor, owner, key, cmd.fingerprint()
	// Deciding changes nothing, so it may come before the answer to whether the
	// key is known, for which the memory is still being waited.
	err := cmd.decide(s, d)
	if owner != 0 {
		if r := s.receipts.find(&s.members.at(owner).keys, print); r != nil {
			*out = (*out)[:start]
			return repeat(r, d.body)
		}
	}
	if now < s.time {
		*out = (*out)[:start]
		return Receipt{}, fault.New(fault.ClockWentBack, "the command is stamped earlier than the last one")
	}
	if err != nil {
		*out = (*out)[:start]
		return Receipt{}, err
	}
	return s.conclude(d, print)
}

// conclude folds what was decided.
func (s *State) conclude(d *decision, print keyPrint) (Receipt, error) {
	events := (*d.events)[d.start:]
	d.receipt.Sequence, d.receipt.Time = d.sequence, d.time
	events[0].Receipt = d.receipt
	for i := range events {
		if err := s.fold(&events[i], print); err != nil {
			*d.events = (*d.events)[:d.start]
			return Receipt{}, fmt.Errorf("venue: decided what does not fold: %w", err)
		}
	}
	return d.receipt, nil
}

// repeat answers a command whose key is known.
func repeat(r *remembered, body uint64) (Receipt, error) {
	if r.body != body {
		return Receipt{}, fault.New(fault.IdempotencyConflict, "this key was used before for a different command")
	}
	return r.receipt(), nil
}

// validKey keeps out what some store or log might choke on.
func validKey(key string) bool {
	if len(key) == 0 || len(key) > MaxKey {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// decision is what is being decided about one command.
type decision struct {
	events   *Events
	start    int // of the command's events
	sequence Sequence
	time     Time
	actor    account.ID
	owner    uint32 // place of the actor, 0 when it is not known yet
	key      string
	body     uint64
	receipt  Receipt
	placed   market.OrderID   // orders that it has placed so far
	trades   market.TradeID   // trades so far
	gone     []market.OrderID // orders of groups that it has cancelled so far
	breaker  *breaker         // of the market in which it trades, once one was looked at
}

// add appends an event of the command. The pointer is valid until the next add.
func (d *decision) add(kind Kind) *Event {
	*d.events = append(*d.events, Event{})
	ev := &(*d.events)[len(*d.events)-1]
	ev.Kind, ev.Sequence, ev.Time, ev.Actor = kind, d.sequence, d.time, d.actor
	if len(*d.events) == d.start+1 {
		ev.First, ev.Key, ev.Body = true, d.key, d.body
	}
	return ev
}
