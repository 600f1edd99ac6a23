package venue

import (
	"testing"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

func of(owner account.ID, kind ledger.Kind) ledger.Account {
	return ledger.Account{Owner: owner, Kind: kind}
}

// rule gives the house agents 21 above 22 above 23, and members 3 below 23 and 4
// below 22, who have money.
func (h *house) rule() {
	h.tb.Helper()
	h.must(&SetAgent{Agent: 21, Plan: commission.Plan{Default: 500_000}})
	h.must(&SetAgent{Agent: 22, Parent: 21, Plan: commission.Plan{
		Default: 200_000, Markets: []commission.MarketRate{{Symbol: "ETH-USDT", Rate: 400_000}},
		Groups: []commission.GroupRate{{Group: 9, Rate: 300_000}},
	}})
	h.must(&SetAgent{Agent: 23, Parent: 22, Plan: commission.Plan{Default: 100_000}})
	h.must(&SetMember{Member: 3, Agent: 23, TradeGroup: 5})
	h.must(&SetMember{Member: 4, Agent: 22, Group: 9})
	h.must(&SetFees{Symbol: "BTC-USDT", Group: 9, Tiers: []market.FeeTier{{Volume: 0, Maker: 50_000, Taker: 100_000}}})
	h.must(&SetLimits{Scope: risk.OfMember, ID: 3, Symbol: "BTC-USDT", Limits: risk.Limits{OrderQuantity: 1000}})
	h.must(&SetCredit{Member: 4, Asset: "USDT", Amount: 1000})
	for _, id := range []account.ID{3, 4} {
		h.deposit(id, "USDT", 100_000)
		h.deposit(id, "BTC", 1000)
	}
}

// tradeOnce has one member buy of another, as the taker, and returns the record.
func (h *house) tradeOnce(buyer, seller account.ID, price market.Price, quantity market.Quantity) TradeRecord {
	h.tb.Helper()
	h.must(sell(seller, price, quantity))
	_, events, err := h.do(ioc(buy(buyer, price, quantity)))
	if err != nil {
		h.tb.Fatal(err)
	}
	records := h.records(events)
	if len(records) != 1 {
		h.tb.Fatalf("%d trades", len(records))
	}
	return records[0]
}

// records are the trades among events, as history keeps them.
func (h *house) records(events Events) (list []TradeRecord) {
	for i := range events {
		switch ev := &events[i]; ev.Kind {
		case Traded:
			m, _ := h.state.MarketByID(ev.Market)
			list = append(list, TradeRecord{
				Trade: ev.Trade, Symbol: m.Definition.Symbol, Time: ev.Time, Side: ev.Side, Price: ev.Price, Quantity: ev.Quantity,
				Order: ev.Order, Member: ev.Member, Maker: ev.Maker, MakerMember: ev.MakerMember,
				TakerFee: ev.TakerFee, MakerFee: ev.MakerFee,
			})
		case CommissionAccrued:
			last := &list[len(list)-1]
			last.Shares = append(last.Shares, FeeShare{ev.Order, ev.Agent, ev.Amount})
		}
	}
	return list
}

func (h *house) has(at ledger.Account, asset ledger.AssetID, want money.Amount) {
	h.tb.Helper()
	if got := h.state.AccountBalance(at, asset); got != want {
		h.tb.Errorf("%v of account %d has %d of asset %d, want %d", at.Kind, at.Owner, got, asset, want)
	}
}

func TestCommissionComesWithTheTrade(t *testing.T) {
	h := newHouse(t)
	h.rule()
	// 4 takes at 10 %, for its group; 3 makes at 1 %.
	trade := h.tradeOnce(4, 3, 100, 20)
	if trade.TakerFee != 200 || trade.MakerFee != 20 {
		t.Fatalf("the fees are %d and %d", trade.TakerFee, trade.MakerFee)
	}
	// Of 200: 22 has 30 % for the group, 21 the 20 % above. Of 20: 10 %, 10 %, 30 %.
	h.has(of(23, ledger.Commission), usdtID, 2)
	h.has(of(22, ledger.Commission), usdtID, 60+2)
	h.has(of(21, ledger.Commission), usdtID, 40+6)
	h.has(of(0, ledger.Fees), usdtID, 100+10)
	h.balance(4, usdtID, 100_000-2000-200, 0)
	h.balance(3, usdtID, 100_000+2000-20, 0)

	// Another plan concerns trades from then on.
	h.must(&SetAgent{Agent: 22, Parent: 21})
	h.tradeOnce(4, 3, 100, 20)
	h.has(of(22, ledger.Commission), usdtID, 62)
	h.has(of(21, ledger.Commission), usdtID, 46+100+8)
	h.has(of(23, ledger.Commission), usdtID, 4)

	// Settling is a transfer.
	h.must(&MakeTransfer{Transfer: 1, From: of(22, ledger.Commission), To: of(22, ledger.Available), Asset: "USDT", Amount: 62})
	h.has(of(22, ledger.Available), usdtID, 62)
	h.has(of(22, ledger.Commission), usdtID, 0)
}

func TestBustTakesEverythingBack(t *testing.T) {
	h := newHouse(t)
	h.rule()
	before := h.state.Balances(3)
	trade := h.tradeOnce(4, 3, 100, 20)
	h.must(&MakeTransfer{Transfer: 1, From: of(22, ledger.Commission), To: of(22, ledger.Available), Asset: "USDT", Amount: 62})
	h.must(&BustTrade{Trade: trade})
	for i, b := range h.state.Balances(3) {
		if b != before[i] {
			t.Errorf("%+v, and before the trade %+v", b, before[i])
		}
	}
	h.balance(4, usdtID, 100_000, 0)
	h.balance(4, btcID, 1000, 0)
	h.has(of(0, ledger.Fees), usdtID, 0)
	h.has(of(23, ledger.Commission), usdtID, 0)
	h.has(of(22, ledger.Commission), usdtID, -62) // it was paid out
	h.has(of(21, ledger.Commission), usdtID, 0)
	if o := h.order(trade.Order); o.Filled != 20 {
		t.Errorf("the order has %d filled", o.Filled)
	}
	if last, _ := h.state.LastTrade("BTC-USDT"); last.Price != 100 {
		t.Errorf("the last price is %d", last.Price)
	}
	if st, _ := h.state.Standing(4, "BTC-USDT"); st.Volume != 0 {
		t.Errorf("a volume of %d", st.Volume)
	}
	h.refuse(&BustTrade{Trade: trade}, fault.TradeBusted)
	// What an agent lacks is taken from what it earns next.
	h.tradeOnce(4, 3, 100, 20)
	h.has(of(22, ledger.Commission), usdtID, 0)
	restored(t, h.state)
}

func TestBustsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.rule()
	good := h.tradeOnce(4, 3, 100, 20)
	for name, c := range map[string]struct {
		change func(*TradeRecord)
		code   fault.Code
	}{
		"market":          {func(r *TradeRecord) { r.Symbol = "X" }, fault.UnknownMarket},
		"no trade":        {func(r *TradeRecord) { r.Trade = 0 }, fault.TradeNotFound},
		"unknown trade":   {func(r *TradeRecord) { r.Trade++ }, fault.TradeNotFound},
		"side":            {func(r *TradeRecord) { r.Side = 0 }, fault.InvalidArgument},
		"price":           {func(r *TradeRecord) { r.Price = 0 }, fault.InvalidArgument},
		"quantity":        {func(r *TradeRecord) { r.Quantity = -1 }, fault.InvalidArgument},
		"countless":       {func(r *TradeRecord) { r.Price, r.Quantity = 1<<50, 1<<50 }, fault.InvalidArgument},
		"order":           {func(r *TradeRecord) { r.Order = 0 }, fault.InvalidArgument},
		"one order":       {func(r *TradeRecord) { r.Maker = r.Order }, fault.InvalidArgument},
		"member":          {func(r *TradeRecord) { r.Member = 0 }, fault.InvalidArgument},
		"maker":           {func(r *TradeRecord) { r.MakerMember = 0 }, fault.InvalidArgument},
		"negative fee":    {func(r *TradeRecord) { r.TakerFee = -1 }, fault.InvalidArgument},
		"large fee":       {func(r *TradeRecord) { r.MakerFee = 2001 }, fault.InvalidArgument},
		"large share":     {func(r *TradeRecord) { r.Shares = []FeeShare{{r.Order, 21, 201}} }, fault.InvalidArgument},
		"large shares":    {func(r *TradeRecord) { r.Shares = []FeeShare{{r.Order, 21, 200}, {r.Order, 22, 1}} }, fault.InvalidArgument},
		"share of no fee": {func(r *TradeRecord) { r.Shares = []FeeShare{{99, 21, 1}} }, fault.InvalidArgument},
		"share of nobody": {func(r *TradeRecord) { r.Shares = []FeeShare{{r.Order, 0, 1}} }, fault.InvalidArgument},
		"share of none":   {func(r *TradeRecord) { r.Shares = []FeeShare{{r.Order, 21, 0}} }, fault.InvalidArgument},
		"in future":       {func(r *TradeRecord) { r.Time = h.now + 1_000_000 }, fault.InvalidArgument},
		"unknown agent":   {func(r *TradeRecord) { r.Shares = []FeeShare{{r.Order, 77, 1}} }, fault.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			h.tb = t
			record := good
			c.change(&record)
			h.refuse(&BustTrade{Trade: record}, c.code)
		})
	}
	h.tb = t

	// The buyer sold what it bought, the seller spent what it got, the house too.
	h.must(&MakeTransfer{Transfer: 1, From: of(4, ledger.Available), To: of(0, ledger.Deposits), Asset: "BTC", Amount: 1001})
	h.refuse(&BustTrade{Trade: good}, fault.BustNotCovered)
	h.must(&MakeTransfer{Transfer: 2, From: of(0, ledger.Adjustments), To: of(4, ledger.Available), Asset: "BTC", Amount: 1001})
	h.must(&MakeTransfer{Transfer: 3, From: of(3, ledger.Available), To: of(0, ledger.Deposits), Asset: "USDT", Amount: 100_001})
	h.refuse(&BustTrade{Trade: good}, fault.BustNotCovered)
	h.must(&SetCredit{Member: 3, Asset: "USDT", Amount: 1})
	h.must(&MakeTransfer{Transfer: 4, From: of(0, ledger.Fees), To: of(0, ledger.Adjustments), Asset: "USDT", Amount: 1})
	h.refuse(&BustTrade{Trade: good}, fault.BustNotCovered)
	h.must(&MakeTransfer{Transfer: 5, From: of(0, ledger.Adjustments), To: of(0, ledger.Fees), Asset: "USDT", Amount: 1})
	h.must(&SetCredit{Member: 9, Asset: "USDT", Amount: h.state.ledger.Room(usdtID)})
	h.refuse(&BustTrade{Trade: good}, fault.AmountOverflow)
	h.must(&SetCredit{Member: 9, Asset: "USDT"})
	h.must(&BustTrade{Trade: good})
	h.balance(3, usdtID, -1, 0)
}

