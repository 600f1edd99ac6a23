package bench

import (
	"context"
	"errors"
	"fmt"

	"bourse/cmd/bourse/internal/client"
	"bourse/engine"
	"bourse/engine/fault"
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

// Half of the callers buy and half sell, all at one price, and no member does both: every
// order trades at once or waits for the next of the other side, and nobody meets its own.
const price = "64000.0"

func side(caller int) market.Side {
	if caller%2 == 1 {
		return market.Sell
	}
	return market.Buy
}

func (s *stage) placeAtFacade(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, o.Waiting, o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		_, _, err := s.members[caller%len(s.members)].PlaceOrder(ctx, engine.PlaceOrder{
			Key: fmt.Sprintf("f%d-%d-%d", round, caller, n), Symbol: "BTC-USDT", Side: side(caller),
			Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: "0.001",
		})
		var refusal *fault.Error
		if errors.As(err, &refusal) && refusal.Code != fault.Unavailable {
			return true, nil
		}
		return false, err
	})
}

const placeOperation = `mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id status } } }`

func (s *stage) placeAtEndpoint(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, min(o.Waiting, 64), o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		err := s.traders[caller%len(s.traders)].Do(ctx, placeOperation, map[string]any{"input": map[string]any{
			"clientKey": fmt.Sprintf("e%d-%d-%d", round, caller, n), "market": "BTC-USDT", "side": side(caller).String(),
			"price": price, "quantity": "0.001",
		}}, nil)
		if client.Code(err) != "" {
			return true, nil
		}
		return false, err
	})
}
