package engine

import (
	"context"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/risk"
	"bourse/engine/venue"
)

// aHouse is a floor with an admin who may do everything, an agent and two members below it who have
// money.
type aHouse struct {
	*floor
	admin      *Admin
	agent      account.ID
	alice, bob *Member
}

func newRuledHouse(t *testing.T) *aHouse {
	t.Helper()
	f := openFloor(t, nil)
	ctx := t.Context()
	root, err := f.System().CreateAdmin(ctx, NewAdmin{Username: "root", Password: testPassword, DisplayName: "Root", Roles: []account.AdminRole{account.AdminSupervisor}})
	if err != nil {
		t.Fatal(err)
	}
	h := &aHouse{floor: f}
	actor, err := f.System().Find(ctx, root.Username)
	if err != nil {
		t.Fatal(err)
	}
	if h.admin, err = f.Admin(actor); err != nil {
		t.Fatal(err)
	}
	agent, err := f.System().CreateAgent(ctx, NewAgent{Username: "agnes", Password: testPassword, DisplayName: "Agnes"})
	if err != nil {
		t.Fatal(err)
	}
	h.agent = agent.ID
	h.alice, h.bob = h.member("alice"), h.member("bob")
	return h
}

// member registers someone under the agent, who then has a million of each asset.
func (h *aHouse) member(name string) *Member {
	h.t.Helper()
	ctx := context.Background()
	agent, err := h.Agent(account.Actor{ID: h.agent, Role: account.RoleAgent, Username: "agnes"})
	if err != nil {
		h.t.Fatal(err)
	}
	invite, err := agent.CreateInvite(ctx, CreateInvite{MaxUses: 1, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Visitor().Register(ctx, Registration{InviteCode: invite.Code, Username: name, Password: testPassword, DisplayName: name}); err != nil {
		h.t.Fatal(err)
	}
	actor, err := h.System().Find(ctx, name)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.rich(actor.ID)
}

func (h *aHouse) refused(want fault.Code, err error) {
	h.t.Helper()
	if fault.CodeOf(err) != want {
		h.t.Errorf("%v, want %s", err, want)
	}
}

func (h *aHouse) accepted(at Sequence, err error) Sequence {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return at
}

// trade lets alice buy from bob at 100 and returns the trade.
func (h *aHouse) trade(key, quantity string) Fill {
	h.t.Helper()
	place(h.t, h.bob, limit("s"+key, market.Sell, "100", quantity))
	_, at := place(h.t, h.alice, limit("b"+key, market.Buy, "100", quantity))
	fills, err := h.alice.Fills(WithMinSequence(context.Background(), at), FillFilter{}, Page{First: 1})
	if err != nil || len(fills.Items) != 1 {
		h.t.Fatalf("%+v, %v", fills, err)
	}
	return fills.Items[0]
}

func TestFeesAreSharedAndABustTakesEverythingBack(t *testing.T) {
	h := newRuledHouse(t)
	ctx := t.Context()
	h.accepted(h.admin.SetCommissionPlan(ctx, "plan", h.agent, CommissionPlan{Default: "0.25"}))
	before, err := h.alice.Balances(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fill := h.trade("1", "10") // notional 1,000: fees 1.00 and 2.00, a quarter of each is the agent's
	accrued := func() (amount int64) {
		h.read(func(s *venue.State) {
			amount = int64(s.AccountBalance(ledger.Account{Owner: h.agent, Kind: ledger.Commission}, 2))
		})
		return amount
	}
	if got := accrued(); got != 75 {
		t.Errorf("the agent has accrued %d cents, want 75", got)
	}
	amount, _, err := h.admin.SettleCommission(ctx, "settle", h.agent, "USD")
	if err != nil || amount.String() != "0.75" {
		t.Errorf("settled %v, %v", amount, err)
	}
	if again, _, err := h.admin.SettleCommission(ctx, "settle", h.agent, "USD"); err != nil || again != amount {
		t.Errorf("settled again %v, %v", again, err)
	}
	at := h.accepted(h.admin.BustTrade(ctx, "bust", fill.TradeID, "a fat finger"))
	after, err := h.alice.Balances(WithMinSequence(ctx, at))
	if err != nil || len(after) != len(before) {
		t.Fatal(err)
	}
	for i := range after {
		if after[i] != before[i] {
			t.Errorf("after the bust %+v, before the trade %+v", after[i], before[i])
		}
	}
	if got := accrued(); got != -75 {
		t.Errorf("after the bust the agent's commission stands at %d cents, want -75", got)
	}
	_, err = h.admin.BustTrade(ctx, "bust-again", fill.TradeID, "twice")
	h.refused(fault.TradeBusted, err)
	_, err = h.admin.BustTrade(ctx, "bust-nothing", fill.TradeID+1000, "no such")
	h.refused(fault.TradeNotFound, err)
	h.sound()
}

func TestTheHouseLimitsFreezesAndCorrects(t *testing.T) {
	h := newRuledHouse(t)
	ctx := t.Context()
	alice := h.alice.actor.ID
	h.accepted(h.admin.SetLimits(ctx, SetLimits{
		Key: "limits", Scope: risk.OfMember, ID: uint64(alice), Symbol: btcUSD, Limits: Limits{OrderQuantity: "5", Distance: "0.1"}, Reason: "new here",
	}))
	_, _, err := h.alice.PlaceOrder(ctx, limit("large", market.Buy, "100", "5.1"))
	h.refused(fault.OrderQuantityLimit, err)
	h.trade("1", "1")
	_, _, err = h.alice.PlaceOrder(ctx, limit("far", market.Buy, "110.1", "1"))
	h.refused(fault.PriceTooFar, err)
	order, _ := place(t, h.alice, limit("near", market.Buy, "90", "1"))

	frozen, group := risk.FrozenTrading, uint32(3)
	h.accepted(h.admin.SetStanding(ctx, SetStanding{Key: "freeze", Member: alice, Freeze: &frozen, Group: &group, Reason: "asked to"}))
	_, _, err = h.alice.PlaceOrder(ctx, limit("frozen", market.Buy, "90", "1"))
	h.refused(fault.AccountFrozen, err)
	if p, err := h.admin.Standing(ctx, alice); err != nil || p.Freeze != frozen || p.Group != group || p.Agent != h.agent {
		t.Errorf("%+v, %v", p, err)
	}
	cancelled, _, err := h.admin.CancelOrder(ctx, "cancel", order.ID, "clearing up")
	if err != nil || cancelled.Reason != market.CancelAdministrative || cancelled.Status != market.Cancelled {
		t.Errorf("%+v, %v", cancelled, err)
	}

	before, _ := h.alice.Balance(ctx, "USD")
	at := h.accepted(h.admin.Adjust(ctx, Adjust{Key: "gift", Member: alice, Asset: "USD", Amount: "12.34", Reason: "a gift"}))
	h.accepted(h.admin.Adjust(ctx, Adjust{Key: "gift", Member: alice, Asset: "USD", Amount: "12.34", Reason: "a gift"})) // once
	after, _ := h.alice.Balance(WithMinSequence(ctx, at), "USD")
	if got := after.Total.Coefficient() - before.Total.Coefficient(); got != 1234 {
		t.Errorf("the gift came to %d cents", got)
	}
	_, err = h.admin.Adjust(ctx, Adjust{Key: "too-much", Member: h.bob.actor.ID, Asset: "USD", Amount: "-99999999", Reason: "no"})
	h.refused(fault.InsufficientBalance, err)
	h.sound()
}

func TestMarketsGoThroughAuctionsAndPauses(t *testing.T) {
	h := newRuledHouse(t)
	ctx := t.Context()
	phase := func(key string, to market.Phase) Market {
		t.Helper()
		m, _, err := h.admin.SetPhase(ctx, SetPhase{Key: key, Symbol: btcUSD, Phase: to, Reason: "the day goes on"})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	_, _, err := h.admin.SetRules(ctx, SetRules{
		Key: "rules", Symbol: btcUSD, ReferencePrice: "100", Breaker: "0.1", BreakerWindow: time.Hour, BreakerPause: time.Hour, Reason: "careful",
	})
	if err != nil {
		t.Fatal(err)
	}
	phase("pause", market.Paused)
	place(t, h.bob, limit("ask", market.Sell, "99", "2"))
	place(t, h.alice, limit("bid", market.Buy, "101", "3"))
	if a, err := h.Visitor().Auction(ctx, btcUSD); err != nil || a.Price == nil || a.Price.String() != "100.00" || a.Quantity.String() != "2.0" {
		t.Errorf("%+v, %v", a, err)
	}
	phase("open", market.Continuous)
	order, at := place(t, h.alice, limit("after", market.Buy, "90", "0.1"))
	fills, err := h.alice.Fills(WithMinSequence(ctx, at), FillFilter{}, Page{First: 10})
	if err != nil || len(fills.Items) != 1 || fills.Items[0].Price.String() != "100.00" || fills.Items[0].Liquidity != Auction {
		t.Errorf("%+v, %v", fills.Items, err)
	}
	if order.Status != market.Open {
		t.Errorf("%+v", order)
	}
	// A sale twenty percent below the reference stops the market and waits for the auction.
	place(t, h.alice, limit("low", market.Buy, "80", "1"))
	stopped, _ := place(t, h.bob, limit("crash", market.Sell, "80", "5"))
	if m, err := h.Visitor().Market(ctx, btcUSD); err != nil || m.Phase != market.Paused || m.PhaseEndsAt.IsZero() {
		t.Errorf("%+v, %v", m, err)
	}
	if stopped.Status != market.PartiallyFilled || stopped.Filled.String() != "1.1" {
		t.Errorf("what rests of the crash: %+v", stopped)
	}
	h.sound()
}

func TestOrdersOfEveryKindThroughTheFacade(t *testing.T) {
	h := newRuledHouse(t)
	ctx := t.Context()
	h.trade("1", "1") // last price 100
	stop := PlaceOrder{Key: "stop", Symbol: btcUSD, Side: market.Sell, Type: market.Stop, Quantity: "1", TriggerPrice: "95"}
	waiting, _ := place(t, h.alice, stop)
	if waiting.Status != market.Pending || waiting.TriggerPrice == nil || waiting.TriggerPrice.String() != "95.00" || waiting.Price != nil {
		t.Errorf("%+v", waiting)
	}
	iceberg, _ := place(t, h.bob, PlaceOrder{
		Key: "iceberg", Symbol: btcUSD, Side: market.Buy, Type: market.Limit, Price: "94", Quantity: "10", DisplayQuantity: "1",
	})
	if depth, err := h.Visitor().Depth(ctx, btcUSD, 5); err != nil || len(depth.Bids) != 1 || depth.Bids[0].Quantity.String() != "1.0" {
		t.Errorf("%+v, %v", depth, err)
	}
	amended, _, err := h.bob.AmendOrder(ctx, AmendOrder{Key: "amend", OrderID: iceberg.ID, Quantity: "8"})
	if err != nil || amended.Quantity.String() != "8.0" || amended.ID != iceberg.ID {
		t.Errorf("%+v, %v", amended, err)
	}
	oco, leg, _, err := h.alice.PlaceOCO(ctx, PlaceOCO{
		Key: "oco", Symbol: btcUSD, Side: market.Sell, Quantity: "1", Price: "105", TriggerPrice: "93",
	})
	if err != nil || oco.Status != market.Open || leg.Status != market.Pending || oco.SiblingID != leg.ID || leg.SiblingID != oco.ID {
		t.Fatalf("%+v\n%+v\n%v", oco, leg, err)
	}
	entry, profit, loss, _, err := h.alice.PlaceBracket(ctx, PlaceBracket{
		Key: "bracket", Symbol: btcUSD, Side: market.Buy, Type: market.Limit, Price: "96", Quantity: "2",
		TakeProfitPrice: "104", StopTriggerPrice: "92",
	})
	if err != nil || entry.Status != market.Open || profit.ParentID != entry.ID || loss.Status != market.Pending {
		t.Fatalf("%+v\n%+v\n%+v\n%v", entry, profit, loss, err)
	}
	place(t, h.bob, limit("offer", market.Sell, "101", "5"))
	// 2 x 101 and a fee of 0.2 % come to 202.40; 2.1 would cost 212.52.
	spent, _ := place(t, h.alice, PlaceOrder{Key: "spend", Symbol: btcUSD, Side: market.Buy, Type: market.Market, QuoteAmount: "210.50"})
	if spent.Status != market.Filled || spent.Filled.String() != "2.0" || spent.Fee.String() != "0.40" {
		t.Errorf("%+v", spent)
	}
	_, _, err = h.alice.PlaceOrder(ctx, PlaceOrder{Key: "both", Symbol: btcUSD, Side: market.Buy, Type: market.Market, QuoteAmount: "1", Quantity: "1"})
	h.refused(fault.InvalidArgument, err)

	// Bob sells down to 94: the entry fills and its exits wake; then the stop triggers.
	sold, at := place(t, h.bob, limit("down", market.Sell, "96", "2"))
	if sold.Status != market.Filled {
		t.Errorf("%+v", sold)
	}
	awake, err := h.alice.Order(WithMinSequence(ctx, at+1), profit.ID)
	if err != nil || awake.Status != market.Open {
		t.Errorf("the take-profit after the entry: %+v, %v", awake, err)
	}
	page, err := h.alice.Orders(WithMinSequence(ctx, at+1), OrderFilter{}, Page{First: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Items {
		live, err := h.alice.Order(ctx, o.ID)
		if err != nil || live.Status != o.Status || live.Filled != o.Filled || live.Quantity != o.Quantity {
			t.Errorf("history %+v, live %+v, %v", o, live, err)
		}
	}
	h.sound()
}
