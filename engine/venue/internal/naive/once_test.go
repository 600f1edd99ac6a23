package naive

import (
	"strconv"
	"testing"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/risk"
)

// What the two venues once did not agree on, in as few commands as show it.
func TestWhatOnceDiffered(t *testing.T) {
	const symbol = "BTC-USDT"
	order := func(actor account.ID, side market.Side, price market.Price, quantity market.Quantity) *PlaceOrder {
		return &PlaceOrder{Actor: actor, Symbol: symbol, Side: side, Type: market.Limit, Price: price, Quantity: quantity}
	}
	iceberg := order(5, market.Sell, 1011, 13)
	iceberg.Display = 3
	decrement := order(5, market.Buy, 1011, 31)
	decrement.SelfTrade = market.Decrement
	for name, commands := range map[string][]any{
		"an iceberg loses all of its lots, meeting after meeting": {iceberg, decrement},
		"a buy by quote amount counts in exposure": {
			order(1, market.Sell, 1008, 39),
			&SetLimits{Scope: risk.OfMember, ID: 2, Symbol: symbol, Limits: Limits{Exposure: 30_414}},
			&PlaceOrder{Actor: 2, Symbol: symbol, Side: market.Buy, Type: market.Market, QuoteAmount: 48_367},
		},
		"a frozen member may not even reduce": {
			order(1, market.Sell, 1008, 39),
			&SetMember{Member: 1, Freeze: risk.FrozenTrading},
			&AmendOrder{Actor: 1, Order: 1, Quantity: 38},
		},
		"a price is missing in a market with a band": {
			&SetRules{Symbol: symbol, Rules: market.Rules{Band: 1000, ReferencePrice: 1000}},
			order(1, market.Sell, 0, 39),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tryAll(inTheHouse(commands)); err != nil {
				t.Error(err)
			}
		})
	}
}

// inTheHouse puts a market and members with money before commands.
func inTheHouse(commands []any) (plays []play) {
	var all []any
	for _, a := range assets {
		all = append(all, &AddAsset{Asset: a})
	}
	all = append(all, &CreateMarket{Definition: definitions()[0]})
	for id := account.ID(1); id < members; id++ {
		all = append(all, &CreditDeposit{Member: id, Asset: "USDT", Amount: 2_000_000}, &CreditDeposit{Member: id, Asset: "BTC", Amount: 2_000_000})
	}
	for i, c := range append(all, commands...) {
		*keyOf(c) = "k" + strconv.Itoa(i)
		plays = append(plays, play{c, Time(1000 + i)})
	}
	return plays
}
