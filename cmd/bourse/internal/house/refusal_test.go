package house_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"bourse/cmd/bourse/internal/client"
)

// Bad input is refused with a stable code, and the member's balances and orders stand as
// they did.
func TestRefusalsChangeNothing(t *testing.T) {
	h, endpoint := open(t)
	alice, bob := signIn(t, h, endpoint, "alice"), signIn(t, h, endpoint, "bob")
	resting := ask[placed](t, alice, placeOrder, vars("input", btc("rest", "BUY", "1000", "0.01"))).PlaceOrder.Order
	before := everything(t, alice)

	for _, c := range []struct {
		name, code string
		input      map[string]any
	}{
		{"negative quantity", "INVALID_QUANTITY", btc("k1", "BUY", "1000", "-1")},
		{"zero quantity", "INVALID_QUANTITY", btc("k2", "BUY", "1000", "0")},
		{"negative price", "INVALID_PRICE", btc("k3", "BUY", "-1000", "1")},
		{"zero price", "INVALID_PRICE", btc("k4", "BUY", "0", "1")},
		{"no price", "INVALID_PRICE", vars("clientKey", "k5", "market", "BTC-USDT", "side", "BUY", "quantity", "1")},
		{"too many decimals of the price", "PRICE_OFF_TICK", btc("k6", "BUY", "1000.01", "1")},
		{"too many decimals of the quantity", "QUANTITY_OFF_LOT", btc("k7", "BUY", "1000", "0.000001")},
		{"beyond all bounds", "AMOUNT_OVERFLOW", btc("k8", "BUY", "900000000000", "9000000000")},
		{"more than there is", "INSUFFICIENT_BALANCE", btc("k9", "BUY", "64000", "1000")},
		{"too small", "BELOW_MIN_NOTIONAL", btc("k10", "BUY", "1000", "0.00001")},
		{"no such market", "UNKNOWN_MARKET", vars("clientKey", "k11", "market", "NO-SUCH", "side", "BUY", "price", "1", "quantity", "1")},
		{"empty key", "INVALID_IDEMPOTENCY_KEY", btc("", "BUY", "1000", "1")},
		{"long key", "INVALID_IDEMPOTENCY_KEY", btc(strings.Repeat("k", 65), "BUY", "1000", "1")},
		{"another body under a used key", "IDEMPOTENCY_CONFLICT", btc("rest", "BUY", "1001", "0.01")},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, alice, c.code, placeOrder, vars("input", c.input))
		})
	}
	refused(t, bob, "ORDER_NOT_FOUND", cancelOrder, vars("id", resting.ID, "key", "mine-now"))
	refused(t, alice, "ORDER_NOT_FOUND", cancelOrder, vars("id", "nonsense", "key", "none"))
	if seen := ask[struct{ Order *orderView }](t, bob, `query($id: ID!) { order(id: $id) { id } }`, vars("id", resting.ID)); seen.Order != nil {
		t.Error("bob sees an order of alice")
	}
	expect(t, "what alice has", everything(t, alice), before)
	zeroSum(t, h)
}

func TestRefusalsOfRequests(t *testing.T) {
	h, endpoint := open(t)
	alice := signIn(t, h, endpoint, "alice")
	visitor := client.New(endpoint, nil)

	for _, c := range []struct {
		name, code, body string
	}{
		{"malformed JSON", "BAD_REQUEST", `{"query": "{ me`},
		{"no query", "BAD_REQUEST", `{}`},
		{"not GraphQL", "GRAPHQL_PARSE_FAILED", `{"query": "select * from members"}`},
		{"unknown field", "GRAPHQL_VALIDATION_FAILED", `{"query": "{ me { password } }"}`},
		{"missing variable", "BAD_USER_INPUT", `{"query": "query($s: String!) { market(symbol: $s) { symbol } }"}`},
		{"wrong type", "BAD_USER_INPUT", `{"query": "query($s: String!) { market(symbol: $s) { symbol } }", "variables": {"s": 7}}`},
		{"amount as a float", "INVALID_ARGUMENT", `{"query": "mutation($i: PlaceOrderInput!) { placeOrder(input: $i) { sequence } }", "variables":
			{"i": {"clientKey": "k", "market": "BTC-USDT", "side": "BUY", "price": 1e3, "quantity": "1"}}}`},
		{"text as an amount", "INVALID_ARGUMENT", `{"query": "mutation($i: PlaceOrderInput!) { placeOrder(input: $i) { sequence } }", "variables":
			{"i": {"clientKey": "k", "market": "BTC-USDT", "side": "BUY", "price": "cheap", "quantity": "1"}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, "code", post(t, endpoint, alice.Session().AccessToken, c.body), c.code)
		})
	}
	refused(t, visitor, "UNAUTHENTICATED", balances, nil)
	refused(t, visitor, "INVALID_CREDENTIALS", `mutation { signIn(input: {username: "alice", password: "guess"}) { role } }`, nil)
	refused(t, alice, "FORBIDDEN", `{ agent { username } }`, nil)
	refused(t, alice, "FORBIDDEN", `{ health { status } }`, nil)
	expect(t, "code of a forged token", post(t, endpoint, alice.Session().AccessToken+"x", `{"query": "{ me { id } }"}`), "UNAUTHENTICATED")
}

// A market that is halted takes no orders but lets them go.
func TestHalt(t *testing.T) {
	h, endpoint := open(t)
	alice, admin := signIn(t, h, endpoint, "alice"), signIn(t, h, endpoint, "admin")
	resting := ask[placed](t, alice, placeOrder, vars("input", btc("rest", "BUY", "1000", "0.01"))).PlaceOrder.Order
	halt := vars("i", vars("clientKey", "halt", "market", "BTC-USDT", "reason", "maintenance"))
	ask[any](t, admin, `mutation($i: MarketPhaseInput!) { haltMarket(input: $i) { market { phase phaseHistory { reason by } } } }`, halt)
	refused(t, alice, "MARKET_HALTED", placeOrder, vars("input", btc("late", "BUY", "1000", "0.01")))
	ask[any](t, alice, cancelOrder, vars("id", resting.ID, "key", "out"))
	halt["i"].(map[string]any)["clientKey"] = "resume"
	ask[any](t, admin, `mutation($i: MarketPhaseInput!) { resumeMarket(input: $i) { market { phase } } }`, halt)
	ask[any](t, alice, placeOrder, vars("input", btc("again", "BUY", "1000", "0.01")))
}

func btc(key, side, price, quantity string) map[string]any {
	return vars("clientKey", key, "market", "BTC-USDT", "side", side, "price", price, "quantity", quantity)
}

// everything is a member's balances and orders as text, to be compared.
func everything(t *testing.T, c *client.Client) string {
	t.Helper()
	seen := ask[json.RawMessage](t, c, `{ me { balances { asset { code } available held total } orders { nodes { id status filledQuantity } } } }`, nil)
	return string(seen)
}

// post sends a raw body and returns the code of the first error.
func post(t *testing.T, endpoint, token, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewBufferString(body))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	must(t, err)
	var answer struct{ Errors client.Errors }
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Errors) == 0 {
		t.Fatalf("no error in the answer: %s", raw)
	}
	return answer.Errors[0].Extensions.Code
}
