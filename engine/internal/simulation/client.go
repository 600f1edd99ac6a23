package simulation

import (
	"fmt"
	"reflect"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/venue"
)

// client is someone who gives commands, asks again with the same key when it does not know what
// became of one, and keeps what was acknowledged.
type client struct {
	w     *world
	name  string
	actor account.ID
	asked int
	open  int // commands that are not settled
	last  venue.Sequence
	watch *watch
}

// ask is a command and what its client knows of it.
type ask struct {
	of       *client
	cmd      venue.Command
	key      string
	attempts int
	maybe    bool // an attempt was made whose outcome is open
	repeat   bool // was acknowledged before, and is asked again on purpose

	before, after *ask           // what was given to the same process just before and after
	direct        bool           // the first attempt met the leader itself
	told          *venue.Receipt // the answer to the first attempt, when it was a receipt
	failed        fault.Code     // when nothing came of it
}

const (
	clientPatience = 1500 * time.Millisecond
	maxOpen        = 4
)

// live is what a client does: it asks, reads and watches, with pauses.
func (c *client) live() {
	w := c.w
	if !w.calm {
		switch roll := w.dice.IntN(100); {
		case roll < 70 && c.open < maxOpen:
			c.next()
		case roll < 80:
			c.read()
		case roll < 84:
			c.begin()
		}
	}
	c.listen()
	pause := w.between(time.Millisecond, 40*time.Millisecond)
	if w.chance(20) {
		pause = w.between(time.Second, 3*time.Second) // a slow consumer
	}
	w.after(pause, c.live)
}

// make makes up a command that nobody has been asked for.
func (c *client) make() *ask {
	c.asked++
	key := fmt.Sprint(c.name, "-", c.asked)
	a := &ask{of: c, cmd: c.w.command(c.actor, key), key: key}
	c.open++
	c.w.count("ask " + reflect.TypeOf(a.cmd).Elem().Name())
	return a
}

// next gives a command to any process, and sometimes another right behind it.
func (c *client) next() {
	a := c.make()
	p, delay := pick(c.w, c.w.processes), c.w.way()
	a.sendAfter(p, delay)
	if c.open < maxOpen && c.w.often(300) {
		b := c.make()
		b.before, a.after = a, b
		b.sendAfter(p, delay)
	}
}

// inOrder holds two commands that were given one after the other to the leader itself against each
// other, once both first attempts are answered: if the second has its effect, so has the first, or
// was refused for its own sake, and it came first.
func inOrder(a, b *ask) {
	if a == nil || b == nil || !a.direct || !b.direct || b.told == nil || b.told.Repeated {
		return
	}
	w := a.of.w
	w.mustf(a.failed == "", "%s was told %s, and %s, given after it, has its effect", a.key, a.failed, b.key)
	if a.told != nil && !a.told.Repeated {
		w.count("commands in order")
		w.mustf(a.told.Sequence < b.told.Sequence, "%s was given before %s and comes after it", a.key, b.key)
	}
}

// way is how long a request or an answer travels between a client and a process.
func (w *world) way() time.Duration { return w.between(50*time.Microsecond, time.Millisecond) }

func (a *ask) send(p *process) { a.sendAfter(p, a.of.w.way()) }

// sendAfter makes an attempt at one process. What is sent at the same moment arrives in order.
func (a *ask) sendAfter(p *process, delay time.Duration) {
	w := a.of.w
	a.attempts++
	attempt, answered := a.attempts, false
	answer := func(receipt venue.Receipt, err error) {
		if !answered {
			answered = true
			a.answered(receipt, err)
		}
	}
	lost := func() { // it cannot be known whether it arrived
		if !answered {
			answered = true
			w.logf("%s: no answer to %s, attempt %d", a.of.name, a.key, attempt)
			a.doubt()
		}
	}
	if w.often(300) || attempt > 1 {
		w.logf("%s: asks %v %s, attempt %d: %T", a.of.name, p, a.key, attempt, a.cmd)
	}
	w.after(clientPatience+500*time.Millisecond, lost)
	w.after(delay, func() {
		if !p.up || p.role == starting {
			answer(venue.Receipt{}, errRefused)
			return
		}
		p.after(0, func() {
			if attempt == 1 {
				a.direct = p.role == leading
			}
			p.submit(a.cmd, clientPatience, func(receipt venue.Receipt, err error) {
				if w.chance(5) {
					return
				}
				w.after(w.way(), func() { answer(receipt, err) })
			})
		})
	})
}

