package engine

import (
	"fmt"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/venue"
)

func TestBootstrapOnce(t *testing.T) {
	h := openHouse(t)
	done, err := h.System().Bootstrap(t.Context(), NewAdmin{Username: "second", Password: testPassword, DisplayName: "Second"})
	if done || err != nil {
		t.Errorf("a second first admin: %v, %v", done, err)
	}
	_, err = h.System().Find(t.Context(), "second")
	wantCode(t, "the second first admin", err, fault.NotFound)
	if actor := must(h.System().Find(t.Context(), "admin"))(t); actor.Role != account.RoleAdmin || !actor.Duties.Has(account.DutyAppoint) {
		t.Errorf("%+v", actor)
	}
}

func TestAppoint(t *testing.T) {
	h := openHouse(t)
	admin := NewAdmin{Username: "ada", Password: testPassword, DisplayName: "Ada", Roles: []account.AdminRole{account.AdminMarkets}}
	agent := NewAgent{Username: "agnes", Password: testPassword, DisplayName: "Agnes"}
	for _, c := range []struct {
		what string
		edit func(*NewAdmin)
		want fault.Code
	}{
		{"no role", func(n *NewAdmin) { n.Roles = nil }, fault.InvalidArgument},
		{"an unknown role", func(n *NewAdmin) { n.Roles = []account.AdminRole{"JANITOR"} }, fault.InvalidArgument},
		{"a bad username", func(n *NewAdmin) { n.Username = "a" }, fault.InvalidArgument},
		{"a bad display name", func(n *NewAdmin) { n.DisplayName = "" }, fault.InvalidArgument},
		{"a weak password", func(n *NewAdmin) { n.Password = "short" }, fault.WeakPassword},
		{"a taken username", func(n *NewAdmin) { n.Username = "alice" }, fault.UsernameTaken},
		{"an admin", func(*NewAdmin) {}, ""},
	} {
		n := admin
		c.edit(&n)
		_, err := h.root.CreateAdmin(t.Context(), n)
		wantCode(t, c.what, err, c.want)
	}
	orphan := agent
	orphan.ParentID = 4711
	_, err := h.root.CreateAgent(t.Context(), orphan)
	wantCode(t, "an agent under nobody", err, fault.NotFound)
	must(h.root.CreateAgent(t.Context(), agent))(t)

	if err := CreateAdmin(t.Context(), h.opts, "offline", testPassword, "Off Line"); err != nil {
		t.Error(err)
	}
	h.signIn(t, "offline")
}

