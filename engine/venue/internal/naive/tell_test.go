package naive

import (
	"bourse/engine/market"
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"bourse/engine/money"
	"bourse/engine/venue"
)

// tellAll puts the events of the real venue into the words of the naive one. What opens a step says nothing.
func tellAll(s *venue.State, events venue.Events) (told []Effect) {
	for i := range events {
		if events[i].Kind != venue.ClockAdvanced {
			told = append(told, tellEvent(s, &events[i]))
		}
	}
	return told
}

func tellEvent(s *venue.State, ev *venue.Event) Effect {
	e := Effect{Market: int(ev.Market), Order: ev.Order, Member: ev.Member, Side: ev.Side}
	asset, _ := s.Asset(ev.Asset)
	switch ev.Kind {
	case venue.AssetAdded:
		return Effect{What: "asset added", Setting: spell(ev.NewAsset)}
	case venue.MarketCreated:
		return Effect{What: "market created", Market: e.Market, Phase: cmp.Or(ev.Phase, market.Continuous), Setting: spell(*ev.Definition)}
	case venue.PhaseChanged:
		return Effect{What: "phase", Market: e.Market, Phase: ev.Phase, Until: ev.Until}
	case venue.AuctionUncrossed:
		return Effect{What: "uncrossed", Market: e.Market, Price: ev.Price, Quantity: ev.Quantity, Phase: ev.Phase}
	case venue.AuctionTraded:
		e.What, e.Trade = "auction traded", ev.Trade
		tellTrade(&e, ev)
	case venue.RulesSet:
		return Effect{What: "rules set", Market: e.Market, Setting: spell(*ev.Rules)}
	case venue.ReferenceMoved:
		return Effect{What: "reference moved", Market: e.Market, Price: ev.Price}
	case venue.DepositCredited:
		return Effect{What: "deposited", Member: ev.Member, Asset: asset.Code, Amount: ev.Amount, ID: ev.Deposit}
	case venue.OrderPlaced:
		e.What = "placed"
		e.Type, e.TimeInForce, e.SelfTrade, e.PostOnly = ev.Type, ev.TimeInForce, ev.SelfTrade, ev.PostOnly
		e.Price, e.Quantity, e.Asset, e.Amount = ev.Price, ev.Quantity, asset.Code, ev.Amount
		e.MakerRate, e.TakerRate = parts(ev.MakerRate), parts(ev.TakerRate)
		if c := ev.Conditions; c != nil {
			e.Trigger, e.Trail, e.Display, e.ExpiresAt, e.Linked = c.Trigger, c.Trail, c.Display, c.ExpiresAt, c.Sibling
			if c.Parent != 0 {
				e.Linked = c.Parent
			}
		}
	case venue.Traded:
		e.What, e.Trade = "traded", ev.Trade
		tellTrade(&e, ev)
	case venue.OrderCancelled:
		e.What, e.Reason, e.Price, e.Quantity, e.Asset, e.Amount = "cancelled", ev.Reason, ev.Price, ev.Quantity, asset.Code, ev.Amount
	case venue.OrdersCancelled:
		return Effect{What: "cancelled all", Market: e.Market, Member: ev.Actor}
	default:
		e.What = ev.Kind.String()
	}
	return e
}

func parts(parts uint32) money.Rate { return money.Rate(parts) }

func tellTrade(e *Effect, ev *venue.Event) {
	e.Maker, e.MakerMember, e.Price, e.Quantity = ev.Maker, ev.MakerMember, ev.Price, ev.Quantity
	e.Amount, e.Notional, e.TakerFee, e.MakerFee, e.Release = ev.Amount, ev.Notional, ev.TakerFee, ev.MakerFee, ev.Release
}

// tellOrder and spellOrder put an open order into the same words.
func tellOrder(o venue.Order) string {
	return fmt.Sprint(o.Member, o.Symbol, o.Side, o.Type, o.TimeInForce, o.Status, o.Price, o.Quantity, o.Filled, o.Notional, o.Fee, o.Held,
		o.MakerRate, o.TakerRate, o.SelfTrade, o.PostOnly, o.Trigger, o.Trail, o.Display, o.ExpiresAt)
}

func spellOrder(o *Order) string {
	return fmt.Sprint(o.Member, o.Market.Definition.Symbol, o.Side, o.Type, o.TimeInForce, o.Status, o.Price, o.Quantity, o.Filled, o.Notional, o.Fee,
		o.Held, o.MakerRate, o.TakerRate, o.SelfTrade, o.PostOnly, o.Trigger, o.Trail, o.Display, o.ExpiresAt)
}

// tellPlay writes a command as one would in Go.
func tellPlay(p play) string {
	value := reflect.ValueOf(p.command).Elem()
	var fields []string
	for i := range value.NumField() {
		if field := value.Field(i); !field.IsZero() {
			fields = append(fields, fmt.Sprintf("%s: %#v", value.Type().Field(i).Name, field.Interface()))
		}
	}
	return fmt.Sprintf("{&%s{%s}, %d}", value.Type(), strings.Join(fields, ", "), p.at)
}
