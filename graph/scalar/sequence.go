package scalar

import (
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"bourse/engine/fault"
)

// MarshalSequence writes a position in the log as text: JavaScript's numbers end at 2^53.
func MarshalSequence(n uint64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		var buf [22]byte
		text := append(buf[:0], '"')
		text = strconv.AppendUint(text, n, 10)
		_, _ = w.Write(append(text, '"'))
	})
}

// UnmarshalSequence reads what MarshalSequence writes. It refuses anything else, signs and leading
// zeros included, with INVALID_ARGUMENT.
func UnmarshalSequence(v any) (uint64, error) {
	text, ok := v.(string)
	if !ok {
		return 0, fault.New(fault.InvalidArgument, "a sequence is written as text")
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, fault.New(fault.InvalidArgument, "not a sequence: digits only, without leading zeros")
	}
	return n, nil
}