var errRefused = fault.New(fault.Unavailable, "connection refused")

// answered hears what became of an attempt.
func (a *ask) answered(receipt venue.Receipt, err error) {
	w := a.of.w
	code := fault.CodeOf(err)
	switch code {
	case "":
		w.oracle.acknowledged(a, receipt)
		if a.attempts == 1 {
			a.told = &receipt
			inOrder(a.before, a)
			inOrder(a, a.after)
		}
		a.of.last = max(a.of.last, receipt.Sequence)
		w.count("acknowledged")
		if !a.repeat && w.chance(100) {
			a.again()
			return
		}
		a.of.open--
	case fault.OutcomeUnknown:
		w.count("told that the outcome is open")
		a.doubt()
	case fault.Unavailable, fault.Overloaded:
		w.count("told " + string(code))
		if a.attempts == 1 {
			a.failed = code
			inOrder(a, a.after)
		}
		if a.attempts > 3 && w.chance(100) || w.chance(30) {
			a.giveUp()
			return
		}
		a.retry()
	case fault.IdempotencyConflict:
		w.mustf(false, "%s is told that %s was used for something else", a.of.name, a.key)
	default:
		w.count("refused")
		w.logf("%s: %s is refused: %s", a.of.name, a.key, code)
		w.oracle.refused(a, code)
		a.of.open--
	}
}

// giveUp settles a command without an effect, if none of its attempts may have had one.
func (a *ask) giveUp() {
	a.of.w.logf("%s: gives up %s", a.of.name, a.key)
	if !a.maybe && !a.repeat {
		a.of.w.oracle.nothing(a)
	}
	a.of.open--
}

func (a *ask) doubt() {
	a.maybe = true
	a.retry()
}

func (a *ask) retry() {
	w := a.of.w
	w.after(w.between(5*time.Millisecond, 150*time.Millisecond), func() {
		if !a.maybe && !a.repeat {
			w.oracle.nothingYet(a)
		}
		a.send(pick(w, w.processes))
	})
}

// again asks once more what was acknowledged, in a while: some do it with another body under the
// key.
func (a *ask) again() {
	w := a.of.w
	a.repeat = true
	w.count("asked again on purpose")
	w.after(w.between(time.Millisecond, 2*time.Second), func() { a.send(pick(w, w.processes)) })
}

// read is a wait for the live view of a process to reach what a client has seen.
type read struct {
	p       *process
	want    venue.Sequence
	changed <-chan struct{}
	ended   bool
}

// read asks any process for what the client wrote last, as the façade does: look, wait for a change,
// look again, with a bound.
func (c *client) read() {
	w, p := c.w, pick(c.w, c.w.processes)
	if !p.up || p.role == starting {
		return
	}
	r := &read{p: p, want: c.last, changed: p.publisher.View.Changed()}
	if p.publisher.View.Sequence() >= r.want {
		w.count("reads at once")
		return
	}
	p.reads = append(p.reads, r)
	p.after(2*time.Second, func() {
		if !r.ended {
			r.ended = true
			w.count("reads that were not reached")
		}
	})
}

// wakeReads lets those look again whose view has changed.
func (p *process) wakeReads() {
	view := p.publisher.View
	open := p.reads[:0]
	for _, r := range p.reads {
		if r.ended {
			continue
		}
		select {
		case <-r.changed:
			r.changed = view.Changed()
			if view.Sequence() >= r.want {
				p.w.count("reads that waited")
				r.ended = true
				continue
			}
		default:
			p.w.mustf(view.Sequence() < r.want, "%s: shows %d, and a reader waits for %d", p, view.Sequence(), r.want)
		}
		open = append(open, r)
	}
	p.reads = open
}
