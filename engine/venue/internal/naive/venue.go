package naive

import (
	"slices"
	"strings"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Venue is the whole exchange: every account, market and order.
type Venue struct {
	sequence Sequence
	now      Time // the stamp of the last accepted command

	assets  []money.Asset // by the order in which they were added
	markets []*Market     // by the order in which they were created

	open  []*Order // what has not ended, by id
	ended []*Order // the last closedOrders that have, the first to end first

	lastOrder market.OrderID
	lastTrade market.TradeID
	arrivals  int64 // how many times an order has joined a queue

	members   map[account.ID]*Member
	agents    map[account.ID]*Agent
	accounts  map[Account]money.Amount
	deposits  map[uint64]bool // ids that were credited
	limits    []limitEntry
	schedules []feeSchedule
	transfers []*Transfer // every one ever
	busted    map[market.TradeID]bool

	keys map[account.ID]*memory

	effects  []Effect // of the command that is being done
	decisive string   // whose limit was looked up last
	notes    []string // which of the rules decided, for whoever wants to know that all did
}

const (
	closedOrders = 1 << 15
	keysPerActor = 10_000
)

// memory is the last keysPerActor keys of an actor, the first first.
type memory struct {
	keys   []string
	answer map[string]remembered
}

type remembered struct {
	body    any
	receipt Receipt
}

// Market is a market with everything that is waited for in it.
type Market struct {
	ID         int
	Definition market.Definition
	Terms      market.Terms // ticks and lots worked out
	Rules      market.Rules
	Phase      market.Phase
	PhaseEnds  Time // 0: open end

	Last        market.Price // of the last trade, 0 before there was one
	Reference   market.Price // 0 when there is none
	ReferenceAt Time

	Linked     []*Order    // to be cancelled because of a trade
	Acting     []*Order    // triggered stops, and ended entries whose exits become active
	Uncrossing *uncrossing // under way
}

// New returns an empty venue.
func New() *Venue {
	return &Venue{
		members: map[account.ID]*Member{}, agents: map[account.ID]*Agent{},
		accounts: map[Account]money.Amount{}, deposits: map[uint64]bool{},
		busted: map[market.TradeID]bool{}, keys: map[account.ID]*memory{},
	}
}

// Apply does a command at a time, or refuses it with a code and leaves
// everything as it was. The effects are those of this command alone.
func (v *Venue) Apply(c Command, now Time) (Receipt, []Effect, fault.Code) {
	v.effects, v.notes = nil, nil
	actor, key, body := split(c)
	if !validKey(key) {
		return Receipt{}, nil, fault.InvalidIdempotencyKey
	}
	if old, ok := v.remembered(actor, key); ok {
		if old.body != body {
			return Receipt{}, nil, fault.IdempotencyConflict
		}
		again := old.receipt
		again.Notional, again.Fee, again.Repeated = 0, 0, true
		return again, nil, ""
	}
	if now < v.now {
		return Receipt{}, nil, fault.ClockWentBack
	}
	before := v.now
	v.now = now
	receipt, refusal := v.do(c)
	if refusal != "" {
		v.now = before
		return Receipt{}, nil, refusal
	}
	v.sequence++
	receipt.Sequence, receipt.Time = v.sequence, now
	v.remember(actor, key, remembered{body, receipt})
	return receipt, v.effects, ""
}

func (v *Venue) do(c Command) (Receipt, fault.Code) {
	switch c := c.(type) {
	case *AddAsset:
		return v.addAsset(c)
	case *CreateMarket:
		return v.createMarket(c)
	case *CreditDeposit:
		return v.creditDeposit(c)
	case *PlaceOrder:
		return v.placeOrder(c)
	case *PlaceOCO:
		return v.placeOCO(c)
	case *PlaceBracket:
		return v.placeBracket(c)
	case *AmendOrder:
		return v.amendOrder(c)
	case *CancelOrder:
		return v.cancelOrder(c)
	case *CancelFor:
		return v.cancelFor(c)
	case *CancelAll:
		return v.cancelAll(c)
	case *SetPhase:
		return v.setPhase(c)
	case *SetRules:
		return v.setRules(c)
	}
	return v.doForMembers(c)
}

func validKey(key string) bool {
	if len(key) < 1 || len(key) > 64 {
		return false
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func (v *Venue) remembered(actor account.ID, key string) (remembered, bool) {
	if v.keys[actor] == nil {
		return remembered{}, false
	}
	r, ok := v.keys[actor].answer[key]
	return r, ok
}

func (v *Venue) remember(actor account.ID, key string, r remembered) {
	m := v.keys[actor]
	if m == nil {
		m = &memory{answer: map[string]remembered{}}
		v.keys[actor] = m
	}
	if m.keys = append(m.keys, key); len(m.keys) > keysPerActor {
		delete(m.answer, m.keys[0])
		m.keys = m.keys[1:]
	}
	m.answer[key] = r
}

func (v *Venue) tell(e Effect) { v.effects = append(v.effects, e) }

func (v *Venue) note(words ...string) { v.notes = append(v.notes, strings.Join(words, " ")) }

// market finds a market by its symbol, nil when there is none.
func (v *Venue) market(symbol market.Symbol) *Market {
	i := slices.IndexFunc(v.markets, func(m *Market) bool { return m.Definition.Symbol == symbol })
	if i < 0 {
		return nil
	}
	return v.markets[i]
}

// order finds an order that has not ended, nil when there is none.
func (v *Venue) order(id market.OrderID) *Order {
	for _, o := range v.open {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// known finds an order that is open or ended not too long ago.
func (v *Venue) known(id market.OrderID) *Order {
	if o := v.order(id); o != nil {
		return o
	}
	for _, o := range v.ended {
		if o.ID == id {
			return o
		}
	}
	return nil
}