func TestAdminsStayWithinTheirRoles(t *testing.T) {
	h := openHouse(t)
	admin := func(name string, role account.AdminRole) *Admin {
		must(h.root.CreateAdmin(t.Context(), NewAdmin{Username: name, Password: testPassword, DisplayName: name, Roles: []account.AdminRole{role}}))(t)
		return must(h.Admin(h.signIn(t, name).Actor))(t)
	}
	markets, support, auditor := admin("markets", account.AdminMarkets), admin("helpful", account.AdminSupport), admin("auditor", account.AdminAuditor)
	page := Page{First: 5}
	alice := h.aliceIn.Actor.ID
	for what, c := range map[string]struct {
		do                        func(*Admin) error
		markets, support, auditor bool
	}{
		"members":        {func(a *Admin) error { _, err := a.Members(t.Context(), MemberFilter{}, page); return err }, false, true, true},
		"member":         {func(a *Admin) error { _, err := a.Member(t.Context(), alice); return err }, false, true, true},
		"members by id":  {func(a *Admin) error { _, err := a.MembersByID(t.Context(), []account.ID{alice}); return err }, false, true, true},
		"balances":       {func(a *Admin) error { _, err := a.MemberBalances(t.Context(), alice); return err }, false, true, true},
		"balances by id": {func(a *Admin) error { _, err := a.MembersBalances(t.Context(), []account.ID{alice}); return err }, false, true, true},
		"orders":         {func(a *Admin) error { _, err := a.MemberOrders(t.Context(), alice, OrderFilter{}, page); return err }, false, true, true},
		"orders by id":   {func(a *Admin) error { _, err := a.MemberOrdersByID(t.Context(), alice, nil); return err }, false, true, true},
		"fills":          {func(a *Admin) error { _, err := a.MemberFills(t.Context(), alice, FillFilter{}, page); return err }, false, true, true},
		"deposits":       {func(a *Admin) error { _, err := a.MemberDeposits(t.Context(), alice, page); return err }, false, true, true},
		"agents":         {func(a *Admin) error { _, err := a.Agents(t.Context(), page); return err }, false, true, true},
		"agent":          {func(a *Admin) error { _, err := a.Agent(t.Context(), h.northIn.Actor.ID); return err }, false, true, true},
		"agents by id":   {func(a *Admin) error { _, err := a.AgentsByID(t.Context(), nil); return err }, false, true, true},
		"audit":          {func(a *Admin) error { _, err := a.Audit(t.Context(), page); return err }, false, false, true},
		"verify audit":   {func(a *Admin) error { _, err := a.VerifyAudit(t.Context()); return err }, false, false, true},
		"reconcile":      {func(a *Admin) error { _, err := a.Reconcile(t.Context()); return err }, false, false, true},
		"reconciliation": {func(a *Admin) error { _, err := a.LastReconciliation(t.Context()); return err }, true, true, true},
		"health":         {func(a *Admin) error { _, err := a.Health(t.Context()); return err }, true, true, true},
		"jobs":           {func(a *Admin) error { _, err := a.Jobs(t.Context()); return err }, true, true, true},
		"asset": {func(a *Admin) error {
			_, _, err := a.CreateAsset(t.Context(), CreateAsset{Key: "eth", Code: "ETH", Scale: 8})
			return err
		}, true, false, false},
		"halt": {func(a *Admin) error {
			_, _, err := a.Halt(t.Context(), ChangePhase{Key: "halt", Symbol: "BTC-USDT", Reason: "test"})
			return err
		}, true, false, false},
		"appoint": {func(a *Admin) error {
			_, err := a.CreateAgent(t.Context(), NewAgent{Username: "agnes", Password: testPassword, DisplayName: "Agnes"})
			return err
		}, false, false, false},
	} {
		for who, allowed := range map[*Admin]bool{markets: c.markets, support: c.support, auditor: c.auditor} {
			err := c.do(who)
			if allowed {
				wantCode(t, what+" for "+who.actor.Username, err, "")
			} else {
				wantCode(t, what+" for "+who.actor.Username, err, fault.Forbidden)
			}
		}
	}
	// Nobody appoints above themselves.
	limited := &Admin{x: h.Exchange, actor: account.Actor{ID: h.root.actor.ID, Role: account.RoleAdmin, Duties: account.DutyAppoint}}
	_, err := limited.CreateAdmin(t.Context(), NewAdmin{Username: "boss", Password: testPassword, DisplayName: "Boss", Roles: []account.AdminRole{account.AdminSupervisor}})
	wantCode(t, "appointing above oneself", err, fault.Forbidden)
}

