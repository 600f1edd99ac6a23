package resolver

import (
	"context"
	"fmt"
	"math/big"

	"bourse/engine/fault"
	"bourse/engine/money"
)

// holding is how much a member has of one asset.
type holding struct {
	asset string
	total money.Decimal
}

// readHoldings reads the representation that @requires asks for: balances { asset { code } total }.
func readHoldings(requires map[string]any) ([]holding, error) {
	rows, ok := requires["balances"].([]any)
	if !ok {
		return nil, fmt.Errorf("equity: the representation has no balances")
	}
	holdings := make([]holding, len(rows))
	for i, row := range rows {
		balance, _ := row.(map[string]any)
		asset, _ := balance["asset"].(map[string]any)
		code, ok := asset["code"].(string)
		text, ok2 := balance["total"].(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("equity: balance %d lacks its asset or total", i)
		}
		total, err := money.ParseDecimal(text)
		if err != nil {
			return nil, fmt.Errorf("equity: balance %d: %w", i, err)
		}
		holdings[i] = holding{code, total}
	}
	return holdings, nil
}

// prices are the last prices of assets in the reference asset.
type prices struct {
	reference money.Asset
	last      map[string]money.Decimal
}

// prices looks up what the assets last traded at against the reference asset.
func (r Root) prices(ctx context.Context, holdings []holding) (prices, error) {
	visitor := r.Exchange.Visitor()
	assets, err := visitor.Assets(ctx)
	if err != nil {
		return prices{}, err
	}
	p := prices{last: make(map[string]money.Decimal, len(holdings))}
	for _, a := range assets {
		if a.Code == r.ReferenceAsset {
			p.reference = a
		}
	}
	if p.reference.Code == "" {
		return prices{}, fault.New(fault.UnknownAsset, "the house has no reference asset yet", "asset", r.ReferenceAsset)
	}
	held := make(map[string]bool, len(holdings))
	for _, h := range holdings {
		held[h.asset] = h.total.Sign() != 0
	}
	markets, err := visitor.Markets(ctx)
	if err != nil {
		return prices{}, err
	}
	for _, m := range markets {
		if !held[m.Base.Code] || m.Quote.Code != p.reference.Code {
			continue
		}
		ticker, err := visitor.Ticker(ctx, m.Symbol)
		if err != nil {
			return prices{}, err
		}
		if ticker.Last != nil {
			p.last[m.Base.Code] = *ticker.Last
		}
	}
	return p, nil
}

// value adds the holdings up exactly and rounds the sum down, once, to the reference asset's scale:
// what is left over is less than its smallest unit. AMOUNT_OVERFLOW where the sum is more than the
// exchange can count.
func (p prices) value(holdings []holding) (money.Decimal, error) {
	sum := new(big.Rat)
	one := money.NewDecimal(1, 0)
	for _, h := range holdings {
		price, known := p.last[h.asset]
		if h.asset == p.reference.Code {
			price, known = one, true
		}
		if known {
			sum.Add(sum, new(big.Rat).Mul(exact(h.total), exact(price)))
		}
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p.reference.Scale)), nil)
	units := new(big.Int).Mul(sum.Num(), scale)
	units.Div(units, sum.Denom()) // Euclidean: towards minus infinity, since the divisor is positive
	if !units.IsInt64() {
		return money.Decimal{}, fault.New(fault.AmountOverflow, "the balances are worth more than the exchange can count")
	}
	return money.NewDecimal(units.Int64(), p.reference.Scale), nil
}

func exact(d money.Decimal) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale())), nil)
	return new(big.Rat).SetFrac(big.NewInt(d.Coefficient()), scale)
}
