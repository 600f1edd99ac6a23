package engine

import (
	"context"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// PlaceOrder is what a member asks for. Decimals are plain text, such as "12.50"; an empty one is
// absent. Which of them an order wants is said in docs/trading-rules.md.
type PlaceOrder struct {
	// Key is the client key: the same key and body gives the same order, once.
	Key         string
	Symbol      market.Symbol
	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce // 0: GTC; of a market order 0 and GTC stand for IOC
	Price       string             // in quote per base
	Quantity    string             // in base
	// QuoteAmount is what a market buy may spend instead of naming a quantity, in quote.
	QuoteAmount string
	// TriggerPrice is what a stop waits for, TrailDistance how far a trailing one follows the market;
	// both in quote per base.
	TriggerPrice, TrailDistance string
	// DisplayQuantity makes an iceberg of which so much stands in the book, in base.
	DisplayQuantity string
	PostOnly        bool
	SelfTrade       market.SelfTrade // 0: CANCEL_TAKER
	// ExpiresAt is for GTD alone.
	ExpiresAt time.Time
}

// PlaceOrder places an order and returns it as its command left it, with the sequence at which it
// was accepted: it is durable then. The same key and body returns the same again. Refusals:
// UNKNOWN_MARKET, INVALID_PRICE, PRICE_OFF_TICK, INVALID_QUANTITY, QUANTITY_OFF_LOT and those of
// venue.PlaceOrder; OVERLOADED and UNAVAILABLE, nothing happened; OUTCOME_UNKNOWN, asking again with
// the same key settles what happened; SEQUENCE_NOT_REACHED when it is asked for again while history
// is far behind.
func (m *Member) PlaceOrder(ctx context.Context, ask PlaceOrder) (Order, Sequence, error) {
	c := m.x.catalogue.Load()
	mk := c.bySymbol[ask.Symbol]
	if mk == nil {
		return Order{}, 0, errUnknownMarket
	}
	cmd, err := ask.command(m.actor.ID, &mk.Definition)
	if err != nil {
		return Order{}, 0, err
	}
	receipt, err := m.x.submit(ctx, cmd)
	if err != nil {
		return Order{}, 0, err
	}
	if receipt.Status == market.Cancelled || !ask.plain() { // the receipt does not say why, or what was worked out
		order, err := m.x.memberOrder(ctx, m.actor.ID, receipt.Order)
		return order, receipt.Sequence, unread(err)
	}
	if receipt.Repeated && receipt.Filled > 0 {
		if err := m.x.recall(ctx, m.actor.ID, &receipt); err != nil {
			return Order{}, 0, unread(err)
		}
	}
	order := c.order(&venue.Order{
		ID: receipt.Order, Member: m.actor.ID, Market: mk.ID, Side: cmd.Side, Type: cmd.Type, TimeInForce: cmd.TimeInForce,
		Status: receipt.Status, Price: cmd.Price, Quantity: cmd.Quantity, Filled: receipt.Filled, Notional: receipt.Notional,
		Fee: receipt.Fee, SelfTrade: market.CancelTaker, Sequence: receipt.Sequence, PlacedAt: receipt.Time, UpdatedAt: receipt.Time,
	})
	return order, receipt.Sequence, nil
}

// recall fills in the amounts that the receipt of an order does not tell when it is asked for again.
// An order that has not traded since still knows them; otherwise they are the sums of the fills of
// its own command. Refusal: SEQUENCE_NOT_REACHED, while history is far behind.
func (x *Exchange) recall(ctx context.Context, member account.ID, receipt *venue.Receipt) error {
	var o venue.Order
	var found bool
	x.read(func(s *venue.State) { o, found = s.Order(receipt.Order) })
	if found && o.Filled == receipt.Filled {
		receipt.Notional, receipt.Fee = o.Notional, o.Fee
		return nil
	}
	if err := x.AwaitProjected(ctx, receipt.Sequence); err != nil {
		return err
	}
	var err error
	receipt.Notional, receipt.Fee, err = x.db.TradedAtOnce(ctx, member, receipt.Order, receipt.Sequence)
	return refusal(err)
}

// plain reports whether the receipt and the command say all there is to know of the order.
func (ask *PlaceOrder) plain() bool {
	return (ask.Type == market.Limit || ask.Type == market.Market) && ask.TimeInForce <= market.FOK &&
		ask.QuoteAmount == "" && ask.DisplayQuantity == "" && !ask.PostOnly && ask.SelfTrade <= market.CancelTaker
}

func (ask *PlaceOrder) command(actor account.ID, d *market.Definition) (*venue.PlaceOrder, error) {
	cmd := &venue.PlaceOrder{
		Actor: actor, Key: ask.Key, Symbol: ask.Symbol, Side: ask.Side, Type: ask.Type, TimeInForce: ask.TimeInForce,
		PostOnly: ask.PostOnly, SelfTrade: ask.SelfTrade, ExpiresAt: stampOrZero(ask.ExpiresAt),
	}
	if ask.Type == market.Market && ask.Price != "" {
		return nil, fault.New(fault.InvalidPrice, "a market order has no price")
	}
	if ask.Type == market.Market && ask.TimeInForce == market.GTC {
		cmd.TimeInForce = 0 // what callers say who do not care
	}
	p := orderParser{definition: d}
	if ask.QuoteAmount != "" && ask.Quantity == "" {
		cmd.QuoteAmount = p.amount(ask.QuoteAmount)
	} else if ask.QuoteAmount != "" {
		return nil, fault.New(fault.InvalidArgument, "an order names a quantity or an amount to spend, not both")
	} else {
		cmd.Quantity = p.quantity(ask.Quantity)
	}
	if ask.Price != "" || ask.Type == market.Limit || ask.Type == market.StopLimit {
		cmd.Price = p.price(ask.Price)
	}
	cmd.Trigger, cmd.Trail = p.trigger(ask.TriggerPrice), p.trigger(ask.TrailDistance)
	cmd.Display = p.display(ask.DisplayQuantity)
	return cmd, p.err
}

// orderParser turns the decimals of an order into ticks and lots. The first refusal stays in err.
type orderParser struct {
	definition *market.Definition
	err        error
}

func (p *orderParser) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *orderParser) price(text string) market.Price {
	price, err := p.definition.ParsePriceText(text)
	p.note(err)
	return price
}

func (p *orderParser) quantity(text string) market.Quantity {
	quantity, err := p.definition.ParseQuantityText(text)
	p.note(err)
	return quantity
}

func (p *orderParser) amount(text string) money.Amount {
	amount, err := market.ParseAmountText(p.definition.Quote, text)
	p.note(err)
	return amount
}

// trigger reads a trigger price or a distance; absent is 0.
func (p *orderParser) trigger(text string) market.Price {
	if text == "" {
		return 0
	}
	price, err := p.definition.ParsePriceText(text)
	if fault.CodeOf(err) == fault.InvalidPrice {
		err = fault.New(fault.InvalidTrigger, "a trigger price or distance must be a plain positive decimal within range")
	}
	p.note(err)
	return price
}

// display reads how much of an order is shown; absent is 0.
func (p *orderParser) display(text string) market.Quantity {
	if text == "" {
		return 0
	}
	quantity, err := p.definition.ParseQuantityText(text)
	if fault.CodeOf(err) == fault.InvalidQuantity {
		err = fault.New(fault.InvalidDisplay, "the displayed quantity must be a plain positive decimal within range")
	}
	p.note(err)
	return quantity
}
