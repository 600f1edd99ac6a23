package venue

import (
	"bourse/engine/ledger"
	"bourse/engine/money"
)

// volumeDays is how many days before that of an order decide on its fees.
const volumeDays = 30

// volumes is what a member traded, by quote asset and day. The day and asset
// that trade now are counted beside the rest, so that a trade counts with one
// addition; where an amount stands leaves no trace in a digest.
type volumes struct {
	day    int64
	amount money.Amount
	asset  ledger.AssetID
	past   []assetVolumes
}

// assetVolumes is a ring of days that ends with the newest.
type assetVolumes struct {
	asset  ledger.AssetID
	newest int64
	days   [volumeDays + 1]money.Amount // by day modulo its length
}

// dayOf numbers the days of UTC from 1970 on. Times are not negative.
func dayOf(t Time) int64 { return int64(t) / (24 * 3600 * 1e9) }

// count adds what was traded at a day. Days do not go back.
func (v *volumes) count(asset ledger.AssetID, day int64, amount money.Amount) {
	if v.day != day || v.asset != asset {
		v.flush()
		v.day, v.asset = day, asset
	}
	v.amount = saturated(v.amount, amount)
}

func saturated(a, b money.Amount) money.Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	return money.MaxAmount
}

// flush puts what is counted aside where it belongs.
func (v *volumes) flush() {
	if v.amount != 0 {
		at := v.of(v.asset).at(v.day)
		*at = saturated(*at, v.amount)
		v.amount = 0
	}
}

// of returns the ring of an asset, making it.
func (v *volumes) of(asset ledger.AssetID) *assetVolumes {
	for i := range v.past {
		if v.past[i].asset == asset {
			return &v.past[i]
		}
	}
	v.past = append(v.past, assetVolumes{asset: asset})
	return &v.past[len(v.past)-1]
}

// at returns the place of a day that is at most as many days before the newest
// as the ring has, and makes it the newest if it is later.
func (a *assetVolumes) at(day int64) *money.Amount {
	length := int64(len(a.days))
	if day > a.newest {
		for d := max(a.newest+1, day-length+1); d <= day; d++ {
			a.days[d%length] = 0
		}
		a.newest = day
	}
	return &a.days[day%length]
}

// get returns what was traded at a day, zero when the ring does not reach there.
func (a *assetVolumes) get(day int64) money.Amount {
	if day > a.newest || day <= a.newest-int64(len(a.days)) || day < 0 {
		return 0
	}
	return a.days[day%int64(len(a.days))]
}

// at is what was traded in an asset at a day.
func (v *volumes) at(asset ledger.AssetID, day int64) (sum money.Amount) {
	for i := range v.past {
		if v.past[i].asset == asset {
			sum = v.past[i].get(day)
		}
	}
	if v.asset == asset && v.day == day {
		sum = saturated(sum, v.amount)
	}
	return sum
}

// before is what was traded in the days that decide on the fees of a day.
func (v *volumes) before(asset ledger.AssetID, today int64) (sum money.Amount) {
	for day := today - volumeDays; day < today; day++ {
		sum = saturated(sum, v.at(asset, day))
	}
	return sum
}

// takeBack subtracts from a day what a bust takes back, as far as it is there
// and still decides on anything.
func (v *volumes) takeBack(asset ledger.AssetID, day, today int64, amount money.Amount) {
	if day > today || day < today-volumeDays {
		return
	}
	v.flush()
	left := max(v.at(asset, day)-amount, 0)
	*v.of(asset).at(day) = left
}

func (s *State) volumeBefore(place uint32, asset ledger.AssetID, today int64) money.Amount {
	if place == 0 {
		return 0
	}
	return s.members.at(place).volumes.before(asset, today)
}

// rate is how many orders a member placed or amended in a second.
type rate struct {
	second int64
	placed int64
}

func secondOf(t Time) int64 { return int64(t) / 1e9 }

func (r *rate) count(now Time) {
	second := secondOf(now)
	if r.second != second {
		r.second, r.placed = second, 0
	}
	r.placed++
}

// at is how many were placed in the second of a time.
func (r *rate) at(now Time) int64 {
	if r.second != secondOf(now) {
		return 0
	}
	return r.placed
}
