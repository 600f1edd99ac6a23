package venue

import (
	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// SetMember sets what the house knows of a member: its agent, group, trade group
// and freeze, all at once. Refusals: INVALID_ARGUMENT, UNKNOWN_AGENT.
type SetMember struct {
	Actor      account.ID
	Key        string
	Member     account.ID
	Agent      account.ID
	Group      uint32
	TradeGroup uint64
	Freeze     risk.Freeze
}

// SetAgent makes an agent known, or moves it below another and gives it another
// plan. Refusals: INVALID_ARGUMENT, INVALID_COMMISSION, UNKNOWN_AGENT for the
// parent, AGENT_CYCLE.
type SetAgent struct {
	Actor  account.ID
	Key    string
	Agent  account.ID
	Parent account.ID // 0 for none
	Plan   commission.Plan
}

// SetLimits sets the limits of a scope in one market, or in all when Symbol is
// empty, in place of those that were set before. Limits that say nothing take
// them away. ID is the group, agent or member, and 0 for the house. Refusals:
// UNKNOWN_MARKET, INVALID_LIMITS, UNKNOWN_AGENT.
type SetLimits struct {
	Actor  account.ID
	Key    string
	Scope  risk.Scope
	ID     uint64
	Symbol market.Symbol
	Limits risk.Limits
}

// SetFees sets the schedule of a market for a group, or for all when Group is 0;
// no tiers take it away. Orders that were placed keep their rates. Refusals:
// UNKNOWN_MARKET, INVALID_FEES.
type SetFees struct {
	Actor  account.ID
	Key    string
	Symbol market.Symbol
	Group  uint32
	Tiers  []market.FeeTier
}

// SetCredit lets the available balance of an account fall below zero by an
// amount; 0 ends that. Refusals: UNKNOWN_ASSET, INVALID_ARGUMENT,
// INVALID_AMOUNT, INSUFFICIENT_BALANCE when more is drawn already,
// AMOUNT_OVERFLOW.
type SetCredit struct {
	Actor  account.ID
	Key    string
	Member account.ID
	Asset  string // code
	Amount money.Amount
}

// MakeTransfer moves an amount from one account to another at once. Transfer is
// an id that is used once, ever. Refusals: UNKNOWN_ASSET, INVALID_AMOUNT,
// INVALID_ARGUMENT, UNKNOWN_AGENT, TRANSFER_EXISTS, ACCOUNT_FROZEN,
// INSUFFICIENT_BALANCE, AMOUNT_OVERFLOW.
type MakeTransfer struct {
	Actor    account.ID
	Key      string
	Transfer uint64
	From, To ledger.Account
	Asset    string // code
	Amount   money.Amount
}

// BeginTransfer moves an amount from one account into transit, where it waits to
// be posted to the other or voided. Refusals: those of MakeTransfer;
// INVALID_EXPIRY; OVERLOADED when too many are waiting.
type BeginTransfer struct {
	Actor     account.ID
	Key       string
	Transfer  uint64
	From, To  ledger.Account
	Asset     string // code
	Amount    money.Amount
	ExpiresAt Time // when it is voided by itself, 0 for never
}

// PostTransfer ends a transfer that was begun by moving it on to its target.
// Refusals: TRANSFER_NOT_FOUND, TRANSFER_NOT_PENDING, ACCOUNT_FROZEN.
type PostTransfer struct {
	Actor    account.ID
	Key      string
	Transfer uint64
}

// VoidTransfer ends a transfer that was begun by moving it back to its source.
// Refusals: TRANSFER_NOT_FOUND, TRANSFER_NOT_PENDING.
type VoidTransfer struct {
	Actor    account.ID
	Key      string
	Transfer uint64
}

// BustTrade takes back all that a trade moved. The venue keeps no trades: the
// record comes from history, and whoever gives the command answers for it.
// Refusals: UNKNOWN_MARKET, TRADE_NOT_FOUND, TRADE_BUSTED, INVALID_ARGUMENT when
// the record contradicts itself, BUST_NOT_COVERED, AMOUNT_OVERFLOW.
type BustTrade struct {
	Actor account.ID
	Key   string
	Trade TradeRecord
}

func (c *SetMember) origin() (account.ID, string)     { return c.Actor, c.Key }
func (c *SetAgent) origin() (account.ID, string)      { return c.Actor, c.Key }
func (c *SetLimits) origin() (account.ID, string)     { return c.Actor, c.Key }
func (c *SetFees) origin() (account.ID, string)       { return c.Actor, c.Key }
func (c *SetCredit) origin() (account.ID, string)     { return c.Actor, c.Key }
func (c *MakeTransfer) origin() (account.ID, string)  { return c.Actor, c.Key }
func (c *BeginTransfer) origin() (account.ID, string) { return c.Actor, c.Key }
func (c *PostTransfer) origin() (account.ID, string)  { return c.Actor, c.Key }
func (c *VoidTransfer) origin() (account.ID, string)  { return c.Actor, c.Key }
func (c *BustTrade) origin() (account.ID, string)     { return c.Actor, c.Key }

func (c *SetMember) fingerprint() uint64 {
	m := newMixer(40)
	m.word(uint64(c.Member))
	m.word(uint64(c.Agent))
	m.word(uint64(c.Group))
	m.word(c.TradeGroup)
	m.word(uint64(c.Freeze))
	return m.sum()
}

func (c *SetAgent) fingerprint() uint64 {
	m := newMixer(41)
	m.word(uint64(c.Agent))
	m.word(uint64(c.Parent))
	m.word(uint64(c.Plan.Default))
	m.word(uint64(len(c.Plan.Markets)))
	for _, r := range c.Plan.Markets {
		m.text(string(r.Symbol))
		m.word(uint64(r.Rate))
	}
	m.word(uint64(len(c.Plan.Groups)))
	for _, r := range c.Plan.Groups {
		m.word(uint64(r.Group))
		m.word(uint64(r.Rate))
	}
	return m.sum()
}

func (c *SetLimits) fingerprint() uint64 {
	m := newMixer(42)
	m.word(uint64(c.Scope))
	m.word(c.ID)
	m.text(string(c.Symbol))
	l := &c.Limits
	m.word(uint64(l.OpenOrders))
	m.word(uint64(l.OrdersPerSecond))
	m.word(uint64(l.OrderQuantity))
	m.word(uint64(l.OrderNotional))
	m.word(uint64(l.ApprovalNotional))
	m.word(uint64(l.Distance))
	m.word(uint64(l.Position))
	m.word(uint64(l.Exposure))
	return m.sum()
}

func (c *SetFees) fingerprint() uint64 {
	m := newMixer(43)
	m.text(string(c.Symbol))
	m.word(uint64(c.Group))
	m.word(uint64(len(c.Tiers)))
	for _, t := range c.Tiers {
		m.word(uint64(t.Volume))
		m.word(uint64(t.Maker))
		m.word(uint64(t.Taker))
	}
	return m.sum()
}

func (c *SetCredit) fingerprint() uint64 {
	m := newMixer(44)
	m.word(uint64(c.Member))
	m.text(c.Asset)
	m.word(uint64(c.Amount))
	return m.sum()
}

func (c *MakeTransfer) fingerprint() uint64 {
	m := newMixer(45)
	m.transfer(c.Transfer, c.From, c.To, c.Asset, c.Amount)
	return m.sum()
}

func (c *BeginTransfer) fingerprint() uint64 {
	m := newMixer(46)
	m.transfer(c.Transfer, c.From, c.To, c.Asset, c.Amount)
	m.word(uint64(c.ExpiresAt))
	return m.sum()
}

func (m *mixer) transfer(id uint64, from, to ledger.Account, asset string, amount money.Amount) {
	m.word(id)
	m.word(uint64(from.Owner))
	m.word(uint64(to.Owner))
	m.word(uint64(from.Kind) | uint64(to.Kind)<<8)
	m.text(asset)
	m.word(uint64(amount))
}

func (c *PostTransfer) fingerprint() uint64 {
	m := newMixer(47)
	m.word(c.Transfer)
	return m.sum()
}

func (c *VoidTransfer) fingerprint() uint64 {
	m := newMixer(48)
	m.word(c.Transfer)
	return m.sum()
}

func (c *BustTrade) fingerprint() uint64 {
	m := newMixer(49)
	t := &c.Trade
	m.word(uint64(t.Trade))
	m.text(string(t.Symbol))
	m.word(uint64(t.Time))
	m.word(uint64(t.Side))
	m.word(uint64(t.Price))
	m.word(uint64(t.Quantity))
	m.word(uint64(t.Order))
	m.word(uint64(t.Member))
	m.word(uint64(t.Maker))
	m.word(uint64(t.MakerMember))
	m.word(uint64(t.TakerFee))
	m.word(uint64(t.MakerFee))
	m.word(uint64(len(t.Shares)))
	for _, s := range t.Shares {
		m.word(uint64(s.Order))
		m.word(uint64(s.Agent))
		m.word(uint64(s.Amount))
	}
	return m.sum()
}
