package engine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
)

// Verification is what a whole log says of itself.
type Verification struct {
	// From is the sequence of the snapshot that the replay began with; 0 when with the first command.
	From Sequence `json:"from"`
	// Sequence is that of the last command that was replayed.
	Sequence Sequence `json:"sequence"`
	// Digest is that of the venue after it, in hexadecimal; the same log gives the same digest on any machine.
	Digest string `json:"digest"`
	// Violations are what does not hold, in words for an operator; none in a sound house.
	Violations []string `json:"violations"`
}

func (v *Verification) find(format string, args ...any) {
	v.Violations = append(v.Violations, fmt.Sprintf(format, args...))
}

// VerifyJournal replays the log of a house, running or not, and holds everything else against it: the
// invariants of the venue, the shorter way by the newest snapshot, and the projected balances with
// their postings. The replay begins with the first command, or, when that was archived and no archive
// is named, with the oldest snapshot. It takes no lead and changes nothing, and only DB and
// ArchiveDir from the options. A log that is broken is a violation, and what stands before the break
// is told; the error is for what kept it from looking.
func VerifyJournal(ctx context.Context, opts Options) (Verification, error) {
	x, err := offline(opts)
	if err != nil {
		return Verification{Violations: []string{}}, err
	}
	// Without its end the log is still worth reading up to there.
	head, err := x.opts.journal.Head(ctx)
	var broken *journal.BrokenError
	to, lost := head.Sequence, error(nil)
	if errors.As(err, &broken) {
		to, lost = math.MaxUint64, err
	} else if err != nil {
		return Verification{Violations: []string{}}, fmt.Errorf("engine: verify: %w", err)
	}
	v, whole, err := x.replay(ctx, to)
	if lost != nil {
		v.find("%v", lost)
	}
	if errors.As(err, &broken) {
		v.find("%v; nothing from there on can be trusted, what stands before it is sound", broken)
		err = nil
	}
	if err != nil || len(v.Violations) > 0 {
		return v, err
	}
	if whole.Head != head {
		v.find("the log ends at %d, its head says %d", whole.Head.Sequence, head.Sequence)
	}
	shorter, err := sequencer.Restore(ctx, x.opts.journal, head.Sequence)
	for _, broken := range shorter.Refused {
		v.find("%v; a start uses the one at %d instead", broken, shorter.Snapshot)
	}
	if err != nil {
		v.find("the log cannot be read from the newest snapshot: %v", err)
	} else if digest := shorter.State.Digest(); digest != whole.State.Digest() {
		v.find("from the snapshot at %d the log gives the digest %x", shorter.Snapshot, digest)
	}
	proof, err := x.Prove(ctx)
	if err != nil {
		return v, fmt.Errorf("engine: verify: %w", err)
	}
	v.Violations = append(v.Violations, proof.Faults...)
	return v, nil
}

// ReplayJournal replays the log of a house, running or not, up to and including the command at a
// sequence, and checks the invariants of the venue after it. It begins as VerifyJournal does.
// Refusals, INVALID_ARGUMENT: the log ends before that sequence; what is kept begins after it and no
// archive is named that holds it.
func ReplayJournal(ctx context.Context, opts Options, to Sequence) (Verification, error) {
	x, err := offline(opts)
	if err != nil {
		return Verification{Violations: []string{}}, err
	}
	v, replayed, err := x.replay(ctx, uint64(to))
	if err == nil && v.Sequence != to {
		err = fault.Newf(fault.InvalidArgument, "the log ends at %d", replayed.Head.Sequence)
	}
	return v, err
}

// ReplayJournalAt is ReplayJournal up to the last command that was decided at or before a time.
func ReplayJournalAt(ctx context.Context, opts Options, at time.Time) (Verification, error) {
	x, err := offline(opts)
	if err != nil {
		return Verification{Violations: []string{}}, err
	}
	to, err := x.sequenceAt(ctx, at)
	if err != nil {
		return Verification{Violations: []string{}}, tooOld(err)
	}
	v, _, err := x.replay(ctx, to)
	return v, err
}

// replay reads the log from its beginning, whatever snapshots there are; from the oldest snapshot when
// the beginning is not at hand. Beside a broken batch it tells of what stands before it.
func (x *Exchange) replay(ctx context.Context, to uint64) (Verification, sequencer.Restored, error) {
	v := Verification{Violations: []string{}}
	replayed, err := sequencer.Restore(ctx, snapshotsUpTo{x.opts.journal, 0}, to)
	var archived *journal.ArchivedError
	if errors.As(err, &archived) && x.opts.ArchiveDir == "" {
		extent, failed := x.db.Journal().Extent(ctx)
		if failed != nil {
			return v, replayed, fmt.Errorf("engine: replay the log: %w", failed)
		}
		for _, oldest := range extent.Snapshots {
			if oldest > to || !errors.As(err, &archived) {
				break // one that is broken leaves the next one
			}
			replayed, err = sequencer.Restore(ctx, snapshotsUpTo{x.opts.journal, oldest}, to)
		}
	}
	if replayed.State != nil && (err == nil || replayed.Head.Sequence > 0) {
		digest := replayed.State.Digest()
		v.From, v.Sequence, v.Digest = Sequence(replayed.Snapshot), replayed.State.Sequence(), hex.EncodeToString(digest[:])
		if err := replayed.State.Check(); err != nil {
			v.find("%v", err)
		}
	}
	if err != nil {
		return v, replayed, fmt.Errorf("engine: replay the log: %w", tooOld(err))
	}
	return v, replayed, nil
}

// tooOld turns what is no longer kept into a refusal that says what to do about it.
func tooOld(err error) error {
	var archived *journal.ArchivedError
	if !errors.As(err, &archived) {
		return err
	}
	return fault.Newf(fault.InvalidArgument, "commands %d to %d were archived; name the directory that holds them", archived.From, archived.To)
}

// RebuildProjections empties the projections of a house and fills them again from its log. The house
// may be running: its reads of history see less meanwhile. It takes only DB, ArchiveDir and Logger
// from the options. Refusal: INVALID_ARGUMENT, the beginning of the log was archived and no archive
// is named that holds it; then nothing was emptied.
func RebuildProjections(ctx context.Context, opts Options) (Sequence, error) {
	x, err := offline(opts)
	if err != nil {
		return 0, err
	}
	head, err := x.opts.journal.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", err)
	}
	projector, err := x.db.StartProjectorFrom(ctx, x.opts.journal, x.log)
	if err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", err)
	}
	defer projector.Stop()
	if err := projector.Rebuild(ctx); err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", tooOld(err))
	}
	for {
		wait, cancel := context.WithTimeout(ctx, time.Second)
		err := projector.Await(wait, head.Sequence)
		cancel()
		if err == nil || ctx.Err() != nil {
			return Sequence(head.Sequence), err
		}
		// What is broken does not mend by waiting.
		var broken *journal.BrokenError
		if failure := projector.Failure(); errors.As(failure, &broken) {
			return Sequence(projector.Sequence()), fmt.Errorf("engine: rebuild: %w", failure)
		}
	}
}

// snapshotsUpTo is a journal whose newer snapshots are not looked at; with 0 there are none.
type snapshotsUpTo struct {
	journal.Journal
	sequence uint64
}

// LoadSnapshot implements journal.Journal.
func (j snapshotsUpTo) LoadSnapshot(ctx context.Context, atMost uint64) (journal.Snapshot, bool, error) {
	if j.sequence == 0 {
		return journal.Snapshot{}, false, nil
	}
	return j.Journal.LoadSnapshot(ctx, min(atMost, j.sequence))
}
