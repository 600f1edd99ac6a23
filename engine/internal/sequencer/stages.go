package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// batch is what travels through the stages together. It is reused.
type batch struct {
	first, last venue.Sequence
	time        venue.Time
	events      venue.Events
	payload     []byte
	requests    []*request // answered when the batch is published
	writer      journal.Writer
	head        journal.Head
	// flushed, when not nil, makes this a mark and not a batch: it is closed when all before it is
	// published.
	flushed chan struct{}
}

// durable reports whether there is anything to write. A batch of refusals and repeats is not.
func (b *batch) durable() bool { return b.first != 0 }

func (s *Sequencer) newBatch(writer journal.Writer) *batch {
	b := s.free.Get().(*batch)
	b.writer = writer
	return b
}

func (s *Sequencer) recycle(b *batch) {
	clear(b.requests)
	clear(b.events) // keys and definitions
	*b = batch{events: b.events[:0], payload: b.payload[:0], requests: b.requests[:0]}
	s.free.Put(b)
}

// refuseAll answers everybody who waits for the batch. A refusal, which had no effect and may have
// followed from what is thrown away, becomes errDown whatever the others are told.
func (b *batch) refuseAll(why error) {
	for _, r := range b.requests {
		if r.err != nil {
			r.err = errDown
		} else {
			r.receipt, r.err = venue.Receipt{}, why
		}
		r.answer()
	}
	b.requests = b.requests[:0]
}

// decider is the first stage: the venue that runs ahead, and the batch that is being gathered.
type decider struct {
	*Sequencer
	state  *venue.State
	writer journal.Writer
	now    venue.Time
	open   *batch
	taken  []*request // gathered, not decided yet
	busy   *batch     // with the commit stage; its owner once it is settled
	paused <-chan time.Time
}

// decide runs until the queue is closed and empty.
func (s *Sequencer) decide(state *venue.State, writer journal.Writer) {
	d := &decider{Sequencer: s, state: state, writer: writer, now: state.Time(), open: s.newBatch(writer)}
	defer func() { _ = d.writer.Close() }()
	stop := s.stop
	for !s.deposed.Load() {
		if err := d.fill(); err != nil {
			s.opts.Logger.Error("the venue failed to decide; rebuilding it", "error", err)
			d.recover(err)
			continue
		}
		if d.busy == nil && d.paused == nil && len(d.open.requests) > 0 {
			d.handOver()
			continue
		}
		if d.busy == nil && stop == nil && len(d.open.requests) == 0 && len(d.taken) == 0 {
			return
		}
		wake := s.queue.wake
		if d.full() {
			wake = nil // the queue waits until the batch is on its way
		}
		select {
		case <-wake:
			d.taken = s.queue.take(d.taken, s.opts.BatchCommands)
		case <-stop:
			stop = nil
			d.taken = s.queue.take(d.taken, s.opts.Queue)
		case <-d.paused:
			d.paused = nil
		case <-journal.Lost(d.writer):
			d.recover(journal.ErrFenced)
		case err := <-s.settled:
			d.busy = nil
			if err != nil {
				d.recover(err)
				continue
			}
			d.pace()
		}
	}
}

func (d *decider) full() bool {
	return len(d.taken) > 0 || len(d.open.requests) >= d.opts.BatchCommands || len(d.open.payload) >= d.opts.BatchBytes
}

// fill decides what was taken, as far as the open batch has room.
func (d *decider) fill() error {
	n := 0
	defer func() {
		rest := copy(d.taken, d.taken[n:])
		clear(d.taken[rest:])
		d.taken = d.taken[:rest]
	}()
	if len(d.taken) == 0 {
		return nil
	}
	d.now = max(d.now, venue.Time(d.opts.Clock().UnixNano()))
	for n < len(d.taken) && len(d.open.requests) < d.opts.BatchCommands && len(d.open.payload) < d.opts.BatchBytes {
		r := d.taken[n]
		n++
		if !r.take() {
			continue
		}
		d.open.requests = append(d.open.requests, r)
		if err := d.apply(r); err != nil {
			return err
		}
	}
	return nil
}

