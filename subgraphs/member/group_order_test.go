package member_test

import "testing"

func TestGroupsAmendsAndStatements(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	h.Fund("alice", "BTC", "1")
	alice := h.As("alice")
	oco := alice.Must(t, `mutation { placeOcoOrder(input: { clientKey: "o", market: "BTC-USDT", side: SELL, quantity: "0.1", price: "11000", triggerPrice: "9000" }) {
		sequence limit { id status siblingId price } stop { id type status siblingId triggerPrice price } } }`, nil)
	oco.Want(t, map[string]string{
		"placeOcoOrder.limit.status": "OPEN", "placeOcoOrder.limit.price": "11000.00", "placeOcoOrder.stop.type": "STOP", "placeOcoOrder.stop.status": "PENDING",
		"placeOcoOrder.stop.triggerPrice": "9000.00", "placeOcoOrder.stop.price": "",
		"placeOcoOrder.limit.siblingId": oco.Text("placeOcoOrder.stop.id"), "placeOcoOrder.stop.siblingId": oco.Text("placeOcoOrder.limit.id"),
	})
	alice.Refused(t, "INVALID_ARGUMENT", `mutation { placeOcoOrder(input: { clientKey: "o2", market: "BTC-USDT", side: SELL, quantity: "0.1", price: "9000", triggerPrice: "9500" }) { sequence } }`, nil)

	bracket := alice.Must(t, `mutation { placeBracketOrder(input: { clientKey: "b", market: "BTC-USDT", side: BUY, price: "9500", quantity: "0.1",
		takeProfitPrice: "12000", stopTriggerPrice: "8500", stopPrice: "8400" }) { entry { id status } takeProfit { parentId status } stopLoss { type price parentId } } }`, nil)
	bracket.Want(t, map[string]string{
		"placeBracketOrder.entry.status": "OPEN", "placeBracketOrder.takeProfit.status": "PENDING", "placeBracketOrder.stopLoss.type": "STOP_LIMIT",
		"placeBracketOrder.stopLoss.price": "8400.00", "placeBracketOrder.takeProfit.parentId": bracket.Text("placeBracketOrder.entry.id"),
	})

	plain := alice.Must(t, place, buy(nil)).Text("placeOrder.order.id")
	const amend = `mutation($id: ID!, $p: Decimal, $q: Decimal) { amendOrder(input: { clientKey: "a", orderId: $id, price: $p, quantity: $q }) { order { id price quantity status } } }`
	alice.Must(t, amend, vars{"id": plain, "q": "0.05"}).Want(t, map[string]string{"amendOrder.order.id": plain, "amendOrder.order.quantity": "0.0500", "amendOrder.order.price": "10000.00"})
	alice.Refused(t, "IDEMPOTENCY_CONFLICT", amend, vars{"id": plain, "q": "0.04"})
	h.As("carol").Refused(t, "ORDER_NOT_FOUND", amend, vars{"id": plain, "q": "0.01"})
	alice.Refused(t, "POST_ONLY_WOULD_TAKE", place, buy(vars{"clientKey": "p", "side": "SELL", "price": "10000", "postOnly": true}))
	alice.Refused(t, "NOT_FILLABLE", place, buy(vars{"clientKey": "f", "timeInForce": "FOK"}))
	alice.Refused(t, "INVALID_TRIGGER", place, buy(vars{"clientKey": "t", "type": "STOP", "price": nil}))
	alice.Refused(t, "INVALID_EXPIRY", place, buy(vars{"clientKey": "g", "timeInForce": "GTD"}))

	statement := alice.Must(t, `{ me { statement(asset: "USDT", first: 2) { opening closing nodes { reason reference available held balance } pageInfo { hasNextPage } } } }`, nil)
	statement.Want(t, map[string]string{
		"me.statement.opening": "0.000000", "me.statement.closing": "5000.000000", "me.statement.pageInfo.hasNextPage": "true",
		"me.statement.nodes.0.reason": "DEPOSIT_CREDITED", "me.statement.nodes.0.balance": "5000.000000", "me.statement.nodes.1.reason": "ORDER_PLACED",
	})
	alice.Refused(t, "UNKNOWN_ASSET", `{ me { statement(asset: "XYZ") { opening } } }`, nil)
	alice.Must(t, `{ me { balanceAsOf(asset: "USDT", at: "2020-01-01T00:00:00Z") { total } } }`, nil).Want(t, map[string]string{"me.balanceAsOf.total": "0.000000"})
	alice.Must(t, `{ market(symbol: "BTC-USDT") { phase phaseEndsAt auction { price } rules { band breaker protection dayEndSeconds } } }`, nil).
		Want(t, map[string]string{"market.auction": "", "market.rules.protection": "0.05"})
}
