package venue

import (
	"bourse/engine/market"
	"bourse/engine/money"
)

func appendMarketFields(dst []byte, ev *Event) []byte {
	switch ev.Kind {
	case AssetAdded:
		dst = appendNumbers(dst, uint64(ev.Asset))
		dst = appendAsset(dst, ev.NewAsset)
	case MarketCreated:
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Base), uint64(ev.Quote))
		dst = append(appendDefinition(dst, ev.Definition), byte(ev.Phase))
	case PhaseChanged:
		dst = appendNumbers(dst, uint64(ev.Market))
		dst = append(dst, byte(ev.Phase))
		dst = appendNumbers(dst, uint64(ev.Until))
	case AuctionUncrossed:
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Price), uint64(ev.Quantity))
		dst = append(dst, byte(ev.Phase))
	case RulesSet:
		dst = appendNumbers(dst, uint64(ev.Market))
		dst = appendRules(dst, ev.Rules)
	case ReferenceMoved:
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Price))
	}
	return dst
}

func (d *Decoder) readMarketFields(ev *Event, version byte) {
	switch ev.Kind {
	case AssetAdded:
		ev.Asset, ev.NewAsset = d.assetID(), d.asset()
	case MarketCreated:
		ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
		ev.Definition, ev.Phase = d.definition(), market.Continuous
		if version > 1 {
			ev.Phase = market.Phase(d.byte())
		}
	case PhaseChanged:
		ev.Market, ev.Phase = d.marketID(), market.Phase(d.byte())
		if version > 1 {
			ev.Until = Time(d.amount())
		}
	case AuctionUncrossed:
		ev.Market, ev.Price, ev.Quantity = d.marketID(), market.Price(d.amount()), market.Quantity(d.amount())
		ev.Phase = market.Phase(d.byte())
	case RulesSet:
		ev.Market = d.marketID()
		rules := d.rules()
		ev.Rules = &rules
	case ReferenceMoved:
		ev.Market, ev.Price = d.marketID(), market.Price(d.amount())
	}
}

func appendDefinition(dst []byte, d *market.Definition) []byte {
	dst = appendText(dst, string(d.Symbol))
	dst = appendAsset(dst, d.Base)
	dst = appendAsset(dst, d.Quote)
	dst = appendDecimal(dst, d.TickSize)
	dst = appendDecimal(dst, d.LotSize)
	return appendNumbers(dst, uint64(d.MinNotional), uint64(d.MakerFee), uint64(d.TakerFee), uint64(d.Protection))
}

func (r *reader) definition() *market.Definition {
	return &market.Definition{
		Symbol:      market.Symbol(r.text(market.MaxSymbol)),
		Base:        r.asset(),
		Quote:       r.asset(),
		TickSize:    r.decimal(),
		LotSize:     r.decimal(),
		MinNotional: r.amount(),
		MakerFee:    money.Rate(r.amount()),
		TakerFee:    money.Rate(r.amount()),
		Protection:  money.Rate(r.amount()),
	}
}

func appendRules(dst []byte, r *market.Rules) []byte {
	dst = appendNumbers(dst, uint64(r.ReferencePrice), uint64(r.Band), uint64(r.Breaker), uint64(r.BreakerWindow))
	return appendNumbers(dst, uint64(r.BreakerPause), uint64(r.DayEnd), uint64(r.MinNotional), uint64(r.Protection))
}

func (r *reader) rules() market.Rules {
	return market.Rules{
		ReferencePrice: market.Price(r.amount()),
		Band:           money.Rate(r.amount()),
		Breaker:        money.Rate(r.amount()),
		BreakerWindow:  int64(r.amount()),
		BreakerPause:   int64(r.amount()),
		DayEnd:         int64(r.amount()),
		MinNotional:    r.amount(),
		Protection:     money.Rate(r.amount()),
	}
}
