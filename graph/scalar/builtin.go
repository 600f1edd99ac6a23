package scalar

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"bourse/engine/fault"
)

// The built-in scalars, read as the specification says (GraphQL October 2021, section 3.5): a number
// is not text, text is not a number, and an Int has 32 bits. gqlgen's own readers convert.

// MarshalString writes text.
func MarshalString(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalString reads text and refuses anything else with INVALID_ARGUMENT.
func UnmarshalString(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", fault.New(fault.InvalidArgument, "this is written as text")
}

// MarshalInt writes a whole number.
func MarshalInt(n int) graphql.Marshaler { return graphql.MarshalInt(n) }

// UnmarshalInt reads a whole number of 32 bits and refuses anything else with INVALID_ARGUMENT.
func UnmarshalInt(v any) (int, error) {
	var n int64
	switch v := v.(type) {
	case json.Number:
		parsed, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return 0, errInt
		}
		n = parsed
	case int64:
		n = v
	case int:
		n = int64(v)
	default:
		return 0, errInt
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, errInt
	}
	return int(n), nil
}

// MarshalBoolean writes true or false.
func MarshalBoolean(b bool) graphql.Marshaler { return graphql.MarshalBoolean(b) }

// UnmarshalBoolean reads true or false and refuses anything else with INVALID_ARGUMENT.
func UnmarshalBoolean(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, fault.New(fault.InvalidArgument, "this is either true or false")
}

var errInt = fault.New(fault.InvalidArgument, "this is a whole number of 32 bits")
