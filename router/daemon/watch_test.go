package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What counts is content that was the same at two looks and is not the one acted upon.
func TestChangesAreTakenUpOnceTheySettle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	var w watched
	now := time.Now()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want bool, when string) {
		t.Helper()
		now = now.Add(time.Second)
		if got := w.changed(now); got != want {
			t.Errorf("%s: changed is %v", when, got)
		} else if got {
			w.take(w.files)
		}
	}
	write("one")
	w.take(snapshot{name: lookAt(name, look{}, now)})
	expect(false, "as it was taken")
	write("two")
	expect(false, "the first look at a change")
	expect(true, "the second look")
	expect(false, "after it was acted upon")
	write("half of")
	expect(false, "while it is written")
	write("half of three")
	expect(false, "while it is still written")
	expect(true, "when it is written")
	write("half of four!")
	write("half of three")
	expect(false, "when it is as it was")
	expect(false, "and stays so")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	expect(false, "the first look at a file that is gone")
	expect(true, "a file that is gone")
	// As Kubernetes replaces files: through a link, with a time of the past.
	other := filepath.Join(filepath.Dir(name), "other")
	if err := os.WriteFile(other, []byte("five"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(other, now.Add(-time.Hour), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, name); err != nil {
		t.Fatal(err)
	}
	expect(false, "the first look at a link")
	expect(true, "a link")
	if !w.files[name].at.Equal(now.Add(-time.Second)) {
		t.Errorf("a file that has not changed for long is read again: at %v of %v", w.files[name].at, now)
	}
}
