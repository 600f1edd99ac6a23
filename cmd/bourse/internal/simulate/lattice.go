package simulate

import (
	"context"
	"fmt"
	"sync"

	"bourse/cmd/bourse/internal/client"
	"bourse/engine/money"
)

// lattice is a market as the traders see it: prices are whole ticks, quantities whole
// lots, and the mid wanders.
type lattice struct {
	symbol    string
	tick, lot money.Decimal
	minLots   int64 // so many lots that the least order passes the minimum notional at the opening mid
	opening   int64 // ticks

	mu  sync.Mutex
	mid int64 // ticks; stays within a tenth of opening
}

// loadMarkets reads the markets that trade, and where each stands.
func loadMarkets(ctx context.Context, c *client.Client, prices map[string]string) ([]*lattice, error) {
	var answer struct {
		Markets []struct {
			Symbol, Phase                  string
			TickSize, LotSize, MinNotional money.Decimal
			Ticker                         struct{ Last *money.Decimal }
		}
	}
	err := c.Do(ctx, `{ markets { symbol phase tickSize lotSize minNotional ticker { last } } }`, nil, &answer)
	if err != nil {
		return nil, fmt.Errorf("read the markets: %w", err)
	}
	var markets []*lattice
	for _, m := range answer.Markets {
		start := m.Ticker.Last
		if given, ok := prices[m.Symbol]; start == nil && ok {
			price, err := money.ParseDecimal(given)
			if err != nil {
				return nil, fmt.Errorf("opening price of %s: %w", m.Symbol, err)
			}
			start = &price
		}
		if start == nil {
			continue // nobody said what it is worth
		}
		mid, _, err := start.Per(m.TickSize)
		if err != nil || mid < 1 {
			return nil, fmt.Errorf("opening price of %s: %s is not a number of ticks", m.Symbol, start)
		}
		minLots, err := leastLots(*start, m.LotSize, m.MinNotional)
		if err != nil {
			return nil, fmt.Errorf("market %s: %w", m.Symbol, err)
		}
		markets = append(markets, &lattice{symbol: m.Symbol, tick: m.TickSize, lot: m.LotSize, minLots: minLots, opening: mid, mid: mid})
	}
	if len(markets) == 0 {
		return nil, fmt.Errorf("no market has a last price, and none was given an opening price")
	}
	return markets, nil
}

// leastLots is about twice the number of lots that the minimum notional asks for.
func leastLots(price, lot, minNotional money.Decimal) (int64, error) {
	const scale = 12
	p, err := price.Trim().Units(6)
	if err != nil {
		return 0, err
	}
	l, err := lot.Trim().Units(scale - 6)
	if err != nil {
		return 0, err
	}
	n, err := minNotional.Trim().Units(6)
	if err != nil {
		return 0, err
	}
	// price x lot has 12 decimals, the notional 6: scale the notional up in two steps to stay in range.
	perLot := max(1, p*l/1_000_000)
	return 2*n/perLot + 1, nil
}

// quote makes the next order's input, but for its key.
func (m *lattice) quote(a *actor) map[string]any {
	mid := m.wander(a.chance.Int64N(3) - 1)
	step := max(1, m.opening/10_000)
	side, sign := "BUY", int64(-1)
	if a.chance.IntN(2) == 0 {
		side, sign = "SELL", 1
	}
	lots := m.minLots * (1 + a.chance.Int64N(60))
	input := map[string]any{"market": m.symbol, "side": side, "type": "LIMIT", "quantity": m.decimal(m.lot, lots)}
	switch {
	case a.maker:
		away := 1 + min(a.chance.Int64N(25), a.chance.Int64N(25))
		input["price"] = m.decimal(m.tick, max(1, mid+sign*away*step))
	case a.chance.IntN(4) == 0:
		input["type"] = "MARKET"
	default:
		input["price"] = m.decimal(m.tick, max(1, mid-sign*(1+a.chance.Int64N(6))*step))
		input["timeInForce"] = "IOC"
	}
	return input
}

// wander moves the mid by direction steps and returns it.
func (m *lattice) wander(direction int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	span := m.opening / 10
	m.mid = min(max(m.mid+direction*max(1, m.opening/20_000), m.opening-span), m.opening+span)
	return m.mid
}

func (m *lattice) decimal(step money.Decimal, n int64) string {
	product, ok := step.Times(n)
	if !ok {
		return step.String() // out of any sensible range: the least order
	}
	return product.String()
}
