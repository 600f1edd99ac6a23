package remote

import (
	"cmp"
	"slices"
	"time"

	"bourse/engine/fault"
	"bourse/engine/venue"
)

// The client's patience.
const (
	// Lifetime is how long a command may be on its way at most.
	Lifetime = 10 * time.Second
	// Patience is how long a command that was given to nobody waits for a leader that takes it.
	Patience = 2 * time.Second
	// Silence is how long a leader may be quiet before it is not counted on any more.
	Silence = time.Second
	// firstRepeat and lastRepeat are the shortest and longest pause before asking again.
	firstRepeat = 250 * time.Millisecond
	lastRepeat  = 2 * time.Second
	// helloEvery is how often a follower says that it is there.
	helloEvery = 500 * time.Millisecond
)

// Client is the following side: it brings commands to whoever leads and knows what may be said of
// them. It is not safe for concurrent use.
type Client struct {
	node    Node
	most    int
	last    uint64
	pending map[uint64]*pending

	epoch    uint64 // the highest that was heard of
	heard    time.Time
	greeted  time.Time
	outgoing []Message
	settled  []Settlement
}

// pending is a command that nothing final is known of.
//
//	held ──leader known──▶ asked ──receipt, refusal──▶ settled
//	  ▲                      │ silence, new leader: asked again
//	  └── UNAVAILABLE, and ──┘
//	      nobody else was asked
type pending struct {
	number   uint64
	command  []byte
	begun    time.Time
	deadline time.Time
	attempt  uint32
	asked    bool   // there is an attempt whose fate is not known
	before   bool   // so it was before the last attempt
	epoch    uint64 // the one that was asked; 0 when several were, or one does not know itself
	latest   uint64 // the one that was asked last
	next     time.Time
	pause    time.Duration
	failure  *Refusal // the last that was heard of it
}

// Settlement is the end of a command: its receipt, or the refusal to tell its sender.
type Settlement struct {
	Number  uint64
	Receipt venue.Receipt
	Err     error
}

// NewClient returns the client of a process, with at most so many commands on their way.
func NewClient(node Node, most int) *Client {
	return &Client{node: node, most: most, pending: map[uint64]*pending{}}
}

var (
	errFull     = fault.New(fault.Overloaded, "too many commands are on their way; ask again later")
	errNobody   = fault.New(fault.Unavailable, "no process takes commands now; ask again with the same key")
	errNoAnswer = fault.New(fault.OutcomeUnknown, "the answer did not arrive in time; ask again with the same key")
)

// Submit begins to bring a command to the leader; a Settlement with its number says how it ended, at
// the deadline at the latest. OVERLOADED when too many are on their way.
func (c *Client) Submit(now, deadline time.Time, command []byte) (uint64, error) {
	if len(c.pending) >= c.most {
		return 0, errFull
	}
	if latest := now.Add(Lifetime); deadline.After(latest) {
		deadline = latest
	}
	c.last++
	p := &pending{number: c.last, command: command, begun: now, deadline: deadline, next: now}
	c.pending[p.number] = p
	if c.Leader(now) {
		c.ask(now, p)
	}
	return p.number, nil
}

// Abandon forgets a command that nobody waits for any more, and returns what may be said of it.
func (c *Client) Abandon(number uint64) error {
	p := c.pending[number]
	if p == nil {
		return errNoAnswer
	}
	delete(c.pending, number)
	return p.giveUp()
}

func (p *pending) giveUp() error {
	switch {
	case p.asked:
		return errNoAnswer
	case p.failure != nil:
		return p.failure.err()
	}
	return errNobody
}

func (c *Client) ask(now time.Time, p *pending) {
	if !p.asked {
		p.epoch = c.epoch
	} else if p.epoch != c.epoch {
		p.epoch = 0
	}
	p.before, p.asked, p.latest = p.asked, true, c.epoch
	p.attempt++
	p.pause = min(max(2*p.pause, firstRepeat), lastRepeat)
	p.next = now.Add(p.pause)
	c.outgoing = append(c.outgoing, Ask{
		From: c.node, Number: p.number, Attempt: p.attempt, Epoch: c.epoch, Deadline: p.deadline.UnixNano(), Command: p.command,
	})
}

