// Package archive keeps the oldest batches of a journal in files of a directory, and reads them
// before the ones that the journal still has.
//
//	MANIFEST.json                                        what each file holds, and its SHA-256
//	00000000000000000001-00000000000000480213.journal    batches 1 to 480213
//	00000000000000480214-...                             begins with the hash that the one before ends with
//
// A file says by itself what it is:
//
//	name and version   "BOURSE JOURNAL 1\n"
//	head before        sequence, hash, time, epoch
//	crc                4 bytes, CRC-32C of the above
//	records            see journal.Batch.AppendRecord: each with its CRC and the hash of the one before
//	0                  1 byte: no record begins with it
//	head after, count  sequence, hash, time, epoch; how many records
//	crc                4 bytes, CRC-32C from the 0 on
//
// A file is written under another name, synced, renamed, its directory synced, read back whole and
// entered into the manifest before the journal forgets what it holds; whatever happens in between,
// every batch is in the journal or in a file, or in both. A run that was cut off is taken up by the
// next one. The manifest can be lost: files that it does not name are looked at, and taken when they
// are sound and follow.
//
// Nothing is ever repaired: a file that was cut or changed is refused by the sequence where it stops
// being sound. What stands before that place can still be read.
//
// The package deliberately does not know what is in a batch, nor when one may be archived.
package archive

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"bourse/engine/journal"
)

const (
	fileName     = "BOURSE JOURNAL 1\n"
	manifestName = "MANIFEST.json"
	suffix       = ".journal"
	version      = 1
)

// File is what the manifest says of a file.
type File struct {
	Name string `json:"name"`
	// First and Last are the sequences of the first and the last command in it.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Records is how many batches it holds, Bytes how long it is.
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	// Before and After are the places in the journal between which it stands.
	Before Place `json:"before"`
	After  Place `json:"after"`
}

// Place is a journal.Head as the manifest writes it.
type Place struct {
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"`
	Time     int64  `json:"time"`
	Epoch    uint64 `json:"epoch"`
}

func placeOf(h journal.Head) Place {
	return Place{Sequence: h.Sequence, Hash: hex.EncodeToString(h.Hash[:]), Time: h.Time, Epoch: h.Epoch}
}

// Head is the place as the journal knows it. A hash that is none gives one that nothing has.
func (p Place) Head() journal.Head {
	h := journal.Head{Sequence: p.Sequence, Time: p.Time, Epoch: p.Epoch}
	raw, err := hex.DecodeString(p.Hash)
	if err != nil || copy(h.Hash[:], raw) != len(h.Hash) || len(raw) != len(h.Hash) {
		h.Hash = journal.Hash{0xff}
	}
	return h
}

type manifest struct {
	Version int    `json:"version"`
	Files   []File `json:"files"`
}

// Dir is a directory of archived batches. It is safe for concurrent reading.
type Dir struct {
	path  string
	files []File
	// strange are files of ours by name that neither the manifest names nor the chain takes.
	strange []Finding
	// fail, in tests, makes a step of writing fail before it is done.
	fail func(step string) error
}

// Open reads the manifest of a directory that exists.
func Open(path string) (*Dir, error) {
	d := &Dir{path: path}
	raw, err := os.ReadFile(filepath.Join(path, manifestName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("archive: there is no directory %s", path)
		}
	case err != nil:
		return nil, fmt.Errorf("archive: read the manifest: %w", err)
	default:
		var m manifest
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("archive: %s cannot be read (%w); without it the files are looked at one by one: move it away to have that done", filepath.Join(path, manifestName), err)
		}
		if m.Version != version {
			return nil, fmt.Errorf("archive: %s has version %d, this program knows %d", filepath.Join(path, manifestName), m.Version, version)
		}
		d.files = m.Files
	}
	return d, d.adopt()
}

// Create opens a directory and makes it when there is none.
func Create(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return Open(path)
}

// adopt takes up files that the manifest does not name: a run was cut off between the two, or the
// manifest is gone.
func (d *Dir) adopt() error {
	names, err := filepath.Glob(filepath.Join(d.path, "*"+suffix))
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	slices.Sort(names) // sequences are written with all their zeros
	for _, path := range names {
		name := filepath.Base(path)
		if slices.ContainsFunc(d.files, func(f File) bool { return f.Name == name }) {
			continue
		}
		f, err := inspect(path)
		if end, any := d.End(); err == nil && any && f.Before.Head() != end {
			err = &journal.BrokenError{Sequence: f.First, Reason: fmt.Sprintf("it does not follow %d, where the files before it end", end.Sequence)}
		}
		if err != nil {
			d.strange = append(d.strange, Finding{File: File{Name: name}, Err: err})
			continue
		}
		d.files = append(d.files, f)
	}
	slices.SortFunc(d.files, func(a, b File) int { return cmp.Compare(a.First, b.First) })
	return nil
}

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

// Files are the files in order. The caller owns the slice.
func (d *Dir) Files() []File { return slices.Clone(d.files) }

// End is where the last file ends; false when there is none.
func (d *Dir) End() (journal.Head, bool) {
	if len(d.files) == 0 {
		return journal.Head{}, false
	}
	return d.files[len(d.files)-1].After.Head(), true
}
