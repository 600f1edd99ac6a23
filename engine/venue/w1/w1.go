// Package w1 plays workload W1 (engine/book/w1) into a whole venue: client keys,
// risk, holds, matching, fees, postings and events, for a thousand members.
package w1

import (
	"fmt"
	"strconv"

	"bourse/engine/account"
	"bourse/engine/book/w1"
	"bourse/engine/commission"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// Members trade in W1, each with Funds of either asset, which is more than W1
// makes any of them need.
const (
	Members = 1000
	Funds   = money.Amount(1e12)
)

// Symbol is the market's. Its fees are not zero.
const Symbol market.Symbol = "W1"

// keyLength is that of all client keys.
const keyLength = 9

// Commands are operations with a client key each. They hold no pointers: the
// garbage collector should have the venue to look at and not its input.
type Commands struct {
	operations []w1.Operation
	keys       string
}

// Convert gives each operation a key of its own: the prefix, which is a letter,
// and its number.
func Convert(operations []w1.Operation, prefix byte) Commands {
	keys := make([]byte, 0, keyLength*len(operations))
	for i := range operations {
		number := strconv.Itoa(100_000_000 + i)
		keys = append(keys, prefix)
		keys = append(keys, number[1:]...)
	}
	return Commands{operations, string(keys)}
}

// Len is how many there are.
func (c *Commands) Len() int { return len(c.operations) }

// Player plays commands into a venue.
type Player struct {
	State   *venue.State
	Rejects int // commands that were refused

	now    venue.Time
	place  venue.PlaceOrder
	cancel venue.CancelOrder
	events venue.Events
	totals w1.Totals
}

// Agent looks after every member, and gets a part of their fees.
const Agent account.ID = Members + 1

// NewPlayer returns a player into a new venue with a market and members.
func NewPlayer() (*Player, error) {
	p := &Player{State: venue.New(), now: 1, place: venue.PlaceOrder{Symbol: Symbol}}
	base, quote := money.Asset{Code: "BASE", Scale: 4}, money.Asset{Code: "QUOTE", Scale: 4}
	commands := []venue.Command{
		&venue.AddAsset{Key: "base", Asset: base},
		&venue.AddAsset{Key: "quote", Asset: quote},
		&venue.CreateMarket{Key: "market", Definition: market.Definition{
			Symbol: Symbol, Base: base, Quote: quote,
			TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("0.01"),
			MakerFee: 500, TakerFee: 1000, Protection: money.Whole,
		}},
	}
	// An agent looks after everybody, so that each fee is shared.
	commands = append(commands, &venue.SetAgent{Key: "agent", Agent: Agent, Plan: commission.Plan{Default: 300_000}})
	for id := account.ID(1); id <= Members; id++ {
		commands = append(commands, &venue.SetMember{Key: "member" + strconv.Itoa(int(id)), Member: id, Agent: Agent})
		for _, asset := range []string{"BASE", "QUOTE"} {
			commands = append(commands, &venue.CreditDeposit{
				Key: asset + strconv.Itoa(int(id)), Member: id, Asset: asset, Amount: Funds,
			})
		}
	}
	for _, c := range commands {
		if _, err := p.State.Apply(c, p.now, &p.events); err != nil {
			return nil, fmt.Errorf("w1: prepare a venue: %w", err)
		}
	}
	p.events = p.events[:0]
	return p, nil
}

// Play plays commands, one nanosecond apart.
func (p *Player) Play(c *Commands) {
	for i := range c.operations {
		command := p.command(&c.operations[i], c.keys[keyLength*i:keyLength*(i+1)])
		p.now++
		p.events = p.events[:0]
		if _, err := p.State.Apply(command, p.now, &p.events); err != nil {
			p.Rejects++
		}
		for k := range p.events {
			if ev := &p.events[k]; ev.Kind == venue.Traded {
				p.totals.Trades++
				p.totals.Volume += int64(ev.Quantity)
				p.totals.Notional += int64(ev.Quantity) * int64(ev.Price)
			}
		}
	}
}

func (p *Player) command(o *w1.Operation, key string) venue.Command {
	if o.Kind == w1.Cancel {
		p.cancel.Actor, p.cancel.Key, p.cancel.Order = account.ID(o.Trader), key, market.OrderID(o.Order)
		return &p.cancel
	}
	c := &p.place
	c.Actor, c.Key, c.Price, c.Quantity = account.ID(o.Trader), key, market.Price(o.Price), market.Quantity(o.Quantity)
	c.Side, c.Type, c.TimeInForce = market.Buy, market.Limit, market.GTC
	if o.Sell {
		c.Side = market.Sell
	}
	if o.Kind == w1.Market {
		c.Type, c.TimeInForce = market.Market, market.IOC
	}
	return c
}

// Totals is what came of it so far.
func (p *Player) Totals() w1.Totals {
	totals := p.totals
	totals.Live = int64(p.State.OpenOrderCount())
	depth, _ := p.State.Depth(Symbol, 1<<30)
	for _, levels := range [][]venue.Level{depth.Bids, depth.Asks} {
		for _, l := range levels {
			totals.Resting += int64(l.Quantity)
		}
	}
	return totals
}

// Resting makes n limit orders that do not trade with one another, of all members
// in turn, at a thousand prices.
func Resting(n int) Commands {
	operations := make([]w1.Operation, n)
	for i := range operations {
		trader := uint32(i%Members + 1)
		sell := trader%2 == 0
		price := int64(100_000 - 1 - i/Members%500)
		if sell {
			price = int64(100_000 + 1 + i/Members%500)
		}
		operations[i] = w1.Operation{Kind: w1.Limit, Sell: sell, Trader: trader, Order: uint64(i + 1), Price: price, Quantity: 1}
	}
	return Convert(operations, 'r')
}
