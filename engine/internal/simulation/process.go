package simulation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bourse/engine/feed"
	"bourse/engine/internal/remote"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// process is one process of the house: a view, a front for clients, and now and then the writer. All
// of it but the name goes with a crash.
type process struct {
	w    *world
	name string
	life int // how often it has started
	up   bool

	frozen int64 // until then nothing happens in it
	cutOff bool  // from the store
	apart  bool  // from the other processes
	skew   int64 // of its wall clock
	still  int64 // where its wall clock stands; 0 when it runs

	node      remote.Node
	role      role
	publisher *sequencer.Publisher
	hub       *feed.Hub[string, update]
	client    *remote.Client
	tail      remote.Tail
	waiting   map[uint64]func(venue.Receipt, error) // commands that are with the leader elsewhere
	reads     []*read
	snapshot  uint64 // sequence of the newest that was taken
	projector projector

	core      *sequencer.Core // nil unless this process leads or led a moment ago
	server    *remote.Server
	session   *session
	appending bool
	awake     bool // a step of the core is planned
	publish   []committed
	seekAt    int64
	backoff   time.Duration
	seen      journal.Head // of the view, when it was last checked
}

// committed is a batch that the journal has and the view has not.
type committed struct {
	pending *sequencer.Pending
	batch   journal.Batch
}

type role int

const (
	starting  role = iota
	following      // shows what another commits
	seeking        // has asked for the lead
	leading        // decides and commits
	down           // led until a moment ago, and everything that ran ahead was thrown away
)

func (r role) String() string {
	return [...]string{"starting", "following", "seeking", "leading", "down"}[r]
}

func (p *process) String() string { return fmt.Sprintf("%s.%d", p.name, p.life) }

const (
	commitTimeout = 2 * time.Second
	leadTimeout   = 2 * time.Second
	firstBackoff  = 50 * time.Millisecond
	lastBackoff   = 500 * time.Millisecond
	snapshotEvery = 25
)

// after plans something that happens in this process, unless it dies before; a frozen one does it
// when it thaws.
func (p *process) after(delay time.Duration, do func()) {
	life := p.life
	var happen func()
	happen = func() {
		switch {
		case p.life != life || !p.up:
		case p.w.now < p.frozen:
			p.w.after(time.Duration(p.frozen-p.w.now), happen)
		default:
			do()
		}
	}
	p.w.after(delay, happen)
}

// wall is the time that commands are stamped with: it may jump, stand still and go back.
func (p *process) wall() venue.Time {
	if p.still != 0 {
		return venue.Time(p.still)
	}
	return venue.Time(epoch + p.w.now + p.skew)
}

// steady is the time by which a process measures how long it has waited. The processes do not agree.
func (p *process) steady() time.Time {
	return time.Unix(0, epoch+p.w.now+int64(p.life%7)*int64(100*time.Millisecond))
}

// start begins a life.
func (p *process) start() {
	life := p.life + 1
	*p = process{w: p.w, name: p.name, life: life, up: true, skew: p.skew, still: p.still, cutOff: p.cutOff, apart: p.apart}
	p.node = remote.Node(p.String())
	p.client = remote.NewClient(p.node, 64)
	p.waiting = map[uint64]func(venue.Receipt, error){}
	p.hub = newHub()
	p.backoff = firstBackoff
	p.w.logf("%s: starts", p)
	p.after(p.w.between(time.Millisecond, 30*time.Millisecond), p.open)
}

// open restores the venue, and tries again until it can be read.
func (p *process) open() {
	restored, err := p.restore()
	if err != nil {
		var broken *journal.BrokenError
		p.w.mustf(!errors.As(err, &broken), "%s: the journal cannot be read: %v", p, err)
		p.after(p.w.between(10*time.Millisecond, 200*time.Millisecond), p.open)
		return
	}
	p.publisher = &sequencer.Publisher{View: sequencer.NewView(restored), Gate: new(sync.Mutex), Published: p.published}
	p.snapshot = restored.Snapshot
	p.role = following
	p.w.logf("%s: follows from %d, with the snapshot of %d", p, restored.Head.Sequence, restored.Snapshot)
	if p.w.often(500) {
		p.w.mustf(p.publisher.Warm() == nil, "%s: the view cannot be copied", p)
	}
	p.projector = projector{p: p}
	p.after(0, p.tick)
	p.after(0, p.project)
}

