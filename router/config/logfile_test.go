package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A log that is moved away goes on in a new file within a second; one that only grew shorter goes on where it is. No line is lost or doubled.
func TestALogIsFollowedWhereItShouldBe(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "access.log")
	synctest.Test(t, func(t *testing.T) {
		l, err := openLog(at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // each write has been looked at
		say := func(line string) {
			t.Helper()
			if n, err := l.Write([]byte(line)); err != nil || n != len(line) {
				t.Fatal(n, err)
			}
		}
		say("a")
		if err := os.Rename(at, at+".1"); err != nil {
			t.Fatal(err)
		}
		say("b") // the moment has not come to look
		time.Sleep(lookEvery)
		say("c")
		if err := os.Truncate(at, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		say("d")
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(at, 0o700); err != nil { // nothing can be opened there
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		say("lost with its file, but no fault")
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		say("e")
	})
	for file, want := range map[string]string{at: "e", at + ".1": "ab"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v", file, got, err)
		}
	}
	if _, err := openLog(filepath.Join(dir, "nowhere", "a.log")); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}
