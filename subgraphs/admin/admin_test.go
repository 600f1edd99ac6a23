package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/hibiken/asynq"

	"bourse/engine"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin"
	"bourse/subgraphs/internal/housetest"
)

type vars = housetest.Variables

func open(t *testing.T) *housetest.House {
	t.Helper()
	return housetest.Open(t, func(x *engine.Exchange) http.Handler {
		return admin.Handler(admin.Options{Exchange: x, RouterSecret: housetest.Secret})
	})
}

func memberID(h *housetest.House, name string) string {
	return scalar.EncodeID(scalar.Member, uint64(h.ID(name)))
}

func agentID(h *housetest.House, name string) string {
	return scalar.EncodeID(scalar.Agent, uint64(h.ID(name)))
}

func TestOnlyTheRouterIsAnswered(t *testing.T) {
	client := open(t).As("ada")
	client.NoSecret = true
	if answer := client.Do(t, `{ admin { username } }`, nil); answer.Status != http.StatusUnauthorized {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}

func TestOnlyAdminsEnter(t *testing.T) {
	h := open(t)
	const phase = `(input: { clientKey: "k", market: "BTC-USDT", reason: "r" }) { market { symbol } }`
	for _, operation := range []string{
		`{ admin { username } }`, `{ members { nodes { id } } }`, `{ member(id: "x") { id } }`, `{ agents { id } }`,
		`{ health { status } }`, `{ audit { nodes { id } } }`,
		`mutation { createAsset(input: { clientKey: "k", code: "ETH", scale: 8 }) { asset { code } } }`,
		`mutation { createMarket(input: { clientKey: "k", base: "BTC", quote: "USDT", tickSize: "1", lotSize: "1", minNotional: "1", makerFeeRate: "0", takerFeeRate: "0" }) { market { symbol } } }`,
		`mutation { haltMarket` + phase + ` }`, `mutation { resumeMarket` + phase + ` }`,
		`mutation { setMarketPhase(input: { clientKey: "k", market: "BTC-USDT", phase: PAUSED, reason: "r" }) { market { symbol } } }`,
		`mutation { setMarketRules(input: { clientKey: "k", market: "BTC-USDT", reason: "r" }) { market { symbol } } }`,
		`mutation { setLimits(input: { clientKey: "k", scope: HOUSE, openOrders: 1, reason: "r" }) { sequence } }`,
		`mutation { setMemberStanding(input: { clientKey: "k", memberId: "` + memberID(h, "alice") + `", freeze: NONE, reason: "r" }) { sequence } }`,
		`mutation { cancelOrderFor(input: { clientKey: "k", orderId: "x", reason: "r" }) { sequence } }`,
		`mutation { adjustBalance(input: { clientKey: "k", memberId: "x", asset: "USDT", amount: "1", reason: "r" }) { sequence } }`,
		`mutation { setCredit(input: { clientKey: "k", memberId: "x", asset: "USDT", amount: "1", reason: "r" }) { sequence } }`,
		`mutation { setFees(input: { clientKey: "k", market: "BTC-USDT", tiers: [] }) { sequence } }`,
		`mutation { setCommissionPlan(input: { clientKey: "k", agentId: "x", defaultRate: "0.1" }) { sequence } }`,
		`mutation { settleCommission(input: { clientKey: "k", agentId: "x", asset: "USDT" }) { sequence } }`,
		`mutation { bustTrade(input: { clientKey: "k", tradeId: "x", reason: "r" }) { sequence } }`,
	} {
		h.As("").Refused(t, "UNAUTHENTICATED", operation, nil)
		h.As("alice").Refused(t, "FORBIDDEN", operation, nil)
		h.As("nora").Refused(t, "FORBIDDEN", operation, nil)
	}
	h.As("ada").Must(t, `{ admin { id username displayName } }`, nil).Want(t, map[string]string{
		"admin.id": scalar.EncodeID(scalar.Admin, uint64(h.ID("ada"))), "admin.username": "ada", "admin.displayName": "Ada",
	})
}

func TestPeople(t *testing.T) {
	h := open(t)
	ada := h.As("ada")
	page := ada.Must(t, `{ members(first: 2) { nodes { id lastSignInAt } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } agents { id memberCount } }`, nil)
	page.Want(t, map[string]string{
		"members.nodes.0.id": memberID(h, "eve"), "members.nodes.1.id": memberID(h, "carol"),
		"members.pageInfo.hasNextPage": "true",
		"agents.0.id":                  agentID(h, "nora"), "agents.0.memberCount": "3", "agents.1.id": agentID(h, "olga"), "agents.2.memberCount": "1", "agents.3.id": "",
	})
	ada.Must(t, `query($a: String) { members(first: 2, after: $a) { nodes { id } pageInfo { hasNextPage } } }`, vars{"a": page.Text("members.pageInfo.endCursor")}).
		Want(t, map[string]string{"members.nodes.1.id": memberID(h, "alice"), "members.pageInfo.hasNextPage": "false"})
	ada.Must(t, `{ members(search: "car") { nodes { id } } }`, nil).Want(t, map[string]string{"members.nodes.0.id": memberID(h, "carol"), "members.nodes.1.id": ""})
	ada.Refused(t, "INVALID_ARGUMENT", `{ members(first: 0) { nodes { id } } }`, nil)
	ada.Refused(t, "INVALID_ARGUMENT", `{ members(after: "rubbish") { nodes { id } } }`, nil)

	const one = `query($id: ID!) { member(id: $id) { id lastSignInAt } }`
	ada.Must(t, one, vars{"id": memberID(h, "eve")}).Want(t, map[string]string{"member.id": memberID(h, "eve")})
	for _, wrong := range []string{"", "1", agentID(h, "nora"), scalar.EncodeID(scalar.Member, 1), scalar.EncodeID(scalar.Member, 0)} {
		if answer := ada.Must(t, one, vars{"id": wrong}); answer.At("member") != nil {
			t.Errorf("%q is a member: %s", wrong, answer.Raw)
		}
	}

	const look = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Member { id } ... on Agent { memberCount } } }`
	representations := vars{"r": []any{
		vars{"__typename": "Member", "id": memberID(h, "alice")}, vars{"__typename": "Agent", "id": agentID(h, "olga")},
	}}
	alice := memberID(h, "alice")
	for who, want := range map[string][2]string{
		"ada": {alice, "1"}, "alice": {alice, ""}, "nora": {alice, "1"}, "olga": {"", "1"}, "eve": {"", ""}, "rival": {"", ""},
	} {
		h.As(who).Must(t, look, representations).Want(t, map[string]string{"_entities.0.id": want[0], "_entities.1.memberCount": want[1]})
	}
	h.As("").Refused(t, "UNAUTHENTICATED", look, vars{"r": []any{vars{"__typename": "Member", "id": memberID(h, "alice")}}})
}

const makeMarket = `mutation($i: CreateMarketInput!) { createMarket(input: $i) { market { symbol openOrderCount phaseHistory { phase } } } }`

func TestAssetsAndMarkets(t *testing.T) {
	h := open(t)
	ada := h.As("ada")
	const makeAsset = `mutation($k: String!, $c: String!, $s: Int!) { createAsset(input: { clientKey: $k, code: $c, scale: $s }) { asset { code scale } } }`
	ada.Must(t, makeAsset, vars{"k": "a", "c": "ETH", "s": 8}).Want(t, map[string]string{"createAsset.asset.code": "ETH", "createAsset.asset.scale": "8"})
	ada.Must(t, makeAsset, vars{"k": "a", "c": "ETH", "s": 8})
	ada.Refused(t, "IDEMPOTENCY_CONFLICT", makeAsset, vars{"k": "a", "c": "ETH", "s": 9})
	ada.Refused(t, "ASSET_EXISTS", makeAsset, vars{"k": "b", "c": "ETH", "s": 8})
	ada.Refused(t, "INVALID_ARGUMENT", makeAsset, vars{"k": "b", "c": "eth", "s": 8})
	for _, scale := range []int{-1, 19, 256, 300} {
		ada.Refused(t, "INVALID_ARGUMENT", makeAsset, vars{"k": "b", "c": "XYZ", "s": scale})
	}

	with := func(changes vars) vars {
		input := vars{
			"clientKey": "m", "base": "ETH", "quote": "USDT", "tickSize": "0.01", "lotSize": "0.001", "minNotional": "5",
			"makerFeeRate": "0.001", "takerFeeRate": "0.002",
		}
		for name, value := range changes {
			input[name] = value
		}
		return vars{"i": input}
	}
	for code, changes := range map[string]vars{
		"UNKNOWN_ASSET":           {"base": "DOGE"},
		"INVALID_ARGUMENT":        {"tickSize": "-1"},
		"INVALID_MARKET":          {"tickSize": "0.0001", "lotSize": "0.0001"},
		"MARKET_EXISTS":           {"base": "BTC"},
		"INVALID_IDEMPOTENCY_KEY": {"clientKey": ""},
		"TOO_MANY_DECIMALS":       {"lotSize": "0.0000000000000000001"},
	} {
		t.Run(code, func(t *testing.T) { ada.Refused(t, code, makeMarket, with(changes)) })
	}
	ada.Refused(t, "INVALID_ARGUMENT", makeMarket, with(vars{"makerFeeRate": "1.5"}))
	ada.Refused(t, "INVALID_ARGUMENT", makeMarket, with(vars{"takerFeeRate": "0.0000001"}))
	made := ada.Must(t, makeMarket, with(nil))
	made.Want(t, map[string]string{"createMarket.market.symbol": "ETH-USDT", "createMarket.market.openOrderCount": "0"})
	if made.Len("createMarket.market.phaseHistory") != 0 {
		t.Error(made.Raw)
	}
}

func TestHaltAndResume(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Place("alice", market.Sell, "0.1", "20000")
	ada := h.As("ada")
	const (
		open   = `mutation($k: String!, $m: String!, $r: String!) { `
		change = `(input: { clientKey: $k, market: $m, reason: $r }) { market { symbol openOrderCount phaseHistory { at phase reason by } } } }`
		halt   = open + "haltMarket" + change
		resume = open + "resumeMarket" + change
	)
	ada.Refused(t, "UNKNOWN_MARKET", halt, vars{"k": "h", "m": "NO-SUCH", "r": "x"})
	ada.Refused(t, "INVALID_ARGUMENT", halt, vars{"k": "h", "m": "BTC-USDT", "r": ""})
	ada.Must(t, halt, vars{"k": "h", "m": "BTC-USDT", "r": "odd prices"}).Want(t, map[string]string{
		"haltMarket.market.openOrderCount": "1", "haltMarket.market.phaseHistory.0.phase": "HALTED",
		"haltMarket.market.phaseHistory.0.reason": "odd prices", "haltMarket.market.phaseHistory.0.by": "ada",
	})
	_, _, err := h.Member("alice").PlaceOrder(t.Context(), engine.PlaceOrder{
		Key: "k", Symbol: "BTC-USDT", Side: market.Sell, Type: market.Limit, TimeInForce: market.GTC, Price: "20000", Quantity: "0.1",
	})
	if err == nil {
		t.Error("a halted market takes orders")
	}
	ada.Must(t, resume, vars{"k": "r", "m": "BTC-USDT", "r": "all is well"}).Want(t, map[string]string{
		"resumeMarket.market.phaseHistory.0.phase": "HALTED", "resumeMarket.market.phaseHistory.1.phase": "CONTINUOUS",
	})
	h.Place("alice", market.Sell, "0.1", "20000")

	const look = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Market { openOrderCount phaseHistory { reason } } } }`
	symbol := vars{"r": []any{vars{"__typename": "Market", "symbol": "BTC-USDT"}}}
	ada.Must(t, look, symbol).Want(t, map[string]string{"_entities.0.openOrderCount": "2", "_entities.0.phaseHistory.1.reason": "all is well"})
	for _, other := range []string{"", "alice", "nora"} {
		answer := h.As(other).Must(t, look, symbol)
		if answer.At("_entities.0.openOrderCount") != nil || answer.At("_entities.0.phaseHistory") != nil {
			t.Errorf("%q sees %s", other, answer.Raw)
		}
	}

	audit := ada.Must(t, `{ audit(first: 3) { nodes { id at actor action subject details } edges { cursor } pageInfo { hasNextPage endCursor } } }`, nil)
	audit.Want(t, map[string]string{
		"audit.nodes.0.action": "market.resume", "audit.nodes.0.actor": "ada", "audit.nodes.0.subject": "market:BTC-USDT",
		"audit.nodes.0.details": `{"reason":"all is well"}`, "audit.nodes.1.action": "market.halt", "audit.pageInfo.hasNextPage": "true",
	})
	older := ada.Must(t, `query($a: String) { audit(first: 1, after: $a) { nodes { id } } }`, vars{"a": audit.Text("audit.pageInfo.endCursor")})
	if older.Text("audit.nodes.0.id") == audit.Text("audit.nodes.2.id") || older.Text("audit.nodes.0.id") == "" {
		t.Errorf("the next page begins with %s", older.Raw)
	}
}

