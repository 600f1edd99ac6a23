package naive

import (
	"strconv"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// volumeDays is over how many days before that of a placing a member's volume counts.
const volumeDays = 30

// feeSchedule is what the members of a group pay in a market; group 0 is all.
type feeSchedule struct {
	symbol market.Symbol
	group  uint32
	tiers  []FeeTier
}

// volumeOf says which of a member's volumes a trade adds to.
type volumeOf struct {
	quote string
	day   int64
}

func dayOf(t Time) int64 { return int64(t) / market.Day }

// giveRates fixes the fees of an order.
func (v *Venue) giveRates(o *Order) {
	o.MakerRate, o.TakerRate = v.rates(o.Member, o.Market)
}

func (v *Venue) rates(id account.ID, m *Market) (maker, taker money.Rate) {
	volume := v.volume(id, m)
	groups := []uint32{0}
	if group := v.member(id).Group; group != 0 {
		groups = []uint32{group, 0}
	}
	for _, group := range groups {
		var tier *FeeTier
		number := 0
		for _, s := range v.schedules {
			if s.symbol != m.Definition.Symbol || s.group != group {
				continue
			}
			for i := range s.tiers {
				if s.tiers[i].Volume <= volume {
					tier, number = &s.tiers[i], i+1
				}
			}
		}
		if tier != nil {
			v.note("fees of group", strconv.Itoa(int(group)), "by tier", strconv.Itoa(number))
			return tier.Maker, tier.Taker
		}
	}
	return m.Terms.MakerFee, m.Terms.TakerFee
}

// volume is what a member traded in the days that count, in the quote asset of a market.
func (v *Venue) volume(id account.ID, m *Market) (total money.Amount) {
	today := dayOf(v.now)
	for of, amount := range v.member(id).Volumes {
		if of.quote == m.Definition.Quote.Code && of.day < today && of.day >= today-volumeDays {
			total += amount
		}
	}
	return total
}

func (v *Venue) addVolume(id account.ID, m *Market, notional money.Amount) {
	member := v.member(id)
	if member.Volumes == nil {
		member.Volumes = map[volumeOf]money.Amount{}
	}
	member.Volumes[volumeOf{m.Definition.Quote.Code, dayOf(v.now)}] += notional
}

// lowerVolume takes a busted trade out of what a member traded on its day.
func (v *Venue) lowerVolume(id account.ID, m *Market, at Time, notional money.Amount) {
	of := volumeOf{m.Definition.Quote.Code, dayOf(at)}
	if volumes := v.member(id).Volumes; volumes[of] > 0 {
		volumes[of] = max(volumes[of]-notional, 0)
	}
}
