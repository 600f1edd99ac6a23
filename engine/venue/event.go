package venue

import (
	"strconv"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// MarketID names a market in events: dense from 1, in the order of creation.
// Zero is no market, and all of them in OrdersCancelled.
type MarketID uint32

// Kind is what an event says. The numbers are part of the journal's format and
// never change.
type Kind uint8

// The kinds, with the fields that each sets besides those of every event.
const (
	// AssetAdded: Asset, NewAsset.
	AssetAdded Kind = 1
	// MarketCreated: Market, Definition, Base, Quote, Phase.
	MarketCreated Kind = 2
	// PhaseChanged: Market, Phase, Until.
	PhaseChanged Kind = 3
	// DepositCredited: Member, Asset, Amount, Deposit.
	DepositCredited Kind = 4
	// OrderPlaced: Market, Order, Member, Side, Type, TimeInForce, SelfTrade,
	// PostOnly, Price (the protection price of an order that names no limit),
	// Quantity, Asset and Amount (what is held), MakerRate, TakerRate, Conditions
	// or nil, and an outcome.
	OrderPlaced Kind = 5
	// Traded: Market, Trade, Order and Member (the taker's), Side (the taker's),
	// Maker, MakerMember, Price, Quantity, Base, Quote, Amount (of base), Notional,
	// MakerFee, TakerFee, Release (hold of the buyer that the trade made needless).
	Traded Kind = 6
	// OrderCancelled: Market, Order, Member, Side, Reason, Price, Quantity (what
	// was left), Asset and Amount (what is released).
	OrderCancelled Kind = 7
	// OrdersCancelled: Market or 0; one OrderCancelled for each order follows.
	OrdersCancelled Kind = 8
	// OrderAmended: Market, Order, Member, Side, Price and Quantity (from now on),
	// Asset, Amount (what is held from now on), Release (what is given back;
	// negative when more is taken), and an outcome. An order whose price stays and
	// whose quantity falls keeps its place; any other goes to the book anew.
	OrderAmended Kind = 9
	// OrderReduced: Market, Order, Member, Side, Reason, Quantity (lots that the
	// order loses without a trade; it has more), Asset and Amount (what is released).
	OrderReduced Kind = 10
	// OrderTriggered: Market, Order, Member, Side, Price (that limits it from now
	// on), Quantity (what is left), Asset, Amount (what is held from now on), Release
	// (what is given back), and an outcome: a stop goes to the book.
	OrderTriggered Kind = 11
	// ClockAdvanced: none. It opens what falls due by itself, and alone has no
	// key.
	ClockAdvanced Kind = 12
	// OrderActivated: Market, Order, Member, Side, Quantity (from now on), Asset and
	// Amount (what is held), and an outcome: the exit of a bracket goes to the book,
	// or waits for its trigger.
	OrderActivated Kind = 13
	// AuctionUncrossed: Market, Price, Quantity (lots that will trade), Phase (that
	// follows). One AuctionTraded for each trade comes with the steps that follow,
	// then PhaseChanged.
	AuctionUncrossed Kind = 20
	// AuctionTraded: what Traded sets. Side is BUY, Order, Member and TakerFee are
	// the buyer's, Maker, MakerMember and MakerFee the seller's.
	AuctionTraded Kind = 21
	// RulesSet: Market, Rules.
	RulesSet Kind = 22
	// ReferenceMoved: Market, Price. The circuit breaker's reference price became
	// another, before the trade that follows or is prevented.
	ReferenceMoved Kind = 23

	// MemberSet: Member; Profile.
	MemberSet Kind = 30
	// AgentSet: Agent; Parent, Plan.
	AgentSet Kind = 31
	// LimitsSet: Market or 0 for all; Scope, ID, Limits.
	LimitsSet Kind = 32
	// FeesSet: Market; Group or 0 for all, Tiers.
	FeesSet Kind = 33
	// CreditSet: Member, Asset, Amount.
	CreditSet Kind = 34
	// CommissionAccrued: Market, Trade, Order and Member (whose fee is shared),
	// Agent, Asset, Amount. It follows its trade.
	CommissionAccrued Kind = 35
	// TradeBusted: the fields of the Traded event but Release; TradedAt, Shares.
	TradeBusted Kind = 37
	// TransferMade: Transfer, which moved at once.
	TransferMade Kind = 40
	// TransferBegun: Transfer, which is on its way.
	TransferBegun Kind = 41
	// TransferPosted: Transfer, which arrived.
	TransferPosted Kind = 42
	// TransferVoided: Transfer, which went back.
	TransferVoided Kind = 43
)

// kinds has the name of each kind and where in its command it may stand.
var kinds = [...]struct {
	name           string
	opens, follows bool
	takes          bool // it has an outcome: an order goes to the book
}{
	AssetAdded:       {name: "ASSET_ADDED", opens: true},
	MarketCreated:    {name: "MARKET_CREATED", opens: true},
	PhaseChanged:     {name: "PHASE_CHANGED", opens: true, follows: true},
	DepositCredited:  {name: "DEPOSIT_CREDITED", opens: true},
	OrderPlaced:      {name: "ORDER_PLACED", opens: true, follows: true, takes: true},
	Traded:           {name: "TRADED", follows: true},
	OrderCancelled:   {name: "ORDER_CANCELLED", opens: true, follows: true},
	OrdersCancelled:  {name: "ORDERS_CANCELLED", opens: true},
	ClockAdvanced:    {name: "CLOCK_ADVANCED", opens: true},
	AuctionUncrossed: {name: "AUCTION_UNCROSSED", opens: true, follows: true},
	AuctionTraded:    {name: "AUCTION_TRADED", follows: true},
	RulesSet:         {name: "RULES_SET", opens: true},
	ReferenceMoved:   {name: "REFERENCE_MOVED", follows: true},
	OrderAmended:     {name: "ORDER_AMENDED", opens: true, takes: true},
	OrderReduced:     {name: "ORDER_REDUCED", follows: true},
	OrderTriggered:   {name: "ORDER_TRIGGERED", follows: true, takes: true},
	OrderActivated:   {name: "ORDER_ACTIVATED", follows: true, takes: true},

	MemberSet:         {name: "MEMBER_SET", opens: true},
	AgentSet:          {name: "AGENT_SET", opens: true},
	LimitsSet:         {name: "LIMITS_SET", opens: true},
	FeesSet:           {name: "FEES_SET", opens: true},
	CreditSet:         {name: "CREDIT_SET", opens: true},
	CommissionAccrued: {name: "COMMISSION_ACCRUED", follows: true},
	TradeBusted:       {name: "TRADE_BUSTED", opens: true},
	TransferMade:      {name: "TRANSFER_MADE", opens: true},
	TransferBegun:     {name: "TRANSFER_BEGUN", opens: true},
	TransferPosted:    {name: "TRANSFER_POSTED", opens: true},
	TransferVoided:    {name: "TRANSFER_VOIDED", opens: true, follows: true},
}

// Valid reports whether the kind is one.
func (k Kind) Valid() bool { return int(k) < len(kinds) && kinds[k].name != "" }

func (k Kind) String() string {
	if !k.Valid() {
		return "UNKNOWN(" + strconv.Itoa(int(k)) + ")"
	}
	return kinds[k].name
}

// Event is one thing that happened. It is flat, so that a buffer of them is
// reused without allocating; which fields are set is said at its Kind.
//
// An event carries every figure that its postings need: what it did to balances
// is read from it alone and does not change when the venue's rules do.
//
// Some kinds have an outcome: Receipt says in Status how the order stands, and in
// Filled, Notional and Fee what it traded, once the next Follow events are done;
// they are its trades and what else happens to it and to the orders that it
// meets.
type Event struct {
	Kind  Kind
	First bool // the first event of its command, which alone sets Key, Body and all of Receipt

	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce
	Phase       market.Phase
	Reason      market.CancelReason
	SelfTrade   market.SelfTrade
	PostOnly    bool

	Base, Quote, Asset ledger.AssetID
	Market             MarketID
	Follow             uint32
	MakerRate          uint32 // parts per million, or MarketRate
	TakerRate          uint32

	Sequence Sequence
	Time     Time
	Actor    account.ID // who gave the command

	Key     string
	Body    uint64 // fingerprint of the command's body
	Receipt Receipt

	Order       market.OrderID
	Member      account.ID // whose order or balance
	Maker       market.OrderID
	MakerMember account.ID
	Trade       market.TradeID
	Price       market.Price
	Quantity    market.Quantity
	Amount      money.Amount
	Notional    money.Amount
	MakerFee    money.Amount
	TakerFee    money.Amount
	Release     money.Amount

	Agent      account.ID
	Deposit    uint64 // id of the deposit, 0 when there is none
	NewAsset   money.Asset
	Definition *market.Definition // owned by the event, not to be changed
	Conditions *Conditions        // likewise; nil for an order that has none
	Rules      *market.Rules      // likewise
	Until      Time               // when the phase ends, 0: not by itself
	Detail     *Detail            // likewise, of the kinds from MemberSet on
}

// MarketRate stands for the rate of the market's definition, as it does in
// events that were written before orders carried their rates.
const MarketRate = 1<<32 - 1

// Events is a buffer that Apply appends to. The caller truncates it.
type Events []Event

// Buyer and Seller return whose base comes and goes in a Traded event.
func (ev *Event) Buyer() account.ID {
	if ev.Side == market.Buy {
		return ev.Member
	}
	return ev.MakerMember
}

// Seller is the other party of a Traded event.
func (ev *Event) Seller() account.ID {
	if ev.Side == market.Buy {
		return ev.MakerMember
	}
	return ev.Member
}

// Postings returns what the event did to balances. They sum to zero for each
// asset. The caller owns the slice.
func Postings(ev *Event) []ledger.Posting { return AppendPostings(nil, ev) }

// AppendPostings appends what Postings returns to dst. Amounts of zero are left
// out.
func AppendPostings(dst []ledger.Posting, ev *Event) []ledger.Posting {
	switch ev.Kind {
	case DepositCredited:
		dst = post(dst, 0, ledger.Deposits, ev.Asset, -ev.Amount)
		dst = post(dst, ev.Member, ledger.Available, ev.Asset, ev.Amount)
	case CommissionAccrued:
		dst = post(dst, 0, ledger.Fees, ev.Asset, -ev.Amount)
		dst = post(dst, ev.Agent, ledger.Commission, ev.Asset, ev.Amount)
	case TransferMade, TransferBegun, TransferPosted, TransferVoided:
		dst = transferPostings(dst, ev)
	case TradeBusted:
		dst = bustPostings(dst, ev)
	case OrderPlaced, OrderActivated:
		dst = post(dst, ev.Member, ledger.Available, ev.Asset, -ev.Amount)
		dst = post(dst, ev.Member, ledger.Held, ev.Asset, ev.Amount)
	case OrderAmended, OrderTriggered:
		dst = post(dst, ev.Member, ledger.Held, ev.Asset, -ev.Release)
		dst = post(dst, ev.Member, ledger.Available, ev.Asset, ev.Release)
	case OrderCancelled, OrderReduced:
		dst = post(dst, ev.Member, ledger.Held, ev.Asset, -ev.Amount)
		dst = post(dst, ev.Member, ledger.Available, ev.Asset, ev.Amount)
	case Traded, AuctionTraded:
		buyer, seller := ev.Buyer(), ev.Seller()
		buyerFee, sellerFee := ev.MakerFee, ev.TakerFee
		if ev.Side == market.Buy {
			buyerFee, sellerFee = ev.TakerFee, ev.MakerFee
		}
		dst = post(dst, buyer, ledger.Held, ev.Quote, -(ev.Notional + buyerFee + ev.Release))
		dst = post(dst, buyer, ledger.Available, ev.Quote, ev.Release)
		dst = post(dst, buyer, ledger.Available, ev.Base, ev.Amount)
		dst = post(dst, seller, ledger.Held, ev.Base, -ev.Amount)
		dst = post(dst, seller, ledger.Available, ev.Quote, ev.Notional-sellerFee)
		dst = post(dst, 0, ledger.Fees, ev.Quote, buyerFee+sellerFee)
	}
	return dst
}

func post(dst []ledger.Posting, owner account.ID, kind ledger.Kind, asset ledger.AssetID, amount money.Amount) []ledger.Posting {
	if amount == 0 {
		return dst
	}
	return append(dst, ledger.Posting{
		Account: ledger.Account{Owner: owner, Kind: kind}, Asset: asset, Amount: amount,
	})
}
