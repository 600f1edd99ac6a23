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
		dst = appendDefinition(dst, ev.Definition)
	case PhaseChanged:
		dst = appendNumbers(dst, uint64(ev.Market))
		dst = append(dst, byte(ev.Phase))
	}
	return dst
}

func (d *Decoder) readMarketFields(ev *Event) {
	switch ev.Kind {
	case AssetAdded:
		ev.Asset, ev.NewAsset = d.assetID(), d.asset()
	case MarketCreated:
		ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
		ev.Definition = d.definition()
	case PhaseChanged:
		ev.Market, ev.Phase = d.marketID(), market.Phase(d.byte())
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
