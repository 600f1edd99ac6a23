package venue

import "bourse/engine/ledger"

func (s *State) foldAsset(ev *Event) error {
	_, exists := s.asset(ev.NewAsset.Code)
	if int(ev.Asset) != len(s.assets)+1 || ev.Asset > ledger.MaxAsset || exists || !ev.NewAsset.Valid() {
		return misfit(ev, "the asset is malformed, known or out of order")
	}
	s.assets = append(s.assets, ev.NewAsset)
	s.assetByCode[ev.NewAsset.Code] = ev.Asset
	return nil
}

func (s *State) foldMarket(ev *Event) error {
	if int(ev.Market) != len(s.markets)+1 || len(s.markets) >= maxMarkets || ev.Definition == nil {
		return misfit(ev, "the market is out of order")
	}
	m, err := s.newMarket(ev.Market, ev.Definition)
	if err != nil {
		return misfit(ev, err.Error())
	}
	if m.base != ev.Base || m.quote != ev.Quote {
		return misfit(ev, "the market's assets have other ids")
	}
	if m.phase = ev.Phase; !m.phase.Opens() {
		return misfit(ev, "no market is created in that phase")
	}
	s.addMarket(m)
	return nil
}