func TestLimitsBindByScope(t *testing.T) {
	h := newHouse(t)
	h.rule()
	set := func(scope risk.Scope, id uint64, symbol market.Symbol, quantity market.Quantity, orders int64) {
		t.Helper()
		h.must(&SetLimits{Scope: scope, ID: id, Symbol: symbol, Limits: risk.Limits{OrderQuantity: quantity, OpenOrders: orders}})
	}
	fits := func(member account.ID, quantity market.Quantity) {
		t.Helper()
		order := h.must(buy(member, 10, quantity)).Order
		h.must(&CancelOrder{Actor: member, Order: order})
		h.refuse(buy(member, 10, quantity+1), fault.OrderQuantityLimit)
	}
	fits(3, 1000) // its own
	set(risk.OfHouse, 0, "BTC-USDT", 50, 0)
	fits(3, 1000)
	fits(4, 50)
	set(risk.OfGroup, 9, "BTC-USDT", 70, 0)
	fits(4, 70)
	set(risk.OfAgent, 21, "BTC-USDT", 60, 0)
	fits(3, 60)
	fits(4, 60)
	set(risk.OfAgent, 22, "BTC-USDT", 500, 0) // never looser
	fits(4, 60)
	set(risk.OfAgent, 23, "BTC-USDT", 20, 0)
	fits(3, 20)
	fits(4, 60)
	h.must(&SetMember{Member: 3}) // leaves its agents
	fits(3, 1000)
	h.must(&SetMember{Member: 3, Agent: 22})
	fits(3, 60)
	set(risk.OfMember, 3, "BTC-USDT", 0, 0)
	set(risk.OfAgent, 21, "BTC-USDT", 0, 0)
	set(risk.OfAgent, 22, "BTC-USDT", 0, 0)
	fits(3, 50) // the house's again
	set(risk.OfHouse, 0, "BTC-USDT", 0, 0)
	set(risk.OfHouse, 0, "", 0, 1)
	h.must(buy(4, 10, 10))
	h.refuse(buy(4, 10, 10), fault.TooManyOpenOrders)
	set(risk.OfMember, 4, "", 0, 2)
	h.must(buy(4, 10, 10))
	h.refuse(buy(4, 10, 10), fault.TooManyOpenOrders)
	restored(t, h.state)
}

