package venue

import (
	"math"
	"testing"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// What sections 1 to 5 of docs/trading-rules.md refuse, each with the digest
// unchanged.
func TestRefusalsOfOrders(t *testing.T) {
	change := func(c *PlaceOrder, f func(*PlaceOrder)) *PlaceOrder { return with(c, f) }
	oco := func(f func(*PlaceOCO)) *PlaceOCO {
		c := &PlaceOCO{Actor: 1, Symbol: "BTC-USDT", Side: market.Sell, Quantity: 10, Price: 1100, Trigger: 900}
		f(c)
		return c
	}
	bracket := func(f func(*PlaceBracket)) *PlaceBracket {
		c := &PlaceBracket{
			Actor: 1, Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, Price: 990, Quantity: 10, TakeProfit: 1100, StopTrigger: 900,
		}
		f(c)
		return c
	}
	amount := func(f func(*PlaceOrder)) *PlaceOrder {
		c := atMarket(buy(1, 0, 0))
		c.QuoteAmount = 5000
		f(c)
		return c
	}
	// Order 3 rests, 4 is filled, 6 is an OCO's limit leg, 8 waits for its trigger; the last price is 1000, the best ask 1010.
	for name, c := range map[string]struct {
		command Command
		want    fault.Code
	}{
		"no such mode":                {change(buy(1, 900, 10), func(c *PlaceOrder) { c.SelfTrade = 6 }), fault.InvalidArgument},
		"stop that is immediate":      {ioc(stop(buy(1, 0, 10), 1100)), fault.InvalidArgument},
		"stop with a price":           {change(stop(buy(1, 0, 10), 1100), func(c *PlaceOrder) { c.Price = 5 }), fault.InvalidPrice},
		"stop-limit without a price":  {change(stop(buy(1, 5, 10), 1100), func(c *PlaceOrder) { c.Price = 0 }), fault.InvalidPrice},
		"stop without a trigger":      {change(stop(buy(1, 0, 10), 1100), func(c *PlaceOrder) { c.Trigger = 0 }), fault.InvalidTrigger},
		"negative trigger":            {stop(buy(1, 0, 10), -1), fault.InvalidTrigger},
		"trigger out of range":        {stop(buy(1, 0, 10), market.MaxPrice+1), fault.InvalidTrigger},
		"limit with a trigger":        {change(buy(1, 900, 10), func(c *PlaceOrder) { c.Trigger = 5 }), fault.InvalidTrigger},
		"limit with a distance":       {change(buy(1, 900, 10), func(c *PlaceOrder) { c.Trail = 5 }), fault.InvalidTrigger},
		"trailing without a distance": {trail(sell(1, 0, 10), 0), fault.InvalidTrigger},
		"trailing below the ground":   {trail(sell(1, 0, 10), 1000), fault.InvalidTrigger},
		"trailing beyond the sky":     {trail(buy(1, 0, 10), market.MaxPrice), fault.InvalidTrigger},
		"trailing nothing":            {change(trail(sell(1, 0, 10), 5), func(c *PlaceOrder) { c.Symbol = "ETH-USDT" }), fault.NoReferencePrice},
		"buy stop that is passed":     {stop(buy(1, 0, 10), 1000), fault.TriggerPassed},
		"sell stop that is passed":    {stop(sell(1, 0, 10), 1000), fault.TriggerPassed},
		"displays nothing":            {iceberg(buy(1, 900, 10), -1), fault.InvalidDisplay},
		"displays all":                {iceberg(buy(1, 900, 10), 10), fault.InvalidDisplay},
		"displays too little":         {iceberg(buy(1, 900, 101), 1), fault.InvalidDisplay},
		"iceberg that is immediate":   {ioc(iceberg(buy(1, 900, 10), 5)), fault.InvalidDisplay},
		"expires now":                 {until(buy(1, 900, 10), 0), fault.InvalidExpiry},
		"expires too late":            {until(buy(1, 900, 10), math.MaxInt64), fault.InvalidExpiry},
		"GTC that expires":            {change(buy(1, 900, 10), func(c *PlaceOrder) { c.ExpiresAt = 1 << 60 }), fault.InvalidExpiry},
		"post-only that takes":        {change(buy(1, 1010, 10), func(c *PlaceOrder) { c.PostOnly = true }), fault.PostOnlyWouldTake},
		"post-only that is immediate": {change(ioc(buy(1, 900, 10)), func(c *PlaceOrder) { c.PostOnly = true }), fault.InvalidArgument},
		"not fillable":                {change(buy(1, 1010, 100), func(c *PlaceOrder) { c.TimeInForce = market.FOK }), fault.NotFillable},
		"amount and quantity":         {amount(func(c *PlaceOrder) { c.Quantity = 1 }), fault.InvalidArgument},
		"negative amount":             {amount(func(c *PlaceOrder) { c.QuoteAmount = -1 }), fault.InvalidArgument},
		"sell for an amount":          {amount(func(c *PlaceOrder) { c.Side = market.Sell }), fault.InvalidArgument},
		"amount with DECREMENT":       {amount(func(c *PlaceOrder) { c.SelfTrade = market.Decrement }), fault.InvalidArgument},
		"amount that pays for no lot": {amount(func(c *PlaceOrder) { c.QuoteAmount = 1000 }), fault.NoLiquidity},
		"stop that cannot be counted": {stop(buy(1, 0, market.MaxQuantity), market.MaxPrice), fault.AmountOverflow},
		"stop that is not covered":    {stop(sell(9, 0, 10), 900), fault.InsufficientBalance},
		"OCO the wrong way":           {oco(func(c *PlaceOCO) { c.Price = 800 }), fault.InvalidArgument},
		"OCO that is immediate":       {oco(func(c *PlaceOCO) { c.TimeInForce = market.IOC }), fault.InvalidArgument},
		"OCO without a price":         {oco(func(c *PlaceOCO) { c.Price = 0 }), fault.InvalidPrice},
		"OCO without a trigger":       {oco(func(c *PlaceOCO) { c.Trigger = 0 }), fault.InvalidTrigger},
		"OCO without a quantity":      {oco(func(c *PlaceOCO) { c.Quantity = 0 }), fault.InvalidQuantity},
		"OCO that is passed":          {oco(func(c *PlaceOCO) { c.Trigger = 1000 }), fault.TriggerPassed},
		"OCO that takes":              {oco(func(c *PlaceOCO) { c.Side, c.Price, c.Trigger = market.Buy, 1010, 1200 }), fault.PostOnlyWouldTake},
		"bracket the wrong way":       {bracket(func(c *PlaceBracket) { c.TakeProfit = 800 }), fault.InvalidArgument},
		"bracket of a stop":           {bracket(func(c *PlaceBracket) { c.Type = market.Stop }), fault.InvalidArgument},
		"bracket without a target":    {bracket(func(c *PlaceBracket) { c.TakeProfit = 0 }), fault.InvalidPrice},
		"bracket not fillable":        {bracket(func(c *PlaceBracket) { c.TimeInForce = market.FOK }), fault.NotFillable},
		"bracket beyond counting":     {bracket(func(c *PlaceBracket) { c.TakeProfit, c.Quantity = market.MaxPrice, 1<<30 }), fault.AmountOverflow},
		"amend of nothing":            {&AmendOrder{Actor: 1, Order: 4711, Price: 5}, fault.OrderNotFound},
		"amend of another's":          {&AmendOrder{Actor: 1, Order: 1, Price: 5}, fault.OrderNotFound},
		"amend of a filled order":     {&AmendOrder{Actor: 1, Order: 4, Price: 5}, fault.OrderNotOpen},
		"amend of an OCO":             {&AmendOrder{Actor: 1, Order: 6, Price: 1200}, fault.OrderNotAmendable},
		"amend of a stop":             {&AmendOrder{Actor: 1, Order: 8, Quantity: 5}, fault.OrderNotAmendable},
		"amend of nothing in it":      {&AmendOrder{Actor: 1, Order: 3}, fault.InvalidAmend},
		"amend to less than nothing":  {&AmendOrder{Actor: 1, Order: 3, Quantity: -5}, fault.InvalidAmend},
		"amend to a negative price":   {&AmendOrder{Actor: 1, Order: 3, Price: -5}, fault.InvalidPrice},
		"amend beyond counting":       {&AmendOrder{Actor: 1, Order: 3, Price: market.MaxPrice, Quantity: market.MaxQuantity}, fault.AmountOverflow},
		"amend beyond what is there":  {&AmendOrder{Actor: 1, Order: 3, Quantity: 1 << 40}, fault.InsufficientBalance},
		"cancel for nobody":           {&CancelFor{Actor: 9, Order: 4711}, fault.OrderNotFound},
		"cancel for, of a filled one": {&CancelFor{Actor: 9, Order: 4}, fault.OrderNotOpen},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			for id := account.ID(1); id <= 2; id++ {
				h.deposit(id, "BTC", 100_000)
				h.deposit(id, "USDT", 10_000_000_000)
			}
			h.must(sell(2, 1010, 5))
			h.must(sell(2, 1000, 5))
			h.must(buy(1, 500, 10))
			h.must(buy(1, 1000, 5))
			h.must(buy(1, 400, 10))
			h.must(oco(func(*PlaceOCO) {}))
			h.must(stop(sell(1, 0, 10), 700))
			h.refuse(c.command, c.want)
		})
	}
}
