package venue

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

func drawRate(t *rapid.T, label string) money.Rate {
	return money.Rate(rapid.OneOf(rapid.Int64Range(0, int64(money.Whole)), rapid.Int64Range(0, 50_000)).Draw(t, label))
}

// drawRule is something that the house sets: about agents 21 to 25, members 1 to
// 4 and the groups 1 and 2.
func drawRule(t *rapid.T) Command {
	agent := account.ID(rapid.IntRange(21, 25).Draw(t, "agent"))
	switch rapid.IntRange(0, 3).Draw(t, "rule") {
	case 0:
		return &SetAgent{Agent: agent, Parent: account.ID(rapid.SampledFrom([]int{0, 21, 22, 23, 24, 25}).Draw(t, "parent")), Plan: commission.Plan{
			Default: drawRate(t, "default"),
			Markets: []commission.MarketRate{{Symbol: "ETH-USDT", Rate: drawRate(t, "of the market")}},
			Groups:  []commission.GroupRate{{Group: 1, Rate: drawRate(t, "of the group")}},
		}}
	case 1:
		return &SetMember{
			Member: account.ID(rapid.IntRange(1, 4).Draw(t, "member")), Agent: agent * account.ID(rapid.IntRange(0, 1).Draw(t, "has one")),
			Group: rapid.Uint32Range(0, 2).Draw(t, "group"),
		}
	case 2:
		return &SetFees{Symbol: "BTC-USDT", Group: rapid.Uint32Range(0, 2).Draw(t, "group"), Tiers: []market.FeeTier{
			{Maker: drawRate(t, "maker"), Taker: drawRate(t, "taker")},
			{Volume: 1000, Maker: drawRate(t, "maker"), Taker: drawRate(t, "taker")},
		}}
	}
	return &SetCredit{
		Member: account.ID(rapid.IntRange(1, 4).Draw(t, "member")), Asset: "USDT",
		Amount: money.Amount(rapid.Int64Range(0, 5000).Draw(t, "credit")),
	}
}

// drawMove is a trade in the making, or money that leaves or arrives.
func drawMove(t *rapid.T, id uint64) Command {
	switch rapid.IntRange(0, 9).Draw(t, "move") {
	case 0:
		kinds := []ledger.Kind{ledger.Available, ledger.Commission, ledger.Fees, ledger.Deposits, ledger.Adjustments}
		at := func(label string) ledger.Account {
			kind := rapid.SampledFrom(kinds).Draw(t, label)
			if kind.OfHouse() {
				return of(0, kind)
			}
			return of(account.ID(rapid.SampledFrom([]int{1, 2, 3, 4, 21, 22, 23}).Draw(t, label+" of")), kind)
		}
		amount := money.Amount(rapid.Int64Range(1, 3000).Draw(t, "amount"))
		if rapid.Bool().Draw(t, "at once") {
			return &MakeTransfer{Transfer: id, From: at("from"), To: at("to"), Asset: "USDT", Amount: amount}
		}
		return &BeginTransfer{Transfer: id, From: at("from"), To: at("to"), Asset: "USDT", Amount: amount}
	case 1:
		ended := rapid.Uint64Range(1, id).Draw(t, "which")
		if rapid.Bool().Draw(t, "void") {
			return &VoidTransfer{Transfer: ended}
		}
		return &PostTransfer{Transfer: ended}
	}
	c := buy(account.ID(rapid.IntRange(1, 4).Draw(t, "member")), market.Price(rapid.Int64Range(95, 105).Draw(t, "price")),
		market.Quantity(rapid.Int64Range(1, 40).Draw(t, "quantity")))
	if rapid.Bool().Draw(t, "sells") {
		c.Side = market.Sell
	}
	if rapid.IntRange(0, 3).Draw(t, "market") == 0 {
		c.Symbol = "ETH-USDT"
	}
	return c
}

// The commission of every fee and what the house keeps of it are the fee; no
// account is below zero but within its credit or by commission taken back; what
// is in transit is what pending transfers say (the house of the tests looks after
// each command). And once every trade is busted, in any order, everybody has what
// it had before, agents and the house have nothing.
func TestBustsReverseWhatTradesDid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHouse(t)
		for id := account.ID(1); id <= 4; id++ {
			for _, asset := range []string{"BTC", "ETH", "USDT"} {
				h.deposit(id, asset, 100_000)
			}
		}
		moves := rapid.IntRange(0, 1).Draw(t, "money moves") == 1
		var trades []TradeRecord
		for id := range rapid.Uint64Range(5, 60).Draw(t, "commands") {
			c := drawMove(t, id+1)
			if _, order := c.(*PlaceOrder); !order && !moves || rapid.IntRange(0, 3).Draw(t, "rules") == 0 {
				c = drawRule(t)
			}
			_, events, err := h.do(c)
			if err != nil {
				continue
			}
			for _, trade := range h.records(events) {
				h.shared(&trade)
				trades = append(trades, trade)
			}
		}
		for id := account.ID(1); id <= 4; id++ {
			h.must(&CancelAll{Actor: id})
		}
		for len(trades) > 0 {
			i := rapid.IntRange(0, len(trades)-1).Draw(t, "busted")
			_, _, err := h.do(&BustTrade{Trade: trades[i]})
			if err != nil && !moves {
				t.Fatalf("%+v: %v", trades[i], err)
			}
			trades = slices.Delete(trades, i, i+1)
		}
		if moves {
			return // some of what was traded has gone elsewhere
		}
		for id := account.ID(1); id <= 4; id++ {
			for asset := btcID; asset <= usdtID; asset++ {
				h.balance(id, asset, 100_000, 0)
			}
		}
		h.has(of(0, ledger.Fees), usdtID, 0)
		for id := account.ID(21); id <= 25; id++ {
			h.has(of(id, ledger.Commission), usdtID, 0)
		}
	})
}