// Undelivered tells that an attempt did not leave this process, for certain.
func (c *Client) Undelivered(now time.Time, a Ask) {
	p := c.pending[a.Number]
	if p == nil || p.attempt != a.Attempt {
		return
	}
	p.asked = p.before
	p.next = now.Add(p.pause)
}

// Beat hears of a leader. Of a new one everything is asked that is on its way.
func (c *Client) Beat(now time.Time, b Beat) {
	if b.Epoch < c.epoch {
		return // one that was deposed and does not know
	}
	changed := b.Epoch > c.epoch
	c.epoch, c.heard = b.Epoch, now
	for _, p := range c.inOrder() {
		if changed || !p.asked && !now.Before(p.next) {
			p.pause = 0
			c.ask(now, p)
		}
	}
}

// Leader reports whether somebody is known to lead.
func (c *Client) Leader(now time.Time) bool {
	return c.epoch > 0 && !c.heard.IsZero() && now.Sub(c.heard) < Silence
}

// Epoch is the highest that was heard of; 0 before the first.
func (c *Client) Epoch() uint64 { return c.epoch }

// Pending is how many commands are on their way.
func (c *Client) Pending() int { return len(c.pending) }

// Answer hears what became of a command.
func (c *Client) Answer(now time.Time, a Answer) {
	p := c.pending[a.Number]
	if p == nil || a.To != c.node || a.Receipt == nil && a.Refusal == nil {
		return
	}
	if a.Receipt != nil {
		c.settle(p, Settlement{Number: p.number, Receipt: *a.Receipt})
		return
	}
	switch a.Refusal.Code {
	case fault.OutcomeUnknown:
		// Asking again settles it, as it would for the sender.
		p.epoch = 0
		p.next = now.Add(firstRepeat)
	case fault.Unavailable, fault.Overloaded:
		p.failure = a.Refusal
		if p.epoch == a.Epoch && p.attempt == a.Attempt {
			p.asked = false // nobody else can execute it: nothing happened
			if a.Refusal.Code == fault.Overloaded {
				c.settle(p, Settlement{Number: p.number, Err: a.Refusal.err()})
				return
			}
		}
		p.next = now.Add(firstRepeat)
	default:
		if a.Epoch == p.latest { // one that was asked later may have accepted it meanwhile
			c.settle(p, Settlement{Number: p.number, Err: a.Refusal.err()})
		}
	}
}

func (c *Client) settle(p *pending, s Settlement) {
	delete(c.pending, p.number)
	c.settled = append(c.settled, s)
}

// Tick lets time pass: it greets, asks again, and gives up what was waited for long enough. Call it
// every 50 ms or so.
func (c *Client) Tick(now time.Time) {
	if now.Sub(c.greeted) >= helloEvery {
		c.greeted = now
		c.outgoing = append(c.outgoing, Hello{From: c.node})
	}
	leader := c.Leader(now)
	for _, p := range c.inOrder() {
		switch {
		case !now.Before(p.deadline), !p.asked && now.Sub(p.begun) >= Patience:
			c.settle(p, Settlement{Number: p.number, Err: p.giveUp()})
		case leader && !now.Before(p.next):
			c.ask(now, p)
		}
	}
}

// Take returns what is to be sent, and what is settled, since the last call.
func (c *Client) Take() ([]Message, []Settlement) {
	out, settled := c.outgoing, c.settled
	c.outgoing, c.settled = nil, nil
	return out, settled
}

// inOrder is everything on its way in the order in which it came: a cancel before the order after it.
func (c *Client) inOrder() []*pending {
	if len(c.pending) == 0 {
		return nil
	}
	all := make([]*pending, 0, len(c.pending))
	for _, p := range c.pending {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pending) int { return cmp.Compare(a.number, b.number) })
	return all
}
