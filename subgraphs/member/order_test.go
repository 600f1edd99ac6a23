package member_test

import (
	"testing"

	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/internal/housetest"
)

const (
	place = `mutation($i: PlaceOrderInput!) { placeOrder(input: $i) { sequence order {
		id market { symbol } side type timeInForce price quantity filledQuantity remainingQuantity averagePrice status cancelReason placedAt } } }`
	cancel = `mutation($k: String!, $id: ID!) { cancelOrder(input: { clientKey: $k, orderId: $id }) { sequence order { id status cancelReason } } }`
)

// buy is a limit order that rests, changed as told.
func buy(changes vars) vars {
	input := vars{"clientKey": "k", "market": "BTC-USDT", "side": "BUY", "price": "10000", "quantity": "0.1"}
	for name, value := range changes {
		if value == nil {
			delete(input, name)
		} else {
			input[name] = value
		}
	}
	return vars{"i": input}
}

func TestAnOrderFromPlaceToCancel(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	alice := h.As("alice")
	placed := alice.Must(t, place, buy(nil))
	placed.Want(t, map[string]string{
		"placeOrder.order.market.symbol": "BTC-USDT", "placeOrder.order.side": "BUY", "placeOrder.order.type": "LIMIT",
		"placeOrder.order.timeInForce": "GTC", "placeOrder.order.price": "10000.00", "placeOrder.order.quantity": "0.1000",
		"placeOrder.order.filledQuantity": "0.0000", "placeOrder.order.remainingQuantity": "0.1000",
		"placeOrder.order.averagePrice": "", "placeOrder.order.status": "OPEN", "placeOrder.order.cancelReason": "",
	})
	id := placed.Text("placeOrder.order.id")
	again := alice.Must(t, place, buy(nil))
	if again.Text("placeOrder.order.id") != id || again.Text("placeOrder.sequence") != placed.Text("placeOrder.sequence") {
		t.Error("the same key placed a second order")
	}
	alice.Refused(t, "IDEMPOTENCY_CONFLICT", place, buy(vars{"quantity": "0.2"}))

	answer := alice.Must(t, `query($id: ID!) { order(id: $id) { status } me {
		username displayName
		balances { asset { code } available held total }
		orders(openOnly: true) { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage } }
	} }`, vars{"id": id})
	answer.Want(t, map[string]string{
		"order.status": "OPEN", "me.username": "alice",
		"me.orders.nodes.0.id": id, "me.orders.edges.0.node.id": id,
	})
	for field, amount := range map[string]string{"held": "1002.000000", "available": "3998.000000", "total": "5000.000000"} {
		if got := answer.Balance("me.balances", "USDT", field); got != amount {
			t.Errorf("%s %s, want %s", field, got, amount)
		}
	}

	alice.Must(t, cancel, vars{"k": "c", "id": id}).Want(t, map[string]string{"cancelOrder.order.status": "CANCELLED", "cancelOrder.order.cancelReason": "REQUESTED"})
	alice.Refused(t, "ORDER_NOT_OPEN", cancel, vars{"k": "c2", "id": id})
	after := alice.Must(t, `{ me { balances { asset { code } held } orders(openOnly: true) { nodes { id } } all: orders { nodes { status } } } }`, nil)
	after.Want(t, map[string]string{"me.orders.nodes.0.id": "", "me.all.nodes.0.status": "CANCELLED"})
	if held := after.Balance("me.balances", "USDT", "held"); held != "0.000000" {
		t.Errorf("still held: %s", held)
	}
}