func TestMarketsAreOpenedAndHalted(t *testing.T) {
	h := openHouse(t)
	assets := func(c CreateAsset) error {
		_, _, err := h.root.CreateAsset(t.Context(), c)
		return err
	}
	wantCode(t, "an asset", assets(CreateAsset{Key: "eth", Code: "ETH", Scale: 8}), "")
	wantCode(t, "again", assets(CreateAsset{Key: "eth", Code: "ETH", Scale: 8}), "")
	wantCode(t, "the key for another", assets(CreateAsset{Key: "eth", Code: "LTC", Scale: 8}), fault.IdempotencyConflict)
	wantCode(t, "the same code", assets(CreateAsset{Key: "eth2", Code: "ETH", Scale: 6}), fault.AssetExists)
	wantCode(t, "a bad code", assets(CreateAsset{Key: "bad", Code: "eth", Scale: 6}), fault.InvalidArgument)
	wantCode(t, "a bad scale", assets(CreateAsset{Key: "bad", Code: "XYZ", Scale: 19}), fault.InvalidArgument)
	wantCode(t, "no key", assets(CreateAsset{Code: "XYZ", Scale: 1}), fault.InvalidIdempotencyKey)

	for _, c := range []struct {
		what string
		edit func(*CreateMarket)
		want fault.Code
	}{
		{"the same pair", func(*CreateMarket) {}, fault.MarketExists},
		{"an unknown base", func(c *CreateMarket) { c.Base = "DOGE" }, fault.UnknownAsset},
		{"an unknown quote", func(c *CreateMarket) { c.Quote = "DOGE" }, fault.UnknownAsset},
		{"no tick", func(c *CreateMarket) { c.TickSize = "0" }, fault.InvalidArgument},
		{"a tick that is no number", func(c *CreateMarket) { c.TickSize = "1e-2" }, fault.InvalidArgument},
		{"a negative lot", func(c *CreateMarket) { c.LotSize = "-1" }, fault.InvalidArgument},
		{"a fee above one", func(c *CreateMarket) { c.TakerFeeRate = "1.1" }, fault.InvalidArgument},
		{"a fee too fine", func(c *CreateMarket) { c.MakerFeeRate = "0.0000001" }, fault.InvalidArgument},
		{"a least notional too fine", func(c *CreateMarket) { c.MinNotional = "0.0000001" }, fault.InvalidArgument},
		{"a tick too fine", func(c *CreateMarket) { c.Base, c.TickSize, c.LotSize = "ETH", "0.0001", "0.0001" }, fault.InvalidMarket},
		{"another pair", func(c *CreateMarket) { c.Base = "ETH" }, ""},
	} {
		ask := btcMarket("m " + c.what)
		ask.Key = fmt.Sprintf("m-%x", c.what)[:min(64, len(c.what)*2+2)]
		c.edit(&ask)
		m, _, err := h.root.CreateMarket(t.Context(), ask)
		wantCode(t, c.what, err, c.want)
		if c.want == "" && (m.Symbol != "ETH-USDT" || m.TickSize.String() != "0.01" || m.TakerFeeRate.String() != "0.002") {
			t.Errorf("%+v", m)
		}
	}

	halt := ChangePhase{Key: "h1", Symbol: "BTC-USDT", Reason: "news"}
	m, _, err := h.root.Halt(t.Context(), halt)
	if err != nil || m.Phase != market.Halted {
		t.Errorf("%+v, %v", m, err)
	}
	_, _, err = h.root.Halt(t.Context(), halt)
	wantCode(t, "again", err, "")
	_, _, err = h.root.Halt(t.Context(), ChangePhase{Key: "h2", Symbol: "ABC-XYZ", Reason: "news"})
	wantCode(t, "an unknown market", err, fault.UnknownMarket)
	_, _, err = h.root.Halt(t.Context(), ChangePhase{Key: "h2", Symbol: "BTC-USDT"})
	wantCode(t, "without a reason", err, fault.InvalidArgument)
	h.clock.advance(time.Minute)
	m, _, err = h.root.Resume(t.Context(), ChangePhase{Key: "r1", Symbol: "BTC-USDT", Reason: "over"})
	if err != nil || m.Phase != market.Continuous {
		t.Errorf("%+v, %v", m, err)
	}
	_, _, err = h.root.Halt(t.Context(), ChangePhase{Key: "r1", Symbol: "BTC-USDT", Reason: "over"})
	wantCode(t, "the key of the resumption", err, fault.IdempotencyConflict)

	history := must(h.root.PhaseHistory(t.Context(), "BTC-USDT"))(t)
	if len(history) != 2 || history[0].Phase != market.Halted || history[0].Reason != "news" || history[0].By != "admin" ||
		history[1].Phase != market.Continuous || !history[1].At.Equal(h.clock.Now()) {
		t.Errorf("%+v", history)
	}
}