// shared verifies the shares of a trade against the rates that stand.
func (h *house) shared(trade *TradeRecord) {
	h.tb.Helper()
	for _, fee := range []struct {
		member account.ID
		order  market.OrderID
		amount money.Amount
	}{{trade.Member, trade.Order, trade.TakerFee}, {trade.MakerMember, trade.Maker, trade.MakerFee}} {
		st, _ := h.state.Standing(fee.member, trade.Symbol)
		var largest money.Rate
		for _, link := range st.Agents {
			largest = max(largest, link.Rate)
		}
		var sum money.Amount
		for _, s := range trade.Shares {
			if s.Order == fee.order {
				sum += s.Amount
			}
		}
		if want := largest.Of(fee.amount); sum != want {
			h.tb.Fatalf("of a fee of %d agents have %d, want %d", fee.amount, sum, want)
		}
	}
}

// Every field of a command's body, however deep, is part of its fingerprint.
func TestEveryFieldIsInTheFingerprint(t *testing.T) {
	for name, empty := range wireNames {
		cmd := empty()
		imagine(rand.New(rand.NewPCG(1, 2)), reflect.ValueOf(cmd).Elem())
		print := cmd.fingerprint()
		var walk func(v reflect.Value, path string)
		differs := func(path string) {
			if cmd.fingerprint() == print {
				t.Errorf("%s: %s is not in the fingerprint", name, path)
			}
		}
		walk = func(v reflect.Value, path string) {
			if _, ok := v.Addr().Interface().(*money.Decimal); ok {
				return // of definitions, which have a test of their own
			}
			switch v.Kind() {
			case reflect.Struct:
				for i := range v.NumField() {
					if f := v.Type().Field(i).Name; path != "" || f != "Actor" && f != "Key" {
						walk(v.Field(i), path+"."+f)
					}
				}
			case reflect.Slice:
				for i := range v.Len() {
					walk(v.Index(i), path)
				}
				whole := v.Interface()
				v.Set(v.Slice(0, v.Len()-1))
				differs(path + " less one")
				v.Set(reflect.ValueOf(whole))
			case reflect.String:
				v.SetString(v.String() + "x")
				differs(path)
				v.SetString(v.String()[:v.Len()-1])
			case reflect.Bool:
				v.SetBool(!v.Bool())
				differs(path)
				v.SetBool(!v.Bool())
			case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
				v.SetInt(v.Int() ^ 1)
				differs(path)
				v.SetInt(v.Int() ^ 1)
			default:
				v.SetUint(v.Uint() ^ 1)
				differs(path)
				v.SetUint(v.Uint() ^ 1)
			}
		}
		walk(reflect.ValueOf(cmd).Elem(), "")
	}
}