func TestRefusalsOfOrders(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	alice := h.As("alice")
	for code, change := range map[string]vars{
		"UNKNOWN_MARKET":          {"market": "NO-SUCH"},
		"INVALID_PRICE":           {"price": "-1"},
		"PRICE_OFF_TICK":          {"price": "10000.001"},
		"INVALID_QUANTITY":        {"quantity": "-0.1"},
		"QUANTITY_OFF_LOT":        {"quantity": "0.00001"},
		"BELOW_MIN_NOTIONAL":      {"quantity": "0.0001", "price": "1"},
		"INSUFFICIENT_BALANCE":    {"quantity": "10"},
		"NO_LIQUIDITY":            {"type": "MARKET", "price": nil},
		"INVALID_IDEMPOTENCY_KEY": {"clientKey": ""},
		"AMOUNT_OVERFLOW":         {"quantity": "99999999999999999999"},
		"INVALID_ARGUMENT":        {"quantity": "ten"},
	} {
		t.Run(code, func(t *testing.T) { alice.Refused(t, code, place, buy(change)) })
	}
	alice.Refused(t, "INVALID_PRICE", place, buy(vars{"price": nil}))
	alice.Refused(t, "INVALID_QUANTITY", place, buy(vars{"quantity": nil}))
	alice.Refused(t, "INVALID_ARGUMENT", place, buy(vars{"clientKey": 7}))
	if price := alice.Refused(t, "PRICE_OFF_TICK", place, buy(vars{"price": "1.001"})); price.Extensions["details"] == nil {
		t.Error("a price off the tick does not say what the tick is")
	}
	for _, malformed := range []vars{
		{"side": "HOLD"}, {"unknown": "field"}, {"market": nil}, {"side": nil},
	} {
		answer := alice.Do(t, place, buy(malformed))
		if len(answer.Errors) == 0 || answer.Errors[0].Code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%v: %d %s", malformed, answer.Status, answer.Raw)
		}
	}
	for _, broken := range []string{`{ me { nothing } }`, `{ me `, `{ me { orders(first: 99999999999999999999) { nodes { id } } } }`} {
		answer := alice.Do(t, broken, nil)
		if len(answer.Errors) == 0 || answer.Errors[0].Code() == "" || answer.Errors[0].Code() == "INTERNAL_SERVER_ERROR" {
			t.Errorf("%s: %d %s", broken, answer.Status, answer.Raw)
		}
	}
	alice.Refused(t, "INVALID_ARGUMENT", `{ me { orders(first: 0) { nodes { id } } } }`, nil)
	alice.Refused(t, "INVALID_ARGUMENT", `{ me { orders(first: 201) { nodes { id } } } }`, nil)
	alice.Refused(t, "INVALID_ARGUMENT", `{ me { orders(after: "rubbish") { nodes { id } } } }`, nil)
	answer := alice.Must(t, `{ me { orders { nodes { id } } balances { asset { code } held } } }`, nil)
	if answer.Len("me.orders.nodes") != 0 || answer.Balance("me.balances", "USDT", "held") != "0.000000" {
		t.Errorf("a refused order left something behind: %s", answer.Raw)
	}
}

func TestNobodySeesOrTouchesAnothersOrder(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	id := scalar.EncodeID(scalar.Order, uint64(h.Place("alice", market.Buy, "0.1", "10000").ID))
	entity := vars{"r": []any{vars{"__typename": "Order", "id": id}, vars{"__typename": "Member", "id": memberID(h, "alice")}}}
	const look = `query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Order { status } ... on Member { username balances { asset { code } total } orders { nodes { id } } fills { nodes { fee } } deposits { nodes { id } } } } }`

	for _, other := range []string{"bob", "eve"} {
		client := h.As(other)
		if client.Must(t, `query($id: ID!) { order(id: $id) { status } }`, vars{"id": id}).At("order") != nil {
			t.Errorf("%s sees alice's order", other)
		}
		client.Refused(t, "ORDER_NOT_FOUND", cancel, vars{"k": "c", "id": id})
	}
	for _, stranger := range []string{"bob", "eve", "olga", "rival"} {
		answer := h.As(stranger).Must(t, look, entity)
		if answer.At("_entities.0") != nil || answer.At("_entities.1") != nil {
			t.Errorf("%s sees alice's things: %s", stranger, answer.Raw)
		}
	}
	for _, overseer := range []string{"alice", "nora", "ada"} {
		answer := h.As(overseer).Must(t, look, entity)
		answer.Want(t, map[string]string{
			"_entities.0.status": "OPEN", "_entities.1.username": "alice", "_entities.1.orders.nodes.0.id": id,
		})
		if total := answer.Balance("_entities.1.balances", "USDT", "total"); total != "5000.000000" {
			t.Errorf("%s sees %s", overseer, total)
		}
	}
	list := vars{"r": []any{
		vars{"__typename": "Member", "id": memberID(h, "eve")},
		vars{"__typename": "Member", "id": memberID(h, "alice")},
		vars{"__typename": "Order", "id": id},
		vars{"__typename": "Member", "id": memberID(h, "carol")},
	}}
	several := h.As("nora").Must(t, look, list)
	if several.At("_entities.0") != nil || several.Balance("_entities.1.balances", "USDT", "total") != "5000.000000" ||
		several.Balance("_entities.3.balances", "USDT", "total") == "5000.000000" || several.Text("_entities.3.username") != "carol" {
		t.Errorf("balances went astray: %s", several.Raw)
	}
	if answer := h.As("nora").Must(t, look, vars{"r": []any{vars{"__typename": "Member", "id": memberID(h, "carol")}}}); answer.Text("_entities.0.username") != "carol" {
		t.Errorf("an agent does not see the members of an agent below: %s", answer.Raw)
	}
	// An id of another kind, or none at all, is like one that is not there.
	for _, wrong := range []string{memberID(h, "alice"), "1", "", "o_" + id[3:]} {
		if answer := h.As("alice").Must(t, `query($id: ID!) { order(id: $id) { status } }`, vars{"id": wrong}); answer.At("order") != nil {
			t.Errorf("%q is an order: %s", wrong, answer.Raw)
		}
		h.As("alice").Refused(t, "ORDER_NOT_FOUND", cancel, vars{"k": "c", "id": wrong})
	}
}

