package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine"
	"bourse/engine/journal"
)

// bareFile is a file that batches are written to one after another, each followed by fsync: what
// making them durable costs when nothing else is done. It is allocated beforehand, so that fsync
// need not write where the file is.
type bareFile struct {
	file *os.File
	size int64
	at   int64
}

// newBareFile makes a file in a directory, with room for so many bytes, all of them on the disk.
// What is written when it is full begins anew.
func newBareFile(dir, name string, size int64) (*bareFile, error) {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("make a bare file: %w", err)
	}
	f, filling := &bareFile{file: file, size: size}, payload(1<<20)
	for at := int64(0); at < size && err == nil; at += int64(len(filling)) {
		_, err = file.WriteAt(filling, at)
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("allocate a bare file: %w", err)
	}
	return f, nil
}

func (f *bareFile) append(batch []byte) error {
	if f.at+int64(len(batch)) > f.size {
		f.at = 0
	}
	if _, err := f.file.WriteAt(batch, f.at); err != nil {
		return fmt.Errorf("write a batch to a bare file: %w", err)
	}
	f.at += int64(len(batch))
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("write a batch to a bare file: %w", err)
	}
	return nil
}

func (f *bareFile) close() {
	f.file.Close()
	os.Remove(f.file.Name())
}

// payload is bytes that are not all alike, which a disk might take for less.
func payload(n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(i*131 + i>>8)
	}
	return bytes
}

// logs are a bare file and a journal in a database of its own, on the server of the house, to which
// nothing but batches of some sizes is written.
type logs struct {
	file   *bareFile
	db     *pgxpool.Pool
	writer journal.Writer
	bytes  []byte
}

// largestBatch bounds the batches that logs can write: a house's stay below 2 MiB.
const largestBatch = 8 << 20

func (s *stage) newLogs(ctx context.Context) (_ *logs, err error) {
	l := &logs{bytes: payload(largestBatch)}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.file, err = newBareFile(s.dir, "bare", 256<<20); err != nil {
		return nil, err
	}
	if l.db, err = s.database(ctx, "bare_journal"); err != nil {
		return nil, err
	}
	if l.writer, err = engine.Journal(l.db).Lead(ctx); err != nil {
		return nil, fmt.Errorf("lead the second journal: %w", err)
	}
	return l, nil
}

// database makes another database on the server of the house, migrated. The caller closes it.
func (s *stage) database(ctx context.Context, name string) (*pgxpool.Pool, error) {
	admin, err := pgxpool.New(ctx, s.house.DatabaseURL())
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	defer admin.Close()
	if _, err := admin.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
		return nil, fmt.Errorf("create database %s: %w", name, err)
	}
	config := admin.Config()
	config.ConnConfig.Database = name
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to database %s: %w", name, err)
	}
	if err := engine.Migrate(ctx, db); err != nil {
		db.Close()
		return nil, fmt.Errorf("migrate database %s: %w", name, err)
	}
	return db, nil
}

// turn is how many batches one of the two writes before it is the other's turn.
const turn = 50

// write writes batches of these sizes to both, in turns, and returns how long each took for all.
func (l *logs) write(ctx context.Context, sizes []int) (inJournal, inFile time.Duration, err error) {
	for len(sizes) > 0 {
		n := min(turn, len(sizes))
		began := time.Now()
		for _, size := range sizes[:n] {
			if err := l.file.append(l.bytes[:min(size, largestBatch)]); err != nil {
				return 0, 0, err
			}
		}
		wrote := time.Now()
		for _, size := range sizes[:n] {
			next := l.writer.Head().Sequence + 1
			e := journal.Entry{First: next, Last: next, Time: wrote.UnixNano(), Payload: l.bytes[:min(size, largestBatch)]}
			if _, err := l.writer.Append(ctx, e); err != nil {
				return 0, 0, fmt.Errorf("write a batch to the second journal: %w", err)
			}
		}
		inFile += wrote.Sub(began)
		inJournal += time.Since(wrote)
		sizes = sizes[n:]
	}
	return inJournal, inFile, nil
}

// close gives everything back; the second database goes with the house.
func (l *logs) close() {
	if l.writer != nil {
		_ = l.writer.Close()
	}
	if l.db != nil {
		l.db.Close()
	}
	if l.file != nil {
		l.file.close()
	}
}
