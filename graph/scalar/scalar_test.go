package scalar_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/money"
	"bourse/graph/scalar"
)

var kinds = []scalar.Kind{
	scalar.Member, scalar.Agent, scalar.Admin, scalar.Order, scalar.Trade, scalar.Deposit, scalar.Audit,
}

func TestIDsReturn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1000)).Draw(t, "n")
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		id := scalar.EncodeID(kind, n)
		back, ok := scalar.DecodeID(kind, id)
		if !ok || back != n {
			t.Fatalf("%d became %s became %d, %t", n, id, back, ok)
		}
		for _, other := range kinds {
			if _, ok := scalar.DecodeID(other, id); ok && other != kind {
				t.Fatalf("%s of kind %s passed for kind %s", id, kind, other)
			}
		}
	})
}

// Ids are kept by clients and in links: they may never change.
func TestIDsAreStable(t *testing.T) {
	for _, c := range []struct {
		kind scalar.Kind
		n    uint64
		id   string
	}{
		{scalar.Order, 1, "o_abtd7tm24sz1b"},
		{scalar.Member, math.MaxUint64, "m_3vmdpzv8dw454"},
	} {
		if id := scalar.EncodeID(c.kind, c.n); id != c.id {
			t.Errorf("%s %d is %s, was %s", c.kind, c.n, id, c.id)
		}
	}
}

func TestOneIDForEachThing(t *testing.T) {
	id := scalar.EncodeID(scalar.Order, 7)
	for _, bad := range []string{
		"", "o", "o_", "7", id + "0", id[:len(id)-1], "t" + id[1:], "O" + id[1:], " " + id,
		"o_zzzzzzzzzzzzz", // more than 64 bits
		"o_ilouilouilouo",
		"o_00000000000 0",
	} {
		if n, ok := scalar.DecodeID(scalar.Order, bad); ok {
			t.Errorf("%q passed for order %d", bad, n)
		}
	}
}

func FuzzDecodeID(f *testing.F) {
	f.Add(scalar.EncodeID(scalar.Order, 1))
	f.Fuzz(func(t *testing.T, id string) {
		if n, ok := scalar.DecodeID(scalar.Order, id); ok && scalar.EncodeID(scalar.Order, n) != id {
			t.Fatalf("%q is a second id of order %d", id, n)
		}
	})
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
		code fault.Code
	}{
		{"12.50", "12.50", ""},
		{"-0.001", "-0.001", ""},
		{"0", "0", ""},
		{12.5, "", fault.InvalidArgument},
		{json.Number("12.5"), "", fault.InvalidArgument},
		{int64(3), "", fault.InvalidArgument},
		{nil, "", fault.InvalidArgument},
		{"1e3", "", fault.InvalidArgument},
		{"", "", fault.InvalidArgument},
		{"+1", "", fault.InvalidArgument},
		{"0.1234567890123456789", "", fault.TooManyDecimals},
		{"99999999999999999999", "", fault.AmountOverflow},
	} {
		t.Run(fmt.Sprintf("%v", c.in), func(t *testing.T) {
			d, err := scalar.UnmarshalDecimal(c.in)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("code %q, want %q (%v)", fault.CodeOf(err), c.code, err)
			}
			if err == nil && written(scalar.MarshalDecimal(d)) != `"`+c.want+`"` {
				t.Fatalf("written as %s", written(scalar.MarshalDecimal(d)))
			}
		})
	}
	if got := written(scalar.MarshalDecimal(money.NewDecimal(5, 8))); got != `"0.00000005"` {
		t.Fatal(got)
	}
}

func TestDateTime(t *testing.T) {
	moment, err := scalar.UnmarshalDateTime("2026-01-31T10:30:00.000000001+01:00")
	if err != nil {
		t.Fatal(err)
	}
	if got := written(scalar.MarshalDateTime(moment)); got != `"2026-01-31T09:30:00.000000001Z"` {
		t.Fatal(got)
	}
	east := time.FixedZone("east", 3600)
	if got := written(scalar.MarshalDateTime(time.Date(2026, 1, 31, 0, 0, 0, 0, east))); got != `"2026-01-30T23:00:00Z"` {
		t.Fatal(got)
	}
	for _, bad := range []any{"", "yesterday", "2026-01-31", int64(1), nil} {
		if _, err := scalar.UnmarshalDateTime(bad); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestSequence(t *testing.T) {
	for _, n := range []uint64{0, 1, 1 << 53, math.MaxUint64} {
		text := written(scalar.MarshalSequence(n))
		back, err := scalar.UnmarshalSequence(text[1 : len(text)-1])
		if err != nil || back != n {
			t.Errorf("%d became %s became %d, %v", n, text, back, err)
		}
	}
	for _, bad := range []any{"", "-1", "+1", "01", "1.0", "18446744073709551616", int64(1), nil} {
		if _, err := scalar.UnmarshalSequence(bad); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestBuiltinsConvertNothing(t *testing.T) {
	for _, c := range []struct {
		in                 any
		text, whole, truth bool
	}{
		{"7", true, false, false},
		{json.Number("7"), false, true, false},
		{json.Number("2147483647"), false, true, false},
		{json.Number("2147483648"), false, false, false},
		{json.Number("-2147483649"), false, false, false},
		{json.Number("7.0"), false, false, false},
		{json.Number("99999999999999999999"), false, false, false},
		{int64(7), false, true, false},
		{true, false, false, true},
		{"true", true, false, false},
		{nil, false, false, false},
		{[]any{"7"}, false, false, false},
	} {
		_, errText := scalar.UnmarshalString(c.in)
		_, errWhole := scalar.UnmarshalInt(c.in)
		_, errTruth := scalar.UnmarshalBoolean(c.in)
		if (errText == nil) != c.text || (errWhole == nil) != c.whole || (errTruth == nil) != c.truth {
			t.Errorf("%T %v: %v, %v, %v", c.in, c.in, errText, errWhole, errTruth)
		}
	}
}

func written(m graphql.Marshaler) string {
	var buf bytes.Buffer
	m.MarshalGQL(&buf)
	return buf.String()
}
