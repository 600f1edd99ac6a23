package naive

import (
	"fmt"
	"reflect"

	"bourse/engine/account"
	"bourse/engine/fault"
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
		Actor     account.ID
		Key       string
		Transfer  uint64
		From, To  ledger.Account
		Asset     string
		Amount    money.Amount
		ExpiresAt Time
	}
	BeginTransfer MakeTransfer
	PostTransfer  struct {
		Actor    account.ID
		Key      string
		Transfer uint64
	}
	VoidTransfer PostTransfer
	BustTrade    struct {
		Actor account.ID
		Key   string
		Trade struct{}
	}
	FeeTier struct {
		Volume       money.Amount
		Maker, Taker money.Rate
	}
	Limits struct {
		OpenOrders, OrdersPerSecond                         int
		OrderQuantity                                       market.Quantity
		OrderNotional, ApprovalNotional, Position, Exposure money.Amount
		Distance                                            money.Rate
	}
	Plan struct{}
)

const (
	scopeHouse  Scope = 1
	scopeGroup  Scope = 2
	scopeAgent  Scope = 3
	scopeMember Scope = 4

	commissionKind ledger.Kind = 5
	transitKind    ledger.Kind = 7
)

func (p Plan) rate(market.Symbol, uint32) money.Rate        { return 0 }
func planFits(Plan) bool                                    { return true }
func (v *Venue) bustTrade(*BustTrade) (Receipt, fault.Code) { return Receipt{}, "" }

// split takes a command apart: who gives it, under which key, and what it says.
func split(c Command) (actor account.ID, key string, body any) {
	command := reflect.ValueOf(c).Elem()
	said := reflect.New(command.Type()).Elem()
	said.Set(command)
	said.FieldByName("Key").SetString("")
	return account.ID(command.FieldByName("Actor").Uint()), command.FieldByName("Key").String(), fmt.Sprintf("%T%+v", c, said.Interface())
}

// temporary
func field(c any, name string) reflect.Value {
	f := reflect.ValueOf(c).Elem().FieldByName(name)
	if !f.IsValid() {
		return reflect.New(reflect.TypeOf(int64(0))).Elem()
	}
	return f
}
