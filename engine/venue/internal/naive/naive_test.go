package naive

import (
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

func stack() string { return string(debug.Stack()) }

// commandsInAStream is how many commands one seed is good for: enough for what is forgotten to be forgotten.
const commandsInAStream = 25_000

// BOURSE_SEED repeats a stream, BOURSE_COMMANDS says how many commands there are in all.
func TestTheVenueAgreesWithTheNaiveOne(t *testing.T) {
	seed, commands := setting(t, "BOURSE_SEED", uint64(time.Now().UnixNano())), setting(t, "BOURSE_COMMANDS", 200_000)
	t.Logf("BOURSE_SEED=%d BOURSE_COMMANDS=%d", seed, commands)
	seen := newCoverage()
	began := time.Now()
	total := commands
	// Rows that are rare by chance get some more streams to occur in before their absence is a fault.
	more := 8
	for stream := uint64(0); commands > 0 || total >= 200_000 && more > 0 && !seen.complete(); stream++ {
		n := min(commands, commandsInAStream)
		if commands == 0 {
			n = commandsInAStream
			more--
		} else {
			commands -= n
		}
		if !runStream(t, seed+stream, int(n), seen) {
			return
		}
	}
	t.Logf("%v\n%v", time.Since(began), seen)
	if total >= 200_000 {
		seen.missing(t)
	}
}

func runStream(t *testing.T, seed uint64, commands int, seen *coverage) bool {
	t.Helper()
	d := newDuel(seen)
	s := newStream(seed, d.naive)
	d.heard = s.remember
	s.longScenes(seed)
	var plays []play
	for i := range commands {
		p := s.next()
		plays = append(plays, p)
		err := d.safely(p)
		if err == nil && i%2000 == 1999 {
			err = d.restart()
		}
		if err == nil && i == commands-1 {
			err = d.compareAll()
		}
		if err != nil {
			t.Errorf("BOURSE_SEED=%d, command %d:\n%v", seed, i, err)
			fewer, err := shrink(plays, 20*time.Second)
			t.Logf("%d commands come to a difference:\n%v\n%s", len(fewer), err, reproduction(fewer))
			return false
		}
	}
	return true
}

func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
