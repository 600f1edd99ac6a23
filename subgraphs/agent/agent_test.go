package agent_test

import (
	"net/http"
	"testing"

	"bourse/engine"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent"
	"bourse/subgraphs/internal/housetest"
)

type vars = housetest.Variables

func open(t *testing.T) *housetest.House {
	t.Helper()
	return housetest.Open(t, func(x *engine.Exchange) http.Handler {
		return agent.Handler(agent.Options{Exchange: x, RouterSecret: housetest.Secret})
	})
}

func memberID(h *housetest.House, name string) string {
	return scalar.EncodeID(scalar.Member, uint64(h.ID(name)))
}

func agentID(h *housetest.House, name string) string {
	return scalar.EncodeID(scalar.Agent, uint64(h.ID(name)))
}

func TestOnlyTheRouterIsAnswered(t *testing.T) {
	client := open(t).As("nora")
	client.NoSecret = true
	if answer := client.Do(t, `{ agent { username } }`, nil); answer.Status != http.StatusUnauthorized {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}

func TestAnAgentSeesItsDownlineAndNoOneElse(t *testing.T) {
	h := open(t)
	nora := h.As("nora").Must(t, `{ agent { id username parent { id } downlineCount downline(first: 2) {
		nodes { id registeredAt agent { id username } } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } }`, nil)
	nora.Want(t, map[string]string{
		"agent.id": agentID(h, "nora"), "agent.username": "nora", "agent.downlineCount": "3", "agent.parent.id": "",
		"agent.downline.nodes.0.id": memberID(h, "carol"), "agent.downline.nodes.0.agent.id": agentID(h, "olga"),
		"agent.downline.nodes.1.agent.username": "nora", "agent.downline.pageInfo.hasNextPage": "true",
	})
	h.As("nora").Must(t, `query($a: String) { agent { downline(first: 2, after: $a) { nodes { id } pageInfo { hasNextPage } } } }`,
		vars{"a": nora.Text("agent.downline.pageInfo.endCursor")}).
		Want(t, map[string]string{"agent.downline.nodes.0.id": memberID(h, "alice"), "agent.downline.pageInfo.hasNextPage": "false"})
	h.As("nora").Must(t, `{ agent { downline(search: "BO") { nodes { id } } } }`, nil).
		Want(t, map[string]string{"agent.downline.nodes.0.id": memberID(h, "bob"), "agent.downline.nodes.1.id": ""})

	const member = `query($id: ID!) { downlineMember(id: $id) { id agent { username } } }`
	for _, c := range []struct {
		who, member string
		seen        bool
	}{
		{"nora", "alice", true},
		{"nora", "carol", true},
		{"nora", "eve", false},
		{"olga", "carol", true},
		{"olga", "alice", false},
		{"rival", "alice", false},
	} {
		answer := h.As(c.who).Must(t, member, vars{"id": memberID(h, c.member)})
		if (answer.At("downlineMember") != nil) != c.seen {
			t.Errorf("%s looks at %s: %s", c.who, c.member, answer.Raw)
		}
	}
	for _, wrong := range []string{"", "1", agentID(h, "olga")} {
		if answer := h.As("nora").Must(t, member, vars{"id": wrong}); answer.At("downlineMember") != nil {
			t.Errorf("%q is a member: %s", wrong, answer.Raw)
		}
	}
	for _, operation := range []string{
		`{ agent { username } }`, `{ downlineMember(id: "x") { id } }`, `{ deposit(id: "x") { id } }`,
		`mutation { createInvite(input: {}) { invite { code } } }`,
		`mutation { approveDeposit(input: { depositId: "x" }) { sequence } }`,
		`mutation { rejectDeposit(input: { depositId: "x", reason: "no" }) { deposit { id } } }`,
	} {
		h.As("").Refused(t, "UNAUTHENTICATED", operation, nil)
		h.As("alice").Refused(t, "FORBIDDEN", operation, nil)
		h.As("ada").Refused(t, "FORBIDDEN", operation, nil)
	}
}

func TestAgentsAsEntities(t *testing.T) {
	h := open(t)
	const look = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Agent { username parent { username } downlineCount } } }`
	representations := vars{"r": []any{
		vars{"__typename": "Agent", "id": agentID(h, "nora")},
		vars{"__typename": "Agent", "id": agentID(h, "olga")},
		vars{"__typename": "Agent", "id": agentID(h, "rival")},
		vars{"__typename": "Agent", "id": memberID(h, "alice")},
	}}
	h.As("ada").Must(t, look, representations).Want(t, map[string]string{
		"_entities.0.username": "nora", "_entities.1.username": "olga", "_entities.1.parent.username": "nora",
		"_entities.2.username": "rival", "_entities.3.username": "", "_entities.0.downlineCount": "3",
	})
	h.As("nora").Must(t, look, representations).Want(t, map[string]string{
		"_entities.0.username": "nora", "_entities.1.username": "olga", "_entities.1.parent.username": "nora", "_entities.2.username": "",
	})
	// Who stands above or beside is not shown.
	h.As("olga").Must(t, look, representations).Want(t, map[string]string{
		"_entities.0.username": "", "_entities.1.username": "olga", "_entities.1.parent.username": "", "_entities.2.username": "",
	})
	h.As("alice").Must(t, look, representations).Want(t, map[string]string{"_entities.0.username": ""})

	// What lies on an agent's desk is its own, even where another stands above it.
	for _, desk := range []string{`invites { code }`, `pendingDeposits { nodes { id } }`, `downline { nodes { id } }`} {
		query := `query($r: [_Any!]!) { _entities(representations: $r) { ... on Agent { ` + desk + ` } } }`
		olga := vars{"r": []any{vars{"__typename": "Agent", "id": agentID(h, "olga")}}}
		h.As("olga").Must(t, query, olga)
		refusal := h.As("nora").Refused(t, "FORBIDDEN", query, olga)
		if len(refusal.Path) != 3 || refusal.Path[0] != "_entities" {
			t.Errorf("path %v", refusal.Path)
		}
	}
}

func TestInvites(t *testing.T) {
	h := open(t)
	nora := h.As("nora")
	made := nora.Must(t, `mutation { createInvite(input: { maxUses: 3, validDays: 7 }) { invite { code uses maxUses expiresAt createdAt } } }`, nil)
	made.Want(t, map[string]string{"createInvite.invite.uses": "0", "createInvite.invite.maxUses": "3"})
	nora.Must(t, `{ agent { invites { code maxUses } } }`, nil).
		Want(t, map[string]string{"agent.invites.0.code": made.Text("createInvite.invite.code"), "agent.invites.0.maxUses": "3"})
	for _, bad := range []string{`maxUses: 0`, `maxUses: 1001`, `validDays: 0`, `validDays: 366`, `validDays: -1`} {
		nora.Refused(t, "INVALID_ARGUMENT", `mutation { createInvite(input: { `+bad+` }) { invite { code } } }`, nil)
	}
}

// request asks for a deposit and returns its id in the API.
func request(t *testing.T, h *housetest.House, name, key string) string {
	t.Helper()
	deposit, err := h.Member(name).RequestDeposit(t.Context(), engine.RequestDeposit{Key: key, Asset: "USDT", Amount: "100"})
	if err != nil {
		t.Fatal(err)
	}
	return scalar.EncodeID(scalar.Deposit, uint64(deposit.ID))
}

func TestDepositsAreDecided(t *testing.T) {
	h := open(t)
	first, second, foreign := request(t, h, "alice", "1"), request(t, h, "carol", "2"), request(t, h, "eve", "3")
	const desk = `{ agent { pendingDeposits { nodes { id note decidedAt member { id agent { username } } decidedBy { id } } edges { cursor node { id member { id } } } pageInfo { hasNextPage } } } }`
	h.As("nora").Must(t, desk, nil).Want(t, map[string]string{
		"agent.pendingDeposits.nodes.0.id": first, "agent.pendingDeposits.nodes.0.member.id": memberID(h, "alice"),
		"agent.pendingDeposits.nodes.1.id": second, "agent.pendingDeposits.nodes.1.member.agent.username": "olga",
		"agent.pendingDeposits.edges.1.node.member.id": memberID(h, "carol"), "agent.pendingDeposits.nodes.2.id": "",
	})

	const (
		approve = `mutation($id: ID!, $note: String) { approveDeposit(input: { depositId: $id, note: $note }) { sequence deposit { id note decidedAt decidedBy { id } member { id } } } }`
		reject  = `mutation($id: ID!, $r: String!) { rejectDeposit(input: { depositId: $id, reason: $r }) { deposit { id note decidedBy { username } } } }`
		look    = `query($id: ID!) { deposit(id: $id) { note } }`
	)
	for _, id := range []string{foreign, "", "1", memberID(h, "alice")} {
		h.As("nora").Refused(t, "DEPOSIT_NOT_FOUND", approve, vars{"id": id})
		h.As("nora").Refused(t, "DEPOSIT_NOT_FOUND", reject, vars{"id": id, "r": "no"})
		if h.As("nora").Must(t, look, vars{"id": id}).At("deposit") != nil {
			t.Errorf("nora sees deposit %q", id)
		}
	}
	approved := h.As("nora").Must(t, approve, vars{"id": first, "note": "seen the slip"})
	approved.Want(t, map[string]string{
		"approveDeposit.deposit.note": "seen the slip", "approveDeposit.deposit.decidedBy.id": agentID(h, "nora"),
		"approveDeposit.deposit.member.id": memberID(h, "alice"),
	})
	if approved.Text("approveDeposit.deposit.decidedAt") == "" {
		t.Error("no moment of the decision")
	}
	again := h.As("nora").Must(t, approve, vars{"id": first, "note": "seen the slip"})
	if again.Text("approveDeposit.sequence") != approved.Text("approveDeposit.sequence") {
		t.Error("approving twice credited twice")
	}
	h.As("nora").Refused(t, "DEPOSIT_NOT_PENDING", reject, vars{"id": first, "r": "changed my mind"})

	h.As("olga").Refused(t, "INVALID_ARGUMENT", reject, vars{"id": second, "r": ""})
	h.As("nora").Must(t, reject, vars{"id": second, "r": "nothing came in"}).
		Want(t, map[string]string{"rejectDeposit.deposit.note": "nothing came in", "rejectDeposit.deposit.decidedBy.username": "nora"})
	// Nora stands above olga: olga sees the decision and not who took it.
	h.As("olga").Must(t, `query($id: ID!) { deposit(id: $id) { note decidedBy { id } } }`, vars{"id": second}).
		Want(t, map[string]string{"deposit.note": "nothing came in", "deposit.decidedBy.id": ""})

	balances, err := h.Member("alice").Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		if b.Asset.Code == "USDT" && b.Total.String() != "100.000000" {
			t.Errorf("alice has %s", b.Total)
		}
	}
	// The member sees the outcome of its own.
	const entity = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Deposit { note member { id } decidedBy { id } } } }`
	mine := vars{"r": []any{vars{"__typename": "Deposit", "id": first}, vars{"__typename": "Deposit", "id": second}}}
	h.As("alice").Must(t, entity, mine).Want(t, map[string]string{"_entities.0.note": "seen the slip", "_entities.0.member.id": memberID(h, "alice"), "_entities.1.note": ""})
}

