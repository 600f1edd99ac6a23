package scalar

import (
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"bourse/engine/fault"
	"bourse/engine/money"
)

// MarshalDecimal writes a decimal as text with the decimals that it has.
func MarshalDecimal(d money.Decimal) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		text := d.String()
		buf := make([]byte, 0, len(text)+2)
		buf = append(buf, '"')
		buf = append(buf, text...)
		_, _ = w.Write(append(buf, '"'))
	})
}

// UnmarshalDecimal reads a decimal from text. Numbers are refused: by the time they arrive a client
// may have rounded them. Codes: INVALID_ARGUMENT, TOO_MANY_DECIMALS, AMOUNT_OVERFLOW.
func UnmarshalDecimal(v any) (money.Decimal, error) {
	text, ok := v.(string)
	if !ok {
		return money.Decimal{}, fault.New(fault.InvalidArgument, `a decimal is written as text, such as "12.50"`)
	}
	d, err := money.ParseDecimal(text)
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, money.ErrTooManyDecimals):
		return money.Decimal{}, fault.New(fault.TooManyDecimals, "the decimal has too many digits after the point")
	case errors.Is(err, money.ErrOverflow):
		return money.Decimal{}, fault.New(fault.AmountOverflow, "the decimal is larger than the exchange can count")
	default:
		return money.Decimal{}, fault.New(fault.InvalidArgument, `not a decimal: write it as "12.50"`)
	}
}
