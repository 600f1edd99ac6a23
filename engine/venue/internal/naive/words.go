package naive

import (
	"fmt"
	"reflect"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/market"
	"bourse/engine/risk"
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
	PlaceOCO      = venue.PlaceOCO
	PlaceBracket  = venue.PlaceBracket
	AmendOrder    = venue.AmendOrder
	CancelFor     = venue.CancelFor
	CreateMarket  = venue.CreateMarket
	SetPhase      = venue.SetPhase
	SetRules      = venue.SetRules
)

// What the house sets, in the words of those who know it.
type (
	SetMember     = venue.SetMember
	SetAgent      = venue.SetAgent
	SetLimits     = venue.SetLimits
	SetFees       = venue.SetFees
	SetCredit     = venue.SetCredit
	MakeTransfer  = venue.MakeTransfer
	BeginTransfer = venue.BeginTransfer
	PostTransfer  = venue.PostTransfer
	VoidTransfer  = venue.VoidTransfer
	BustTrade     = venue.BustTrade
	TradeRecord   = venue.TradeRecord
	FeeShare      = venue.FeeShare
	FeeTier       = market.FeeTier
	Plan          = commission.Plan
	MarketRate    = commission.MarketRate
	GroupRate     = commission.GroupRate
	Limits        = risk.Limits
	Scope         = risk.Scope
	Freeze        = risk.Freeze
	Command       = any // a pointer to one of these
)

// split takes a command apart: who gives it, under which key, and what it says.
func split(c Command) (actor account.ID, key string, body any) {
	command := reflect.ValueOf(c).Elem()
	said := reflect.New(command.Type()).Elem()
	said.Set(command)
	said.FieldByName("Key").SetString("")
	return account.ID(command.FieldByName("Actor").Uint()), command.FieldByName("Key").String(), fmt.Sprintf("%T%+v", c, said.Interface())
}