func TestEachLimitHasItsRefusal(t *testing.T) {
	h := newHouse(t)
	h.rule()
	limit := func(l risk.Limits) {
		t.Helper()
		h.must(&SetLimits{Scope: risk.OfMember, ID: 3, Symbol: "BTC-USDT", Limits: l})
	}
	limit(risk.Limits{OrderNotional: 1000})
	h.must(ioc(buy(3, 100, 10)))
	h.refuse(ioc(buy(3, 100, 11)), fault.OrderNotionalLimit)

	limit(risk.Limits{ApprovalNotional: 1000})
	h.refuse(ioc(buy(3, 100, 11)), fault.ApprovalRequired)
	approved := ioc(buy(3, 100, 11))
	approved.Approved = true
	h.must(approved)

	h.tradeOnce(4, 3, 100, 10)
	limit(risk.Limits{Distance: 100_000})
	h.must(ioc(buy(3, 110, 1)))
	h.refuse(ioc(buy(3, 111, 1)), fault.PriceTooFar)
	h.must(ioc(sell(3, 90, 2)))
	h.refuse(ioc(sell(3, 89, 2)), fault.PriceTooFar)

	// 3 has 990 BTC.
	limit(risk.Limits{Position: 1000})
	h.must(buy(3, 50, 4))
	h.refuse(buy(3, 50, 7), fault.PositionLimit)
	rest := h.must(buy(3, 50, 6)).Order
	h.refuse(buy(3, 50, 2), fault.PositionLimit)
	h.must(sell(3, 200, 2))
	h.must(&CancelOrder{Actor: 3, Order: rest})
	h.must(&CancelAll{Actor: 3})

	limit(risk.Limits{Exposure: 1000})
	h.must(buy(3, 50, 10))
	h.must(sell(3, 200, 2))
	h.refuse(buy(3, 101, 1), fault.ExposureLimit)
	h.must(buy(3, 100, 1))
	h.must(&CancelAll{Actor: 3})

	// A buy by amount counts what it will trade, at its protection price.
	h.must(sell(4, 100, 10))
	spend := func(amount money.Amount) *PlaceOrder {
		c := atMarket(buy(3, 0, 0))
		c.QuoteAmount = amount
		return c
	}
	limit(risk.Limits{Exposure: 104})
	h.refuse(spend(102), fault.ExposureLimit)
	limit(risk.Limits{Exposure: 105})
	h.must(spend(102))
	has := h.state.Balance(3, btcID).Available
	limit(risk.Limits{Position: has})
	h.refuse(spend(102), fault.PositionLimit)
	limit(risk.Limits{Position: has + 1})
	h.must(spend(102))
	h.must(&CancelAll{Actor: 4})

	limit(risk.Limits{})
	h.must(&SetLimits{Scope: risk.OfMember, ID: 3, Limits: risk.Limits{OrdersPerSecond: 2}})
	h.now = (h.now/1e9 + 1) * 1e9
	h.must(ioc(buy(3, 50, 2)))
	h.refuse(ioc(buy(3, 50, 0)), fault.InvalidQuantity)
	h.must(ioc(buy(3, 50, 2)))
	h.refuse(ioc(buy(3, 50, 2)), fault.OrderRateExceeded)
	h.state = restored(t, h.state)
	h.refuse(ioc(buy(3, 50, 2)), fault.OrderRateExceeded)
	h.must(&CancelAll{Actor: 3}) // which is no order
	h.now = (h.now/1e9+1)*1e9 - 7
	h.must(ioc(buy(3, 50, 2)))
}

