package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/journal/archive"
	"bourse/engine/venue"
)

// logOf is the log of a house, with the archive in a directory before it when one is named.
func logOf(store *postgres.Store, dir string) (journal.Journal, error) {
	if dir == "" {
		return store.Journal(), nil
	}
	d, err := archive.Open(dir)
	if err != nil {
		return nil, err
	}
	return archive.Join(store.Journal(), d), nil
}

// Retention says what may leave the table of the log for files.
type Retention struct {
	// Dir is where the files go. It is made when it does not exist.
	Dir string
	// Before is the first sequence to stay; 0 bounds nothing.
	Before Sequence
	// Keep lets only commands go that are older; 0 bounds nothing.
	Keep time.Duration
	// FileBytes is about how long one file gets; archive.DefaultFileBytes by default.
	FileBytes int64
}

// Archived is what archiving came to.
type Archived struct {
	// Files are those that were written, or finished after an earlier run was cut off.
	Files []archive.File `json:"files"`
	// Origin is the sequence after which the table begins now, Head where it ends.
	Origin Sequence `json:"origin"`
	Head   Sequence `json:"head"`
	// Bound says in words what kept more from being archived than was asked for; empty when nothing did.
	Bound string `json:"bound,omitempty"`
}

// ArchiveJournal moves the oldest part of a house's log, running or not, into files: never what a
// snapshot that is kept, or history, still needs. It takes only DB and Clock from the options.
// What was moved stands in the result, also beside an error.
func ArchiveJournal(ctx context.Context, opts Options, r Retention) (Archived, error) {
	x, err := offline(opts)
	if err != nil {
		return Archived{}, err
	}
	log := x.db.Journal()
	through, bound, err := x.mayArchive(ctx, log, r)
	if err != nil {
		return Archived{}, fmt.Errorf("engine: archive: %w", err)
	}
	d, err := archive.Create(r.Dir)
	if err != nil {
		return Archived{}, fmt.Errorf("engine: %w", err)
	}
	if r.FileBytes <= 0 {
		r.FileBytes = archive.DefaultFileBytes
	}
	result := Archived{Bound: bound}
	result.Files, err = archive.Move(ctx, log, d, through, r.FileBytes)
	origin, failed := log.Origin(ctx)
	head, failedToo := log.Head(ctx)
	result.Origin, result.Head = Sequence(origin.Sequence), Sequence(head.Sequence)
	if err = errors.Join(err, failed, failedToo); err != nil {
		return result, fmt.Errorf("engine: archive: %w", err)
	}
	return result, nil
}

// mayArchive is up to where the log may be archived, and what bounds it beside the wish.
func (x *Exchange) mayArchive(ctx context.Context, log *postgres.Journal, r Retention) (through uint64, bound string, err error) {
	e, err := log.Extent(ctx)
	if err != nil {
		return 0, "", err
	}
	if e.LastFirst == 0 {
		return 0, "the log is empty", nil
	}
	through = e.Head.Sequence
	if r.Before > 0 {
		through = min(through, uint64(r.Before)-1)
	}
	if r.Keep > 0 {
		old, err := log.LastBefore(ctx, x.now().Add(-r.Keep).UnixNano())
		if err != nil {
			return 0, "", err
		}
		through = min(through, old)
	}
	restrict := func(to uint64, why string) {
		if to < through {
			through, bound = to, why
		}
	}
	restrict(e.LastFirst-1, "the newest batch always stays")
	restrict(e.Projected, fmt.Sprintf("history has come to %d only", e.Projected))
	if len(e.Snapshots) == 0 {
		return 0, "there is no snapshot yet: one is taken when the house stops, and after many commands", nil
	}
	restrict(e.Snapshots[0], fmt.Sprintf("the oldest snapshot that is kept, at %d, needs what comes after it", e.Snapshots[0]))
	// Snapshots that cannot be read would leave a start with nothing but the files.
	if through > e.Origin.Sequence {
		r, err := sequencer.Restore(ctx, log, e.Snapshots[len(e.Snapshots)-1])
		if err != nil || r.Snapshot < through {
			return 0, "", fmt.Errorf("no snapshot can be trusted: %w", errors.Join(append(refusals(r.Refused), err)...))
		}
	}
	return through, bound, nil
}

func refusals(broken []*journal.BrokenError) (all []error) {
	for _, err := range broken {
		all = append(all, err)
	}
	return all
}

