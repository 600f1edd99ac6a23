package house_test

import (
	"testing"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/house"
)

// The operations of a trading day, as a client would write them.
const (
	askDeposit     = `mutation($input: RequestDepositInput!) { requestDeposit(input: $input) { deposit { id status amount } } }`
	approveDeposit = `mutation($id: ID!) { approveDeposit(input: {depositId: $id}) { deposit { id status decidedBy { username } } sequence } }`
	placeOrder     = `mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { sequence
		order { id status filledQuantity remainingQuantity averagePrice market { symbol } } } }`
	cancelOrder = `mutation($id: ID!, $key: String!) { cancelOrder(input: {orderId: $id, clientKey: $key}) { order { id status cancelReason remainingQuantity } } }`
	balances    = `{ me { balances { asset { code } available held total } } }`
)

type orderView struct {
	ID, Status, FilledQuantity, RemainingQuantity, CancelReason string
	AveragePrice                                                *string
}

type placed struct{ PlaceOrder struct{ Order orderView } }

// A trading day: two members register with the agent's code, money comes in through the
// agent, they trade, one cancels, and at the end every cent is accounted for.
func TestTradingDay(t *testing.T) {
	h, endpoint := open(t)
	agent := signIn(t, h, endpoint, "agent")
	admin := signIn(t, h, endpoint, "admin")
	clara, dan := register(t, h, endpoint, "clara"), register(t, h, endpoint, "dan")

	// The house opens a market of its own, so that nothing else moves its books.
	ask[any](t, admin, `mutation($i: CreateAssetInput!) { createAsset(input: $i) { asset { code scale } } }`,
		vars("i", vars("clientKey", "gold", "code", "XAU", "scale", 4)))
	ask[any](t, admin, `mutation($i: CreateMarketInput!) { createMarket(input: $i) { market { symbol phase openOrderCount } } }`,
		vars("i", vars("clientKey", "gold-market", "base", "XAU", "quote", "USDT", "tickSize", "0.01", "lotSize", "0.001",
			"minNotional", "1", "makerFeeRate", "0.001", "takerFeeRate", "0.002")))

	// Money comes in; nothing is credited before the agent says so.
	pay(t, agent, clara, "USDT", "10000")
	pay(t, agent, dan, "XAU", "5")
	expectBalance(t, clara, "USDT", "10000.000000", "0.000000")
	expectBalance(t, dan, "XAU", "5.0000", "0.0000")

	// Clara bids for two, which holds 2 x 2000 and the taker's fee on it.
	bid := place(t, clara, "bid", "BUY", "2000.00", "2.000")
	expect(t, "status of the bid", bid.Status, "OPEN")
	expectBalance(t, clara, "USDT", "5992.000000", "4008.000000")

	// Dan sells half of that to her, then offers the rest above the market and takes it back.
	hit := place(t, dan, "hit", "SELL", "2000.00", "1.000")
	expect(t, "status of the hit", hit.Status, "FILLED")
	expect(t, "status of the bid after a partial fill", status(t, clara, bid.ID), "PARTIALLY_FILLED")
	rest := place(t, dan, "rest", "SELL", "2100.00", "4.000")
	expectBalance(t, dan, "XAU", "0.0000", "4.0000")
	cancelled := ask[struct{ CancelOrder struct{ Order orderView } }](t, dan, cancelOrder, vars("id", rest.ID, "key", "take-back"))
	expect(t, "status after the cancel", cancelled.CancelOrder.Order.Status, "CANCELLED")
	expect(t, "reason of the cancel", cancelled.CancelOrder.Order.CancelReason, "REQUESTED")

	// Fees: the maker pays 0.1 % of 2000, the taker 0.2 %.
	expectBalance(t, dan, "USDT", "1996.000000", "0.000000")
	expectBalance(t, dan, "XAU", "4.0000", "0.0000")
	expectBalance(t, clara, "USDT", "5994.000000", "2004.000000")
	expectBalance(t, clara, "XAU", "1.0000", "0.0000")

	// The same command again is the same order; another body under the key is refused.
	again := place(t, clara, "bid", "BUY", "2000.00", "2.000")
	expect(t, "id of the repeated order", again.ID, bid.ID)
	refused(t, clara, "IDEMPOTENCY_CONFLICT", placeOrder, vars("input", order("bid", "BUY", "2000.00", "3.000")))

	seenByStaff(t, agent, admin, bid.ID)
	zeroSum(t, h)
}

