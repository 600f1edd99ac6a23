package sequencer_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

func follow(t *testing.T, j journal.Journal, published func(sequencer.Batch)) *sequencer.Follower {
	t.Helper()
	f, err := sequencer.Follow(t.Context(), sequencer.Options{Journal: j, Published: published, StepDown: true}, true)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func digest(v *sequencer.View) (sum [32]byte) {
	v.Read(func(s *venue.State) { sum = s.Digest() })
	return sum
}

func batches(t *testing.T, j journal.Journal) (all []journal.Batch) {
	t.Helper()
	for b, err := range j.Read(t.Context(), journal.Head{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// A follower that hears batches twice, late, with gaps and changed on the way holds what the leader
// holds, hears each command once, and takes nothing that does not fit the chain.
func TestFollowerHoldsWhatTheLeaderHolds(t *testing.T) {
	j := journal.NewMemory()
	var heard []venue.Sequence
	f := follow(t, j, func(b sequencer.Batch) {
		for i := range b.Events {
			if b.Events[i].First {
				heard = append(heard, b.Events[i].Sequence)
			}
		}
	})
	h := open(t, j, nil)
	h.furnish()
	for i := range 20 {
		h.must(buy(alice, fmt.Sprint(i), 100))
	}
	all := batches(t, j)
	if err := f.Take(&all[3]); !errors.Is(err, sequencer.ErrGap) {
		t.Fatalf("a batch out of turn: %v", err)
	}
	changed := all[0]
	changed.Payload = append([]byte{1}, changed.Payload...)
	changed = journal.Seal(changed.Entry, changed.Epoch, journal.Head{})
	if err := f.Take(&changed); err == nil {
		t.Fatal("a batch of other events was taken")
	}
	forged := all[0]
	forged.Prev[0] ^= 1
	if err := f.Take(&forged); err == nil {
		t.Fatal("a batch of another chain was taken")
	}
	for i := range 5 {
		for range 2 {
			if err := f.Take(&all[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.Take(&all[2]); err != nil {
		t.Fatal(err)
	}
	if digest(f.View()) != digest(h.View()) || f.View().Head() != h.View().Head() {
		t.Fatal("the follower holds something else")
	}
	for i, seq := range heard {
		if seq != venue.Sequence(i+1) {
			t.Fatalf("heard %v", heard)
		}
	}
}

// Two take turns: each goes on where the other ended, and whoever was deposed ends and follows.
func TestFollowersTakeTurns(t *testing.T) {
	j := journal.NewMemory()
	ctx := context.Background()
	calm := open(t, j, nil)
	calm.furnish()
	calm.close()
	followers := []*sequencer.Follower{follow(t, j, nil), follow(t, j, nil)}
	writer, err := j.Lead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for turn := range 6 {
		leader, other := followers[turn%2], followers[(turn+1)%2]
		s, err := leader.Lead(ctx, writer)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if _, err := s.Submit(ctx, buy(alice, fmt.Sprint(turn, "-", i), 100)); err != nil {
				t.Fatal(err)
			}
		}
		j.Depose()
		if writer, err = j.Lead(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Submit(ctx, buy(bob, fmt.Sprint("late", turn), 100)); fault.CodeOf(err) != fault.Unavailable {
			t.Fatalf("a deposed leader answered: %v", err)
		}
		<-s.Done()
		if _, err := s.Submit(ctx, buy(bob, fmt.Sprint("later", turn), 100)); fault.CodeOf(err) != fault.Unavailable {
			t.Fatalf("one that has stepped down answered: %v", err)
		}
		if err := leader.Resume(ctx, s); err != nil {
			t.Fatal(err)
		}
		if err := other.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if digest(leader.View()) != digest(other.View()) {
			t.Fatalf("turn %d: the two hold different states", turn)
		}
	}
	_ = writer.Close()
	if last := batches(t, j); last[len(last)-1].Last != 7+18 {
		t.Fatalf("the journal ends at %d", last[len(last)-1].Last)
	}
}

// Who stops waiting before the command is decided is told that nothing happened, and so it is; who
// stops waiting later is told that nobody knows.
func TestWhoStopsWaitingIsToldTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := journal.NewMemory()
		var hold atomic.Bool
		release := make(chan struct{})
		j.BeforeAppend = func(journal.Batch) error {
			if hold.Load() {
				<-release
			}
			return nil
		}
		h := open(t, j, func(o *sequencer.Options) { o.BatchCommands = 1 })
		h.furnish()
		hold.Store(true)
		answers := make([]chan error, 4)
		cancels := make([]context.CancelFunc, 4)
		for i := range answers {
			answers[i] = make(chan error, 1)
			ctx, cancel := context.WithCancel(context.Background())
			cancels[i] = cancel
			go func() {
				_, err := h.Submit(ctx, buy(alice, fmt.Sprint(i), 100))
				answers[i] <- err
			}()
			synctest.Wait()
		}
		// One commits, one is decided and waits, the others are not looked at yet.
		for i, want := range []fault.Code{fault.OutcomeUnknown, fault.OutcomeUnknown, fault.Unavailable, fault.Unavailable} {
			cancels[i]()
			if err := <-answers[i]; fault.CodeOf(err) != want {
				t.Errorf("command %d: %v, want %s", i, err, want)
			}
		}
		hold.Store(false)
		close(release)
		last := h.must(buy(alice, "last", 100))
		if last.Order != 3 {
			t.Errorf("the next order is number %d: a command that was given up had its effect", last.Order)
		}
	})
}

// What is offered until a moment is not decided after it.
func TestAnOfferEndsAtItsDeadline(t *testing.T) {
	j := journal.NewMemory()
	var now atomic.Int64
	now.Store(1000)
	h := open(t, j, func(o *sequencer.Options) { o.Clock = func() time.Time { return time.Unix(0, now.Load()) } })
	h.furnish()
	answers := make(chan error, 1)
	offer := func(key string, deadline venue.Time) error {
		t.Helper()
		if err := h.OfferUntil(deadline, buy(alice, key, 100), func(_ venue.Receipt, err error) { answers <- err }); err != nil {
			t.Fatal(err)
		}
		return <-answers
	}
	if err := offer("in-time", 1000); err != nil {
		t.Fatal(err)
	}
	now.Store(1001)
	if err := offer("late", 1000); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("a late command: %v", err)
	}
	if next := h.must(buy(alice, "next", 100)); next.Order != 2 {
		t.Fatalf("the next order is number %d", next.Order)
	}
}
