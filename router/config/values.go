package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that a file writes as "10s" or "1m30s".
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// maybe is the duration, where there is one.
func (d *Duration) maybe() *time.Duration {
	if d == nil {
		return nil
	}
	std := d.Std()
	return &std
}

func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalText reads "250ms", "10s", "1m30s", "24h".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New(`a duration is a number with a unit, such as "250ms", "10s" or "1m30s"`)
	}
	*d = Duration(v)
	return nil
}

// Size is a number of bytes that a file writes as "512KiB" or "1MiB".
type Size int64

// units of sizes, so that no name is the end of one before it.
var units = []struct {
	name  string
	bytes float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// UnmarshalText reads "1MiB", "1.5MB", "64kB", "100B" and plain numbers of bytes.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(string(text), u.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(v) || v*u.bytes >= math.MaxInt64 || v*u.bytes <= math.MinInt64 {
			break
		}
		*s = Size(v * u.bytes)
		return nil
	}
	return errors.New(`a size is a number with a unit, such as "64KiB", "1MiB" or "10MB"`)
}

func (s Size) String() string {
	for _, u := range []int{2, 1, 0} {
		if unit := Size(units[u].bytes); s >= unit && s%unit == 0 {
			return fmt.Sprintf("%d%s", s/unit, units[u].name)
		}
	}
	return fmt.Sprintf("%dB", int64(s))
}
