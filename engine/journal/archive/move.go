package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"bourse/engine/journal"
)

// DefaultFileBytes is how long a file gets, about, unless Move is told otherwise.
const DefaultFileBytes = 64 << 20

// Move archives the batches of a journal that end at or before a sequence, file by file: each is
// written, synced, read back and entered into the manifest, and only then forgotten by the journal.
// What an earlier run left half done is finished first. It returns the files that were moved, also
// beside an error. Nothing is lost by an error: Move again.
func Move(ctx context.Context, j journal.Archivable, d *Dir, through uint64, fileBytes int64) ([]File, error) {
	unlock, err := lock(d.path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	again, err := Open(d.path) // it may have changed before we had the lock
	if err != nil {
		return nil, err
	}
	d.files, d.strange = again.files, again.strange
	if err := d.sweep(); err != nil {
		return nil, err
	}
	origin, err := j.Origin(ctx)
	if err != nil {
		return nil, err
	}
	moved, origin, err := d.finish(ctx, j, origin)
	for err == nil && origin.Sequence < through {
		var f File
		if f, err = d.add(ctx, j.Read(ctx, origin), origin, through, fileBytes); err != nil || f.Records == 0 {
			break
		}
		if err = d.forget(ctx, j, origin, f); err == nil {
			moved, origin = append(moved, f), f.After.Head()
		}
	}
	return moved, err
}

// sweep removes what a run that was killed had not finished writing.
func (d *Dir) sweep() error {
	unfinished, err := filepath.Glob(filepath.Join(d.path, writing+"*"))
	for _, path := range unfinished {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// writing begins the names of files that are not finished.
const writing = ".writing-"

// finish has the journal forget what is archived already and makes sure that the files and the
// journal meet.
func (d *Dir) finish(ctx context.Context, j journal.Archivable, origin journal.Head) (moved []File, _ journal.Head, err error) {
	end, any := d.End()
	if !any {
		return nil, origin, nil
	}
	if end.Sequence < origin.Sequence {
		return nil, origin, fmt.Errorf("archive: %s ends at %d, the journal begins after %d: what lies between was archived elsewhere; archive into that directory, or into a new one", d.path, end.Sequence, origin.Sequence)
	}
	if end.Sequence == origin.Sequence && end != origin || d.files[0].Before.Sequence > origin.Sequence {
		return nil, origin, fmt.Errorf("archive: %s holds another journal", d.path)
	}
	for _, f := range d.files {
		if f.Last <= origin.Sequence {
			continue
		}
		if f.Before.Head() != origin {
			return moved, origin, fmt.Errorf("archive: %s does not begin where the journal does, after %d: it holds another journal", f.Name, origin.Sequence)
		}
		if err := d.verify(f); err != nil {
			return moved, origin, err
		}
		if err := d.save(d.files); err != nil { // it may have been taken up without one
			return moved, origin, err
		}
		if err := d.forget(ctx, j, origin, f); err != nil {
			return moved, origin, err
		}
		moved, origin = append(moved, f), f.After.Head()
	}
	return moved, origin, nil
}

func (d *Dir) forget(ctx context.Context, j journal.Archivable, origin journal.Head, f File) error {
	if err := d.step("forget"); err != nil {
		return err
	}
	if err := j.Forget(ctx, origin, f.After.Head()); err != nil {
		return fmt.Errorf("archive: %d to %d are kept in %s, but the journal does not let go of them: %w", f.First, f.Last, f.Name, err)
	}
	return nil
}

// add writes a file with what follows a head, makes sure of it and enters it into the manifest. No
// file, with no records, when nothing that ends in time follows.
func (d *Dir) add(ctx context.Context, batches iter.Seq2[journal.Batch, error], origin journal.Head, through uint64, fileBytes int64) (File, error) {
	f, err := d.write(ctx, batches, origin, through, fileBytes)
	if err != nil || f.Records == 0 {
		return f, err
	}
	if err := d.step("read back"); err != nil {
		return f, err
	}
	if err := d.verify(f); err != nil {
		return f, fmt.Errorf("archive: read back: %w", err)
	}
	files := append(d.Files(), f)
	if err := d.save(files); err != nil {
		return f, err
	}
	d.files = files
	return f, nil
}

func (d *Dir) write(ctx context.Context, batches iter.Seq2[journal.Batch, error], origin journal.Head, through uint64, fileBytes int64) (f File, err error) {
	err = d.replace("file", func(out io.Writer) (string, error) {
		sum := sha256.New()
		n := &count{}
		buffered := bufio.NewWriterSize(io.MultiWriter(out, sum, n), 1<<20)
		at, records := origin, int64(0)
		if _, err := buffered.Write(opener(origin)); err != nil {
			return "", err
		}
		var record []byte
		for b, err := range batches {
			if err != nil {
				return "", err
			}
			if b.Last > through || ctx.Err() != nil {
				break
			}
			record = b.AppendRecord(record[:0])
			if _, err := buffered.Write(record); err != nil {
				return "", err
			}
			at, records = b.Head(), records+1
			if n.bytes+int64(buffered.Buffered()) >= fileBytes {
				break
			}
		}
		if records == 0 || ctx.Err() != nil {
			return "", ctx.Err()
		}
		if _, err := buffered.Write(closer(at, records)); err != nil {
			return "", err
		}
		if err := buffered.Flush(); err != nil {
			return "", err
		}
		f = describe(origin, at, records)
		f.Bytes, f.SHA256 = n.bytes, hex.EncodeToString(sum.Sum(nil))
		return f.Name, nil
	})
	if err != nil {
		return File{}, fmt.Errorf("archive: write a file: %w", err)
	}
	return f, nil
}

type count struct{ bytes int64 }

func (c *count) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

func (d *Dir) save(files []File) error {
	err := d.replace("manifest", func(out io.Writer) (string, error) {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return manifestName, encoder.Encode(manifest{Version: version, Files: files})
	})
	if err != nil {
		return fmt.Errorf("archive: write the manifest: %w", err)
	}
	return nil
}

// replace writes a file under another name, makes it durable and gives it the name that fill returns.
// No name: the file is not wanted.
func (d *Dir) replace(what string, fill func(io.Writer) (name string, err error)) (err error) {
	if err := d.step("create the " + what); err != nil {
		return err
	}
	file, err := os.CreateTemp(d.path, writing+"*")
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name()) // renamed by then, when all went well
	}()
	name, err := fill(stepping{d, "write the " + what, file})
	if err != nil || name == "" {
		return err
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"sync the " + what, file.Sync},
		{"close the " + what, file.Close},
		{"rename the " + what, func() error { return os.Rename(file.Name(), filepath.Join(d.path, name)) }},
		{"sync the directory of the " + what, func() error { return syncDirectory(d.path) }},
	} {
		if err := d.step(step.name); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
	}
	return nil
}

// stepping is a writer that a test can make fail.
type stepping struct {
	d    *Dir
	step string
	io.Writer
}

func (s stepping) Write(p []byte) (int, error) {
	if err := s.d.step(s.step); err != nil {
		n, _ := s.Writer.Write(p[:len(p)/2])
		return n, err
	}
	return s.Writer.Write(p)
}

func (d *Dir) step(name string) error {
	if d.fail == nil {
		return nil
	}
	return d.fail(name)
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
