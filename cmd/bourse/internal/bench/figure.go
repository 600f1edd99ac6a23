package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Milli is a number in thousandths: figures need fractions, not floating point. In JSON it is a
// number.
type Milli int64

// MilliOf is a quotient, rounded down to a thousandth; zero when the divisor is.
func MilliOf(dividend, divisor int64) Milli {
	if divisor == 0 {
		return 0
	}
	return Milli(dividend * 1000 / divisor)
}

func (m Milli) String() string {
	text := fmt.Sprintf("%d.%03d", m/1000, m%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// MarshalJSON writes a number.
func (m Milli) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

var _ json.Marshaler = Milli(0)

// Line is one figure for people to read.
type Line struct {
	What, Figure string
	// Note says more, in some words; may be empty.
	Note string
	// Reach is what the figure is held against; empty when nothing. Missed: it falls short.
	Reach  string
	Missed bool
}

// atLeast and atMost are a figure with what it is held against.
func atLeast[T cmp.Ordered](what string, figure, reach T, print func(T) string, note string) Line {
	return Line{What: what, Figure: print(figure), Note: note, Reach: "≥ " + print(reach), Missed: figure < reach}
}

func atMost[T cmp.Ordered](what string, figure, reach T, print func(T) string, note string) Line {
	return Line{What: what, Figure: print(figure), Note: note, Reach: "≤ " + print(reach), Missed: figure > reach}
}

func perSecond(n int64) string {
	if n >= 10_000_000 {
		return fmt.Sprintf("%d.%d M/s", n/1_000_000, n%1_000_000/100_000)
	}
	if n >= 1_000_000 {
		return fmt.Sprintf("%d.%02d M/s", n/1_000_000, n%1_000_000/10_000)
	}
	return grouped(n) + " /s"
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

func took(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.String()
}

// medianOf is the round in the middle by something.
func medianOf[R any](rounds []R, by func(R) int64) R {
	sorted := slices.SortedFunc(slices.Values(rounds), func(a, b R) int { return cmp.Compare(by(a), by(b)) })
	return sorted[len(sorted)/2]
}

// median is the value in the middle of those that a function takes from the rounds.
func median[R any, T cmp.Ordered](rounds []R, of func(R) T) T {
	values := make([]T, len(rounds))
	for i, r := range rounds {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