func TestFreezing(t *testing.T) {
	h := newHouse(t)
	h.rule()
	order := h.must(buy(3, 50, 10)).Order
	out := func(id uint64) *MakeTransfer {
		return &MakeTransfer{Transfer: id, From: of(3, ledger.Available), To: of(0, ledger.Deposits), Asset: "USDT", Amount: 10}
	}
	begun := BeginTransfer{Transfer: 9, From: of(3, ledger.Available), To: of(0, ledger.Deposits), Asset: "USDT", Amount: 10}
	h.must(&begun)
	h.must(&SetMember{Member: 3, Freeze: risk.FrozenTrading})
	h.refuse(buy(3, 50, 10), fault.AccountFrozen)
	h.must(out(1))
	h.must(&SetMember{Member: 3, Freeze: risk.FrozenWholly})
	h.refuse(buy(3, 50, 10), fault.AccountFrozen)
	h.refuse(out(2), fault.AccountFrozen)
	h.refuse(&PostTransfer{Transfer: 9}, fault.AccountFrozen)
	h.deposit(3, "USDT", 5) // in, not out
	h.must(sell(4, 50, 4))  // meets the order that rests
	h.must(&VoidTransfer{Transfer: 9})
	h.must(&CancelOrder{Actor: 3, Order: order})
	h.must(&SetMember{Member: 3})
	h.must(buy(3, 50, 10))
	if _, ok := h.state.Profile(3); ok {
		t.Error("an empty profile is kept")
	}
}

