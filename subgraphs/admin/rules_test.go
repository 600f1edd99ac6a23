package admin_test

import (
	"fmt"
	"testing"

	"bourse/engine"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/graph/scalar"
)

// place lets a member of the house place an order and returns the code of its refusal.
func place(t *testing.T, m *engine.Member, key string, side market.Side, quantity, price string) (engine.Order, fault.Code) {
	t.Helper()
	order, _, err := m.PlaceOrder(t.Context(), engine.PlaceOrder{
		Key: key, Symbol: "BTC-USDT", Side: side, Type: market.Limit, Quantity: quantity, Price: price,
	})
	if err != nil && fault.CodeOf(err) == "" {
		t.Fatal(err)
	}
	return order, fault.CodeOf(err)
}

func TestRiskAndMoney(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	h.Fund("carol", "BTC", "5")
	ada, alice, carol := h.As("ada"), h.Member("alice"), h.Member("carol")
	command := func(format string, args ...any) {
		t.Helper()
		ada.Must(t, fmt.Sprintf("mutation { "+format+" { sequence } }", args...), nil)
	}
	command(`setLimits(input: { clientKey: "l", scope: MEMBER, id: %q, market: "BTC-USDT", orderQuantity: "0.2", reason: "new" })`, memberID(h, "alice"))
	if _, code := place(t, alice, "big", market.Buy, "0.3", "1000"); code != fault.OrderQuantityLimit {
		t.Errorf("above the limit: %s", code)
	}
	ada.Refused(t, "INVALID_LIMITS", `mutation { setLimits(input: { clientKey: "m", scope: HOUSE, orderQuantity: "1", reason: "r" }) { sequence } }`, nil)

	command(`setCommissionPlan(input: { clientKey: "p", agentId: %q, defaultRate: "0.5" })`, agentID(h, "nora"))
	rests, _ := place(t, alice, "bid", market.Buy, "0.1", "10000")
	place(t, carol, "ask", market.Sell, "0.1", "10000")
	other, _ := place(t, alice, "other", market.Buy, "0.1", "9000")
	command(`cancelOrderFor(input: { clientKey: "c", orderId: %q, reason: "r" })`, scalar.EncodeID(scalar.Order, uint64(other.ID)))
	ada.Refused(t, "ORDER_NOT_OPEN", `mutation($id: ID!) { cancelOrderFor(input: { clientKey: "c2", orderId: $id, reason: "r" }) { sequence } }`,
		vars{"id": scalar.EncodeID(scalar.Order, uint64(rests.ID))})

	command(`setMemberStanding(input: { clientKey: "f", memberId: %q, freeze: TRADING, group: 7, reason: "asked to" })`, memberID(h, "alice"))
	if _, code := place(t, alice, "frozen", market.Buy, "0.1", "9000"); code != fault.AccountFrozen {
		t.Errorf("frozen: %s", code)
	}
	command(`adjustBalance(input: { clientKey: "a", memberId: %q, asset: "USDT", amount: "-10.5", reason: "a slip" })`, memberID(h, "alice"))
	command(`setCredit(input: { clientKey: "cr", memberId: %q, asset: "USDT", amount: "100", reason: "known well" })`, memberID(h, "alice"))
	command(`setFees(input: { clientKey: "fe", market: "BTC-USDT", group: 7, tiers: [{ volume: "0", makerFeeRate: "0", takerFeeRate: "0.0005" }] })`)
	settled := ada.Must(t, `mutation($id: ID!) { settleCommission(input: { clientKey: "s", agentId: $id, asset: "USDT" }) { amount sequence } }`, vars{"id": agentID(h, "nora")})
	if amount := settled.Text("settleCommission.amount"); amount == "" || amount == "0.000000" {
		t.Errorf("settled %q", amount)
	}
	command(`bustTrade(input: { clientKey: "b", tradeId: %q, reason: "a slip" })`, scalar.EncodeID(scalar.Trade, 1))
	ada.Refused(t, "TRADE_BUSTED", `mutation($id: ID!) { bustTrade(input: { clientKey: "b2", tradeId: $id, reason: "r" }) { sequence } }`, vars{"id": scalar.EncodeID(scalar.Trade, 1)})
	ada.Refused(t, "TRADE_NOT_FOUND", `mutation { bustTrade(input: { clientKey: "b3", tradeId: "nonsense", reason: "r" }) { sequence } }`, nil)
}

func TestPhasesAndRules(t *testing.T) {
	h := open(t)
	ada := h.As("ada")
	const phase = `mutation($p: MarketPhase!, $k: String!) { setMarketPhase(input: { clientKey: $k, market: "BTC-USDT", phase: $p, reason: "the day goes on" }) { market { symbol phaseHistory { phase reason } } } }`
	ada.Must(t, phase, vars{"p": "CLOSING_AUCTION", "k": "1"})
	ada.Must(t, phase, vars{"p": "CLOSED", "k": "2"}).Want(t, map[string]string{
		"setMarketPhase.market.phaseHistory.0.phase": "CLOSING_AUCTION", "setMarketPhase.market.phaseHistory.1.phase": "CLOSED",
	})
	ada.Refused(t, "INVALID_PHASE_CHANGE", phase, vars{"p": "CANCEL_ONLY", "k": "3"})
	if _, code := place(t, h.Member("alice"), "closed", market.Buy, "0.1", "9000"); code != fault.MarketClosed {
		t.Errorf("into a closed market: %s", code)
	}
	ada.Must(t, phase, vars{"p": "CONTINUOUS", "k": "4"})
	const rules = `mutation($b: Decimal!) { setMarketRules(input: { clientKey: "r", market: "BTC-USDT", band: $b, referencePrice: "10000", reason: "careful" }) { market { symbol } } }`
	ada.Refused(t, "INVALID_ARGUMENT", rules, vars{"b": "1.5"})
	ada.Must(t, rules, vars{"b": "0.1"})
	if _, code := place(t, h.Member("alice"), "outside", market.Buy, "0.1", "8999"); code != fault.PriceOutsideBand {
		t.Errorf("outside the band: %s", code)
	}
}
