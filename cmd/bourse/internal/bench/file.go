package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bareFile is a file that batches are written to one after another, each followed by fsync: what
// making them durable costs when nothing else is done. It is allocated beforehand, so that fsync
// need not write where the file is.
type bareFile struct {
	file  *os.File
	size  int64
	chunk []byte
}

// newBareFile makes a file in a directory, with room for so many bytes, all of them on the disk.
func newBareFile(dir string, size int64) (*bareFile, error) {
	file, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, fmt.Errorf("make a bare file: %w", err)
	}
	f := &bareFile{file: file, size: size, chunk: make([]byte, 1<<20)}
	for i := range f.chunk {
		f.chunk[i] = byte(i * 131) // not zeros, which a disk may take for less
	}
	for at := int64(0); at < size; at += int64(len(f.chunk)) {
		if _, err := file.WriteAt(f.chunk, at); err != nil {
			f.close()
			return nil, fmt.Errorf("allocate a bare file: %w", err)
		}
	}
	if err := file.Sync(); err != nil {
		f.close()
		return nil, fmt.Errorf("allocate a bare file: %w", err)
	}
	return f, nil
}

// write writes batches of these sizes, each with a write and an fsync of its own, and returns how
// long that took.
func (f *bareFile) write(sizes []int) (time.Duration, error) {
	began, at := time.Now(), int64(0)
	for _, size := range sizes {
		if at+int64(size) > f.size {
			at = 0
		}
		for left := size; left > 0; {
			n := min(left, len(f.chunk))
			if _, err := f.file.WriteAt(f.chunk[:n], at); err != nil {
				return 0, fmt.Errorf("write a batch to a bare file: %w", err)
			}
			at += int64(n)
			left -= n
		}
		if err := f.file.Sync(); err != nil {
			return 0, fmt.Errorf("write a batch to a bare file: %w", err)
		}
	}
	return time.Since(began), nil
}

func (f *bareFile) close() {
	f.file.Close()
	os.Remove(f.file.Name())
}
