package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/redis"
	"bourse/engine/internal/remote"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// term is one stretch in which this process leads.
type term struct {
	*peer
	seq    *sequencer.Sequencer
	server *remote.Server
	ctx    context.Context
	end    context.CancelFunc
	reader sync.WaitGroup
}

// positionPatience is how long a new leader waits to know where the questions that are its own
// begin. Without an answer it leads all the same; its followers ask again.
const positionPatience = 100 * time.Millisecond

// lead begins a term with a lead that was taken. On an error the lead is given back.
func (p *peer) lead(writer journal.Writer) (*term, error) {
	seq, err := p.follower.Lead(p.closing, writer)
	if err != nil {
		return nil, err
	}
	epoch := seq.Health().Epoch
	t := &term{peer: p, seq: seq, server: remote.NewServer(p.node, epoch, maxForOthers)}
	t.ctx, t.end = context.WithCancel(p.closing)
	begun := make(chan struct{})
	t.reader.Go(func() { p.link.Follow(t.ctx, func() { close(begun) }, t.hear, p.link.Commands()) })
	select {
	case <-begun:
	case <-time.After(positionPatience):
	}
	p.log.Info("this process leads", "epoch", epoch, "sequence", p.View().Sequence())
	p.changed(true)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = t.server
	p.seq.Store(seq)
	p.server.Tick(now, uint64(p.View().Sequence()))
	p.flush(now)
	return t, nil
}

// serve runs until the peer is closed or deposed.
func (t *term) serve() {
	defer t.reader.Wait()
	defer t.end()
	ticker := time.NewTicker(peerTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			now := time.Now()
			t.mu.Lock()
			t.client.Tick(now)
			t.server.Tick(now, uint64(t.View().Sequence()))
			t.flush(now)
			t.mu.Unlock()
		case <-t.seq.Done():
			t.stepDown()
			return
		case <-t.stop:
			t.finish()
			return
		}
	}
}

// finish ends a term because the process ends: what was begun is answered first.
func (t *term) finish() {
	t.end()
	t.reader.Wait()
	if err := t.seq.Close(t.closing); err != nil {
		t.log.Warn("closed before everything was finished", "error", err)
	}
	t.over()
}

// stepDown ends a term because another process leads, and stands where that one goes on.
func (t *term) stepDown() {
	_ = t.seq.Close(t.closing) // has ended
	t.over()
	t.changed(false)
	for {
		ctx, cancel := context.WithTimeout(t.closing, lookTimeout)
		err := t.follower.Resume(ctx, t.seq)
		cancel()
		if err == nil {
			return
		}
		t.log.Warn("the journal cannot be followed yet", "error", err)
		if !t.rest(leadPause) {
			return
		}
	}
}

// over sends the last answers; from here on this process asks others.
func (t *term) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush(time.Now())
	t.peer.server = nil
	t.peer.seq.Store(nil)
}

// hear takes a message from Redis.
func (t *term) hear(_ redis.Stream, data []byte) {
	m, err := remote.Decode(data)
	if err != nil {
		t.log.Warn("a message from another process cannot be read", "error", err)
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch m := m.(type) {
	case remote.Ask:
		t.server.Ask(now, m)
	case remote.Hello:
		t.server.Hello(now, m, uint64(t.View().Sequence()))
	}
	t.flush(now)
}

var errUnreadable = fault.New(fault.Unavailable, "the process that leads does not know this command; ask again later")

// execute gives a command of a follower to the sequencer, in the order of arrival. The caller holds
// mu, and answers come without it.
func (p *peer) execute(now time.Time, e remote.Execution) {
	server, seq := p.server, p.seq.Load()
	cmd, err := venue.UnmarshalCommand(e.Command)
	if err != nil {
		p.log.Warn("a command from another process cannot be read", "error", err)
		server.Done(e.From, e.Number, venue.Receipt{}, errUnreadable)
		return
	}
	deadline := p.clock().Add(e.Deadline.Sub(now))
	err = seq.OfferUntil(venue.Time(deadline.UnixNano()), cmd, func(receipt venue.Receipt, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		server.Done(e.From, e.Number, receipt, err)
		p.flush(time.Now())
	})
	if err != nil {
		server.Done(e.From, e.Number, venue.Receipt{}, err)
	}
}

// publish tells followers of a batch. It is called while the gate is held.
func (p *peer) publish(b *sequencer.Batch) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil || !p.server.Followed() {
		return
	}
	p.server.Committed(now, journal.Seal(journal.Entry{
		First: uint64(b.First), Last: b.Head.Sequence, Time: b.Head.Time, Payload: slices.Clone(b.Payload),
	}, b.Head.Epoch, b.After))
	p.flush(now)
}
