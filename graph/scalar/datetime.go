package scalar

import (
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"bourse/engine/fault"
)

// MarshalDateTime writes a moment in UTC, as RFC 3339 with as many decimals of a second as it needs.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		buf := make([]byte, 0, len(time.RFC3339Nano)+2)
		buf = append(buf, '"')
		buf = t.UTC().AppendFormat(buf, time.RFC3339Nano)
		_, _ = w.Write(append(buf, '"'))
	})
}

// UnmarshalDateTime reads a moment in RFC 3339 with any offset and returns it in UTC. It refuses
// anything else with INVALID_ARGUMENT.
func UnmarshalDateTime(v any) (time.Time, error) {
	if text, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.InvalidArgument, "not a moment: write it as 2026-01-31T09:30:00Z")
}