func TestFillsFeesAndPages(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("bob", "USDT", "100000")
	for range 3 {
		h.Place("alice", market.Sell, "0.1", "20000")
	}
	h.Place("bob", market.Buy, "0.25", "20000")

	const fills = `query($after: String) { me { fills(first: 2, after: $after) {
		nodes { side liquidity price quantity fee trade { id takerSide market { symbol } } order { id status quantity } }
		edges { cursor node { fee order { id } } } pageInfo { hasNextPage endCursor } } } }`
	page := h.As("bob").Must(t, fills, nil)
	page.Want(t, map[string]string{
		"me.fills.nodes.0.side": "BUY", "me.fills.nodes.0.liquidity": "TAKER", "me.fills.nodes.0.quantity": "0.0500",
		"me.fills.nodes.0.fee": "2.000000", "me.fills.nodes.1.fee": "4.000000", "me.fills.nodes.0.order.status": "FILLED",
		"me.fills.nodes.0.order.quantity": "0.2500", "me.fills.nodes.0.trade.takerSide": "BUY", "me.fills.pageInfo.hasNextPage": "true",
		"me.fills.edges.0.node.order.id": page.Text("me.fills.nodes.0.order.id"),
	})
	rest := h.As("bob").Must(t, fills, vars{"after": page.Text("me.fills.pageInfo.endCursor")})
	if rest.Len("me.fills.nodes") != 1 || rest.Text("me.fills.pageInfo.hasNextPage") != "false" {
		t.Error(rest.Raw)
	}
	h.As("alice").Must(t, fills, nil).Want(t, map[string]string{
		"me.fills.nodes.0.side": "SELL", "me.fills.nodes.0.liquidity": "MAKER", "me.fills.nodes.0.fee": "1.000000",
	})

	orders := h.As("alice").Must(t, `{ me {
		newest: orders(first: 1) { nodes { status filledQuantity averagePrice } pageInfo { hasNextPage endCursor } }
		open: orders(openOnly: true, market: "BTC-USDT") { nodes { remainingQuantity } }
	} }`, nil)
	orders.Want(t, map[string]string{
		"me.newest.nodes.0.status": "PARTIALLY_FILLED", "me.newest.nodes.0.filledQuantity": "0.0500", "me.newest.nodes.0.averagePrice": "20000.00",
		"me.newest.pageInfo.hasNextPage": "true", "me.open.nodes.0.remainingQuantity": "0.0500",
	})
	const all = `mutation($k: String!) { cancelAllOrders(input: { clientKey: $k, market: "BTC-USDT" }) { cancelled sequence } }`
	h.As("alice").Must(t, all, vars{"k": "all"}).Want(t, map[string]string{"cancelAllOrders.cancelled": "1"})
}

