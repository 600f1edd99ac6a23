package engine

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
)

// Verification is what a whole log says of itself.
type Verification struct {
	// Sequence is that of the last command in the log.
	Sequence Sequence `json:"sequence"`
	// Digest is that of the venue after it, in hexadecimal; the same log gives the same digest on any machine.
	Digest string `json:"digest"`
	// Violations are what does not hold, in words for an operator; none in a sound house.
	Violations []string `json:"violations"`
}

func (v *Verification) find(format string, args ...any) {
	v.Violations = append(v.Violations, fmt.Sprintf(format, args...))
}

// VerifyJournal replays the log of a house, running or not, from its first command and holds
// everything else against it: the invariants of the venue, the shorter way by the newest snapshot,
// and the projected balances with their postings. It takes no lead and changes nothing. The error is
// for what kept it from looking; a log that cannot be read whole is such.
func VerifyJournal(ctx context.Context, db *pgxpool.Pool) (Verification, error) {
	x, err := offline(Options{DB: db})
	if err != nil {
		return Verification{}, err
	}
	head, err := x.opts.journal.Head(ctx)
	if err != nil {
		return Verification{}, fmt.Errorf("engine: verify: %w", err)
	}
	v, whole, err := x.replay(ctx, head.Sequence)
	if err != nil {
		return v, err
	}
	if whole.Head != head {
		v.find("the log ends at %d, its head says %d", whole.Head.Sequence, head.Sequence)
	}
	shorter, err := sequencer.Restore(ctx, x.opts.journal, head.Sequence)
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

// ReplayJournal replays the log of a house, running or not, from its first command to the one at a
// sequence, and checks the invariants of the venue after it. INVALID_ARGUMENT when the log ends
// before that sequence.
func ReplayJournal(ctx context.Context, db *pgxpool.Pool, to Sequence) (Verification, error) {
	x, err := offline(Options{DB: db})
	if err != nil {
		return Verification{}, err
	}
	v, replayed, err := x.replay(ctx, uint64(to))
	if err == nil && v.Sequence != to {
		err = fault.Newf(fault.InvalidArgument, "the log ends at %d", replayed.Head.Sequence)
	}
	return v, err
}

// replay reads the log from its beginning, whatever snapshots there are.
func (x *Exchange) replay(ctx context.Context, to uint64) (Verification, sequencer.Restored, error) {
	v := Verification{Violations: []string{}}
	replayed, err := sequencer.Restore(ctx, withoutSnapshots{x.opts.journal}, to)
	if err != nil {
		return v, replayed, fmt.Errorf("engine: replay the log: %w", err)
	}
	digest := replayed.State.Digest()
	v.Sequence, v.Digest = replayed.State.Sequence(), hex.EncodeToString(digest[:])
	if err := replayed.State.Check(); err != nil {
		v.find("%v", err)
	}
	return v, replayed, nil
}

// RebuildProjections empties the projections of a house and fills them again from its log. The house
// may be running: its reads of history see less meanwhile.
func RebuildProjections(ctx context.Context, db *pgxpool.Pool, log *slog.Logger) (Sequence, error) {
	x, err := offline(Options{DB: db, Logger: log})
	if err != nil {
		return 0, err
	}
	head, err := x.opts.journal.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", err)
	}
	projector, err := x.db.StartProjector(ctx, x.log)
	if err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", err)
	}
	defer projector.Stop()
	if err := projector.Rebuild(ctx); err != nil {
		return 0, fmt.Errorf("engine: rebuild: %w", err)
	}
	return Sequence(head.Sequence), projector.Await(ctx, head.Sequence)
}

// withoutSnapshots is a journal that must be read from its beginning.
type withoutSnapshots struct{ journal.Journal }

// LoadSnapshot finds none.
func (withoutSnapshots) LoadSnapshot(context.Context, uint64) (journal.Snapshot, bool, error) {
	return journal.Snapshot{}, false, nil
}
