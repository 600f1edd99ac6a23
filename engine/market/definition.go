package market

import (
	"errors"

	"bourse/engine/fault"
	"bourse/engine/money"
)

// DefaultProtection is how far from the best price of the other side a market
// order may trade when the definition does not say: 5 %.
const DefaultProtection money.Rate = 50_000

// MaxProtection bounds it: beyond the whole price there is no sell price left.
const MaxProtection = money.Whole

// Definition is what a market is: which assets change hands, in which steps,
// and at which fees. Fees are taken in the quote asset.
type Definition struct {
	Symbol Symbol
	Base   money.Asset // what is bought and sold
	Quote  money.Asset // what is paid

	TickSize    money.Decimal // step of the price, in quote units for one base unit
	LotSize     money.Decimal // step of the quantity, in base units
	MinNotional money.Amount  // least price times quantity of an order, in minor units of quote

	MakerFee money.Rate // of the notional, for the order that rested
	TakerFee money.Rate // of the notional, for the order that came

	// Protection is how far a market order may trade from the best price of the
	// other side. Zero stands for DefaultProtection.
	Protection money.Rate
}

// Terms is a definition worked out into whole numbers.
type Terms struct {
	TickValue   money.Amount // quote minor units for one lot at one tick, at least 1
	LotValue    money.Amount // base minor units of one lot, at least 1
	MinNotional money.Amount
	MakerFee    money.Rate
	TakerFee    money.Rate
	Protection  money.Rate
}

// Terms checks the definition and works it out. The refusal is INVALID_MARKET.
//
// One lot at one tick must be a whole number of quote minor units, and one lot
// a whole number of base minor units: then no notional and no quantity is ever
// rounded.
func (d *Definition) Terms() (Terms, error) {
	switch {
	case !d.Symbol.Valid():
		return Terms{}, invalid("the symbol must be 1 to 32 capital letters, digits and hyphens")
	case !d.Base.Valid() || !d.Quote.Valid():
		return Terms{}, invalid("an asset is malformed")
	case d.Base.Code == d.Quote.Code:
		return Terms{}, invalid("base and quote must differ")
	case d.TickSize.Sign() <= 0 || d.LotSize.Sign() <= 0:
		return Terms{}, invalid("tick and lot size must be positive")
	case d.MinNotional < 0:
		return Terms{}, invalid("the minimum notional must not be negative")
	case d.MakerFee < 0 || d.MakerFee > money.Whole || d.TakerFee < 0 || d.TakerFee > money.Whole:
		return Terms{}, invalid("a fee must lie between 0 and 1,000,000 parts per million")
	case d.Protection < 0 || d.Protection > MaxProtection:
		return Terms{}, invalid("the protection must lie between 0 and 1,000,000 parts per million")
	}
	lot, err := d.Base.Parse(d.LotSize)
	if err != nil {
		return Terms{}, invalid("one lot must be a whole number of minor units of the base asset")
	}
	tick, err := tickValue(d.TickSize.Trim(), d.LotSize.Trim(), d.Quote.Scale)
	if err != nil {
		return Terms{}, err
	}
	terms := Terms{
		TickValue: tick, LotValue: lot, MinNotional: d.MinNotional,
		MakerFee: d.MakerFee, TakerFee: d.TakerFee, Protection: d.Protection,
	}
	if terms.Protection == 0 {
		terms.Protection = DefaultProtection
	}
	return terms, nil
}

// tickValue is tick * lot * 10^scale, which must be whole.
func tickValue(tick, lot money.Decimal, scale uint8) (money.Amount, error) {
	coefficient, ok := lot.Times(tick.Coefficient())
	if !ok {
		return 0, invalid("tick size times lot size is too large")
	}
	value := coefficient.Coefficient()
	decimals := int(tick.Scale()) + int(lot.Scale()) - int(scale)
	for ; decimals > 0; decimals-- {
		if value%10 != 0 {
			return 0, invalid("one lot at one tick must be a whole number of minor units of the quote asset")
		}
		value /= 10
	}
	for ; decimals < 0; decimals++ {
		product, ok := money.Product(value, 10, 1)
		if !ok {
			return 0, invalid("tick size times lot size is too large")
		}
		value = int64(product)
	}
	return money.Amount(value), nil
}

func invalid(message string) error { return fault.New(fault.InvalidMarket, message) }

// Notional is what the lots cost at the price, in minor units of quote; ok is
// false when that is more than can be counted. Both must not be negative.
func (t *Terms) Notional(price Price, quantity Quantity) (notional money.Amount, ok bool) {
	return money.Product(int64(price), int64(quantity), int64(t.TickValue))
}

// BaseAmount is the number of minor units of base in the lots; ok is false
// when that is more than can be counted.
func (t *Terms) BaseAmount(quantity Quantity) (amount money.Amount, ok bool) {
	return money.Product(int64(quantity), int64(t.LotValue), 1)
}

