package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	"bourse/engine/journal"
)

// Finding is what a look at one file came to; Err is nil when it is sound.
type Finding struct {
	File
	Err error
}

// Verify reads every file whole: its records, its chain, its end, and its SHA-256 as the manifest has
// it; and that each begins where the one before ends.
func (d *Dir) Verify(ctx context.Context) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		for i, f := range d.files {
			if err := ctx.Err(); err != nil {
				yield(Finding{}, err)
				return
			}
			err := d.verify(f)
			if err == nil && i > 0 && f.Before != d.files[i-1].After {
				err = &journal.BrokenError{Sequence: f.First, Reason: fmt.Sprintf(
					"archive file %s: it does not follow %s, which ends at %d", f.Name, d.files[i-1].Name, d.files[i-1].Last)}
			}
			if !yield(Finding{File: f, Err: err}, nil) {
				return
			}
		}
		for _, f := range d.strange {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (d *Dir) verify(f File) error {
	is, err := inspect(filepath.Join(d.path, f.Name))
	if err == nil && is != f {
		err = &journal.BrokenError{Sequence: f.First, Reason: fmt.Sprintf("archive file %s: it is whole, but not the one that the manifest describes", f.Name)}
	}
	return err
}

// Read yields the batches after a head, verified, up to the end of the last file. An
// *journal.ArchivedError when they begin before the first file.
func (d *Dir) Read(ctx context.Context, after journal.Head) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		for l, err := range d.links(ctx, after) {
			if !yield(l.Batch, err) || err != nil {
				return
			}
		}
	}
}

// link is a batch and where it ends, so that its hash is worked out once.
type link struct {
	journal.Batch
	head journal.Head
}

func (d *Dir) links(ctx context.Context, after journal.Head) iter.Seq2[link, error] {
	return func(yield func(link, error) bool) {
		at := after
		for i, f := range d.files {
			if f.Last <= after.Sequence {
				continue
			}
			if f.Before.Sequence > at.Sequence {
				var err error = &journal.ArchivedError{From: at.Sequence + 1, To: f.Before.Sequence}
				if i > 0 {
					err = &journal.BrokenError{Sequence: at.Sequence + 1, Reason: "no archive file holds it; the next one is " + f.Name}
				}
				yield(link{}, err)
				return
			}
			if !d.file(ctx, f, &at, yield) {
				return
			}
		}
	}
}

// file yields what a file holds after a head and moves the head to its end.
func (d *Dir) file(ctx context.Context, f File, at *journal.Head, yield func(link, error) bool) bool {
	fail := func(err error) bool {
		yield(link{}, err)
		return false
	}
	r, err := openFile(filepath.Join(d.path, f.Name), f.First, nil)
	if err != nil {
		return fail(err)
	}
	defer r.close()
	// The place that is gone on from must be the one in the file, hash and all.
	follows := func() bool {
		if r.at.Sequence == at.Sequence && r.at.Hash != at.Hash {
			return fail(r.broken(at.Sequence+1, "it follows %s, not %s", r.at.Hash, at.Hash))
		}
		return true
	}
	for follows() {
		b, more, err := r.next()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fail(err)
		}
		if !more {
			if r.at != f.After.Head() {
				return fail(r.broken(f.First, "it is not the one that the manifest describes"))
			}
			return true
		}
		if r.at.Sequence <= at.Sequence {
			continue
		}
		if b.First != at.Sequence+1 {
			return fail(r.broken(at.Sequence+1, "it begins within the batch from %d to %d", b.First, b.Last))
		}
		*at = r.at
		if !yield(link{b, r.at}, nil) {
			return false
		}
	}
	return false
}

// Join is a journal that reads what it has forgotten from a directory.
func Join(j journal.Archivable, d *Dir) journal.Archivable { return joined{j, d} }

type joined struct {
	journal.Archivable
	dir *Dir
}

// Read implements journal.Journal: the files first, then what the journal has.
func (j joined) Read(ctx context.Context, after journal.Head) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		origin, err := j.Origin(ctx)
		if err != nil {
			yield(journal.Batch{}, err)
			return
		}
		at := after
		if at.Sequence < origin.Sequence {
			for l, err := range j.dir.links(ctx, at) {
				if !yield(l.Batch, err) || err != nil {
					return
				}
				if at = l.head; at.Sequence >= origin.Sequence {
					break
				}
			}
		}
		if at.Sequence < origin.Sequence {
			yield(journal.Batch{}, &journal.ArchivedError{From: at.Sequence + 1, To: origin.Sequence})
			return
		}
		for b, err := range j.Archivable.Read(ctx, at) {
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// Missing reports which sequences up to the journal's origin stand in no file, nil when none.
func (d *Dir) Missing(origin journal.Head) error {
	end, any := d.End()
	switch {
	case origin.Sequence == 0:
		return nil
	case !any:
		return &journal.ArchivedError{From: 1, To: origin.Sequence}
	case d.files[0].First > 1:
		return &journal.ArchivedError{From: 1, To: d.files[0].Before.Sequence}
	case end.Sequence < origin.Sequence:
		return &journal.ArchivedError{From: end.Sequence + 1, To: origin.Sequence}
	case !slices.ContainsFunc(d.files, func(f File) bool { return f.After.Head() == origin }):
		return errors.New("archive: no file ends where the journal begins: it is that of another journal")
	}
	return nil
}