// apply decides one command. The error is none of the command's but of the venue.
func (d *decider) apply(r *request) error {
	before := len(d.open.events)
	receipt, err := d.state.Apply(r.cmd, d.now, &d.open.events)
	if err != nil {
		var refusal *fault.Error
		if !errors.As(err, &refusal) {
			return err
		}
		d.open.events = d.open.events[:before]
		r.receipt, r.err = venue.Receipt{}, err
		return nil
	}
	r.receipt, r.err = receipt, nil
	for i := before; i < len(d.open.events); i++ {
		d.open.payload = venue.AppendEvent(d.open.payload, &d.open.events[i])
	}
	if len(d.open.events) > before {
		if d.open.first == 0 {
			d.open.first = d.open.events[before].Sequence
		}
		d.open.last = d.open.events[before].Sequence
		d.open.time = d.now
	}
	return nil
}

// handOver gives the open batch to the commit stage, which is idle.
func (d *decider) handOver() {
	d.busy = d.open
	d.open = d.newBatch(d.writer)
	d.commits <- d.busy
}

// pace makes the next batch wait when the projections are far behind.
func (d *decider) pace() {
	if d.opts.Pace == nil {
		return
	}
	if wait := d.opts.Pace(); wait > 0 {
		d.paused = time.After(min(wait, 50*time.Millisecond))
	}
}

// recover throws away what ran ahead and does not return before commands are decided again, or the
// sequencer is abandoned.
func (d *decider) recover(cause error) {
	d.up.Store(false)
	d.opts.Logger.Error("commands are refused until the journal can be written", "error", cause)
	if d.busy != nil { // the venue failed while a commit was on its way
		if err := <-d.settled; err != nil {
			d.opts.Logger.Error("the commit under way failed as well", "error", err)
		}
		d.busy = nil
	}
	d.open.refuseAll(errDown) // it was never handed to the journal
	d.recycle(d.open)
	d.refuse(d.taken)
	d.taken = d.taken[:0]
	d.refuse(d.queue.suspend(errDown))
	_ = d.writer.Close()

	// What did commit is in the view before anything is read.
	flushed := make(chan struct{})
	d.commits <- &batch{flushed: flushed}
	<-flushed

	pause := d.opts.Backoff
	for attempt := 1; ; attempt++ {
		err := d.rebuild()
		if err == nil {
			break
		}
		if d.opts.StepDown && errors.Is(err, journal.ErrHeld) {
			d.opts.Logger.Warn("another process leads; stepping down", "epoch", d.epoch.Load())
			d.deposed.Store(true)
			d.queue.close(errDeposed)
			d.open = d.newBatch(d.writer)
			return
		}
		d.opts.Logger.Warn("the journal cannot be written yet", "attempt", attempt, "error", err)
		select {
		case <-time.After(pause):
		case <-d.stop: // nobody waits any more
			d.open = d.newBatch(d.writer)
			return
		}
		pause = min(2*pause, d.opts.MaxBackoff)
	}
	d.open = d.newBatch(d.writer)
	d.paused = nil
	d.epoch.Store(d.writer.Epoch())
	d.up.Store(true)
	d.queue.resume()
	d.opts.Logger.Info("commands are accepted again", "epoch", d.writer.Epoch(), "sequence", d.writer.Head().Sequence)
}

func (d *decider) refuse(rs []*request) {
	for _, r := range rs {
		r.receipt, r.err = venue.Receipt{}, errDown
		r.answer()
	}
	clear(rs)
}