func TestFeesFollowTheVolume(t *testing.T) {
	const hours = Time(3600 * 1e9)
	h := newHouse(t)
	h.rule()
	h.must(&SetFees{Symbol: "BTC-USDT", Tiers: []market.FeeTier{
		{Volume: 0, Maker: 10_000, Taker: 20_000}, {Volume: 2000, Maker: 0, Taker: 5_000}, {Volume: 4000, Maker: 0, Taker: 0},
	}})
	rates := func(member account.ID, symbol market.Symbol, maker, taker money.Rate) {
		t.Helper()
		st, ok := h.state.Standing(member, symbol)
		if !ok || st.MakerRate != maker || st.TakerRate != taker {
			t.Errorf("the rates of %d in %s are %d and %d, want %d and %d", member, symbol, st.MakerRate, st.TakerRate, maker, taker)
		}
	}
	trade := h.tradeOnce(4, 3, 100, 20)
	resting := h.must(buy(3, 10, 10)).Order
	placed := func(maker, taker uint32) {
		t.Helper()
		o := h.order(h.must(ioc(buy(3, 10, 10))).Order)
		if o.MakerRate != money.Rate(maker) || o.TakerRate != money.Rate(taker) {
			t.Errorf("an order of 3 has the rates %d and %d, want %d and %d", o.MakerRate, o.TakerRate, maker, taker)
		}
	}
	placed(10_000, 20_000)
	rates(3, "BTC-USDT", 10_000, 20_000) // today does not count
	h.wait(24 * hours)
	h.must(&CancelAll{Actor: 9})
	rates(3, "BTC-USDT", 0, 5_000)
	placed(0, 5_000)
	rates(4, "BTC-USDT", 50_000, 100_000) // its group's
	rates(3, "ETH-USDT", 30_000, 7)       // the market's own
	rates(77, "BTC-USDT", 10_000, 20_000)
	if o := h.order(resting); o.MakerRate != 10_000 || o.TakerRate != 20_000 {
		t.Errorf("an order that rests has another rate: %+v", o)
	}
	h.tradeOnce(4, 3, 100, 20)
	h.wait(2 * 24 * hours)
	h.must(&CancelAll{Actor: 9})
	rates(3, "BTC-USDT", 0, 0)
	h.state = restored(t, h.state)
	rates(3, "BTC-USDT", 0, 0)
	if st := h.must(ioc(sell(3, 100, 20))); st.Fee != 0 {
		t.Errorf("a fee of %d", st.Fee)
	}
	h.must(&BustTrade{Trade: trade})
	rates(3, "BTC-USDT", 0, 5_000)
	h.wait(31 * 24 * hours)
	h.must(&CancelAll{Actor: 9})
	rates(3, "BTC-USDT", 0, 5_000)
	h.wait(32 * 24 * hours)
	h.must(&CancelAll{Actor: 9})
	rates(3, "BTC-USDT", 10_000, 20_000)
	h.must(&SetFees{Symbol: "BTC-USDT"})
	rates(3, "BTC-USDT", 10_000, 20_000)
	if h.state.Fees("BTC-USDT", 0) != nil || len(h.state.Fees("BTC-USDT", 9)) != 1 {
		t.Error("the schedules are others")
	}
}