// seenByStaff reads one order through three subgraphs at once.
func seenByStaff(t *testing.T, agent, admin *client.Client, orderID string) {
	t.Helper()
	seen := ask[struct {
		Agent struct {
			Downline struct {
				Nodes []struct {
					Username, Equity string
					Agent            struct{ Username string }
					Orders           struct{ Nodes []struct{ ID string } }
				}
			}
		}
	}](t, agent, `{ agent { downline(search: "clara") { nodes { username equity agent { username } orders { nodes { id } } } } } }`, nil)
	clara := seen.Agent.Downline.Nodes[0]
	expect(t, "username", clara.Username, "clara")
	expect(t, "agent", clara.Agent.Username, "agent")
	// 7998 USDT and one ounce that last traded at 2000.
	expect(t, "equity", clara.Equity, "9998.000000")
	expect(t, "order", clara.Orders.Nodes[0].ID, orderID)

	house := ask[struct {
		Members struct {
			Nodes []struct {
				Username string
				Agent    struct{ Username string }
			}
		}
	}](t, admin, `{ members(search: "clara") { nodes { username agent { username } } } }`, nil)
	expect(t, "members found", len(house.Members.Nodes), 1)
	expect(t, "agent", house.Members.Nodes[0].Agent.Username, "agent")
}

func vars(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

func register(t *testing.T, h *house.House, endpoint, name string) *client.Client {
	t.Helper()
	c := client.New(endpoint, nil)
	must(t, c.Register(t.Context(), h.Demo.InviteCode, name, "far-too-long-to-guess-26", name))
	return c
}

// pay brings money in the way it comes in: asked for by the member, approved by the agent.
func pay(t *testing.T, agent, member *client.Client, asset, amount string) {
	t.Helper()
	asked := ask[struct {
		RequestDeposit struct{ Deposit struct{ ID, Status string } }
	}](t, member, askDeposit, vars("input", vars("clientKey", "pay-"+asset, "asset", asset, "amount", amount)))
	expect(t, "status of the deposit", asked.RequestDeposit.Deposit.Status, "PENDING")
	approved := ask[struct {
		ApproveDeposit struct {
			Deposit struct {
				Status    string
				DecidedBy struct{ Username string }
			}
		}
	}](t, agent, approveDeposit, vars("id", asked.RequestDeposit.Deposit.ID))
	expect(t, "status of the deposit", approved.ApproveDeposit.Deposit.Status, "APPROVED")
	expect(t, "who decided", approved.ApproveDeposit.Deposit.DecidedBy.Username, "agent")
}

func order(key, side, price, quantity string) map[string]any {
	return vars("clientKey", key, "market", "XAU-USDT", "side", side, "price", price, "quantity", quantity)
}

func place(t *testing.T, c *client.Client, key, side, price, quantity string) orderView {
	t.Helper()
	return ask[placed](t, c, placeOrder, vars("input", order(key, side, price, quantity))).PlaceOrder.Order
}

func status(t *testing.T, c *client.Client, id string) string {
	t.Helper()
	return ask[struct{ Order orderView }](t, c, `query($id: ID!) { order(id: $id) { id status } }`, vars("id", id)).Order.Status
}

func expectBalance(t *testing.T, c *client.Client, asset, available, held string) {
	t.Helper()
	seen := ask[struct {
		Me struct {
			Balances []struct {
				Asset                  struct{ Code string }
				Available, Held, Total string
			}
		}
	}](t, c, balances, nil)
	for _, b := range seen.Me.Balances {
		if b.Asset.Code == asset {
			expect(t, asset+" available", b.Available, available)
			expect(t, asset+" held", b.Held, held)
			return
		}
	}
	t.Errorf("no balance of %s", asset)
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// zeroSum replays the log beside the running house and checks every invariant after it.
func zeroSum(t *testing.T, h *house.House) {
	t.Helper()
	v, err := house.Verify(t.Context(), house.Config{DatabaseURL: h.DatabaseURL()})
	must(t, err)
	for _, violation := range v.Violations {
		t.Error(violation)
	}
	if v.Sequence == 0 {
		t.Error("the log is empty")
	}
}
