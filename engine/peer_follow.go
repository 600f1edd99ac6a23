package engine

import (
	"context"
	"errors"
	"time"

	"bourse/engine/internal/redis"
	"bourse/engine/internal/remote"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
)

// following is one stretch in which another process leads, or nobody.
type following struct {
	*peer
	batches chan journal.Batch
	failing bool // the last look into the journal failed
}

// follow brings the view along until the lead is this process's, which it returns, or the peer is
// closed: nil.
func (p *peer) follow() journal.Writer {
	f := &following{peer: p, batches: make(chan journal.Batch, batchBuffer)}
	ctx, cancel := context.WithCancel(p.closing)
	// Nobody waits for the helpers here: a reader notices only after its last read that it is not
	// wanted any more, and to lead should not take that long.
	defer cancel()
	p.running.Go(func() { p.link.Follow(ctx, func() {}, f.hear, p.link.Events(), p.link.Answers(string(p.node))) })
	leads := make(chan journal.Writer)
	if p.candidate {
		p.running.Go(func() { p.stand(ctx, leads) })
	}
	ticker := time.NewTicker(peerTick)
	defer ticker.Stop()
	for {
		select {
		case w := <-leads:
			return w
		case b := <-f.batches:
			f.take(&b)
		case <-ticker.C:
			f.tick(ctx)
		case <-p.stop:
			return nil
		}
	}
}

// stand waits for the lead and hands it over.
func (p *peer) stand(ctx context.Context, leads chan<- journal.Writer) {
	for ctx.Err() == nil {
		w, err := journal.AwaitLead(ctx, p.journal, leadPause)
		if err != nil {
			if ctx.Err() == nil {
				p.log.Warn("the lead cannot be waited for", "error", err)
				p.rest(leadPause)
			}
			continue
		}
		select {
		case leads <- w:
		case <-ctx.Done():
			_ = w.Close()
		}
		return
	}
}

// hear takes a message from Redis. It is the reader's goroutine: answers do not wait for the view.
func (f *following) hear(_ redis.Stream, data []byte) {
	m, err := remote.Decode(data)
	if err != nil {
		f.log.Warn("a message from another process cannot be read", "error", err)
		return
	}
	now, at := time.Now(), uint64(f.View().Sequence())
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := m.(type) {
	case remote.Answer:
		f.client.Answer(now, m)
	case remote.Beat:
		f.client.Beat(now, m)
		f.tail.Heard(now, m.Head, at)
	case remote.Committed:
		f.tail.Heard(now, m.Batch.Last, at)
		select {
		case f.batches <- m.Batch:
		default:
			f.tail.Gap()
		}
	}
	f.flush(now)
}

// take folds a batch; what does not fit says that the journal has to be asked.
func (f *following) take(b *journal.Batch) {
	err := f.follower.Take(b)
	if err == nil {
		return
	}
	if !errors.Is(err, sequencer.ErrGap) {
		f.log.Warn("a batch from another process does not fit; reading the journal", "error", err)
	}
	f.mu.Lock()
	f.tail.Gap()
	f.mu.Unlock()
}

// tick lets time pass and looks into the journal when it is time to.
func (f *following) tick(ctx context.Context) {
	now := time.Now()
	f.mu.Lock()
	f.client.Tick(now)
	f.flush(now)
	look := f.tail.Look(now, uint64(f.View().Sequence()))
	f.mu.Unlock()
	if !look {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	switch err := f.follower.CatchUp(ctx); {
	case err != nil && !f.failing && ctx.Err() == nil:
		f.failing = true
		f.log.Error("the journal cannot be followed; what is shown stands still", "error", err)
	case err == nil && f.failing:
		f.failing = false
		f.log.Info("the journal is followed again")
	}
	f.mu.Lock()
	f.tail.Looked(time.Now())
	f.mu.Unlock()
}
