package venue

import (
	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// Detail is what the rarer kinds of events carry beside the fields that all
// share; which parts are set is said at the kind.
type Detail struct {
	Profile  Profile
	Parent   account.ID
	Plan     *commission.Plan
	Scope    risk.Scope
	ID       uint64
	Limits   risk.Limits
	Group    uint32
	Tiers    []market.FeeTier
	Transfer Transfer
	TradedAt Time
	Shares   []FeeShare
}

// Profile is what the house has set about a member. The zero Profile is that of
// a member about whom nothing was.
type Profile struct {
	Agent      account.ID  // who looks after it, 0 for nobody
	Group      uint32      // to which limits and fees are given, 0 for none
	TradeGroup uint64      // whose members are of one hand, 0 for none
	Freeze     risk.Freeze // what it is kept from
}

// Transfer is an amount on its way between two accounts.
type Transfer struct {
	ID        uint64
	From, To  ledger.Account
	Asset     ledger.AssetID
	Amount    money.Amount
	ExpiresAt Time // 0 for never
}

// transit is the account where the amount is meanwhile: that of the member or
// agent from whom it comes, else of the one to whom it goes.
func (t *Transfer) transit() ledger.Account {
	if t.From.Owner != 0 {
		return ledger.Account{Owner: t.From.Owner, Kind: ledger.Transit}
	}
	return ledger.Account{Owner: t.To.Owner, Kind: ledger.Transit}
}

// FeeShare is what an agent got of the fee of one of a trade's two orders.
type FeeShare struct {
	Order  market.OrderID
	Agent  account.ID
	Amount money.Amount // quote minor units, above zero
}

// TradeRecord is a trade as history has it: the figures of its Traded or
// AuctionTraded event and of every CommissionAccrued that came with it.
type TradeRecord struct {
	Trade       market.TradeID
	Symbol      market.Symbol
	Time        Time
	Side        market.Side // of the taker; BUY of an auction
	Price       market.Price
	Quantity    market.Quantity
	Order       market.OrderID // the taker's; of an auction the buyer's
	Member      account.ID
	Maker       market.OrderID
	MakerMember account.ID
	TakerFee    money.Amount
	MakerFee    money.Amount
	Shares      []FeeShare
}

// idSet is ids that were used, 64 to a word.
type idSet map[uint64]uint64

func (s idSet) has(id uint64) bool { return s[id/64]&(1<<(id%64)) != 0 }
func (s idSet) add(id uint64)      { s[id/64] |= 1 << (id % 64) }