func TestTransfers(t *testing.T) {
	h := newHouse(t)
	h.rule()
	h.must(&MakeTransfer{Transfer: 10, From: of(3, ledger.Available), To: of(4, ledger.Available), Asset: "USDT", Amount: 1000})
	h.balance(3, usdtID, 99_000, 0)
	h.balance(4, usdtID, 101_000, 0)
	begin := func(id uint64, from, to ledger.Account, amount money.Amount, expires Time) *BeginTransfer {
		return &BeginTransfer{Transfer: id, From: from, To: to, Asset: "USDT", Amount: amount, ExpiresAt: expires}
	}
	out, in := of(0, ledger.Deposits), of(3, ledger.Available)
	h.must(begin(11, in, out, 500, 0))
	h.must(begin(12, out, in, 300, h.now+1000))
	h.must(begin(13, in, out, 200, h.now+900))
	h.has(of(3, ledger.Transit), usdtID, 1000)
	h.balance(3, usdtID, 98_300, 0)
	h.must(&PostTransfer{Transfer: 11})
	if at, ok := h.state.NextDue(); !ok || at != h.state.transfers.pending[13].ExpiresAt {
		t.Errorf("the next is due at %d, %v", at, ok)
	}
	h.state = restored(t, h.state)
	events := h.wait(h.now + 1000)
	if len(events) != 3 || events[0].Kind != ClockAdvanced || events[1].Detail.Transfer.ID != 13 || events[2].Detail.Transfer.ID != 12 {
		t.Errorf("when they expire: %+v", events)
	}
	h.has(of(3, ledger.Transit), usdtID, 0)
	h.balance(3, usdtID, 98_500, 0)
	for _, id := range []uint64{11, 12, 13} {
		h.refuse(&PostTransfer{Transfer: id}, fault.TransferNotPending)
		h.refuse(&VoidTransfer{Transfer: id}, fault.TransferNotPending)
	}
	h.refuse(&PostTransfer{Transfer: 14}, fault.TransferNotFound)
	h.refuse(&VoidTransfer{Transfer: 14}, fault.TransferNotFound)
	restored(t, h.state)
}

func TestTransfersThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.rule()
	h.must(buy(3, 10, 100))
	h.must(&MakeTransfer{Transfer: 1, From: of(3, ledger.Available), To: of(4, ledger.Available), Asset: "USDT", Amount: 1})
	good := BeginTransfer{Transfer: 2, From: of(3, ledger.Available), To: of(0, ledger.Deposits), Asset: "USDT", Amount: 10}
	for name, c := range map[string]struct {
		change func(*BeginTransfer)
		code   fault.Code
	}{
		"asset":          {func(c *BeginTransfer) { c.Asset = "X" }, fault.UnknownAsset},
		"no amount":      {func(c *BeginTransfer) { c.Amount = 0 }, fault.InvalidAmount},
		"negative":       {func(c *BeginTransfer) { c.Amount = -1 }, fault.InvalidAmount},
		"no id":          {func(c *BeginTransfer) { c.Transfer = 0 }, fault.InvalidArgument},
		"to itself":      {func(c *BeginTransfer) { c.To = c.From }, fault.InvalidArgument},
		"from holds":     {func(c *BeginTransfer) { c.From.Kind = ledger.Held }, fault.InvalidArgument},
		"to transit":     {func(c *BeginTransfer) { c.To = of(3, ledger.Transit) }, fault.InvalidArgument},
		"no kind":        {func(c *BeginTransfer) { c.From.Kind = 0 }, fault.InvalidArgument},
		"unknown kind":   {func(c *BeginTransfer) { c.From.Kind = 8 }, fault.InvalidArgument},
		"fees of one":    {func(c *BeginTransfer) { c.From.Kind = ledger.Fees }, fault.InvalidArgument},
		"nobody's":       {func(c *BeginTransfer) { c.From.Owner = 0 }, fault.InvalidArgument},
		"no agent":       {func(c *BeginTransfer) { c.To = of(3, ledger.Commission) }, fault.UnknownAgent},
		"id used":        {func(c *BeginTransfer) { c.Transfer = 1 }, fault.TransferExists},
		"too much":       {func(c *BeginTransfer) { c.Amount = 98_980 }, fault.InsufficientBalance},
		"no commission":  {func(c *BeginTransfer) { c.From = of(21, ledger.Commission) }, fault.InsufficientBalance},
		"no fees":        {func(c *BeginTransfer) { c.From, c.To = of(0, ledger.Fees), c.From }, fault.InsufficientBalance},
		"beyond credit":  {func(c *BeginTransfer) { c.From.Owner, c.Amount = 4, 101_002 }, fault.InsufficientBalance},
		"countless":      {func(c *BeginTransfer) { c.From, c.To, c.Amount = c.To, c.From, money.MaxAmount }, fault.AmountOverflow},
		"adjustments":    {func(c *BeginTransfer) { c.From, c.To, c.Amount = of(0, ledger.Adjustments), c.From, money.MaxAmount }, fault.AmountOverflow},
		"in the house":   {func(c *BeginTransfer) { c.From = of(0, ledger.Adjustments) }, fault.InvalidArgument},
		"expiry past":    {func(c *BeginTransfer) { c.ExpiresAt = h.now }, fault.InvalidExpiry},
		"expiry too far": {func(c *BeginTransfer) { c.ExpiresAt = h.now + longestExpiry + 1000 }, fault.InvalidExpiry},
	} {
		t.Run(name, func(t *testing.T) {
			h.tb = t
			begin := good
			c.change(&begin)
			h.refuse(&begin, c.code)
			if c.code != fault.InvalidExpiry && name != "in the house" {
				h.refuse(&MakeTransfer{
					Transfer: begin.Transfer, From: begin.From, To: begin.To, Asset: begin.Asset, Amount: begin.Amount,
				}, c.code)
			}
		})
	}
	h.tb = t
	good.From, good.Amount = of(4, ledger.Available), 101_001 // all of its credit
	h.must(&good)
	h.refuse(&SetCredit{Member: 4, Asset: "USDT", Amount: 999}, fault.InsufficientBalance)
}

