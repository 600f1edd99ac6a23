package naive

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"bourse/engine/market"

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
	case venue.OrderAmended:
		e.What, e.Price, e.Quantity, e.Asset, e.Amount, e.Release = "amended", ev.Price, ev.Quantity, asset.Code, ev.Amount, ev.Release
	case venue.OrderReduced:
		e.What, e.Reason, e.Quantity, e.Asset, e.Amount = "reduced", ev.Reason, ev.Quantity, asset.Code, ev.Amount
	case venue.OrderTriggered:
		e.What, e.Price, e.Quantity, e.Asset, e.Amount, e.Release = "triggered", ev.Price, ev.Quantity, asset.Code, ev.Amount, ev.Release
	case venue.OrderActivated:
		e.What, e.Quantity, e.Asset, e.Amount = "activated", ev.Quantity, asset.Code, ev.Amount
	case venue.Traded:
		e.What, e.Trade = "traded", ev.Trade
		tellTrade(&e, ev)
	case venue.OrderCancelled:
		e.What, e.Reason, e.Price, e.Quantity, e.Asset, e.Amount = "cancelled", ev.Reason, ev.Price, ev.Quantity, asset.Code, ev.Amount
	case venue.OrdersCancelled:
		return Effect{What: "cancelled all", Market: e.Market, Member: ev.Actor}
	case venue.MemberSet, venue.AgentSet, venue.LimitsSet, venue.FeesSet, venue.CreditSet:
		return tellSetting(e, ev, asset.Code)
	case venue.CommissionAccrued:
		return Effect{What: "accrued", Member: ev.Agent, Trade: ev.Trade, Order: ev.Order, Asset: asset.Code, Amount: ev.Amount}
	case venue.TradeBusted:
		e.What, e.Trade, e.Setting = "busted", ev.Trade, spell(ev.Detail.Shares)
		tellTrade(&e, ev)
		e.Amount, e.Notional = 0, 0
	case venue.TransferMade, venue.TransferBegun, venue.TransferPosted, venue.TransferVoided:
		return tellTransfer(s, ev)
	default:
		e.What = ev.Kind.String()
	}
	return e
}

// tellSetting tells what the house set.
func tellSetting(e Effect, ev *venue.Event, asset string) Effect {
	d := ev.Detail
	switch ev.Kind {
	case venue.MemberSet:
		p := d.Profile
		return Effect{What: "member set", Member: ev.Member, Setting: spell([]any{p.Agent, p.Group, p.TradeGroup, p.Freeze})}
	case venue.AgentSet:
		return Effect{What: "agent set", Member: ev.Agent, Setting: spell([]any{d.Parent, *d.Plan})}
	case venue.LimitsSet:
		return Effect{What: "limits set", Market: e.Market, Setting: spell([]any{d.Scope, d.ID, d.Limits})}
	case venue.FeesSet:
		return Effect{What: "fees set", Market: e.Market, Setting: spell([]any{d.Group, d.Tiers})}
	}
	return Effect{What: "credit set", Member: ev.Member, Asset: asset, Amount: ev.Amount}
}

func tellTransfer(s *venue.State, ev *venue.Event) Effect {
	t := ev.Detail.Transfer
	asset, _ := s.Asset(t.Asset)
	what := map[venue.Kind]string{
		venue.TransferMade: "transfer made", venue.TransferBegun: "transfer begun",
		venue.TransferPosted: "transfer posted", venue.TransferVoided: "transfer voided",
	}[ev.Kind]
	return Effect{
		What: what, ID: t.ID, From: Account{t.From, asset.Code}, To: Account{t.To, asset.Code}, Asset: asset.Code, Amount: t.Amount,
		ExpiresAt: t.ExpiresAt,
	}
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
