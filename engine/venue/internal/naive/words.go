package naive

import (
	"fmt"
	"reflect"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// The commands, and the words in which they speak, are the venue's own.
type (
	Time     = venue.Time
	Sequence = venue.Sequence
	Receipt  = venue.Receipt

	AddAsset      = venue.AddAsset
	CreditDeposit = venue.CreditDeposit
	PlaceOrder    = venue.PlaceOrder
	CancelOrder   = venue.CancelOrder
	CancelAll     = venue.CancelAll
	CreateMarket  = venue.CreateMarket
	SetPhase      = venue.SetPhase
	SetRules      = venue.SetRules
)

// Freeze is what an account may not do.
type Freeze uint8

const (
	Unfrozen      Freeze = 0
	FrozenTrading Freeze = 1
	FrozenWholly  Freeze = 2
)

type PlaceOCO struct {
	Actor                     account.ID
	Key                       string
	Symbol                    market.Symbol
	Side                      market.Side
	Quantity                  market.Quantity
	Price, Trigger, StopPrice market.Price
	TimeInForce               market.TimeInForce
	ExpiresAt                 Time
	SelfTrade                 market.SelfTrade
	Approved                  bool
}

type PlaceBracket struct {
	Actor                              account.ID
	Key                                string
	Symbol                             market.Symbol
	Side                               market.Side
	Type                               market.Type
	TimeInForce                        market.TimeInForce
	Price                              market.Price
	Quantity                           market.Quantity
	ExpiresAt                          Time
	TakeProfit, StopTrigger, StopPrice market.Price
	SelfTrade                          market.SelfTrade
	Approved                           bool
}

type AmendOrder struct {
	Actor    account.ID
	Key      string
	Order    market.OrderID
	Price    market.Price
	Quantity market.Quantity
}

type CancelFor struct {
	Actor account.ID
	Key   string
	Order market.OrderID
}

// Until the venue has them.
func (s Scope) String() string { return []string{"", "HOUSE", "GROUP", "AGENT", "MEMBER"}[s] }

type (
	Command any
	Scope   uint8

	SetMember struct {
		Actor      account.ID
		Key        string
		Member     account.ID
		Agent      account.ID
		Group      uint32
		TradeGroup uint64
		Freeze     Freeze
	}
	SetAgent struct {
		Actor  account.ID
		Key    string
		Agent  account.ID
		Parent account.ID
		Plan   Plan
	}
	SetLimits struct {
		Actor  account.ID
		Key    string
		Scope  Scope
		ID     uint64
		Symbol market.Symbol
		Limits Limits
	}
	SetFees struct {
		Actor  account.ID
		Key    string
		Symbol market.Symbol
		Group  uint32
		Tiers  []FeeTier
	}
	SetCredit struct {
		Actor  account.ID
		Key    string
		Member account.ID
		Asset  string
		Amount money.Amount
	}
	MakeTransfer struct {
		Actor    account.ID
		Key      string
		Transfer uint64
		From, To ledger.Account
		Asset    string
		Amount   money.Amount
	}
	BeginTransfer struct {
		Actor     account.ID
		Key       string
		Transfer  uint64
		From, To  ledger.Account
		Asset     string
		Amount    money.Amount
		ExpiresAt Time
	}
	PostTransfer struct {
		Actor    account.ID
		Key      string
		Transfer uint64
	}
	VoidTransfer PostTransfer
	BustTrade    struct {
		Actor account.ID
		Key   string
		Trade TradeRecord
	}
	FeeShare struct {
		Order  market.OrderID
		Agent  account.ID
		Amount money.Amount
	}
	TradeRecord struct {
		Trade       market.TradeID
		Symbol      market.Symbol
		Time        Time
		Side        market.Side
		Price       market.Price
		Quantity    market.Quantity
		Order       market.OrderID
		Member      account.ID
		Maker       market.OrderID
		MakerMember account.ID
		TakerFee    money.Amount
		MakerFee    money.Amount
		Shares      []FeeShare
	}
	MarketRate struct {
		Symbol market.Symbol
		Rate   money.Rate
	}
	GroupRate struct {
		Group uint32
		Rate  money.Rate
	}
	FeeTier struct {
		Volume       money.Amount
		Maker, Taker money.Rate
	}
	Limits struct {
		OpenOrders       int64
		OrdersPerSecond  int64
		OrderQuantity    market.Quantity
		OrderNotional    money.Amount
		ApprovalNotional money.Amount
		Distance         money.Rate
		Position         money.Amount
		Exposure         money.Amount
	}
	Plan struct {
		Default money.Rate
		Markets []MarketRate
		Groups  []GroupRate
	}
)

const (
	scopeHouse  Scope = 1
	scopeGroup  Scope = 2
	scopeAgent  Scope = 3
	scopeMember Scope = 4

	commissionKind  ledger.Kind = 5
	transitKind     ledger.Kind = 7
	adjustmentsKind ledger.Kind = 6
)

// split takes a command apart: who gives it, under which key, and what it says.
func split(c Command) (actor account.ID, key string, body any) {
	command := reflect.ValueOf(c).Elem()
	said := reflect.New(command.Type()).Elem()
	said.Set(command)
	said.FieldByName("Key").SetString("")
	return account.ID(command.FieldByName("Actor").Uint()), command.FieldByName("Key").String(), fmt.Sprintf("%T%+v", c, said.Interface())
}
