package drill

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/pause"
	"bourse/cmd/bourse/internal/simulate"
)

// trader is one client and its own book of what it was told.
type trader struct {
	simulate.Trader
	password string
	chance   *rand.Rand
	prices   map[string]string

	sent    int
	acked   int
	orders  map[string]*order // by id, as acknowledged
	unknown []command         // sent, and no answer came
	// failedOver counts the commands that another process answered after one did not.
	failedOver int
}

// order is what the client was told of one of its orders.
type order struct {
	input     map[string]any
	cancelled bool // the cancel was acknowledged
}

// command is a mutation with everything needed to send it again.
type command struct {
	cancel string         // the id of the order to cancel, or ""
	input  map[string]any // of the mutation
}

// load sends commands until the house is gone, and tells of the first answer.
func (t *trader) load(ctx context.Context, first chan<- struct{}) {
	told := false
	for ctx.Err() == nil {
		c := t.next()
		err := t.send(ctx, c)
		if open(err) {
			t.unknown = append(t.unknown, c)
			return
		}
		if !told {
			told = true
			first <- struct{}{}
		}
	}
}

// next makes a new order, or every fourth time the cancel of an old one.
func (t *trader) next() command {
	t.sent++
	key := fmt.Sprintf("drill-%d", t.sent)
	if resting := t.resting(); len(resting) > 0 && t.chance.IntN(4) == 0 {
		id := resting[t.chance.IntN(len(resting))]
		return command{cancel: id, input: map[string]any{"clientKey": key, "orderId": id}}
	}
	symbols := slices.Sorted(maps.Keys(t.prices))
	symbol := symbols[t.chance.IntN(len(symbols))]
	side := []string{"BUY", "SELL"}[t.chance.IntN(2)]
	return command{input: map[string]any{
		"clientKey": key, "market": symbol, "side": side, "price": t.prices[symbol], "quantity": "0.1",
		"timeInForce": []string{"GTC", "GTC", "GTC", "IOC"}[t.chance.IntN(4)],
	}}
}

// open reports whether it is unknown what became of a command: no answer came, or one
// that says so. Every other error, UNAVAILABLE among them, is a refusal, which changed nothing.
func open(err error) bool {
	if err == nil {
		return false
	}
	switch client.Code(err) {
	case "", "OUTCOME_UNKNOWN", "SUBREQUEST_HTTP_ERROR", "INTERNAL_SERVER_ERROR":
		return true
	}
	return false
}

// resting are the ids of orders whose cancel was not acknowledged yet.
func (t *trader) resting() []string {
	var ids []string
	for id, o := range t.orders {
		if !o.cancelled {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// send sends one command and, when it is acknowledged, writes it into the book. A
// refusal changed nothing and is forgotten.
func (t *trader) send(ctx context.Context, c command) error {
	if c.cancel != "" {
		var answer struct{ CancelOrder sequenced }
		err := t.Do(ctx, `mutation Cancel($input: CancelOrderInput!) { cancelOrder(input: $input) { sequence } }`,
			map[string]any{"input": c.input}, &answer)
		if err == nil {
			t.acked++
			t.Saw(answer.CancelOrder.Sequence)
			t.orders[c.cancel].cancelled = true
		}
		return err
	}
	var answer struct {
		PlaceOrder struct {
			sequenced
			Order struct{ ID string }
		}
	}
	err := t.Do(ctx, `mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) { sequence order { id } } }`,
		map[string]any{"input": c.input}, &answer)
	if err == nil {
		t.acked++
		t.Saw(answer.PlaceOrder.Sequence)
		t.orders[answer.PlaceOrder.Order.ID] = &order{input: c.input}
	}
	return err
}

// sequenced is where in the log a command stands.
type sequenced struct {
	Sequence uint64 `json:",string"`
}

// settle sends each unanswered command again, twice: whatever became of the first, there
// is one effect now.
func (t *trader) settle(ctx context.Context) (int, error) {
	settled := len(t.unknown)
	for _, c := range t.unknown {
		for range 2 {
			acked := t.acked
			if err := t.insist(ctx, c); open(err) {
				return 0, fmt.Errorf("%s settles a command: %w", t.Name, err)
			}
			t.acked = min(t.acked, acked+1)
		}
	}
	t.unknown = nil
	return settled, nil
}

// insist sends a command until somebody takes it or refuses it, for some seconds.
func (t *trader) insist(ctx context.Context, c command) error {
	for tries := 0; ; tries++ {
		err := t.send(ctx, c)
		code := client.Code(err)
		if code != "UNAVAILABLE" && code != "OUTCOME_UNKNOWN" || tries == 100 {
			return err
		}
		if err := pause.For(ctx, 2*settlePause); err != nil {
			return err
		}
	}
}

const historyOperation = `query History($after: String) {
  me { orders(first: 200, after: $after) {
    nodes { id market { symbol } side price quantity timeInForce status cancelReason }
    pageInfo { hasNextPage endCursor }
  } }
}`

// known is an order as the house tells it.
type known struct {
	ID, Side, Price, Quantity, TimeInForce, Status, CancelReason string
	Market                                                       struct{ Symbol string }
}

// compare reads the trader's whole history and holds the book against it.
func (t *trader) compare(ctx context.Context, r *Report) error {
	history, err := t.history(ctx)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	for _, k := range history {
		seen[k.ID]++
		o, ok := t.orders[k.ID]
		if !ok {
			r.find(&r.Doubled, "%s: order %s stands in the house, but no command of the client made it", t.Name, k.ID)
			continue
		}
		if k.Market.Symbol != o.input["market"] || k.Side != o.input["side"] || k.TimeInForce != o.input["timeInForce"] {
			r.find(&r.Violations, "%s: order %s is not what was acknowledged: %+v", t.Name, k.ID, k)
		}
		if o.cancelled && k.Status != "CANCELLED" {
			r.find(&r.Lost, "%s: the cancel of %s was acknowledged, but it is %s", t.Name, k.ID, k.Status)
		}
	}
	for id := range t.orders {
		switch seen[id] {
		case 1:
		case 0:
			r.find(&r.Lost, "%s: order %s was acknowledged and is gone", t.Name, id)
		default:
			r.find(&r.Doubled, "%s: order %s stands %d times", t.Name, id, seen[id])
		}
	}
	return nil
}

func (t *trader) history(ctx context.Context) ([]known, error) {
	var all []known
	var after *string
	for {
		var page struct {
			Me struct {
				Orders struct {
					Nodes    []known
					PageInfo struct {
						HasNextPage bool
						EndCursor   *string
					}
				}
			}
		}
		if err := t.Do(ctx, historyOperation, map[string]any{"after": after}, &page); err != nil {
			return nil, fmt.Errorf("%s reads its orders: %w", t.Name, err)
		}
		all = append(all, page.Me.Orders.Nodes...)
		if !page.Me.Orders.PageInfo.HasNextPage {
			return all, nil
		}
		after = page.Me.Orders.PageInfo.EndCursor
	}
}
