package naive

import (
	"fmt"
	"reflect"
	"strings"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Effect is one thing that a command did, in the words of the page. What names
// it; the fields that mean nothing for it are zero.
type Effect struct {
	What string

	Market      int
	Order       market.OrderID
	Member      account.ID
	Maker       market.OrderID // the seller's order in an uncrossing
	MakerMember account.ID
	Trade       market.TradeID

	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce
	Reason      market.CancelReason
	Phase       market.Phase
	Until       Time
	Price       market.Price
	Quantity    market.Quantity

	Asset    string
	Amount   money.Amount
	Notional money.Amount
	MakerFee money.Amount
	TakerFee money.Amount
	Release  money.Amount

	Trigger   market.Price
	Trail     market.Price
	Display   market.Quantity
	PostOnly  bool
	SelfTrade market.SelfTrade
	ExpiresAt Time
	MakerRate money.Rate
	TakerRate money.Rate
	Linked    market.OrderID // the order that it depends on: the other leg, or the entry

	ID      uint64 // of a deposit or transfer
	From    Account
	To      Account
	Setting string // what the house set, spelled out
}

// String tells the effect in one line, without what is zero.
func (e Effect) String() string {
	var b strings.Builder
	b.WriteString(e.What)
	value := reflect.ValueOf(e)
	for i := 1; i < value.NumField(); i++ {
		if field := value.Field(i); !field.IsZero() {
			fmt.Fprintf(&b, " %s=%v", value.Type().Field(i).Name, field.Interface())
		}
	}
	return b.String()
}