// crash ends a life at once.
func (p *process) crash() {
	p.w.logf("%s: crashes, %v", p, p.role)
	p.up = false
	if p.hub != nil {
		p.hub.Close()
	}
	if p.session != nil {
		p.session.close()
	}
	for _, r := range p.reads {
		r.ended = true
	}
}

// sessionsCut is the store losing its connections.
func (p *process) sessionsCut() {
	c := p.session
	if c == nil {
		return
	}
	c.alive = false
	if p.w.often(500) { // a writer may notice by itself that it leads no more
		p.after(p.w.latency(), func() {
			if p.session == c && p.role == leading {
				p.fail(journal.ErrFenced)
			}
		})
	}
}

// tick lets time pass, as the driver of the protocol does.
func (p *process) tick() {
	now := p.steady()
	p.client.Tick(now)
	if p.server != nil {
		p.server.Tick(now, p.publisher.View.Head().Sequence)
	}
	p.flush()
	p.wake()
	if p.role == following {
		if p.tail.Look(now, uint64(p.publisher.View.Sequence())) {
			p.look()
		}
		if p.w.now >= p.seekAt {
			p.seekAt = p.w.now + int64(p.w.between(300*time.Millisecond, time.Second))
			p.seek()
		}
	}
	p.after(p.w.between(40*time.Millisecond, 60*time.Millisecond), p.tick)
}

// look reads the journal because what was heard is not all there is.
func (p *process) look() {
	p.after(p.w.latency(), func() {
		if p.role != following && p.role != seeking {
			return
		}
		if err := p.catchUp(); err != nil {
			p.w.logf("%s: cannot read on: %v", p, err)
			return
		}
		p.tail.Looked(p.steady())
	})
}

func (p *process) catchUp() error {
	for b, err := range (reader{p}).Read(context.Background(), p.publisher.View.Head()) {
		if err != nil {
			return p.trustworthy(err)
		}
		if err := p.publisher.Follow(&b); err != nil {
			return p.trustworthy(err)
		}
	}
	return nil
}

// trustworthy fails the run when a journal that nobody touched cannot be trusted.
func (p *process) trustworthy(err error) error {
	var broken *journal.BrokenError
	p.w.mustf(!errors.As(err, &broken), "%s: the journal does not follow from what is shown: %v", p, err)
	return err
}

// seek asks for the lead.
func (p *process) seek() {
	was := p.role
	p.role = seeking
	c := p.connect()
	p.session = c
	settled := false
	end := func(err error) {
		if settled || p.session != c {
			return
		}
		settled = true
		if err == nil {
			p.after(p.w.between(0, 5*time.Millisecond), func() { p.take(c) })
			return
		}
		c.close()
		p.session = nil
		if was == down && !errors.Is(err, journal.ErrHeld) {
			p.retry()
			return
		}
		if was == down {
			p.stepDown()
		}
		p.role = following
	}
	c.lead(end)
	p.after(leadTimeout, func() { end(errTimeout) })
}

// retry seeks again after a pause.
func (p *process) retry() {
	p.role = down
	p.backoff = min(2*p.backoff, lastBackoff)
	p.after(p.backoff, p.seek)
}

// stepDown gives up leading for good: another process does.
func (p *process) stepDown() {
	p.w.logf("%s: steps down", p)
	p.w.count("steps down")
	p.core.Retire()
	p.core = nil
}

// take goes on as the writer, which the process has become.
func (p *process) take(c *session) {
	if p.session != c {
		return
	}
	if p.core == nil {
		p.core = sequencer.NewCore(sequencer.Limits{Queue: 32, BatchCommands: 6, BatchBytes: 4096})
	}
	err := p.catchUp()
	if err == nil {
		err = p.core.Resume(p.publisher, c.head)
	}
	if err != nil {
		p.w.logf("%s: cannot lead: %v", p, err)
		c.close()
		p.session = nil
		p.retry()
		return
	}
	p.w.count("terms")
	p.w.logf("%s: leads term %d from %d", p, c.term, c.head.Sequence)
	p.role, p.backoff = leading, firstBackoff
	p.server = remote.NewServer(p.node, c.term, 24)
	p.server.Tick(p.steady(), c.head.Sequence)
	p.flush()
}

// wake plans a step of the core.
func (p *process) wake() {
	if p.awake || p.role != leading {
		return
	}
	p.awake = true
	p.after(p.w.between(0, time.Millisecond), func() {
		p.awake = false
		p.drive()
	})
}

