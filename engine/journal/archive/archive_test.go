package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bourse/engine/journal"
)

// past is a journal of n batches with a snapshot at its end, and what it holds.
func past(t *testing.T, n int) (*journal.Memory, []journal.Batch) {
	t.Helper()
	j := journal.NewMemory()
	w, err := j.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		first := w.Head().Sequence + 1
		e := journal.Entry{First: first, Last: first + uint64(i%3), Time: int64(i), Payload: fmt.Appendf(nil, "batch %d", first)}
		if _, err := w.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.SaveSnapshot(t.Context(), journal.Snapshot{Head: w.Head(), Payload: []byte("state")}); err != nil {
		t.Fatal(err)
	}
	all, err := collect(j.Read(t.Context(), journal.Head{}))
	if err != nil || len(all) != n {
		t.Fatalf("%d batches, %v", len(all), err)
	}
	return j, all
}

func collect(batches iter.Seq2[journal.Batch, error]) (out []journal.Batch, err error) {
	for b, err := range batches {
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantAll fails unless the directory and the journal tell everything from every place on.
func wantAll(t *testing.T, what string, j *journal.Memory, path string, want []journal.Batch) {
	t.Helper()
	whole := Join(j, must[*Dir](t)(Open(path)))
	var after journal.Head
	for i := range want {
		got, err := collect(whole.Read(t.Context(), after))
		if err != nil || !reflect.DeepEqual(got, want[i:]) {
			t.Fatalf("%s: after %d: %d batches, %v", what, after.Sequence, len(got), err)
		}
		after = want[i].Head()
	}
}

const small = 400 // bytes of a file: about three batches

func TestMoveAndReadAcross(t *testing.T) {
	j, all := past(t, 20)
	path := filepath.Join(t.TempDir(), "new", "archive")
	d := must[*Dir](t)(Create(path))
	moved := must[[]File](t)(Move(t.Context(), j, d, all[9].Last, small))
	if len(moved) < 3 || moved[len(moved)-1].Last != all[9].Last {
		t.Fatalf("moved %+v", moved)
	}
	wantAll(t, "half of it", j, path, all)
	if _, err := collect(j.Read(t.Context(), journal.Head{})); err == nil {
		t.Fatal("the journal has not forgotten anything")
	}
	// A sequence within a batch leaves the batch where it is; the last batch always stays.
	moved = must[[]File](t)(Move(t.Context(), j, d, all[10].Last+1, DefaultFileBytes))
	if last := moved[len(moved)-1].Last; last != all[10].Last {
		t.Fatalf("moved up to %d, want %d", last, all[10].Last)
	}
	moved = must[[]File](t)(Move(t.Context(), j, d, all[18].Last, DefaultFileBytes))
	wantAll(t, "nearly all", j, path, all)
	if end, any := d.End(); !any || end != all[18].Head() || len(moved) != 1 {
		t.Fatalf("the files end at %+v", end)
	}
	for f, err := range d.Verify(t.Context()) {
		if err != nil || f.Err != nil {
			t.Errorf("%s: %v %v", f.Name, f.Err, err)
		}
	}
	must[struct{}](t)(struct{}{}, d.Missing(all[18].Head()))
	if moved := must[[]File](t)(Move(t.Context(), j, d, all[18].Last, small)); len(moved) != 0 {
		t.Fatalf("moved again: %+v", moved)
	}

	// Without its manifest the directory says the same.
	must[struct{}](t)(struct{}{}, os.Remove(filepath.Join(path, manifestName)))
	wantAll(t, "without the manifest", j, path, all)
}

// A run that fails at any of its steps loses nothing, and the next one ends what it began.
func TestFailureAtEveryStep(t *testing.T) {
	steps := map[string]bool{}
	for n := 0; ; n++ {
		j, all := past(t, 12)
		path := t.TempDir()
		d := must[*Dir](t)(Open(path))
		failed, seen := "", 0
		d.fail = func(step string) error {
			if seen++; seen <= n {
				return nil
			}
			failed = step
			return errors.New("no space left")
		}
		_, err := Move(t.Context(), j, d, all[9].Last, small)
		if failed == "" {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		steps[failed] = true
		if err == nil {
			t.Fatalf("%s failed and nobody said so", failed)
		}
		wantAll(t, failed+" failed", j, path, all)
		if left, _ := filepath.Glob(filepath.Join(path, writing+"*")); len(left) > 0 {
			t.Fatalf("%s failed and left %v", failed, left)
		}
		next := must[*Dir](t)(Open(path))
		must[[]File](t)(Move(t.Context(), j, next, all[9].Last, small))
		if origin, _ := j.Origin(t.Context()); origin != all[9].Head() {
			t.Fatalf("%s failed, and the next run ended at %d", failed, origin.Sequence)
		}
		wantAll(t, "after "+failed, j, path, all)
	}
	for _, step := range []string{
		"create the file", "write the file", "sync the file", "close the file", "rename the file",
		"sync the directory of the file", "read back", "create the manifest", "write the manifest", "rename the manifest", "forget",
	} {
		if !steps[step] {
			t.Errorf("the step %q never failed", step)
		}
	}
}

// A journal that does not let go keeps what it has; the file stays, too.
func TestForgetRefused(t *testing.T) {
	j, all := past(t, 6)
	path := t.TempDir()
	d := must[*Dir](t)(Open(path))
	if _, err := Move(t.Context(), j, d, all[5].Last, DefaultFileBytes); !errors.Is(err, journal.ErrForget) {
		t.Fatalf("the last batch was moved: %v", err)
	}
	if got, err := collect(j.Read(t.Context(), journal.Head{})); err != nil || len(got) != 6 {
		t.Fatalf("%d batches, %v", len(got), err)
	}
}

// Whatever byte of a file is changed, wherever it is cut or lengthened: what is read is the beginning
// of what was written, and the error says where it stops and in which file.
func TestEveryChangeOfAFileIsFound(t *testing.T) {
	j, all := past(t, 12)
	path := t.TempDir()
	d := must[*Dir](t)(Open(path))
	moved := must[[]File](t)(Move(t.Context(), j, d, all[10].Last, small))
	if len(moved) < 3 {
		t.Fatalf("%d files", len(moved))
	}
	name := filepath.Join(path, moved[1].Name)
	good := must[[]byte](t)(os.ReadFile(name))
	try := func(what string, bad []byte) {
		t.Helper()
		must[struct{}](t)(struct{}{}, os.WriteFile(name, bad, 0o600))
		again, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := collect(Join(j, again).Read(context.Background(), journal.Head{}))
		var broken *journal.BrokenError
		if !errors.As(err, &broken) || !strings.Contains(broken.Reason, moved[1].Name) || broken.Sequence < moved[1].First || broken.Sequence > moved[1].Last+1 {
			t.Fatalf("%s: %v", what, err)
		}
		for i := range got {
			if !reflect.DeepEqual(got[i], all[i]) {
				t.Fatalf("%s: batch %d was read as %+v", what, i, got[i])
			}
		}
		found := 0
		for f, err := range again.Verify(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Err != nil {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("%s: verify found %d broken files", what, found)
		}
	}
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		try(fmt.Sprintf("byte %d changed", at), bad)
		try(fmt.Sprintf("cut at %d", at), good[:at])
	}
	try("lengthened", append(bytes.Clone(good), 0))
	try("another file", must[[]byte](t)(os.ReadFile(filepath.Join(path, moved[0].Name))))
	must[struct{}](t)(struct{}{}, os.Remove(name))
	if _, err := collect(Join(j, must[*Dir](t)(Open(path))).Read(t.Context(), journal.Head{})); err == nil {
		t.Fatal("a missing file was not missed")
	}
}

// A manifest that was changed is refused, or changes nothing.
func TestEveryChangeOfTheManifestIsHarmless(t *testing.T) {
	j, all := past(t, 6)
	path := t.TempDir()
	must[[]File](t)(Move(t.Context(), j, must[*Dir](t)(Open(path)), all[4].Last, small))
	name := filepath.Join(path, manifestName)
	good := must[[]byte](t)(os.ReadFile(name))
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		must[struct{}](t)(struct{}{}, os.WriteFile(name, bad, 0o600))
		d, err := Open(path)
		if err != nil {
			continue
		}
		got, err := collect(Join(j, d).Read(t.Context(), journal.Head{}))
		if err == nil && len(got) != len(all) {
			t.Fatalf("byte %d of the manifest changed: %d batches, no error", at, len(got))
		}
		for i := range got {
			if !reflect.DeepEqual(got[i], all[i]) {
				t.Fatalf("byte %d of the manifest changed: batch %d was read as %+v", at, i, got[i])
			}
		}
	}
}

func TestAnotherJournalIsRefused(t *testing.T) {
	j, all := past(t, 6)
	path := t.TempDir()
	must[[]File](t)(Move(t.Context(), j, must[*Dir](t)(Open(path)), all[2].Last, small))
	other, _ := past(t, 9)
	other.Tamper(func(batches []journal.Batch, _ []journal.Snapshot) {
		var head journal.Head
		for i := range batches {
			e := batches[i].Entry
			e.Time += 100
			batches[i] = journal.Seal(e, batches[i].Epoch, head)
			head = batches[i].Head()
		}
	})
	d := must[*Dir](t)(Open(path))
	if _, err := Move(t.Context(), other, d, all[4].Last, small); err == nil {
		t.Fatal("another journal forgot what this one wrote")
	}
	if origin, _ := other.Origin(t.Context()); origin.Sequence != 0 {
		t.Fatalf("the other journal begins after %d", origin.Sequence)
	}
}

// What was archived into a directory that is not at hand is named.
func TestGapsAreNamed(t *testing.T) {
	j, all := past(t, 6)
	path, elsewhere := t.TempDir(), t.TempDir()
	must[[]File](t)(Move(t.Context(), j, must[*Dir](t)(Open(path)), all[2].Last, small))
	must[[]File](t)(Move(t.Context(), j, must[*Dir](t)(Open(elsewhere)), all[4].Last, small))
	for dir, gap := range map[string][2]uint64{
		path:        {all[2].Last + 1, all[4].Last},
		elsewhere:   {1, all[2].Last},
		t.TempDir(): {1, all[4].Last},
	} {
		d := must[*Dir](t)(Open(dir))
		want := &journal.ArchivedError{From: gap[0], To: gap[1]}
		var archived *journal.ArchivedError
		if _, err := collect(Join(j, d).Read(t.Context(), journal.Head{})); !errors.As(err, &archived) || *archived != *want {
			t.Errorf("reading over the gap: %v, want %v", err, want)
		}
		if err := d.Missing(all[4].Head()); !errors.As(err, &archived) || *archived != *want {
			t.Errorf("missing: %v, want %v", err, want)
		}
		if _, err := Move(t.Context(), j, d, all[4].Last, small); dir == path && err == nil {
			t.Error("archiving went on behind a gap")
		}
	}
}