// HoldRate is the fee that a buy must be able to pay whichever role it ends up
// in: the larger of maker's and taker's.
func (t *Terms) HoldRate() money.Rate { return max(t.MakerFee, t.TakerFee) }

// Protected is the worst price at which a market order of this side may trade
// when best is the best price of the other side. It is rounded towards best, so
// that the protection is never exceeded, and lies within 1..MaxPrice.
func (t *Terms) Protected(side Side, best Price) Price {
	distance := Price(t.Protection.Of(money.Amount(best)))
	if side == Buy {
		return min(best+distance, MaxPrice)
	}
	return max(best-distance, 1)
}

// ParsePrice turns a decimal price into ticks: INVALID_PRICE when it is not
// positive or too large, PRICE_OFF_TICK when it lies between two ticks.
func (d *Definition) ParsePrice(price money.Decimal) (Price, error) {
	ticks, whole, err := price.Per(d.TickSize)
	switch {
	case err != nil || ticks > int64(MaxPrice):
		return 0, fault.New(fault.InvalidPrice, "the price must be positive and within range")
	case !whole:
		return 0, fault.New(fault.PriceOffTick, "the price must be a multiple of "+d.TickSize.String(),
			"tickSize", d.TickSize.String())
	}
	return Price(ticks), nil
}

// ParseQuantity turns a decimal quantity into lots: INVALID_QUANTITY when it
// is not positive or too large, QUANTITY_OFF_LOT when it lies between two lots.
func (d *Definition) ParseQuantity(quantity money.Decimal) (Quantity, error) {
	lots, whole, err := quantity.Per(d.LotSize)
	switch {
	case err != nil || lots > int64(MaxQuantity):
		return 0, fault.New(fault.InvalidQuantity, "the quantity must be positive and within range")
	case !whole:
		return 0, fault.New(fault.QuantityOffLot, "the quantity must be a multiple of "+d.LotSize.String(),
			"lotSize", d.LotSize.String())
	}
	return Quantity(lots), nil
}

// ParsePriceText is ParsePrice of text; text that is no decimal is an
// INVALID_PRICE, one with more decimals than any decimal has PRICE_OFF_TICK.
func (d *Definition) ParsePriceText(text string) (Price, error) {
	price, err := money.ParseDecimal(text)
	switch {
	case errors.Is(err, money.ErrTooManyDecimals):
		return 0, fault.New(fault.PriceOffTick, "the price must be a multiple of "+d.TickSize.String(),
			"tickSize", d.TickSize.String())
	case err != nil:
		return 0, fault.New(fault.InvalidPrice, "the price must be a plain positive decimal within range")
	}
	return d.ParsePrice(price)
}

// ParseQuantityText is ParseQuantity of text; text that is no decimal is an
// INVALID_QUANTITY, one with more decimals than any decimal has QUANTITY_OFF_LOT.
func (d *Definition) ParseQuantityText(text string) (Quantity, error) {
	quantity, err := money.ParseDecimal(text)
	switch {
	case errors.Is(err, money.ErrTooManyDecimals):
		return 0, fault.New(fault.QuantityOffLot, "the quantity must be a multiple of "+d.LotSize.String(),
			"lotSize", d.LotSize.String())
	case err != nil:
		return 0, fault.New(fault.InvalidQuantity, "the quantity must be a plain positive decimal within range")
	}
	return d.ParseQuantity(quantity)
}

// ParseAmountText turns text into a positive amount of the asset:
// INVALID_AMOUNT, TOO_MANY_DECIMALS or AMOUNT_OVERFLOW.
func ParseAmountText(asset money.Asset, text string) (money.Amount, error) {
	amount, err := asset.ParseText(text)
	switch {
	case errors.Is(err, money.ErrTooManyDecimals):
		return 0, fault.Newf(fault.TooManyDecimals, "%s has %d decimals", asset.Code, asset.Scale)
	case errors.Is(err, money.ErrOverflow):
		return 0, fault.New(fault.AmountOverflow, "the amount is larger than the exchange can count")
	case err != nil || amount <= 0:
		return 0, fault.New(fault.InvalidAmount, "the amount must be a plain positive decimal")
	}
	return amount, nil
}

// FormatPrice writes a price in decimals, with as many as the tick size has.
func (d *Definition) FormatPrice(price Price) string { return times(d.TickSize, int64(price)) }

// FormatQuantity writes a quantity in decimals, with as many as the lot size has.
func (d *Definition) FormatQuantity(quantity Quantity) string {
	return times(d.LotSize, int64(quantity))
}

// times writes step * n. A product too large for a decimal cannot come from a
// price or quantity that was parsed, but totals of a level may be that large.
func times(step money.Decimal, n int64) string {
	product, ok := step.Times(n)
	if !ok {
		return "overflow"
	}
	return product.String()
}