func TestWhatAdminsAddToOrdersAndTrades(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("bob", "USDT", "100000")
	sold := h.Place("alice", market.Sell, "0.5", "20000")
	bought := h.Place("bob", market.Buy, "0.5", "20000")
	fills, err := h.Member("bob").Fills(t.Context(), engine.FillFilter{}, engine.Page{First: 1})
	if err != nil || len(fills.Items) != 1 {
		t.Fatal(fills, err)
	}
	order := func(o engine.Order) string { return scalar.EncodeID(scalar.Order, uint64(o.ID)) }
	const look = `query($r: [_Any!]!) { _entities(representations: $r) {
		... on Order { acceptedSequence } ... on Trade { sequence makerOrder { id acceptedSequence } takerOrder { id acceptedSequence } } } }`
	representations := vars{"r": []any{
		vars{"__typename": "Order", "id": order(sold)},
		vars{"__typename": "Trade", "id": scalar.EncodeID(scalar.Trade, uint64(fills.Items[0].TradeID))},
		vars{"__typename": "Trade", "id": scalar.EncodeID(scalar.Trade, 999)},
		vars{"__typename": "Order", "id": "rubbish"},
	}}
	answer := h.As("ada").Must(t, look, representations)
	answer.Want(t, map[string]string{
		"_entities.1.makerOrder.id": order(sold), "_entities.1.takerOrder.id": order(bought),
		"_entities.1.sequence":         answer.Text("_entities.1.takerOrder.acceptedSequence"),
		"_entities.0.acceptedSequence": answer.Text("_entities.1.makerOrder.acceptedSequence"),
		"_entities.2.sequence":         "", "_entities.3.acceptedSequence": "",
	})
	if answer.Text("_entities.1.sequence") == "" {
		t.Error(answer.Raw)
	}
	for _, other := range []string{"", "alice", "nora"} {
		h.As(other).Must(t, look, representations).Want(t, map[string]string{
			"_entities.0.acceptedSequence": "", "_entities.1.sequence": "", "_entities.1.makerOrder.id": "",
		})
	}
}