func TestASubscriptionBeginsWithTheWholeAndGoesOn(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("bob", "USDT", "100000")
	h.Place("alice", market.Sell, "0.5", "20000")

	depth := h.As("").Subscribe(t, `subscription { depthUpdates(market: "BTC-USDT") { snapshot sequence previousSequence bids { price quantity } asks { price quantity } } }`, nil)
	trades := h.As("").Subscribe(t, `subscription { tradeUpdates(market: "BTC-USDT") { snapshot sequence trades { price quantity market { symbol } } } }`, nil)
	orders := h.As("alice").Subscribe(t, `subscription { orderUpdates { snapshot sequence orders { id status remainingQuantity market { symbol } } fills { liquidity quantity fee order { id } } } }`, nil)
	balances := h.As("bob").Subscribe(t, `subscription { balanceUpdates { snapshot sequence balances { asset { code } available total } } }`, nil)

	first := depth.Next()
	first.Want(t, map[string]string{"depthUpdates.snapshot": "true", "depthUpdates.asks.0.price": "20000.00", "depthUpdates.asks.0.quantity": "0.5000"})
	trades.Next().Want(t, map[string]string{"tradeUpdates.snapshot": "true"})
	orders.Next().Want(t, map[string]string{"orderUpdates.snapshot": "true", "orderUpdates.orders.0.status": "OPEN"})
	if whole := balances.Next(); whole.Text("balanceUpdates.snapshot") != "true" || whole.Balance("balanceUpdates.balances", "USDT", "total") != "100000.000000" {
		t.Error(whole.Raw)
	}

	h.Place("bob", market.Buy, "0.2", "20000")

	next := depth.Next()
	next.Want(t, map[string]string{
		"depthUpdates.snapshot": "false", "depthUpdates.asks.0.quantity": "0.3000",
		"depthUpdates.previousSequence": first.Text("depthUpdates.sequence"),
	})
	trades.Next().Want(t, map[string]string{"tradeUpdates.snapshot": "false", "tradeUpdates.trades.0.quantity": "0.2000", "tradeUpdates.trades.0.market.symbol": "BTC-USDT"})
	orders.Next().Want(t, map[string]string{
		"orderUpdates.snapshot": "false", "orderUpdates.orders.0.status": "PARTIALLY_FILLED",
		"orderUpdates.fills.0.liquidity": "MAKER", "orderUpdates.fills.0.fee": "4.000000",
	})
	balances.Until(func(a housetest.Answer) bool {
		return a.Balance("balanceUpdates.balances", "BTC", "total") == "0.20000000"
	})
}

func TestASubscriptionSaysWhyItEnds(t *testing.T) {
	h := open(t)
	streams := map[string]*housetest.Stream{
		"depth":    h.As("").Subscribe(t, `subscription { depthUpdates(market: "BTC-USDT") { snapshot } }`, nil),
		"trades":   h.As("").Subscribe(t, `subscription { tradeUpdates(market: "BTC-USDT") { snapshot } }`, nil),
		"orders":   h.As("alice").Subscribe(t, `subscription { orderUpdates { snapshot } }`, nil),
		"balances": h.As("alice").Subscribe(t, `subscription { balanceUpdates { snapshot } }`, nil),
	}
	for _, stream := range streams {
		stream.Next()
	}
	h.Close()
	for name, stream := range streams {
		last := stream.Until(func(a housetest.Answer) bool { return len(a.Errors) > 0 })
		if last.Errors[0].Code() != "UNAVAILABLE" || last.Data != nil {
			t.Errorf("%s: %s", name, last.Raw)
		}
		stream.Ended()
	}
}

func TestSubscriptionsThatMayNotBe(t *testing.T) {
	h := open(t)
	for _, c := range []struct{ who, code, subscription string }{
		{"", "UNAUTHENTICATED", `subscription { orderUpdates { snapshot } }`},
		{"", "UNAUTHENTICATED", `subscription { balanceUpdates { snapshot } }`},
		{"nora", "FORBIDDEN", `subscription { orderUpdates { snapshot } }`},
		{"", "UNKNOWN_MARKET", `subscription { depthUpdates(market: "NO-SUCH") { snapshot } }`},
		{"", "UNKNOWN_MARKET", `subscription { tradeUpdates(market: "NO-SUCH") { snapshot } }`},
		{"", "INVALID_ARGUMENT", `subscription { depthUpdates(market: "BTC-USDT", levels: 0) { snapshot } }`},
	} {
		stream := h.As(c.who).Subscribe(t, c.subscription, nil)
		if answer := stream.Next(); len(answer.Errors) != 1 || answer.Errors[0].Code() != c.code {
			t.Errorf("%q %s: %s", c.who, c.subscription, answer.Raw)
		}
		stream.Ended()
	}
}