func TestEquity(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("bob", "USDT", "100000")
	const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Member { equity } } }`
	with := func(id string, balances ...any) vars {
		if balances == nil {
			balances = []any{}
		}
		return vars{"r": []any{vars{"__typename": "Member", "id": id, "balances": balances}}}
	}
	balance := func(asset, total string) any {
		return vars{"asset": vars{"code": asset, "scale": 8}, "total": total}
	}
	alice := memberID(h, "alice")
	holdings := with(alice, balance("BTC", "0.33333333"), balance("USDT", "1.5"), balance("DOGE", "1000"))
	h.As("alice").Must(t, query, holdings).Want(t, map[string]string{"_entities.0.equity": "1.500000"})

	h.Place("alice", market.Sell, "0.5", "20000.01")
	h.Place("bob", market.Buy, "0.5", "20000.01")
	for _, who := range []string{"alice", "nora", "ada"} {
		h.As(who).Must(t, query, holdings).Want(t, map[string]string{"_entities.0.equity": "6668.169933"})
	}
	for _, stranger := range []string{"bob", "rival", "eve"} {
		if answer := h.As(stranger).Must(t, query, holdings); answer.At("_entities.0") != nil {
			t.Errorf("%s values alice: %s", stranger, answer.Raw)
		}
	}
	h.As("").Refused(t, "UNAUTHENTICATED", query, holdings)
	h.As("alice").Must(t, query, with(alice)).Want(t, map[string]string{"_entities.0.equity": "0.000000"})
	h.As("alice").Refused(t, "AMOUNT_OVERFLOW", query, with(alice, balance("BTC", "9223372036.854775807")))
	for _, broken := range []any{vars{"total": "1"}, vars{"asset": vars{"code": "BTC"}}, vars{"asset": vars{"code": "BTC"}, "total": "one"}, "BTC"} {
		h.As("alice").Refused(t, "INTERNAL_SERVER_ERROR", query, with(alice, broken))
	}
	// Each entity of a list is valued by its own balances.
	h.As("ada").Must(t, query, vars{"r": []any{
		vars{"__typename": "Member", "id": alice, "balances": []any{balance("USDT", "1")}},
		vars{"__typename": "Member", "id": memberID(h, "bob"), "balances": []any{balance("USDT", "2")}},
	}}).Want(t, map[string]string{"_entities.0.equity": "1.000000", "_entities.1.equity": "2.000000"})
}

func TestWhatAgentsAddToMarketsAndOrders(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("eve", "USDT", "100000")
	sold := h.Place("alice", market.Sell, "0.5", "20000")
	bought := h.Place("eve", market.Buy, "0.5", "20000")
	orderID := func(o engine.Order) string { return scalar.EncodeID(scalar.Order, uint64(o.ID)) }
	const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Market { downlineVolume } ... on Order { member { id } } } }`
	representations := vars{"r": []any{
		vars{"__typename": "Market", "symbol": "BTC-USDT"},
		vars{"__typename": "Order", "id": orderID(sold)},
		vars{"__typename": "Order", "id": orderID(bought)},
	}}
	h.As("nora").Must(t, query, representations).Want(t, map[string]string{
		"_entities.0.downlineVolume": "10000.000000", "_entities.1.member.id": memberID(h, "alice"), "_entities.2.member.id": "",
	})
	h.As("rival").Must(t, query, representations).Want(t, map[string]string{
		"_entities.1.member.id": "", "_entities.2.member.id": memberID(h, "eve"),
	})
	for _, other := range []string{"", "alice", "ada"} {
		h.As(other).Must(t, query, representations).Want(t, map[string]string{
			"_entities.0.downlineVolume": "", "_entities.1.member.id": "", "_entities.2.member.id": "",
		})
	}
}
