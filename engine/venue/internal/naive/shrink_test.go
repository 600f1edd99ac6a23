package naive

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// tryAll plays into new venues and returns the first difference and how many plays came to it.
func tryAll(plays []play) (n int, err error) {
	d := newDuel(newCoverage())
	d.thorough = 5000
	for i, p := range plays {
		if err := d.safely(p); err != nil {
			return i + 1, err
		}
	}
	if err := d.compareAll(); err != nil {
		return len(plays), err
	}
	return len(plays), nil
}

// safely plays and turns a panic into a difference.
func (d *duel) safely(p play) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = differ("%s\npanic: %v\n%s", tellPlay(p), r, stack())
		}
	}()
	return d.play(p)
}

// shrink leaves out plays while the venues still differ, for as long as it is given.
func shrink(plays []play, budget time.Duration) ([]play, error) {
	deadline := time.Now().Add(budget)
	n, err := tryAll(plays)
	if err == nil {
		return plays, differ("the difference does not occur again")
	}
	plays = plays[:n]
	class := classOf(err)
	for chunk := len(plays) / 2; chunk > 0 && time.Now().Before(deadline); {
		before := len(plays)
		for from := 0; from < len(plays) && time.Now().Before(deadline); {
			fewer := slices.Concat(plays[:from], plays[min(from+chunk, len(plays)):])
			if n, e := tryAll(fewer); e != nil && classOf(e) == class {
				plays, err = fewer[:n], e
			} else {
				from += chunk
			}
		}
		if chunk > 1 || len(plays) == before {
			chunk /= 2
		}
	}
	return plays, err
}

// reproduction writes plays as the Go code that repeats them.
func reproduction(plays []play) string {
	var b strings.Builder
	b.WriteString("plays := []play{\n")
	if len(plays) > 60 {
		return fmt.Sprintf("(%d commands: too many to print)\n", len(plays))
	}
	for _, p := range plays {
		fmt.Fprintf(&b, "\t%s,\n", tellPlay(p))
	}
	b.WriteString("}\n")
	return b.String()
}