// JournalReport is what a log consists of.
type JournalReport struct {
	// Origin is the sequence after which the table begins, Head where it ends.
	Origin Sequence `json:"origin"`
	Head   Sequence `json:"head"`
	// Batches and Bytes are those of the table.
	Batches int64 `json:"batches"`
	Bytes   int64 `json:"bytes"`
	// Projected is how far history has come, Snapshots where the venue was written down whole.
	Projected Sequence `json:"projected"`
	Snapshots []uint64 `json:"snapshots"`
	// Files are those of the archive, when one was named.
	Files []archive.File `json:"files,omitempty"`
	// Faults are what is wrong, in words for an operator: nil before anybody looked.
	Faults []string `json:"faults"`
}

func (r *JournalReport) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// ListJournal says what the log of a house consists of. It takes only DB and ArchiveDir from the
// options and reads no batch.
func ListJournal(ctx context.Context, opts Options) (JournalReport, error) {
	dir := opts.ArchiveDir
	opts.ArchiveDir = ""
	x, err := offline(opts)
	if err != nil {
		return JournalReport{}, err
	}
	e, err := x.db.Journal().Extent(ctx)
	if err != nil {
		return JournalReport{}, fmt.Errorf("engine: list the log: %w", err)
	}
	r := JournalReport{
		Origin: Sequence(e.Origin.Sequence), Head: Sequence(e.Head.Sequence), Batches: e.Batches, Bytes: e.Bytes,
		Projected: Sequence(e.Projected), Snapshots: e.Snapshots, Faults: []string{},
	}
	if dir == "" {
		return r, nil
	}
	d, err := archive.Open(dir)
	if err != nil {
		return r, fmt.Errorf("engine: list the log: %w", err)
	}
	r.Files = d.Files()
	if err := d.Missing(e.Origin); err != nil {
		r.fault("%v", err)
	}
	return r, nil
}

// VerifyChain reads every batch of the log, and every file of the archive when one is named: each
// record's checksum, that each follows the one before by its hash, the SHA-256 of each file. It does
// not replay; VerifyJournal does. It takes only DB and ArchiveDir from the options. What is wrong
// stands in the report.
func VerifyChain(ctx context.Context, opts Options) (JournalReport, error) {
	r, err := ListJournal(ctx, opts)
	if err != nil {
		return r, err
	}
	store := postgres.NewStore(opts.DB)
	var after journal.Head
	if opts.ArchiveDir == "" {
		if after, err = store.Journal().Origin(ctx); err != nil {
			return r, fmt.Errorf("engine: verify the log: %w", err)
		}
	} else {
		d, err := archive.Open(opts.ArchiveDir)
		if err != nil {
			return r, fmt.Errorf("engine: verify the log: %w", err)
		}
		for f, err := range d.Verify(ctx) {
			if err != nil {
				return r, err
			}
			if f.Err != nil {
				r.fault("%s: %v", f.Name, f.Err)
			}
		}
	}
	log, err := logOf(store, opts.ArchiveDir)
	if err != nil {
		return r, fmt.Errorf("engine: verify the log: %w", err)
	}
	end := after
	for b, err := range log.Read(ctx, after) {
		var broken *journal.BrokenError
		var archived *journal.ArchivedError
		if errors.As(err, &broken) || errors.As(err, &archived) {
			r.fault("%v; what stands before it is sound, up to %d", err, end.Sequence)
			return r, nil
		}
		if err != nil {
			return r, fmt.Errorf("engine: verify the log: %w", err)
		}
		end = b.Head()
	}
	return r, nil
}

// sequenceAt is the last command that was decided at or before a time. INVALID_ARGUMENT when that was
// before the first.
func (x *Exchange) sequenceAt(ctx context.Context, at time.Time) (uint64, error) {
	after, err := x.db.Journal().Origin(ctx)
	if err != nil {
		return 0, err
	}
	when := at.UnixNano()
	if after.Time > when {
		after = journal.Head{}
	}
	last := after.Sequence
	for b, err := range x.opts.journal.Read(ctx, after) {
		if err != nil {
			return 0, err
		}
		if b.Time <= when {
			last = b.Last
			continue
		}
		// The time is that of the last command; an earlier one may lie before.
		decoder := venue.NewDecoder(b.Payload)
		var event venue.Event
		for more, err := decoder.Next(&event); more && err == nil && int64(event.Time) <= when; more, err = decoder.Next(&event) {
			last = uint64(event.Sequence)
		}
		break
	}
	if last == 0 {
		return 0, fault.Newf(fault.InvalidArgument, "nothing had happened at %s", at.UTC().Format(time.RFC3339Nano))
	}
	return last, nil
}
