package member_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"bourse/engine"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/internal/housetest"
	"bourse/subgraphs/member"
)

type vars = housetest.Variables

func open(t *testing.T) *housetest.House {
	t.Helper()
	return housetest.Open(t, func(x *engine.Exchange) http.Handler {
		return member.Handler(member.Options{Exchange: x, RouterSecret: housetest.Secret})
	})
}

func memberID(h *housetest.House, name string) string {
	return scalar.EncodeID(scalar.Member, uint64(h.ID(name)))
}

func TestOnlyTheRouterIsAnswered(t *testing.T) {
	h := open(t)
	client := h.As("alice")
	client.NoSecret = true
	for _, query := range []string{`{ me { username } }`, `{ markets { symbol } }`, `{ _service { sdl } }`, `{ __schema { types { name } } }`} {
		if answer := client.Do(t, query, nil); answer.Status != http.StatusUnauthorized || answer.Data != nil {
			t.Errorf("%s: %d %s", query, answer.Status, answer.Raw)
		}
	}
	if sdl := h.As("").Must(t, `{ _service { sdl } }`, nil).Text("_service.sdl"); sdl == "" {
		t.Error("the router gets no schema")
	}
	h.As("").Must(t, `{ __schema { queryType { name } } }`, nil).Want(t, map[string]string{"__schema.queryType.name": "Query"})
}

func TestVisitorsSeeWhatIsPublic(t *testing.T) {
	h := open(t)
	visitor := h.As("")
	visitor.Must(t, `{
		assets { code scale }
		markets { symbol base { code } quote { code scale } tickSize lotSize minNotional makerFeeRate takerFeeRate phase }
	}`, nil).Want(t, map[string]string{
		"assets.0.code": "BTC", "assets.0.scale": "8", "assets.1.code": "USDT",
		"markets.0.symbol": "BTC-USDT", "markets.0.base.code": "BTC", "markets.0.quote.scale": "6",
		"markets.0.tickSize": "0.01", "markets.0.lotSize": "0.0001", "markets.0.phase": "CONTINUOUS",
	})
	if visitor.Must(t, `{ market(symbol: "NO-SUCH") { symbol } }`, nil).At("market") != nil {
		t.Error("a market that is not there")
	}
	for _, private := range []string{
		`{ me { username } }`,
		`{ order(id: "x") { id } }`,
		`mutation { cancelAllOrders(input: { clientKey: "k" }) { cancelled } }`,
		`mutation { requestDeposit(input: { clientKey: "k", asset: "BTC", amount: "1" }) { deposit { id } } }`,
	} {
		visitor.Refused(t, "UNAUTHENTICATED", private, nil)
		h.As("nora").Refused(t, "FORBIDDEN", private, nil)
		h.As("ada").Refused(t, "FORBIDDEN", private, nil)
	}
}