// rebuild takes the lead, publishes what had landed without our knowing, and copies the view.
func (d *decider) rebuild() error {
	ctx, cancel := context.WithTimeout(d.lost, d.opts.CommitTimeout)
	defer cancel()
	writer, err := d.opts.Journal.Lead(ctx)
	if err != nil {
		return err
	}
	if err := d.catchUp(writer.Head()); err != nil {
		_ = writer.Close()
		return err
	}
	state, err := d.view.clone()
	if err != nil {
		_ = writer.Close()
		return err
	}
	d.writer, d.state, d.now = writer, state, max(d.now, state.Time())
	return nil
}

// catchUp brings the view to the head of the journal. The stages behind are idle.
func (d *decider) catchUp(head journal.Head) error {
	var events venue.Events
	for b, err := range d.opts.Journal.Read(d.lost, d.view.Head()) {
		if err != nil {
			return err
		}
		if events, err = decodeAll(events[:0], &b); err != nil {
			return err
		}
		d.show(Batch{Head: b.Head(), First: venue.Sequence(b.First), Events: events})
	}
	if reached := d.view.Head(); reached != head {
		return fmt.Errorf("the view reached %+v, the journal ends at %+v", reached, head)
	}
	return nil
}

// commit is the second stage: it makes batches durable, one at a time.
func (s *Sequencer) commit() {
	for b := range s.commits {
		if b.flushed != nil {
			s.publish <- b
			continue
		}
		err := s.append(b)
		if err != nil {
			s.up.Store(false)
			b.refuseAll(outcome(err))
			s.recycle(b)
		} else {
			s.publish <- b
		}
		s.settled <- err
	}
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

func (s *Sequencer) append(b *batch) error {
	if !b.durable() {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.lost, s.opts.CommitTimeout)
	defer cancel()
	head, err := b.writer.Append(ctx, journal.Entry{
		First: uint64(b.first), Last: uint64(b.last), Time: int64(b.time), Payload: b.payload,
	})
	b.head = head
	return err
}

// publishAll is the third stage: it shows what is durable, then answers.
func (s *Sequencer) publishAll() {
	for b := range s.publish {
		if b.flushed != nil {
			close(b.flushed)
			continue
		}
		if b.durable() {
			s.commitAt.Store(s.opts.Clock().UnixNano())
			s.show(Batch{Head: b.head, First: b.first, Events: b.events})
		}
		for _, r := range b.requests {
			r.answer()
		}
		s.recycle(b)
		s.snapshotWhenDue()
	}
	s.snapshots.Wait()
	if head := s.view.Head(); head.Sequence > s.saved.Load() && s.lost.Err() == nil && !s.deposed.Load() {
		s.save(s.view.snapshot())
	}
}

// show folds a batch into the view and tells the hook.
func (s *Sequencer) show(b Batch) { show(&s.opts, s.view, b) }

func show(opts *Options, view *View, b Batch) {
	opts.Gate.Lock()
	err := view.fold(b.Events, b.Head)
	if err == nil {
		opts.Published(b)
	}
	opts.Gate.Unlock()
	if err != nil {
		panic("sequencer: committed events do not fold: " + err.Error())
	}
}

// snapshotWhenDue takes a snapshot between two batches and saves it beside them. Whoever waits was
// answered before; the next batch waits while the state is written into memory.
func (s *Sequencer) snapshotWhenDue() {
	if uint64(s.view.Sequence())-s.saved.Load() < s.opts.SnapshotEvery || !s.saving.CompareAndSwap(false, true) {
		return
	}
	snapshot := s.view.snapshot()
	s.snapshots.Go(func() {
		defer s.saving.Store(false)
		s.save(snapshot)
	})
}

// save keeps a snapshot. That it fails is no harm but a longer start.
func (s *Sequencer) save(snapshot journal.Snapshot) {
	ctx, cancel := context.WithTimeout(s.lost, time.Minute)
	defer cancel()
	if err := s.opts.Journal.SaveSnapshot(ctx, snapshot); err != nil {
		s.opts.Logger.Warn("a snapshot was not saved", "sequence", snapshot.Head.Sequence, "error", err)
		return
	}
	s.saved.Store(snapshot.Head.Sequence)
}
