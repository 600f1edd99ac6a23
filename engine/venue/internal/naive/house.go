package naive

import (
	"cmp"
	"fmt"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (v *Venue) addAsset(c *AddAsset) (Receipt, fault.Code) {
	switch {
	case !c.Asset.Valid():
		return Receipt{}, fault.InvalidArgument
	case v.asset(c.Asset.Code) != nil:
		return Receipt{}, fault.AssetExists
	}
	v.assets = append(v.assets, c.Asset)
	v.tell(Effect{What: "asset added", Setting: spell(c.Asset)})
	return Receipt{}, ""
}

func (v *Venue) asset(code string) *money.Asset {
	for i := range v.assets {
		if v.assets[i].Code == code {
			return &v.assets[i]
		}
	}
	return nil
}

func (v *Venue) createMarket(c *CreateMarket) (Receipt, fault.Code) {
	d := c.Definition
	terms, err := d.Terms()
	if err != nil {
		return Receipt{}, fault.InvalidMarket
	}
	base, quote := v.asset(d.Base.Code), v.asset(d.Quote.Code)
	phase := cmp.Or(c.Phase, market.Continuous)
	switch {
	case phase != market.Continuous && phase != market.Draft && phase != market.PreOpen:
		return Receipt{}, fault.InvalidArgument
	case v.market(d.Symbol) != nil:
		return Receipt{}, fault.MarketExists
	case base == nil || quote == nil || *base != d.Base || *quote != d.Quote:
		return Receipt{}, fault.UnknownAsset
	}
	m := &Market{
		ID: len(v.markets) + 1, Definition: d, Terms: terms, Phase: phase,
		Rules: market.Rules{MinNotional: d.MinNotional, Protection: terms.Protection},
	}
	d.Protection = terms.Protection
	v.markets = append(v.markets, m)
	v.tell(Effect{What: "market created", Market: m.ID, Phase: phase, Setting: spell(d)})
	return Receipt{}, ""
}

func spell(thing any) string { return fmt.Sprintf("%+v", thing) }