func TestMarketData(t *testing.T) {
	h := open(t)
	h.Fund("alice", "BTC", "1")
	h.Fund("bob", "USDT", "100000")
	h.Place("alice", market.Sell, "0.5", "20000")
	h.Place("alice", market.Sell, "0.25", "20001")
	h.Place("bob", market.Buy, "0.1", "20000")
	h.Place("bob", market.Buy, "0.3", "19999.99")
	answer := h.As("").Must(t, `{ market(symbol: "BTC-USDT") {
		depth(levels: 5) { sequence bids { price quantity } asks { price quantity } }
		ticker { last high low volume quoteVolume }
		trades(first: 10) { id price quantity takerSide executedAt market { symbol base { scale } } }
		candles(interval: M1) { openTime open high low close volume }
	} }`, nil)
	answer.Want(t, map[string]string{
		"market.depth.bids.0.price": "19999.99", "market.depth.bids.0.quantity": "0.3000",
		"market.depth.asks.0.price": "20000.00", "market.depth.asks.0.quantity": "0.4000",
		"market.depth.asks.1.price": "20001.00",
		"market.ticker.last":        "20000.00",
		"market.trades.0.price":     "20000.00", "market.trades.0.quantity": "0.1000",
		"market.trades.0.takerSide": "BUY", "market.trades.0.market.symbol": "BTC-USDT",
		"market.candles.0.open": "20000.00",
	})
	for field, arguments := range map[string]string{
		"depth": "levels: 0", "trades": "first: 0", "candles": "interval: M1, limit: 0",
	} {
		selection := map[string]string{"depth": "sequence", "trades": "id", "candles": "open"}[field]
		h.As("").Refused(t, "INVALID_ARGUMENT", `{ market(symbol: "BTC-USDT") { `+field+`(`+arguments+`) { `+selection+` } } }`, nil)
	}
	id := answer.Text("market.trades.0.id")
	h.As("").Must(t, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Trade { price market { symbol } } } }`,
		vars{"r": []any{
			vars{"__typename": "Trade", "id": id},
			vars{"__typename": "Trade", "id": scalar.EncodeID(scalar.Trade, 999)},
			vars{"__typename": "Trade", "id": memberID(h, "alice")},
		}}).Want(t, map[string]string{"_entities.0.price": "20000.00", "_entities.0.market.symbol": "BTC-USDT", "_entities.1.price": "", "_entities.2.price": ""})
}

func TestSessions(t *testing.T) {
	h := open(t)
	visitor := h.As("")
	const signIn = `mutation($u: String!, $p: String!) { signIn(input: { username: $u, password: $p }) {
		accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt role username displayName } }`
	const refresh = `mutation($t: String!) { refreshSession(refreshToken: $t) { accessToken refreshToken role } }`
	const signOut = `mutation($t: String!) { signOut(refreshToken: $t) { signedOut } }`

	session := visitor.Must(t, signIn, vars{"u": "nora", "p": housetest.Password})
	session.Want(t, map[string]string{"signIn.role": "AGENT", "signIn.username": "nora"})
	visitor.Refused(t, "INVALID_CREDENTIALS", signIn, vars{"u": "nora", "p": "wrong"})
	visitor.Refused(t, "INVALID_CREDENTIALS", signIn, vars{"u": "nobody", "p": housetest.Password})

	first := session.Text("signIn.refreshToken")
	renewed := visitor.Must(t, refresh, vars{"t": first})
	renewed.Want(t, map[string]string{"refreshSession.role": "AGENT"})
	visitor.Must(t, signOut, vars{"t": renewed.Text("refreshSession.refreshToken")}).Want(t, map[string]string{"signOut.signedOut": "true"})
	visitor.Must(t, signOut, vars{"t": renewed.Text("refreshSession.refreshToken")})
	visitor.Refused(t, "UNAUTHENTICATED", refresh, vars{"t": renewed.Text("refreshSession.refreshToken")})
	visitor.Refused(t, "UNAUTHENTICATED", refresh, vars{"t": "nonsense"})
}

func TestRegistration(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	agent, err := h.Exchange.Agent(h.Actor("nora"))
	if err != nil {
		t.Fatal(err)
	}
	invite, err := agent.CreateInvite(ctx, engine.CreateInvite{MaxUses: 1, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	const register = `mutation($i: RegisterInput!) { register(input: $i) { accessToken role username displayName } }`
	with := func(changes vars) vars {
		input := vars{"inviteCode": invite.Code, "username": "dave", "password": housetest.Password, "displayName": "Dave"}
		for k, v := range changes {
			input[k] = v
		}
		return vars{"i": input}
	}
	visitor := h.As("")
	visitor.Refused(t, "INVITE_INVALID", register, with(vars{"inviteCode": "no-such-code"}))
	visitor.Refused(t, "USERNAME_TAKEN", register, with(vars{"username": "alice"}))
	visitor.Refused(t, "INVALID_ARGUMENT", register, with(vars{"username": "!"}))
	visitor.Refused(t, "WEAK_PASSWORD", register, with(vars{"password": "short"}))
	answer := visitor.Must(t, register, with(nil))
	answer.Want(t, map[string]string{"register.role": "MEMBER", "register.username": "dave", "register.displayName": "Dave"})
	visitor.Refused(t, "INVITE_INVALID", register, with(vars{"username": "dave2"}))

	dave := visitor
	dave.Token = answer.Text("register.accessToken")
	dave.Must(t, `{ me { username balances { total } } }`, nil).Want(t, map[string]string{"me.username": "dave"})
}

func TestATokenThatIsNoGoodIsToldOnEveryOperation(t *testing.T) {
	h := open(t)
	session := h.As("").Must(t, `mutation { signIn(input: { username: "alice", password: "`+housetest.Password+`" }) { accessToken refreshToken } }`, nil)
	forged, expired := h.As("alice"), h.As("alice")
	forged.Token += "x"
	expired.Token = session.Text("signIn.accessToken")
	expired.Must(t, `{ me { username } }`, nil)
	h.Advance(24 * time.Hour)
	const refresh = `mutation($t: String!) { refreshSession(refreshToken: $t) { accessToken } }`
	for code, client := range map[string]housetest.Client{"UNAUTHENTICATED": forged, "TOKEN_EXPIRED": expired} {
		refusal := client.Refused(t, code, `{ me { username } }`, nil)
		if len(refusal.Path) != 1 || refusal.Path[0] != "me" {
			t.Errorf("path %v", refusal.Path)
		}
		client.Refused(t, code, `{ markets { symbol } }`, nil)
		client.Refused(t, code, `mutation { cancelAllOrders(input: { clientKey: "k" }) { cancelled } }`, nil)
		client.Must(t, `{ __typename }`, nil)
		stream := client.Subscribe(t, `subscription { orderUpdates { snapshot } }`, nil)
		if answer := stream.Next(); len(answer.Errors) != 1 || answer.Errors[0].Code() != code {
			t.Errorf("subscription: %s", answer.Raw)
		}
		stream.Ended()
	}
	expired.Token = expired.Must(t, refresh, vars{"t": session.Text("signIn.refreshToken")}).Text("refreshSession.accessToken")
	expired.Must(t, `{ me { username } }`, nil).Want(t, map[string]string{"me.username": "alice"})
}

func TestAClientFindsAgainWhatItWasTold(t *testing.T) {
	h := open(t)
	h.Fund("alice", "USDT", "5000")
	alice := h.As("alice")
	for _, sequence := range []string{"-1", "x", "1.0", "18446744073709551616"} {
		alice.MinSequence = sequence
		alice.Refused(t, "INVALID_ARGUMENT", `{ me { username } }`, nil)
		alice.Refused(t, "INVALID_ARGUMENT", `{ markets { symbol } }`, nil)
	}
	alice.MinSequence = ""
	placed := alice.Must(t, place, buy(nil))
	alice.MinSequence = placed.Text("placeOrder.sequence")
	alice.Must(t, `{ me { orders { nodes { id } } } }`, nil).Want(t, map[string]string{"me.orders.nodes.0.id": placed.Text("placeOrder.order.id")})
	alice.MinSequence = "1000000"
	alice.Refused(t, "SEQUENCE_NOT_REACHED", `{ me { orders { nodes { id } } } }`, nil)
}

func TestDeposits(t *testing.T) {
	h := open(t)
	alice := h.As("alice")
	const request = `mutation($k: String!, $asset: String!, $amount: Decimal!) {
		requestDeposit(input: { clientKey: $k, asset: $asset, amount: $amount }) { deposit { id asset { code scale } amount status requestedAt } } }`
	ask := func(key, asset string, amount any) vars { return vars{"k": key, "asset": asset, "amount": amount} }
	made := alice.Must(t, request, ask("d1", "USDT", "12.50"))
	made.Want(t, map[string]string{
		"requestDeposit.deposit.asset.code": "USDT", "requestDeposit.deposit.amount": "12.500000", "requestDeposit.deposit.status": "PENDING",
	})
	again := alice.Must(t, request, ask("d1", "USDT", "12.50"))
	id := made.Text("requestDeposit.deposit.id")
	if again.Text("requestDeposit.deposit.id") != id {
		t.Error("the same key made a second deposit")
	}
	alice.Refused(t, "IDEMPOTENCY_CONFLICT", request, ask("d1", "USDT", "13"))
	alice.Refused(t, "INVALID_IDEMPOTENCY_KEY", request, ask("", "USDT", "13"))
	alice.Refused(t, "UNKNOWN_ASSET", request, ask("d2", "DOGE", "1"))
	alice.Refused(t, "INVALID_AMOUNT", request, ask("d2", "USDT", "-1"))
	alice.Refused(t, "INVALID_AMOUNT", request, ask("d2", "USDT", "0"))
	alice.Refused(t, "TOO_MANY_DECIMALS", request, ask("d2", "USDT", "0.0000001"))
	alice.Refused(t, "AMOUNT_OVERFLOW", request, ask("d2", "USDT", "99999999999999999999"))
	alice.Refused(t, "INVALID_ARGUMENT", request, ask("d2", "USDT", 12.5))
	alice.Refused(t, "INVALID_ARGUMENT", request, ask("d2", "USDT", "1e3"))

	page := alice.Must(t, `{ me { deposits(first: 1) { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } }`, nil)
	page.Want(t, map[string]string{"me.deposits.nodes.0.id": id, "me.deposits.edges.0.node.id": id, "me.deposits.pageInfo.hasNextPage": "false"})

	const entity = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Deposit { amount status } } }`
	representation := vars{"r": []any{vars{"__typename": "Deposit", "id": id}}}
	for name, amount := range map[string]string{"alice": "12.500000", "nora": "12.500000", "ada": "12.500000", "bob": "", "olga": "", "rival": ""} {
		h.As(name).Must(t, entity, representation).Want(t, map[string]string{"_entities.0.amount": amount})
	}
	h.As("").Refused(t, "UNAUTHENTICATED", entity, representation)
}
