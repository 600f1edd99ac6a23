// Package money holds amounts of an asset as whole minor units and the exact
// decimals that people write for them.
//
// Everything is an integer. There are no floats, products are formed in 128
// bits and every operation that can overflow says so. Money does not know
// prices, accounts or fees: those live on the floors above.
package money

import (
	"errors"
	"math"
	"math/bits"
)

// The ways in which text or arithmetic can fail to be an amount.
var (
	// ErrSyntax means that the text is not a plain decimal such as "12.50".
	ErrSyntax = errors.New("money: not a plain decimal")
	// ErrTooManyDecimals means that the value is finer than the asset's minor unit.
	ErrTooManyDecimals = errors.New("money: too many decimals for the asset")
	// ErrOverflow means that the value does not fit into 63 bits of minor units.
	ErrOverflow = errors.New("money: amount overflows")
)

// Amount is a number of minor units of an asset, negative when owed. Which
// asset is said by whoever holds the amount.
type Amount int64

// MaxAmount is the largest amount that can be held.
const MaxAmount Amount = math.MaxInt64

// Add returns a+b; ok is false when the sum overflows.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	sum = a + b
	return sum, (sum > a) == (b > 0)
}

// Sub returns a-b; ok is false when the difference overflows.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	difference = a - b
	return difference, (difference < a) == (b > 0)
}

// Product returns a*b*c of three numbers that must not be negative, through a
// 128-bit intermediate; ok is false when one is negative or the product
// exceeds MaxAmount.
func Product(a, b, c int64) (product Amount, ok bool) {
	if a < 0 || b < 0 || c < 0 {
		return 0, false
	}
	if a == 0 || b == 0 || c == 0 {
		return 0, true
	}
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high != 0 {
		return 0, false // c is at least one, so the product cannot shrink again
	}
	high, low = bits.Mul64(low, uint64(c))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	return Amount(low), true
}

// Rate is a share in parts per million: 1,000 is 0.1 %, 1,000,000 the whole.
type Rate int64

// Whole is the rate that takes everything.
const Whole Rate = 1_000_000

// Of returns the share of a that the rate takes, rounded down: what is smaller
// than a minor unit stays with the payer. Both a and the rate must lie in
// 0..MaxAmount and 0..Whole; the result then cannot overflow.
func (r Rate) Of(a Amount) Amount {
	if r < 0 || r > Whole || a < 0 {
		panic("money: a rate is taken of an amount out of range")
	}
	high, low := bits.Mul64(uint64(a), uint64(r))
	share, _ := bits.Div64(high, low, uint64(Whole))
	return Amount(share)
}
