package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// work is what the stages hand on: a batch with the writer that appends it, or, with flushed, a mark
// that is closed when all before it is published.
type work struct {
	batch   *Pending
	writer  journal.Writer
	head    journal.Head // where the journal ends after it
	flushed chan struct{}
}

// decider drives the Core. It is the first stage and belongs to one goroutine.
type decider struct {
	*Sequencer
	writer journal.Writer
	paused <-chan time.Time // the next batch waits for it
	due    *time.Timer      // something falls due by itself
	dueAt  venue.Time       // what the timer is set for; 0 when it is not
}

// decide runs until the queue is closed and empty, or the sequencer stops while it is down.
func (s *Sequencer) decide(writer journal.Writer) {
	d := &decider{Sequencer: s, writer: writer, due: time.NewTimer(time.Hour)}
	d.due.Stop()
	defer func() { _ = d.writer.Close() }()
	stop := s.stop
	for !s.deposed.Load() {
		if err := s.core.Decide(s.now()); err != nil {
			s.opts.Logger.Error("the venue failed to decide; rebuilding it", "error", err)
			d.recover(err)
			continue
		}
		if d.paused == nil {
			if b := s.core.Begin(); b != nil {
				s.commits <- work{batch: b, writer: d.writer}
				continue
			}
		}
		if stop == nil && s.core.Idle() {
			return
		}
		wake := s.core.inbox.wake
		if s.core.Full() {
			wake = nil // the queue waits until the batch is on its way
		}
		d.setDue()
		select {
		case <-d.due.C:
			d.dueAt = 0
		case <-wake:
			s.core.Gather(s.opts.BatchCommands)
		case <-stop:
			stop = nil
			s.core.Gather(s.opts.Queue)
		case <-d.paused:
			d.paused = nil
		case <-journal.Lost(d.writer):
			d.recover(journal.ErrFenced)
		case err := <-s.settled:
			s.core.Settle(err)
			if err != nil {
				d.recover(err)
				continue
			}
			d.pace()
		}
	}
}

func (s *Sequencer) now() venue.Time { return venue.Time(s.opts.Clock().UnixNano()) }

// setDue sets the timer for what falls due next. It is looked at once a second at least, because the
// clock may be turned.
func (d *decider) setDue() {
	at, ok := d.core.NextDue()
	switch {
	case !ok && d.dueAt != 0:
		d.due.Stop()
		d.dueAt = 0
	case ok && at != d.dueAt:
		d.due.Reset(min(max(time.Duration(at-d.now()), time.Millisecond), time.Second))
		d.dueAt = at
	}
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
// sequencer stops or is deposed.
func (d *decider) recover(cause error) {
	d.up.Store(false)
	d.opts.Logger.Error("commands are refused until the journal can be written", "error", cause)
	d.core.Abandon()
	if d.core.busy != nil { // the venue failed, or the lead was lost, while a commit was on its way
		err := <-d.settled
		if err != nil {
			d.opts.Logger.Error("the commit under way failed as well", "error", err)
		}
		d.core.Settle(err)
	}
	_ = d.writer.Close()

	// What did commit is in the view before anything is read.
	flushed := make(chan struct{})
	d.commits <- work{flushed: flushed}
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
			d.core.Retire()
			return
		}
		d.opts.Logger.Warn("the journal cannot be written yet", "attempt", attempt, "error", err)
		select {
		case <-time.After(pause):
		case <-d.stop: // nobody waits any more
			return
		}
		pause = min(2*pause, d.opts.MaxBackoff)
	}
	d.paused = nil
	d.epoch.Store(d.writer.Epoch())
	d.up.Store(true)
	d.opts.Logger.Info("commands are accepted again", "epoch", d.writer.Epoch(), "sequence", d.writer.Head().Sequence)
}

// rebuild takes the lead, publishes what had landed without our knowing, and goes on from there. The
// stages behind are idle.
func (d *decider) rebuild() error {
	ctx, cancel := context.WithTimeout(d.lost, d.opts.CommitTimeout)
	defer cancel()
	writer, err := d.opts.Journal.Lead(ctx)
	if err != nil {
		return err
	}
	if err := d.resume(writer); err != nil {
		_ = writer.Close()
		return err
	}
	d.writer = writer
	return nil
}

// resume brings the view to the end of the journal and lets the core decide upon it.
func (d *decider) resume(writer journal.Writer) error {
	for b, err := range d.opts.Journal.Read(d.lost, d.view.Head()) {
		if err != nil {
			return err
		}
		if err := d.publisher.Follow(&b); err != nil {
			return fmt.Errorf("bring the view along: %w", err)
		}
	}
	return d.core.Resume(&d.publisher, writer.Head())
}

// commit is the second stage: it makes batches durable, one at a time.
func (s *Sequencer) commit() {
	for w := range s.commits {
		if w.flushed != nil {
			s.publish <- w
			continue
		}
		var err error
		if w.head, err = s.append(w); err == nil {
			s.publish <- w
		} else {
			s.up.Store(false)
		}
		s.settled <- err
	}
}

func (s *Sequencer) append(w work) (journal.Head, error) {
	if !w.batch.Durable() {
		return journal.Head{}, nil
	}
	ctx, cancel := context.WithTimeout(s.lost, s.opts.CommitTimeout)
	defer cancel()
	began := s.opts.Clock()
	head, err := w.writer.Append(ctx, w.batch.Entry())
	if err == nil {
		s.commitTime.Add(int64(s.opts.Clock().Sub(began)))
		s.commitCount.Add(1)
	}
	return head, err
}

// publishAll is the third stage: it shows what is durable, then answers.
func (s *Sequencer) publishAll() {
	for w := range s.publish {
		if w.flushed != nil {
			close(w.flushed)
			continue
		}
		if w.batch.Durable() {
			s.commitAt.Store(s.opts.Clock().UnixNano())
		}
		s.publisher.Publish(w.batch, w.head)
		s.snapshotWhenDue()
	}
	s.snapshots.Wait()
	if head := s.view.Head(); head.Sequence > s.saved.Load() && s.lost.Err() == nil && !s.deposed.Load() {
		s.save(s.view.Snapshot())
	}
}

// snapshotWhenDue takes a snapshot between two batches and saves it beside them. Whoever waits was
// answered before; the next batch waits while the state is written into memory.
func (s *Sequencer) snapshotWhenDue() {
	if uint64(s.view.Sequence())-s.saved.Load() < s.opts.SnapshotEvery || !s.saving.CompareAndSwap(false, true) {
		return
	}
	snapshot := s.view.Snapshot()
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