func TestCreditLetsAMemberTrade(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 102)
	h.refuse(buy(1, 100, 2), fault.InsufficientBalance)
	h.must(&SetCredit{Member: 1, Asset: "USDT", Amount: 102})
	order := h.must(buy(1, 100, 2)).Order
	h.balance(1, usdtID, -102, 204)
	h.refuse(&SetCredit{Member: 1, Asset: "USDT", Amount: 101}, fault.InsufficientBalance)
	h.state = restored(t, h.state)
	h.refuse(buy(1, 1, 100), fault.InsufficientBalance)
	h.must(&CancelOrder{Actor: 1, Order: order})
	h.must(&SetCredit{Member: 1, Asset: "USDT"})
	if h.state.Credit(1, usdtID) != 0 {
		t.Error("a line that was ended stands")
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.rule()
	long := account.ID(30)
	for id := long; id < long+13; id++ { // 16 deep with 21, 22 and 23
		parent := id - 1
		if id == long {
			parent = 23
		}
		h.must(&SetAgent{Agent: id, Parent: parent})
	}
	h.must(&SetAgent{Agent: 50})
	limits := risk.Limits{OpenOrders: 1}
	for name, c := range map[string]struct {
		command Command
		code    fault.Code
	}{
		"no member":           {&SetMember{Agent: 21}, fault.InvalidArgument},
		"own agent":           {&SetMember{Member: 21, Agent: 21}, fault.InvalidArgument},
		"freeze":              {&SetMember{Member: 3, Freeze: 3}, fault.InvalidArgument},
		"agent":               {&SetMember{Member: 3, Agent: 99}, fault.UnknownAgent},
		"no agent":            {&SetAgent{}, fault.InvalidArgument},
		"plan":                {&SetAgent{Agent: 21, Plan: commission.Plan{Default: -1}}, fault.InvalidCommission},
		"parent":              {&SetAgent{Agent: 99, Parent: 98}, fault.UnknownAgent},
		"itself":              {&SetAgent{Agent: 99, Parent: 99}, fault.AgentCycle},
		"itself again":        {&SetAgent{Agent: 21, Parent: 21}, fault.AgentCycle},
		"cycle":               {&SetAgent{Agent: 21, Parent: 23}, fault.AgentCycle},
		"too deep":            {&SetAgent{Agent: 99, Parent: long + 12}, fault.AgentCycle},
		"too deep below":      {&SetAgent{Agent: 21, Parent: 50}, fault.AgentCycle},
		"market of limits":    {&SetLimits{Scope: risk.OfHouse, Symbol: "X", Limits: limits}, fault.UnknownMarket},
		"no scope":            {&SetLimits{Limits: limits}, fault.InvalidLimits},
		"scope":               {&SetLimits{Scope: 5, ID: 1, Limits: limits}, fault.InvalidLimits},
		"house of somebody":   {&SetLimits{Scope: risk.OfHouse, ID: 1, Limits: limits}, fault.InvalidLimits},
		"group of nobody":     {&SetLimits{Scope: risk.OfGroup, Limits: limits}, fault.InvalidLimits},
		"group":               {&SetLimits{Scope: risk.OfGroup, ID: 1 << 32, Limits: limits}, fault.InvalidLimits},
		"limits":              {&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{OpenOrders: -1}}, fault.InvalidLimits},
		"units":               {&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{Position: 1}}, fault.InvalidLimits},
		"agent of limits":     {&SetLimits{Scope: risk.OfAgent, ID: 3, Limits: limits}, fault.UnknownAgent},
		"market of fees":      {&SetFees{}, fault.UnknownMarket},
		"fees":                {&SetFees{Symbol: "BTC-USDT", Tiers: []market.FeeTier{{Volume: 1}}}, fault.InvalidFees},
		"asset of credit":     {&SetCredit{Member: 3, Asset: "X", Amount: 1}, fault.UnknownAsset},
		"credit of the house": {&SetCredit{Asset: "USDT", Amount: 1}, fault.InvalidArgument},
		"negative credit":     {&SetCredit{Member: 3, Asset: "USDT", Amount: -1}, fault.InvalidAmount},
		"countless credit":    {&SetCredit{Member: 3, Asset: "USDT", Amount: money.MaxAmount}, fault.AmountOverflow},
		"countless deposit":   {&CreditDeposit{Member: 3, Asset: "USDT", Amount: money.MaxAmount}, fault.AmountOverflow},
	} {
		t.Run(name, func(t *testing.T) {
			h.tb = t
			h.refuse(c.command, c.code)
		})
	}
	h.tb = t
	h.must(&SetAgent{Agent: 50, Parent: long + 11}) // just deep enough
	h.must(&SetAgent{Agent: 30, Parent: 22})        // up, with all below
	h.must(&SetAgent{Agent: 21, Plan: commission.Plan{Default: 1}})
	restored(t, h.state)
}

