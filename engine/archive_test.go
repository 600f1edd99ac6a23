package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/market"
)

// archived is a closed house with n orders in its log, each in a batch of its own, most of which were
// archived into a directory in small files.
func archived(t *testing.T, n int) (f *floor, dir string, whole Verification) {
	t.Helper()
	f = openFloor(t, nil)
	alice := f.rich(1001)
	for i := range n {
		place(t, alice, limit(string(rune('a'+i%26))+string(rune('a'+i/26)), market.Side(1+i%2), []string{"99.00", "101.00"}[i%2], "0.1"))
	}
	f.sound()
	f.close() // takes a snapshot at the end
	whole, err := VerifyJournal(t.Context(), f.opts)
	if err != nil || len(whole.Violations) > 0 || whole.From != 0 {
		t.Fatalf("%+v, %v", whole, err)
	}
	dir = filepath.Join(t.TempDir(), "archive")
	done, err := ArchiveJournal(t.Context(), f.opts, Retention{Dir: dir, Before: whole.Sequence - 4, FileBytes: 2000})
	if err != nil || len(done.Files) < 2 || done.Origin != whole.Sequence-5 || done.Bound != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	return f, dir, whole
}

func (f *floor) with(dir string) Options {
	o := f.opts
	o.ArchiveDir = dir
	return o
}

// Files and table together tell what the table told; each alone says what it lacks.
func TestReplayAcrossTheArchive(t *testing.T) {
	f, dir, whole := archived(t, 30)
	ctx := t.Context()

	again, err := VerifyJournal(ctx, f.with(dir))
	if err != nil || again.Digest != whole.Digest || again.From != 0 || len(again.Violations) > 0 {
		t.Fatalf("across: %+v, %v", again, err)
	}
	early, err := ReplayJournal(ctx, f.with(dir), 7)
	if err != nil || early.Sequence != 7 || early.From != 0 {
		t.Fatalf("to 7: %+v, %v", early, err)
	}
	if _, err := ReplayJournal(ctx, f.opts, 7); fault.CodeOf(err) != fault.InvalidArgument || !strings.Contains(err.Error(), "archived") {
		t.Fatalf("to 7 without the archive: %v", err)
	}
	if _, err := ReplayJournal(ctx, f.with(dir), whole.Sequence+1); fault.CodeOf(err) != fault.InvalidArgument {
		t.Fatalf("beyond the end: %v", err)
	}
	short, err := VerifyJournal(ctx, f.opts)
	if err != nil || short.Digest != whole.Digest || short.From == 0 || len(short.Violations) > 0 {
		t.Fatalf("from the snapshot: %+v, %v", short, err)
	}
	for _, o := range []Options{f.opts, f.with(dir)} {
		if r, err := VerifyChain(ctx, o); err != nil || len(r.Faults) > 0 {
			t.Fatalf("chain: %+v, %v", r, err)
		}
	}

	// History is filled from the files; without them nothing is emptied.
	before := f.dump()
	if _, err := RebuildProjections(ctx, f.opts); fault.CodeOf(err) != fault.InvalidArgument {
		t.Fatalf("rebuild without the archive: %v", err)
	}
	if now := f.dump(); now != before {
		t.Fatal("a rebuild that was refused changed history")
	}
	if reached, err := RebuildProjections(ctx, f.with(dir)); err != nil || reached != whole.Sequence {
		t.Fatalf("rebuild: %d, %v", reached, err)
	}
	if now := f.dump(); now != before {
		t.Fatal("history filled from the archive differs")
	}

	// The house goes on, and archives again what follows.
	f.open()
	alice := f.rich(1002)
	place(t, alice, limit("later", market.Buy, "98.00", "0.1"))
	f.sound()
	f.close()
	done, err := ArchiveJournal(ctx, f.opts, Retention{Dir: dir, Before: 1 << 40})
	if err != nil || done.Bound == "" || len(done.Files) == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if r, err := VerifyChain(ctx, f.with(dir)); err != nil || len(r.Faults) > 0 || r.Origin != done.Origin {
		t.Fatalf("chain: %+v, %v", r, err)
	}
	again, err = VerifyJournal(ctx, f.with(dir))
	if err != nil || again.Sequence != whole.Sequence+3 || len(again.Violations) > 0 {
		t.Fatalf("across again: %+v, %v", again, err)
	}
}

// A house whose snapshots are gone starts from the archive.
func TestStartFromTheArchive(t *testing.T) {
	f, dir, whole := archived(t, 20)
	if _, err := f.pool.Exec(t.Context(), `DELETE FROM journal_snapshot`); err != nil {
		t.Fatal(err)
	}
	var gone *journal.ArchivedError
	if _, err := Open(t.Context(), f.opts); !errors.As(err, &gone) || gone.From != 1 {
		t.Fatalf("open without snapshot and archive: %v", err)
	}
	f.opts.ArchiveDir = dir
	f.open()
	if at := f.seq.View().Sequence(); at != whole.Sequence {
		t.Fatalf("started at %d, want %d", at, whole.Sequence)
	}
	f.sound()
}