// A command whose answer was lost has one row however often it is sent; one that was refused and goes
// through later has a row for each attempt.
func TestAdminCommandsAreAuditedOnce(t *testing.T) {
	h := openHouse(t)
	eth := btcMarket("eth")
	eth.Base = "ETH"
	count := func(action string) int { return countOf(h.actions(t), action) }
	if _, _, err := h.root.CreateAsset(t.Context(), CreateAsset{Key: "k", Code: "BTC", Scale: 8}); fault.CodeOf(err) != fault.AssetExists {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := h.root.CreateAsset(t.Context(), CreateAsset{Key: "k", Code: "ETH", Scale: 8}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.root.CreateMarket(t.Context(), eth); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := h.root.CreateAsset(t.Context(), CreateAsset{Key: "k", Code: "LTC", Scale: 8})
	wantCode(t, "the key for another", err, fault.IdempotencyConflict)
	for action, want := range map[string]int{
		"asset.create asset:BTC": 2, "asset.create.refused asset:BTC": 1, // the house's own, and the one refused
		"asset.create asset:ETH": 1, "asset.create.refused asset:ETH": 0, "market.create market:ETH-USDT": 1,
		"asset.create asset:LTC": 1, "asset.create.refused asset:LTC": 1,
	} {
		if got := count(action); got != want {
			t.Errorf("%s stands %d times, want %d", action, got, want)
		}
	}
	// The refusal is undone in the world, and the same key tried again.
	attempt := audit.Entry{Action: "test.try", Subject: "test:1", Command: "again"}
	halted := func(symbol market.Symbol) error {
		_, err := h.root.command(t.Context(), attempt, &venue.SetPhase{Actor: h.root.actor.ID, Key: "again", Symbol: symbol, Phase: market.Halted})
		return err
	}
	wantCode(t, "a refusal", halted("ABC-XYZ"), fault.UnknownMarket)
	wantCode(t, "a refusal", halted("ABC-XYZ"), fault.UnknownMarket)
	wantCode(t, "an acceptance", halted("BTC-USDT"), "")
	wantCode(t, "the same again", halted("BTC-USDT"), "")
	if tries, refused := count("test.try test:1"), count("test.try.refused test:1"); tries != 3 || refused != 2 {
		t.Errorf("%d tries and %d refusals", tries, refused)
	}
}

func TestAgentsSeeTheirDownlineOnly(t *testing.T) {
	h := openHouse(t)
	ctx := t.Context()
	d := h.deposit(t, h.alice, "k", "1000")
	if _, _, err := h.north.ApproveDeposit(ctx, ApproveDeposit{DepositID: d.ID}); err != nil {
		t.Fatal(err)
	}
	order, _, err := h.alice.PlaceOrder(ctx, PlaceOrder{
		Key: "o", Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, TimeInForce: market.GTC, Price: "100", Quantity: "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	alice, page := h.aliceIn.Actor.ID, Page{First: 10}
	for _, a := range []struct {
		name string
		*Agent
		sees bool
	}{{"north", h.north, true}, {"top", h.top, true}, {"south", h.south, false}} {
		check := func(what string, err error, refused fault.Code) {
			t.Helper()
			if a.sees {
				refused = ""
			}
			wantCode(t, what+" for "+a.name, err, refused)
		}
		_, err := a.Member(ctx, alice)
		check("member", err, fault.NotFound)
		balances, err := a.MemberBalances(ctx, alice)
		check("balances", err, fault.NotFound)
		orders, err := a.MemberOrders(ctx, alice, OrderFilter{}, page)
		check("orders", err, fault.NotFound)
		byID, err := a.MemberOrdersByID(ctx, alice, []market.OrderID{order.ID})
		check("orders by id", err, fault.NotFound)
		_, err = a.MemberFills(ctx, alice, FillFilter{}, page)
		check("fills", err, fault.NotFound)
		_, err = a.Order(ctx, order.ID)
		check("order", err, fault.OrderNotFound)
		_, err = a.Deposit(ctx, d.ID)
		check("deposit", err, fault.DepositNotFound)
		several := must(a.MembersBalances(ctx, []account.ID{alice, 4711}))(t)
		if len(several) != map[bool]int{true: 1}[a.sees] || len(several[alice]) != len(balances) {
			t.Errorf("%s: balances of several: %v", a.name, several)
		}
		deposits := must(a.MemberDeposits(ctx, alice, page))(t)
		members := must(a.MembersByID(ctx, []account.ID{alice}))(t)
		n := map[bool]int{true: 1}[a.sees]
		if (len(balances) > 0) != a.sees || len(orders.Items) != n || len(byID) != n || len(deposits.Items) != n || len(members) != n {
			t.Errorf("%s: %d balances, %d and %d orders, %d deposits, %d members", a.name, len(balances), len(orders.Items), len(byID), len(deposits.Items), len(members))
		}
	}
	_, err = h.north.Agent(ctx, h.south.actor.ID)
	wantCode(t, "an agent beside", err, fault.NotFound)
	_, err = h.north.Agent(ctx, h.top.actor.ID)
	wantCode(t, "the agent above", err, fault.NotFound)
	if below := must(h.top.AgentsByID(ctx, []account.ID{h.north.actor.ID, h.south.actor.ID, h.north.actor.ID, 4711}))(t); len(below) != 2 {
		t.Errorf("%+v", below)
	}
	_, err = h.top.MembersByID(ctx, make([]account.ID, maxIDs+1))
	wantCode(t, "too many ids", err, fault.InvalidArgument)
	if g := must(h.top.Profile(ctx))(t); g.DownlineCount != 2 {
		t.Errorf("%+v", g)
	}
	if p := must(h.top.Downline(ctx, DownlineFilter{}, Page{First: 1}))(t); !p.HasNext || p.Items[0].Username != "bob" {
		t.Errorf("%+v", p)
	} else if p = must(h.top.Downline(ctx, DownlineFilter{}, Page{First: 1, After: p.Next}))(t); p.HasNext || p.Items[0].Username != "alice" {
		t.Errorf("%+v", p)
	}
	for _, bad := range []Page{{}, {First: 201}, {First: 1, After: "?"}, {First: 1, After: AuditCursor(1)}} {
		_, err := h.top.Downline(ctx, DownlineFilter{}, bad)
		wantCode(t, fmt.Sprint("page ", bad), err, fault.InvalidArgument)
	}
	if v, err := h.north.DownlineVolume(ctx, "BTC-USDT"); err != nil || v.Sign() != 0 {
		t.Errorf("%v, %v", v, err)
	}
	_, err = h.north.DownlineVolume(ctx, "ABC-XYZ")
	wantCode(t, "volume of no market", err, fault.UnknownMarket)
	for _, c := range []CreateInvite{{0, h.clock.Now().Add(time.Hour)}, {1001, h.clock.Now().Add(time.Hour)}, {1, h.clock.Now()}, {1, h.clock.Now().Add(400 * 24 * time.Hour)}} {
		_, err := h.north.CreateInvite(ctx, c)
		wantCode(t, fmt.Sprint("invite ", c), err, fault.InvalidArgument)
	}
}

func TestDownlineVolume(t *testing.T) {
	h := openHouse(t)
	ctx := t.Context()
	fund := func(m *Member, a *Agent, asset, amount string) {
		t.Helper()
		d := must(m.RequestDeposit(ctx, RequestDeposit{Key: "fund", Asset: asset, Amount: amount}))(t)
		if _, _, err := a.ApproveDeposit(ctx, ApproveDeposit{DepositID: d.ID}); err != nil {
			t.Fatal(err)
		}
	}
	fund(h.alice, h.north, "USDT", "1000")
	fund(h.bob, h.south, "BTC", "1")
	order := PlaceOrder{Key: "o", Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, TimeInForce: market.GTC, Price: "100", Quantity: "1"}
	if _, _, err := h.alice.PlaceOrder(ctx, order); err != nil {
		t.Fatal(err)
	}
	order.Side, order.Quantity = market.Sell, "0.5"
	_, sequence, err := h.bob.PlaceOrder(ctx, order)
	if err != nil {
		t.Fatal(err)
	}
	volumes := func() string {
		t.Helper()
		see := WithMinSequence(ctx, sequence)
		return fmt.Sprint(must(h.north.DownlineVolume(see, "BTC-USDT"))(t), " ", must(h.south.DownlineVolume(see, "BTC-USDT"))(t), " ",
			must(h.top.DownlineVolume(see, "BTC-USDT"))(t))
	}
	if got := volumes(); got != "50.000000 50.000000 100.000000" {
		t.Errorf("north, south and top: %s", got)
	}
	h.clock.advance(25*time.Hour + time.Minute)
	if got := volumes(); got != "0.000000 0.000000 0.000000" {
		t.Errorf("a day later: %s", got)
	}
}

func TestAuditOfTheHouse(t *testing.T) {
	h := openHouse(t)
	report := must(h.root.VerifyAudit(t.Context()))(t)
	if report.Break != nil || report.Rows == 0 {
		t.Fatalf("%+v", report)
	}
	actions := h.actions(t)
	for _, want := range []string{
		"market.create market:BTC-USDT", "asset.create asset:BTC", fmt.Sprint("member.register member:", h.aliceIn.Actor.ID),
		fmt.Sprint("session.open account:", h.northIn.Actor.ID), fmt.Sprint("agent.create agent:", h.northIn.Actor.ID),
	} {
		if countOf(actions, want) != 1 {
			t.Errorf("%q stands %d times in %v", want, countOf(actions, want), actions)
		}
	}
	for _, sql := range []string{
		`ALTER TABLE audit DISABLE TRIGGER USER`, `UPDATE audit SET actor_name = 'nobody' WHERE id = 4`, `ALTER TABLE audit ENABLE TRIGGER USER`,
	} {
		if _, err := h.opts.DB.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	broken, err := VerifyAudit(t.Context(), h.opts)
	if err != nil || broken.Break == nil || broken.Break.ID != 4 || broken.Rows != 3 {
		t.Errorf("%+v, %v", broken, err)
	}
}

func TestReconcileFollowsTheJournal(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "1000")
	_, sequence, err := h.north.ApproveDeposit(t.Context(), ApproveDeposit{DepositID: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	if last := must(h.root.LastReconciliation(t.Context()))(t); last != nil {
		t.Errorf("%+v", last)
	}
	// A read of history at that sequence waits for the projections.
	must(h.alice.Orders(WithMinSequence(t.Context(), sequence), OrderFilter{}, Page{First: 1}))(t)
	r := must(h.System().Reconcile(t.Context()))(t)
	if !r.Balanced || r.Sequence < sequence || r.AccountsChecked != 2 {
		t.Errorf("%+v, want %d", r, sequence)
	}
	if last := must(h.root.LastReconciliation(t.Context()))(t); last == nil || *last != r {
		t.Errorf("%+v, want %+v", last, r)
	}
	if _, err := h.opts.DB.Exec(t.Context(), `UPDATE balances SET amount = amount + 1 WHERE owner_id = $1`, h.aliceIn.Actor.ID); err != nil {
		t.Fatal(err)
	}
	if r := must(h.System().Reconcile(t.Context()))(t); r.Balanced || r.Differences != 1 {
		t.Errorf("%+v", r)
	}
}