// drive is a step of the core, as the driver of the sequencer makes it.
func (p *process) drive() {
	if p.role != leading {
		return
	}
	if !p.core.Full() {
		p.core.Gather(6)
	}
	if err := p.core.Decide(p.wall()); err != nil {
		p.w.mustf(false, "%s: the venue failed to decide: %v", p, err)
	}
	if err := p.core.Check(); err != nil {
		p.w.mustf(false, "%s: the venue that runs ahead: %v", p, err)
	}
	if b := p.core.Begin(); b != nil {
		p.append(b)
	}
}

// append brings a batch to the journal.
func (p *process) append(pending *sequencer.Pending) {
	if !pending.Durable() {
		p.core.Settle(nil)
		p.hand(committed{pending: pending})
		p.wake()
		return
	}
	p.appending = true
	c, settled := p.session, false
	end := func(b journal.Batch, err error) {
		if settled {
			return
		}
		settled, p.appending = true, false
		p.core.Settle(err)
		if err == nil {
			p.hand(committed{pending, b})
			p.wake()
		}
		if err != nil && p.role == leading {
			p.fail(err)
		} else if p.role == down {
			p.recover()
		}
	}
	c.append(pending.Entry(), end)
	p.after(commitTimeout, func() { end(journal.Batch{}, errTimeout) })
}

// fail throws away what ran ahead.
func (p *process) fail(cause error) {
	p.w.logf("%s: is down: %v", p, cause)
	p.w.count("failed terms")
	p.core.Abandon()
	p.role, p.server = down, nil
	p.session.close()
	p.session = nil
	p.recover()
	p.flush()
}

// recover seeks the lead again once nothing is under way: neither to the journal nor to the view.
func (p *process) recover() {
	if !p.appending && len(p.publish) == 0 {
		p.after(p.backoff, func() {
			if p.role == down && p.session == nil {
				p.seek()
			}
		})
	}
}

// hand gives a batch to the third stage, which shows one after another.
func (p *process) hand(b committed) {
	p.publish = append(p.publish, b)
	if len(p.publish) == 1 {
		p.after(p.w.between(0, 3*time.Millisecond), p.show)
	}
}

func (p *process) show() {
	b := p.publish[0]
	durable := b.pending.Durable()
	p.publisher.Publish(b.pending, b.batch.Head())
	p.publish = p.publish[1:]
	if durable {
		p.w.logf("%s: shows %d..%d", p, b.batch.First, b.batch.Last)
		if p.server != nil {
			p.server.Committed(p.steady(), b.batch)
		}
		p.snapshotWhenDue()
	}
	p.flush()
	if len(p.publish) > 0 {
		p.after(p.w.between(0, 3*time.Millisecond), p.show)
	} else if p.role == down {
		p.recover()
	}
}

func (p *process) snapshotWhenDue() {
	if at := uint64(p.publisher.View.Sequence()); at < p.snapshot+snapshotEvery {
		return
	}
	s := p.publisher.View.Snapshot()
	p.snapshot = s.Head.Sequence
	p.after(p.w.between(0, 50*time.Millisecond), func() {
		if err := (reader{p}).SaveSnapshot(context.Background(), s); err == nil {
			p.w.count("snapshots")
		}
	})
}

// submit brings a command to whoever leads. answer is called once, or never if the process dies.
func (p *process) submit(cmd venue.Command, patience time.Duration, answer func(venue.Receipt, error)) {
	if p.role == leading {
		p.offer(patience, cmd, answer)
		return
	}
	data, err := venue.MarshalCommand(cmd)
	p.w.mustf(err == nil, "%T cannot travel: %v", cmd, err)
	now := p.steady()
	number, err := p.client.Submit(now, now.Add(patience), data)
	if err != nil {
		answer(venue.Receipt{}, err)
		return
	}
	p.waiting[number] = answer
	p.flush()
}

// offer lets a command be decided here, no later than patience from now.
func (p *process) offer(patience time.Duration, cmd venue.Command, answer func(venue.Receipt, error)) {
	if err := p.core.OfferUntil(p.wall()+venue.Time(patience), cmd, answer); err != nil {
		answer(venue.Receipt{}, err)
		return
	}
	p.wake()
}

// execute lets a command that came from elsewhere be decided here.
func (p *process) execute(server *remote.Server, e remote.Execution) {
	cmd, err := venue.UnmarshalCommand(e.Command)
	p.w.mustf(err == nil, "a command cannot be read: %v", err)
	p.offer(e.Deadline.Sub(p.steady()), cmd, func(receipt venue.Receipt, err error) {
		server.Done(e.From, e.Number, receipt, err)
		p.flushServer(server)
	})
}