func TestHealth(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	placed := h.Place("alice", market.Sell, "0.1", "20000")
	const query = `{ health {
		status journal { committedSequence epoch lastCommitAt } projection { projectedSequence lag }
		sequencer { queueDepth queueCapacity openOrders } queues { name pending processedToday } outboxDepth
		reconciliation { finishedAt sequence balanced accountsChecked differences }
	} }`
	ada := h.As("ada")
	first := ada.Must(t, query, nil)
	first.Want(t, map[string]string{
		"health.status": "OK", "health.journal.committedSequence": fmt.Sprint(placed.Sequence), "health.sequencer.openOrders": "1",
		"health.outboxDepth": "1", "health.reconciliation.balanced": "",
	})
	if first.At("health.reconciliation") != nil || first.Len("health.queues") != 0 {
		t.Error(first.Raw)
	}
	if _, err := h.Exchange.System().Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	ada.Must(t, query, nil).Want(t, map[string]string{"health.reconciliation.balanced": "true", "health.reconciliation.differences": "0"})
}

// inspector is a Redis that is there or not; the real one is asked in the worker's tests.
type inspector struct{ err error }

func (i inspector) Queues() ([]string, error) { return []string{"house"}, i.err }

func (i inspector) GetQueueInfo(queue string) (*asynq.QueueInfo, error) {
	return &asynq.QueueInfo{Queue: queue, Pending: 1, Active: 2, Scheduled: 3, Retry: 4, Archived: 5, Processed: 6, Failed: 7}, nil
}

func TestQueues(t *testing.T) {
	var queues inspector
	h := housetest.Open(t, func(x *engine.Exchange) http.Handler {
		return admin.Handler(admin.Options{Exchange: x, RouterSecret: housetest.Secret, Queues: &queues})
	})
	const query = `{ health { status queues { name pending active scheduled retry archived processedToday failedToday } } }`
	h.As("ada").Must(t, query, nil).Want(t, map[string]string{
		"health.queues.0.name": "house", "health.queues.0.pending": "1", "health.queues.0.active": "2", "health.queues.0.scheduled": "3",
		"health.queues.0.retry": "4", "health.queues.0.archived": "5", "health.queues.0.processedToday": "6", "health.queues.0.failedToday": "7",
	})
	queues.err = errors.New("connection refused to 10.0.0.7")
	if answer := h.As("ada").Must(t, query, nil); answer.Len("health.queues") != 0 {
		t.Error(answer.Raw)
	}
}