// What the house has set counts from the next command on, whatever was worked out
// before: a venue that forgot all it had worked out says the same.
func TestWhatIsWorkedOutIsNotOld(t *testing.T) {
	h := newHouse(t)
	h.rule()
	h.tradeOnce(4, 3, 100, 20)
	for _, c := range []Command{
		&SetAgent{Agent: 23, Parent: 22, Plan: commission.Plan{Default: 150_000}},
		&SetMember{Member: 4, Agent: 23, Group: 9},
		&SetMember{Member: 4, Agent: 23, Group: 8},
		&SetFees{Symbol: "BTC-USDT", Tiers: []market.FeeTier{{Maker: 1, Taker: 2}}},
		&SetLimits{Scope: risk.OfHouse, Symbol: "BTC-USDT", Limits: risk.Limits{OrderQuantity: 77}},
		&SetLimits{Scope: risk.OfMember, ID: 4, Symbol: "BTC-USDT", Limits: risk.Limits{OrderQuantity: 78}},
		&SetFees{Symbol: "BTC-USDT"},
		&SetMember{Member: 4},
	} {
		h.must(c)
		for _, id := range []account.ID{3, 4} {
			m := h.state.bySymbol["BTC-USDT"]
			place := h.state.members.find(id)
			cached, fresh := h.state.standing(place, m, h.now), h.state.resolve(place, m, dayOf(h.now))
			if cached.limits != fresh.limits || cached.maker != fresh.maker || cached.taker != fresh.taker || len(cached.chain) != len(fresh.chain) {
				t.Errorf("after %+v account %d is bound by %+v, want %+v", c, id, cached, fresh)
			}
		}
	}
}

func TestPositionOfAMemberThatNeverDidAnything(t *testing.T) {
	h := newHouse(t)
	h.must(&SetLimits{Scope: risk.OfHouse, Symbol: "BTC-USDT", Limits: risk.Limits{Position: 1000}})
	h.deposit(1, "USDT", 100_000)
	h.deposit(1, "BTC", 990)
	h.refuse(buy(1, 50, 11), fault.PositionLimit)
	h.must(buy(1, 50, 10))
	h.refuse(buy(1, 50, 2), fault.PositionLimit)
}
