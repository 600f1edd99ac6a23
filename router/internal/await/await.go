// Package await lets tests wait for what other goroutines do, and not for ever.
package await

import (
	"testing"
	"time"
)

// patience is long enough for a machine that does much else; a test that has to wait for it has failed.
const patience = 20 * time.Second

// One is the next that comes on a channel. The test fails when nothing does.
func One[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %s", patience)
		panic("unreachable")
	}
}