// What the house set and moved is folded only where it fits.
func TestHouseEventsThatDoNotFitAreRefused(t *testing.T) {
	h := newHouse(t)
	h.rule()
	trade := h.tradeOnce(4, 3, 100, 20)
	h.must(&BeginTransfer{Transfer: 1, From: of(3, ledger.Available), To: of(4, ledger.Available), Asset: "USDT", Amount: 10})
	prefix := len(h.log)
	h.tradeOnce(4, 3, 100, 20)
	for _, c := range []Command{
		&BustTrade{Trade: trade},
		&PostTransfer{Transfer: 1},
		&MakeTransfer{Transfer: 2, From: of(3, ledger.Available), To: of(4, ledger.Available), Asset: "USDT", Amount: 10},
		&SetMember{Member: 3, Agent: 21},
		&SetAgent{Agent: 24, Parent: 21},
		&SetLimits{Scope: risk.OfAgent, ID: 21, Limits: risk.Limits{OpenOrders: 5}},
		&SetFees{Symbol: "BTC-USDT", Tiers: []market.FeeTier{{Maker: 1}}},
		&SetCredit{Member: 3, Asset: "USDT", Amount: 5},
	} {
		h.must(c)
	}
	tail := h.log[prefix:]
	find := func(e Events, kind Kind) *Event {
		i := slices.IndexFunc(e, func(ev Event) bool { return ev.Kind == kind })
		if e[i].Detail != nil {
			detail := *e[i].Detail
			e[i].Detail = &detail
		}
		return &e[i]
	}
	for name, c := range map[string]struct {
		kind  Kind
		spoil func(*Event)
	}{
		"no details":           {MemberSet, func(ev *Event) { ev.Detail = nil }},
		"accrued to nobody":    {CommissionAccrued, func(ev *Event) { ev.Agent = 99 }},
		"accrued too much":     {CommissionAccrued, func(ev *Event) { ev.Amount = 1000 }},
		"accrued all at once":  {CommissionAccrued, func(ev *Event) { ev.Amount = 200 }}, // and more follows
		"accrued nothing":      {CommissionAccrued, func(ev *Event) { ev.Amount = 0 }},
		"accrued elsewhere":    {CommissionAccrued, func(ev *Event) { ev.Market = 2 }},
		"accrued otherwise":    {CommissionAccrued, func(ev *Event) { ev.Asset = btcID }},
		"accrued of a trade":   {CommissionAccrued, func(ev *Event) { ev.Trade-- }},
		"accrued of an order":  {CommissionAccrued, func(ev *Event) { ev.Order = 1 }},
		"accrued of a member":  {CommissionAccrued, func(ev *Event) { ev.Member = 9 }},
		"bust of another":      {TradeBusted, func(ev *Event) { ev.Trade = 9 }},
		"bust elsewhere":       {TradeBusted, func(ev *Event) { ev.Market = 9 }},
		"bust of more":         {TradeBusted, func(ev *Event) { ev.Notional++ }},
		"bust of more base":    {TradeBusted, func(ev *Event) { ev.Amount++ }},
		"bust of larger fees":  {TradeBusted, func(ev *Event) { ev.TakerFee = 2001 }},
		"bust of large shares": {TradeBusted, func(ev *Event) { ev.Detail.Shares = []FeeShare{{ev.Order, 21, 201}} }},
		"bust for no agent":    {TradeBusted, func(ev *Event) { ev.Detail.Shares = []FeeShare{{ev.Order, 99, 1}} }},
		"bust ahead":           {TradeBusted, func(ev *Event) { ev.Detail.TradedAt = ev.Time + 1 }},
		"another transfer":     {TransferPosted, func(ev *Event) { ev.Detail.Transfer.ID = 7 }},
		"another amount":       {TransferPosted, func(ev *Event) { ev.Detail.Transfer.Amount++ }},
		"another target":       {TransferPosted, func(ev *Event) { ev.Detail.Transfer.To.Owner++ }},
		"a used id":            {TransferMade, func(ev *Event) { ev.Detail.Transfer.ID = 1 }},
		"no id":                {TransferMade, func(ev *Event) { ev.Detail.Transfer.ID = 0 }},
		"out of holds":         {TransferMade, func(ev *Event) { ev.Detail.Transfer.From.Kind = ledger.Held }},
		"more than there is":   {TransferMade, func(ev *Event) { ev.Detail.Transfer.Amount = 1 << 40 }},
		"no asset":             {TransferMade, func(ev *Event) { ev.Detail.Transfer.Asset = 9 }},
		"no member":            {MemberSet, func(ev *Event) { ev.Member = 0 }},
		"no such agent":        {MemberSet, func(ev *Event) { ev.Detail.Profile.Agent = 99 }},
		"no such freeze":       {MemberSet, func(ev *Event) { ev.Detail.Profile.Freeze = 9 }},
		"no agent":             {AgentSet, func(ev *Event) { ev.Agent = 0 }},
		"no parent":            {AgentSet, func(ev *Event) { ev.Detail.Parent = 99 }},
		"a cycle":              {AgentSet, func(ev *Event) { ev.Agent, ev.Detail.Parent = 21, 23 }},
		"no plan":              {AgentSet, func(ev *Event) { ev.Detail.Plan = nil }},
		"a plan out of range":  {AgentSet, func(ev *Event) { ev.Detail.Plan = &commission.Plan{Default: -1} }},
		"limits of no market":  {LimitsSet, func(ev *Event) { ev.Market = 9 }},
		"limits of no agent":   {LimitsSet, func(ev *Event) { ev.Detail.ID = 99 }},
		"limits of no scope":   {LimitsSet, func(ev *Event) { ev.Detail.Scope = 9 }},
		"limits out of range":  {LimitsSet, func(ev *Event) { ev.Detail.Limits.Distance = -1 }},
		"fees of no market":    {FeesSet, func(ev *Event) { ev.Market = 0 }},
		"fees out of order":    {FeesSet, func(ev *Event) { ev.Detail.Tiers = []market.FeeTier{{Volume: 1}} }},
		"credit of no asset":   {CreditSet, func(ev *Event) { ev.Asset = 9 }},
		"credit of nobody":     {CreditSet, func(ev *Event) { ev.Member = 0 }},
		"endless credit":       {CreditSet, func(ev *Event) { ev.Amount = money.MaxAmount }},
	} {
		s := replay(t, h.log[:prefix])
		events := slices.Clone(tail)
		c.spoil(find(events, c.kind))
		var err error
		for i := range events {
			if err = s.Fold(&events[i]); err != nil {
				break
			}
		}
		want := ErrMisfit
		if name == "more than there is" {
			want = ledger.ErrOverdrawn
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
