package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/redis"
	"bourse/engine/internal/remote"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// sequencing is what the façade needs of whoever decides commands: a sequencer of its own, or a peer
// that brings them to the process that leads.
type sequencing interface {
	// Submit is as of sequencer.Sequencer: the receipt's sequence is in the view when it returns.
	Submit(ctx context.Context, cmd venue.Command) (venue.Receipt, error)
	View() *sequencer.View
	Health() sequencer.Health
	Close(ctx context.Context) error
}

// peer is this process among those that share a journal. It keeps one view for as long as it lives;
// who brings the view along changes.
//
//	      ┌──────────────────────── follow ◀───────────────────────┐
//	Open ─┤   view ◀ batches from Redis, or the journal itself      │ deposed: another leads
//	      │   commands ─▶ Redis ─▶ the leader ─▶ answers            │
//	      └──▶ (candidate, and the lead is free) ──▶ lead ──────────┘
//	           view ◀ the sequencer of this process
//	           commands ─▶ the sequencer; those of others, too
//
// The lead is the journal's to give (an advisory lock and an epoch): Redis has no say in who leads,
// and may lose anything at any time. Without it a follower's reads go on from the journal and its
// writes are refused; the leader is not disturbed.
type peer struct {
	node      remote.Node
	log       *slog.Logger
	journal   journal.Journal
	clock     func() time.Time // of the sequencer
	candidate bool
	link      *redis.Link
	mail      *mail
	follower  *sequencer.Follower // of the run goroutine
	changed   func(leads bool)    // told when this process takes or loses the lead

	seq         atomic.Pointer[sequencer.Sequencer] // of a leader, else nil
	committedAt atomic.Int64

	mu      sync.Mutex // guards the rest; short, and never while the gate is waited for
	client  *remote.Client
	tail    remote.Tail
	server  *remote.Server // of a leader, else nil
	waiting map[uint64]chan remote.Settlement

	stop     chan struct{}
	stopOnce sync.Once
	closing  context.Context // what Close no longer waits for ends with it
	abandon  context.CancelFunc
	running  sync.WaitGroup
}

const (
	// maxOnTheirWay bounds the commands that a follower has with the leader, and maxForOthers those
	// that a leader executes for followers at once.
	maxOnTheirWay = 16_384
	maxForOthers  = 16_384
	// peerTick is how often a peer lets time pass.
	peerTick = 20 * time.Millisecond
	// batchBuffer is how many batches may wait to be folded; the journal has what does not fit.
	batchBuffer = 256
	// lookTimeout bounds one look into the journal.
	lookTimeout = 5 * time.Second
	// leadPause is the pause before a candidate asks again after an error.
	leadPause = 200 * time.Millisecond
	// viewPatience is how long an answer waits for its own effect to reach the view.
	viewPatience = 2 * time.Second
)

func newPeer(ctx context.Context, link *redis.Link, o sequencer.Options, candidate bool) (*peer, error) {
	var name [8]byte
	if _, err := rand.Read(name[:]); err != nil {
		return nil, fmt.Errorf("name this process: %w", err)
	}
	p := &peer{
		node: remote.Node(hex.EncodeToString(name[:])), log: o.Logger, journal: o.Journal, clock: o.Clock, candidate: candidate, link: link,
		waiting: map[uint64]chan remote.Settlement{}, stop: make(chan struct{}),
	}
	p.client = remote.NewClient(p.node, maxOnTheirWay)
	p.mail = newMail(link, p.undelivered)
	p.closing, p.abandon = context.WithCancel(context.WithoutCancel(ctx))
	published := o.Published
	o.Published = func(b sequencer.Batch) {
		published(b)
		p.committedAt.Store(time.Now().UnixNano())
		p.publish(&b)
	}
	o.StepDown = true
	var err error
	p.follower, err = sequencer.Follow(ctx, o, candidate)
	return p, err
}

// start begins to lead when the lead is free and may be taken, else to follow. What is published from
// here on waits at the gate until the caller lets it through.
func (p *peer) start(ctx context.Context) error {
	var writer journal.Writer
	if p.candidate {
		var err error
		if writer, err = p.journal.Lead(ctx); err != nil && !errors.Is(err, journal.ErrHeld) {
			return err
		}
	}
	p.running.Go(p.mail.run)
	var term *term
	if writer != nil {
		var err error
		if term, err = p.lead(writer); err != nil {
			p.mail.close()
			return err
		}
	} else {
		p.changed(false)
	}
	p.running.Go(func() { p.run(term) })
	return nil
}

// run follows and leads in turns until the peer is closed.
func (p *peer) run(t *term) {
	defer p.mail.close()
	for {
		if t == nil {
			writer := p.follow()
			if writer == nil {
				return
			}
			var err error
			if t, err = p.lead(writer); err != nil {
				p.log.Error("the lead was taken and given back", "error", err)
				if !p.rest(leadPause) {
					return
				}
				continue
			}
		}
		if t.serve(); p.stopping() {
			return
		}
		t = nil
	}
}

func (p *peer) stopping() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// rest waits, and reports whether there is a reason to go on.
func (p *peer) rest(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-p.stop:
		return false
	}
}

// View is the committed state, as far as this process knows it.
func (p *peer) View() *sequencer.View { return p.follower.View() }

