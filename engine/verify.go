package engine

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

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
	v := Verification{Violations: []string{}}
	head, err := x.opts.journal.Head(ctx)
	if err != nil {
		return v, fmt.Errorf("engine: verify: %w", err)
	}
	whole, err := sequencer.Restore(ctx, withoutSnapshots{x.opts.journal}, head.Sequence)
	if err != nil {
		return v, fmt.Errorf("engine: verify: replay the log: %w", err)
	}
	digest := whole.State.Digest()
	v.Sequence, v.Digest = Sequence(head.Sequence), hex.EncodeToString(digest[:])
	if whole.Head != head {
		v.find("the log ends at %d, its head says %d", whole.Head.Sequence, head.Sequence)
	}
	if err := whole.State.Check(); err != nil {
		v.find("%v", err)
	}
	shorter, err := sequencer.Restore(ctx, x.opts.journal, head.Sequence)
	if err != nil {
		v.find("the log cannot be read from the newest snapshot: %v", err)
	} else if other := shorter.State.Digest(); other != digest {
		v.find("from the snapshot at %d the log gives the digest %x, from its beginning %x", shorter.Snapshot, other, digest)
	}
	proof, err := x.Prove(ctx)
	if err != nil {
		return v, fmt.Errorf("engine: verify: %w", err)
	}
	v.Violations = append(v.Violations, proof.Faults...)
	return v, nil
}

// withoutSnapshots is a journal that must be read from its beginning.
type withoutSnapshots struct{ journal.Journal }

// LoadSnapshot finds none.
func (withoutSnapshots) LoadSnapshot(context.Context, uint64) (journal.Snapshot, bool, error) {
	return journal.Snapshot{}, false, nil
}