// What is still needed is not archived, and said to be why.
func TestWhatIsNeededStays(t *testing.T) {
	f := openFloor(t, nil)
	f.rich(1001)
	f.sound()
	dir := t.TempDir()
	try := func(why string) {
		t.Helper()
		done, err := ArchiveJournal(t.Context(), f.opts, Retention{Dir: dir, Before: 1 << 40})
		if err != nil || len(done.Files) != 0 || done.Origin != 0 || !strings.Contains(done.Bound, why) {
			t.Fatalf("%+v, %v; want: %s", done, err, why)
		}
	}
	try("no snapshot")
	f.close()
	exec := func(sql string) {
		t.Helper()
		if _, err := f.pool.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE kept AS SELECT * FROM projection; UPDATE projection SET sequence = 0`)
	try("history")
	exec(`UPDATE projection SET sequence = kept.sequence FROM kept`)
	exec(`UPDATE journal_snapshot SET payload = set_byte(payload, 20, get_byte(payload, 20) # 1)`)
	if _, err := ArchiveJournal(t.Context(), f.opts, Retention{Dir: dir, Before: 4}); err == nil || !strings.Contains(err.Error(), "snapshot") {
		t.Fatalf("with a broken snapshot: %v", err)
	}
	if v, err := VerifyJournal(t.Context(), f.opts); err != nil || len(v.Violations) != 1 || !strings.Contains(v.Violations[0], "snapshot at sequence") {
		t.Fatalf("a broken snapshot: %+v, %v", v, err)
	}
}

// Young commands stay.
func TestKeepByAge(t *testing.T) {
	clock := &testClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	f := openFloor(t, func(f *floor) { f.opts.Clock = clock.Now })
	f.rich(1001)
	old := f.seq.View().Sequence()
	clock.advance(48 * time.Hour)
	f.rich(1002)
	clock.advance(time.Hour)
	f.sound()
	f.close()
	done, err := ArchiveJournal(t.Context(), f.opts, Retention{Dir: t.TempDir(), Keep: 24 * time.Hour})
	if err != nil || done.Origin != old {
		t.Fatalf("%+v, %v; want origin %d", done, err, old)
	}
	v, err := ReplayJournalAt(t.Context(), f.opts, clock.Now())
	if err != nil || v.Sequence != old+2 || v.From == 0 {
		t.Fatalf("replay at now: %+v, %v", v, err)
	}
}

func TestReplayAtATime(t *testing.T) {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := &testClock{now: first}
	f := openFloor(t, func(f *floor) { f.opts.Clock = clock.Now })
	clock.advance(time.Hour)
	now := clock.Now()
	f.rich(1001)
	f.sound()
	f.close()
	for _, c := range []struct {
		at   time.Time
		want Sequence
	}{{first, 3}, {first.Add(time.Minute), 3}, {now, 5}, {now.Add(time.Hour), 5}} {
		v, err := ReplayJournalAt(t.Context(), f.opts, c.at)
		if err != nil || v.Sequence != c.want {
			t.Errorf("at %v: %+v, %v; want %d", c.at, v, err, c.want)
		}
	}
	if _, err := ReplayJournalAt(t.Context(), f.opts, first.Add(-time.Second)); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("before everything: %v", err)
	}
}

// Damage anywhere is told by the sequence where it begins; nothing is loaded past it.
func TestDamageIsTold(t *testing.T) {
	f, dir, whole := archived(t, 30)
	ctx := t.Context()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := f.pool.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	told := func(o Options, words string) Verification {
		t.Helper()
		v, err := VerifyJournal(ctx, o)
		if err != nil || len(v.Violations) == 0 || !strings.Contains(strings.Join(v.Violations, "; "), words) {
			t.Fatalf("%+v, %v; want %q", v, err, words)
		}
		return v
	}
	exec(`CREATE TABLE kept AS SELECT * FROM journal_batch`)
	repair := func() { exec(`TRUNCATE journal_batch`); exec(`INSERT INTO journal_batch SELECT * FROM kept`) }

	exec(`UPDATE journal_batch SET payload = set_byte(payload, 3, get_byte(payload, 3) # 1) WHERE first_seq = $1`, int64(whole.Sequence-2))
	if v := told(f.with(dir), "batch at sequence "+fmt.Sprint(whole.Sequence-2)+" is broken"); v.Sequence != whole.Sequence-3 || v.Digest == "" {
		t.Fatalf("what stands before the damage: %+v", v)
	}
	repair()
	exec(`DELETE FROM journal_batch WHERE first_seq = $1`, int64(whole.Sequence))
	told(f.with(dir), "a snapshot was taken at "+fmt.Sprint(whole.Sequence))
	if x, err := Open(ctx, f.opts); err == nil {
		_ = x.Close(ctx)
		t.Fatal("a house opened on a log that lost its end")
	}
	repair()
	exec(`UPDATE journal_origin SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)`)
	if r, err := VerifyChain(ctx, f.opts); err != nil || len(r.Faults) == 0 {
		t.Fatalf("another origin: %+v, %v", r, err)
	}
	exec(`UPDATE journal_origin SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)`)

	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	info, err := os.Stat(files[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[1], info.Size()-200); err != nil {
		t.Fatal(err)
	}
	told(f.with(dir), filepath.Base(files[1]))
	if r, err := VerifyChain(ctx, f.with(dir)); err != nil || len(r.Faults) != 2 || !strings.Contains(r.Faults[1], "what stands before it is sound") {
		t.Fatalf("chain: %+v, %v", r, err)
	}
	if _, err := RebuildProjections(ctx, f.with(dir)); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Fatalf("rebuild from a cut file: %v", err)
	}
}
