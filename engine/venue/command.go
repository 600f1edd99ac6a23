package venue

import (
	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Sequence numbers accepted commands, densely from 1. All events of a command
// share its number; a refused or repeated command uses none.
type Sequence uint64

// Time is Unix time in nanoseconds, UTC. The venue is given it, never asks for
// it, and refuses one that lies before the last.
type Time int64

// MaxKey is the longest client key, in bytes.
const MaxKey = 64

// Command is what the venue can be asked to do: a pointer to one of the
// structures of this file. The caller keeps it and must not change it while
// Apply runs.
//
// Each carries the account that asks (Actor) and a key of that account's
// choosing, 1 to MaxKey visible ASCII characters, that makes asking again harmless: the same key
// with the same body has the same receipt and no further effect; with another
// body it is refused with IDEMPOTENCY_CONFLICT. The venue remembers the last
// KeysPerActor keys of each actor. Refusals had no effect and are not
// remembered.
//
// Who may give which command is not decided here but by the façade.
type Command interface {
	origin() (account.ID, string)
	fingerprint() uint64
	decide(s *State, d *decision) error
}

// AddAsset makes an asset known. Refusals: ASSET_EXISTS, INVALID_ARGUMENT.
type AddAsset struct {
	Actor account.ID
	Key   string
	Asset money.Asset
}

// CreateMarket opens a market: in CONTINUOUS, unless Phase says DRAFT or
// PRE_OPEN. Both assets must be known with the scales that the definition names.
// Refusals: MARKET_EXISTS, UNKNOWN_ASSET, INVALID_MARKET, INVALID_ARGUMENT.
type CreateMarket struct {
	Actor      account.ID
	Key        string
	Definition market.Definition
	Phase      market.Phase
}

// CreditDeposit adds money from outside to a member's available balance. The
// id of a deposit is remembered for good, so that it is credited once however
// long ago that was and whatever the key; 0 stands for money that no deposit was
// asked for. Refusals: UNKNOWN_ASSET, INVALID_AMOUNT, AMOUNT_OVERFLOW,
// INVALID_ARGUMENT, DEPOSIT_NOT_PENDING.
type CreditDeposit struct {
	Actor   account.ID
	Key     string
	Deposit uint64
	Member  account.ID
	Asset   string       // code
	Amount  money.Amount // minor units, > 0
}

// PlaceOrder places an order of the actor (docs/trading-rules.md, section 1).
// Refusals: UNKNOWN_MARKET, MARKET_HALTED, INVALID_ARGUMENT, INVALID_PRICE,
// INVALID_EXPIRY, NO_LIQUIDITY and those of risk.Check.
type PlaceOrder struct {
	Actor  account.ID
	Key    string
	Symbol market.Symbol
	Side   market.Side
	Type   market.Type
	// TimeInForce 0 stands for GTC, and for IOC with a market order.
	TimeInForce market.TimeInForce
	// Price is the limit price; 0 for an order that has none.
	Price market.Price
	// Quantity in lots; 0 with QuoteAmount, which a market buy may spend instead.
	Quantity    market.Quantity
	QuoteAmount money.Amount
	// Trigger is the trigger price of a stop; Trail the distance, in ticks, of a
	// trailing one.
	Trigger market.Price
	Trail   market.Price
	// Display is how many lots of an iceberg stand in the book; 0 for all.
	Display market.Quantity
	// PostOnly refuses the order rather than let it take.
	PostOnly bool
	// SelfTrade 0 stands for CANCEL_TAKER.
	SelfTrade market.SelfTrade
	// ExpiresAt is for GTD alone.
	ExpiresAt Time
	// Approved says that somebody else agreed to an order of this size.
	Approved bool
}

// PlaceOCO places a limit order and a stop of which one cancels the other
// (section 5). The receipt is the limit leg's; the stop leg has the next id.
// Refusals: those of PlaceOrder for each.
type PlaceOCO struct {
	Actor    account.ID
	Key      string
	Symbol   market.Symbol
	Side     market.Side
	Quantity market.Quantity
	// Price is the limit leg's.
	Price market.Price
	// Trigger is the stop leg's; StopPrice its limit price, 0 for a plain stop.
	Trigger   market.Price
	StopPrice market.Price
	// TimeInForce, ExpiresAt and SelfTrade are as in PlaceOrder, for both legs.
	TimeInForce market.TimeInForce
	ExpiresAt   Time
	SelfTrade   market.SelfTrade
	Approved    bool
}

// PlaceBracket places an entry and, for after it, a take-profit and a stop-loss
// (section 5). The receipt is the entry's; the take-profit has the next id, the
// stop-loss the one after. Refusals: those of PlaceOrder for the entry, of the
// exits those of their prices.
type PlaceBracket struct {
	Actor       account.ID
	Key         string
	Symbol      market.Symbol
	Side        market.Side // of the entry
	Type        market.Type // of the entry: limit or market
	TimeInForce market.TimeInForce
	Price       market.Price
	Quantity    market.Quantity
	ExpiresAt   Time
	// TakeProfit is its limit price, StopTrigger the stop-loss's trigger, StopPrice
	// its limit price or 0 for a plain stop.
	TakeProfit  market.Price
	StopTrigger market.Price
	StopPrice   market.Price
	SelfTrade   market.SelfTrade
	Approved    bool
}

// AmendOrder gives an order in the book another price, another total quantity or
// both; 0 keeps what there is (section 2). Refusals: ORDER_NOT_FOUND,
// ORDER_NOT_OPEN, ORDER_NOT_AMENDABLE, those of the market's phase, INVALID_AMEND,
// and those of PlaceOrder unless the order keeps its place.
type AmendOrder struct {
	Actor    account.ID
	Key      string
	Order    market.OrderID
	Price    market.Price
	Quantity market.Quantity
}

// CancelFor cancels anybody's open order for the house. Refusals: ORDER_NOT_FOUND,
// ORDER_NOT_OPEN.
type CancelFor struct {
	Actor account.ID
	Key   string
	Order market.OrderID
}

// CancelOrder cancels an open order of the actor, in any phase. Refusals:
// ORDER_NOT_FOUND, also for someone else's order; ORDER_NOT_OPEN.
type CancelOrder struct {
	Actor account.ID
	Key   string
	Order market.OrderID
}

// CancelAll cancels the actor's open orders in one market, or in all when
// Symbol is empty; having none is fine. Refusals: UNKNOWN_MARKET.
type CancelAll struct {
	Actor  account.ID
	Key    string
	Symbol market.Symbol
}

func (c *AddAsset) origin() (account.ID, string)      { return c.Actor, c.Key }
func (c *CreateMarket) origin() (account.ID, string)  { return c.Actor, c.Key }
func (c *CreditDeposit) origin() (account.ID, string) { return c.Actor, c.Key }
func (c *PlaceOrder) origin() (account.ID, string)    { return c.Actor, c.Key }
func (c *PlaceOCO) origin() (account.ID, string)      { return c.Actor, c.Key }
func (c *PlaceBracket) origin() (account.ID, string)  { return c.Actor, c.Key }
func (c *AmendOrder) origin() (account.ID, string)    { return c.Actor, c.Key }
func (c *CancelFor) origin() (account.ID, string)     { return c.Actor, c.Key }
func (c *CancelOrder) origin() (account.ID, string)   { return c.Actor, c.Key }
func (c *CancelAll) origin() (account.ID, string)     { return c.Actor, c.Key }

// Receipt is the answer to an accepted command. Which fields are set depends on
// the command. Asking again with the same key yields the same receipt, marked as
// Repeated and without the amounts: those are in the history of the order.
type Receipt struct {
	Sequence Sequence
	Time     Time
	Order    market.OrderID  // of commands about one order, or the first of several
	Status   market.Status   // as the command left the order
	Filled   market.Quantity // of placing and amending: traded at once; of a cancel: traded before
	Notional money.Amount    // quote minor units of Filled; zero when Repeated
	Fee      money.Amount    // quote minor units; zero when Repeated
	Count    uint32          // CancelAll: how many orders were cancelled
	Repeated bool            // the command had its effect before
}
