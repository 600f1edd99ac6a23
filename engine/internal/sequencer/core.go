package sequencer

import (
	"errors"
	"fmt"
	"sync"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Limits bound what a Core holds.
type Limits struct {
	// Queue is how many commands may wait to be decided.
	Queue int
	// BatchCommands and BatchBytes bound a batch; it may pass the bytes by what one command adds.
	BatchCommands, BatchBytes int
}

// Core is the deciding half of the writer as plain steps: it has no goroutine, clock or I/O. Whoever
// drives it says what time it is and what the journal answered; the same steps lead to the same
// batches.
//
//	Offer ──▶ Gather ──▶ Decide(now) ──▶ Begin ──▶ the journal ──▶ Settle(nil) ──▶ Publisher.Publish
//	bounded              the venue that  one batch                Settle(err): memory that ran ahead
//	                     runs ahead      at a time                is thrown away, the Core is down
//	                        ▲                                       │
//	                        └── Resume: a copy of the view ◀── lead taken, view at the journal's head
//
// A Core begins down. Offer may be called from anywhere at any time, the rest by one driver.
type Core struct {
	limits Limits
	inbox  queue

	state *venue.State // ahead of the disk; nil while down
	now   venue.Time   // of the last step; stamps never decrease
	taken []*request   // gathered, not decided yet
	open  *Pending     // what is being gathered and decided
	busy  *Pending     // with the journal; its owner once that went well
}

// Pending is a batch on its way: decided, and not published yet. It is reused once it is published
// or refused.
type Pending struct {
	first, last venue.Sequence
	time        venue.Time
	events      venue.Events
	payload     []byte
	requests    []*request // answered when the batch is published
	steps       int        // how often the venue advanced by itself
}

// empty reports whether nothing was decided.
func (p *Pending) empty() bool { return len(p.requests) == 0 && p.steps == 0 }

var pendings = sync.Pool{New: func() any { return new(Pending) }}

// Durable reports whether there is anything to write. A batch of refusals and repeats is not.
func (p *Pending) Durable() bool { return p.first != 0 }

// Entry is what the journal is to append, when the batch is durable. The payload is lent until the
// batch is published or refused.
func (p *Pending) Entry() journal.Entry {
	return journal.Entry{First: uint64(p.first), Last: uint64(p.last), Time: int64(p.time), Payload: p.payload}
}

func (p *Pending) recycle() {
	clear(p.requests)
	clear(p.events) // keys and definitions
	*p = Pending{events: p.events[:0], payload: p.payload[:0], requests: p.requests[:0]}
	pendings.Put(p)
}

// refuse answers everybody who waits for the batch, which is given up. A refusal, which had no effect
// and may have followed from what is thrown away, becomes errDown whatever the others are told.
func (p *Pending) refuse(why error) {
	for _, r := range p.requests {
		if r.err != nil {
			r.err = errDown
		} else {
			r.receipt, r.err = venue.Receipt{}, why
		}
		r.answer()
	}
	p.recycle()
}

// refuseAll answers requests that were not decided and never will be.
func refuseAll(rs []*request, why error) {
	for _, r := range rs {
		if r.take() {
			r.receipt, r.err = venue.Receipt{}, why
			r.answer()
		}
	}
	clear(rs)
}

// NewCore returns a Core that is down.
func NewCore(limits Limits) *Core {
	c := &Core{limits: limits, open: pendings.Get().(*Pending)}
	c.inbox.init(limits.Queue, errDown)
	return c
}

// Offer lets a command wait to be decided. The answer is given once, by whoever drives the Core or
// publishes its batches, and must not keep them; it is as with Sequencer.Submit. An error is the
// answer at once.
func (c *Core) Offer(cmd venue.Command, answer func(venue.Receipt, error)) error {
	return c.inbox.put(&request{cmd: cmd, reply: answer})
}

// OfferUntil is Offer with a moment after which the command is not decided any more, but refused as
// UNAVAILABLE.
func (c *Core) OfferUntil(deadline venue.Time, cmd venue.Command, answer func(venue.Receipt, error)) error {
	return c.inbox.put(&request{cmd: cmd, deadline: deadline, reply: answer})
}

// Resume makes the Core decide, upon what a publisher shows. The lead is the caller's and the journal
// ends at head: a view that is elsewhere is an error, and the Core stays down.
func (c *Core) Resume(p *Publisher, head journal.Head) error {
	if c.state != nil || c.busy != nil {
		panic("sequencer: resumed while it decides")
	}
	if at := p.View.Head(); at != head {
		return fmt.Errorf("the view is at %+v, the journal ends at %+v", at, head)
	}
	if err := p.Warm(); err != nil {
		return err
	}
	c.state, p.second = p.second, nil // from here on it runs ahead
	c.now = max(c.now, c.state.Time())
	c.inbox.resume()
	return nil
}

// Down reports whether nothing is decided until the next Resume.
func (c *Core) Down() bool { return c.state == nil }

// Idle reports whether everything that was gathered is with whoever publishes, or answered.
func (c *Core) Idle() bool { return c.busy == nil && c.open.empty() && len(c.taken) == 0 }

// Full reports whether the batch that is open takes nothing more before it is on its way.
func (c *Core) Full() bool {
	return len(c.taken) > 0 || !c.room()
}

// Gather takes up to limit of the commands that wait.
func (c *Core) Gather(limit int) { c.taken = c.inbox.take(c.taken, limit) }

// Decide decides what was gathered, as far as the open batch has room, and before each command what
// has fallen due by itself. A clock that goes back stands still here. After an error the venue cannot
// be trusted: Abandon it.
func (c *Core) Decide(now venue.Time) error {
	if c.state == nil {
		return nil
	}
	c.now = max(c.now, now)
	n := 0
	defer func() {
		rest := copy(c.taken, c.taken[n:])
		clear(c.taken[rest:])
		c.taken = c.taken[:rest]
	}()
	for c.room() {
		if c.state.Due(c.now) {
			if err := c.advance(); err != nil {
				return err
			}
			continue
		}
		if n == len(c.taken) {
			return nil
		}
		r := c.taken[n]
		n++
		if !r.take() {
			continue
		}
		if r.deadline != 0 && now > r.deadline { // by the clock as it goes, not as it is stamped
			r.receipt, r.err = venue.Receipt{}, errLate
			r.answer()
			continue
		}
		c.open.requests = append(c.open.requests, r)
		if r.receipt, r.err = c.apply(r.cmd); r.err != nil && !isRefusal(r.err) {
			return r.err
		}
	}
	return nil
}

// room reports whether the open batch takes more.
func (c *Core) room() bool {
	return len(c.open.requests)+c.open.steps < c.limits.BatchCommands && len(c.open.payload) < c.limits.BatchBytes
}

// NextDue is when something falls due by itself: Decide must be called then though nobody asks for
// anything. False when nothing will before the next command.
func (c *Core) NextDue() (venue.Time, bool) {
	if c.state == nil {
		return 0, false
	}
	return c.state.NextDue()
}

func isRefusal(err error) bool {
	var refusal *fault.Error
	return errors.As(err, &refusal)
}

// apply lets the venue decide one command and adds its events to the open batch.
func (c *Core) apply(cmd venue.Command) (venue.Receipt, error) {
	before := len(c.open.events)
	receipt, err := c.state.Apply(cmd, c.now, &c.open.events)
	if err != nil {
		c.open.events = c.open.events[:before]
		return venue.Receipt{}, err
	}
	c.decided(before)
	return receipt, nil
}

// advance lets the venue do what has fallen due.
func (c *Core) advance() error {
	before := len(c.open.events)
	if _, err := c.state.Advance(c.now, &c.open.events); err != nil {
		return fmt.Errorf("advance: %w", err)
	}
	c.open.steps++
	c.decided(before)
	return nil
}

// decided takes the events of one action, those from an index on, into the open batch. A repeat has
// none.
func (c *Core) decided(from int) {
	b := c.open
	for i := from; i < len(b.events); i++ {
		b.payload = venue.AppendEvent(b.payload, &b.events[i])
	}
	if len(b.events) > from {
		if b.first == 0 {
			b.first = b.events[from].Sequence
		}
		b.last, b.time = b.events[from].Sequence, c.now
	}
}

// Begin closes the open batch and returns it for the journal, or nil while another is there or
// nothing was decided. The caller appends it if it is durable, says how that went (Settle) and, if
// well, publishes it.
func (c *Core) Begin() *Pending {
	if c.busy != nil || c.open.empty() {
		return nil
	}
	c.busy, c.open = c.open, pendings.Get().(*Pending)
	return c.busy
}

// Settle says how the append of the batch that Begin returned ended. After an error those who wait
// for it are told that its outcome is open (or that nothing happened, when the journal is sure), and
// the Core is down.
func (c *Core) Settle(err error) {
	b := c.busy
	c.busy = nil
	if err == nil {
		return // it belongs to whoever publishes
	}
	b.refuse(outcome(err))
	c.Abandon()
}

// outcome is what those are told whose batch failed to be written with an error.
func outcome(err error) error {
	for _, certain := range []error{journal.ErrFenced, journal.ErrSpent, journal.ErrGap, journal.ErrTooLarge} {
		if errors.Is(err, certain) {
			return errDown // nothing was written
		}
	}
	return errOpen
}

// Abandon throws away what ran ahead and refuses everyone who waits and comes, until Resume. A batch
// that is with the journal remains to be settled.
func (c *Core) Abandon() {
	c.state = nil
	c.open.refuse(errDown) // it was never handed to the journal
	c.open = pendings.Get().(*Pending)
	refuseAll(c.taken, errDown)
	c.taken = c.taken[:0]
	refuseAll(c.inbox.suspend(errDown), errDown)
}

// Check verifies the venue that runs ahead, as venue.State.Check does.
func (c *Core) Check() error {
	if c.state == nil {
		return nil
	}
	return c.state.Check()
}

// Close refuses commands from now on; those that wait are still gathered.
func (c *Core) Close() { c.inbox.close(errClosed) }

// Retire refuses commands from now on, because another process leads.
func (c *Core) Retire() { c.inbox.close(errDeposed) }

var (
	errClosed     = fault.New(fault.Unavailable, "the exchange is closing; ask again with the same key")
	errDown       = fault.New(fault.Unavailable, "the journal cannot be written; ask again with the same key")
	errDeposed    = fault.New(fault.Unavailable, "another process leads now; ask again with the same key")
	errLate       = fault.New(fault.Unavailable, "the command was not taken in time; ask again with the same key")
	errOpen       = fault.New(fault.OutcomeUnknown, "the journal did not acknowledge the command; ask again with the same key")
	errUnanswered = fault.New(fault.OutcomeUnknown, "the answer did not arrive in time; ask again with the same key")
)