// Submit decides a command here when this process leads, and brings it to the leader otherwise.
func (p *peer) Submit(ctx context.Context, cmd venue.Command) (venue.Receipt, error) {
	if s := p.seq.Load(); s != nil {
		receipt, err := s.Submit(ctx, cmd)
		if fault.CodeOf(err) != fault.Unavailable || ctx.Err() != nil || p.seq.Load() == s && s.Health().Up {
			return receipt, err
		}
		// Nothing happened here: it has lost the lead, or the journal. Somebody leads in a moment.
	}
	receipt, err := p.ask(ctx, cmd)
	if err == nil {
		p.awaitView(ctx, receipt.Sequence)
	}
	return receipt, err
}

func (p *peer) ask(ctx context.Context, cmd venue.Command) (venue.Receipt, error) {
	data, err := venue.MarshalCommand(cmd)
	if err != nil {
		return venue.Receipt{}, err
	}
	now := time.Now()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = now.Add(remote.Lifetime)
	}
	settled := make(chan remote.Settlement, 1)
	p.mu.Lock()
	if p.stopping() {
		p.mu.Unlock()
		return venue.Receipt{}, errPeerCloses
	}
	number, err := p.client.Submit(now, deadline, data)
	if err == nil {
		p.waiting[number] = settled
		p.flush(now)
	}
	p.mu.Unlock()
	if err != nil {
		return venue.Receipt{}, err
	}
	select {
	case s := <-settled:
		return s.Receipt, s.Err
	case <-ctx.Done():
	case <-p.closing.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case s := <-settled:
		return s.Receipt, s.Err
	default:
	}
	delete(p.waiting, number)
	return venue.Receipt{}, p.client.Abandon(number)
}

var errPeerCloses = fault.New(fault.Unavailable, "the exchange is closing; ask again with the same key")

// awaitView waits for the effect of an answer to be seen here: whoever asked may look at once. That
// it is late changes nothing about the answer.
func (p *peer) awaitView(ctx context.Context, want venue.Sequence) {
	view := p.View()
	p.mu.Lock()
	p.tail.Expect(time.Now(), uint64(want), uint64(view.Sequence()))
	p.mu.Unlock()
	patience := time.NewTimer(viewPatience)
	defer patience.Stop()
	for {
		changed := view.Changed()
		if view.Sequence() >= want {
			return
		}
		select {
		case <-changed:
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		case <-p.closing.Done():
			return
		}
	}
}

// Health is that of the sequencer of a leader. A follower is up while it hears the leader.
func (p *peer) Health() sequencer.Health {
	if s := p.seq.Load(); s != nil {
		return s.Health()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := sequencer.Health{
		Up: p.client.Leader(time.Now()) && p.link.Up(), Epoch: p.client.Epoch(), Committed: p.View().Sequence(),
		Queued: p.client.Pending(), Capacity: maxOnTheirWay,
	}
	if at := p.committedAt.Load(); at != 0 {
		h.CommittedAt = time.Unix(0, at).UTC()
	}
	return h
}

// Leads reports whether this process decides commands.
func (p *peer) Leads() bool { return p.seq.Load() != nil }

// Close finishes what this process decides, gives up the lead and answers what it still waits for.
func (p *peer) Close(ctx context.Context) error {
	p.stopOnce.Do(func() {
		p.mu.Lock()
		close(p.stop)
		p.mu.Unlock()
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.running.Wait()
	}()
	cancel := context.AfterFunc(ctx, p.abandon)
	defer cancel()
	<-ended
	p.abandon()
	return errors.Join(ctx.Err(), p.link.Close())
}

// flush passes on what the state machines want: messages to others or to itself, answers to whoever
// waits, commands to the sequencer. The caller holds mu.
func (p *peer) flush(now time.Time) {
	for {
		out, settled := p.client.Take()
		var begun []remote.Execution
		if p.server != nil {
			var more []remote.Message
			more, begun = p.server.Take()
			out = append(out, more...)
		}
		if len(out)+len(settled)+len(begun) == 0 {
			return
		}
		for _, s := range settled {
			if waiting := p.waiting[s.Number]; waiting != nil {
				delete(p.waiting, s.Number)
				waiting <- s // of one
			}
		}
		for _, e := range begun {
			p.execute(now, e)
		}
		for _, m := range out {
			p.route(now, m)
		}
	}
}

// route sends a message, or hands it over when it is for this process itself.
func (p *peer) route(now time.Time, m remote.Message) {
	switch m := m.(type) {
	case remote.Ask:
		if p.server != nil {
			p.server.Ask(now, m)
			return
		}
		p.mail.put(p.link.Commands(), m)
	case remote.Hello:
		if p.server == nil {
			p.mail.put(p.link.Commands(), m)
		}
	case remote.Answer:
		if m.To == p.node {
			p.client.Answer(now, m)
			return
		}
		p.mail.put(p.link.Answers(string(m.To)), m)
	case remote.Beat:
		p.client.Beat(now, m)
		p.mail.put(p.link.Events(), m)
	case remote.Committed:
		p.mail.put(p.link.Events(), m)
	}
}

// undelivered hears from the mail of a question that certainly did not leave.
func (p *peer) undelivered(a remote.Ask) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client.Undelivered(time.Now(), a)
}
