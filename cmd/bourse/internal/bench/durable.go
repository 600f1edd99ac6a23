package bench

import (
	"context"
	"fmt"

	"bourse/cmd/bourse/internal/client"
	"bourse/engine"
	"bourse/engine/market"
)

// Orders measures placing orders: at the engine's façade, and through the public endpoint
// over HTTP. Both wait for the commit; fsync and synchronous_commit are on.
func Orders(ctx context.Context, o Options) (facade, endpoint Rate, err error) {
	s, err := open(ctx, o)
	if err != nil {
		return Rate{}, Rate{}, err
	}
	defer s.teardown()
	var facades, endpoints []Rate
	for round := range o.Rounds {
		o.Progress(fmt.Sprintf("round %d of %d: orders at the façade, then through the endpoint", round+1, o.Rounds))
		r, err := s.placeAtFacade(ctx, o, round)
		if err != nil {
			return Rate{}, Rate{}, err
		}
		facades = append(facades, r)
		if r, err = s.placeAtEndpoint(ctx, o, round); err != nil {
			return Rate{}, Rate{}, err
		}
		endpoints = append(endpoints, r)
	}
	return medianRate(facades), medianRate(endpoints), nil
}

// price makes orders meet now and then: buyers and sellers quote around one price.
func price(caller, n int) string {
	return fmt.Sprintf("%d.0", 64_000+(caller*7+n*13)%41-20)
}

func (s *stage) placeAtFacade(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, o.Waiting, o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		side := market.Buy
		if (caller+n)%2 == 1 {
			side = market.Sell
		}
		_, _, err := s.members[caller%len(s.members)].PlaceOrder(ctx, engine.PlaceOrder{
			Key: fmt.Sprintf("f%d-%d-%d", round, caller, n), Symbol: "BTC-USDT", Side: side,
			Type: market.Limit, TimeInForce: market.IOC, Price: price(caller, n), Quantity: "0.001",
		})
		return false, err
	})
}

const placeOperation = `mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id status } } }`

func (s *stage) placeAtEndpoint(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, min(o.Waiting, 64), o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		side := "BUY"
		if (caller+n)%2 == 1 {
			side = "SELL"
		}
		err := s.traders[caller%len(s.traders)].Do(ctx, placeOperation, map[string]any{"input": map[string]any{
			"clientKey": fmt.Sprintf("e%d-%d-%d", round, caller, n), "market": "BTC-USDT", "side": side,
			"timeInForce": "IOC", "price": price(caller, n), "quantity": "0.001",
		}}, nil)
		if client.Code(err) != "" {
			return true, nil
		}
		return false, err
	})
}
