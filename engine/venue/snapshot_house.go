package venue

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// appendHouse writes what the house set and moved, and what runs along with
// trading: volumes and rates, as far as they still decide on anything.
func (s *State) appendHouse(dst []byte) []byte {
	dst = s.appendRareBalances(dst)
	dst = s.appendAgents(dst)
	dst = s.appendRules(dst)
	dst = s.appendMembers(dst)
	dst = appendIDs(dst, s.transfers.used)
	pending := s.PendingTransfers()
	dst = appendNumbers(dst, uint64(len(pending)))
	for i := range pending {
		dst = appendTransfer(dst, &pending[i])
	}
	return appendIDs(dst, s.busted)
}

func (s *State) restoreHouse(r *reader) {
	s.restoreRareBalances(r)
	s.restoreAgents(r)
	s.restoreRules(r)
	s.restoreMembers(r)
	r.ids(s.transfers.used)
	for n := r.bounded(MaxPendingTransfers); n > 0 && r.err == nil; n-- {
		t := r.transfer()
		if r.err == nil && (!s.fits(&t) || t.transit().Owner == 0 || !s.transfers.used.has(t.ID) || s.transfers.pending[t.ID] != nil) {
			r.fail("a pending transfer is malformed")
			return
		}
		s.transfers.add(&t)
	}
	r.ids(s.busted)
}

func appendIDs(dst []byte, ids idSet) []byte {
	dst = appendNumbers(dst, uint64(len(ids)))
	for _, w := range slices.Sorted(maps.Keys(ids)) {
		dst = appendNumbers(dst, w, ids[w])
	}
	return dst
}

func (r *reader) ids(into idSet) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		w := r.number()
		into[w] = r.number()
	}
}

func (s *State) appendRareBalances(dst []byte) []byte {
	for i := range s.assets {
		dst = binary.AppendVarint(dst, int64(s.ledger.House(ledger.Adjustments, ledger.AssetID(i+1))))
	}
	positions := s.ledger.RarePositions()
	dst = appendNumbers(dst, uint64(len(positions)))
	for _, p := range positions {
		dst = appendAccount(appendNumbers(dst, uint64(p.Asset)), p.Account)
		dst = binary.AppendVarint(dst, int64(s.ledger.Of(p.Account, p.Asset)))
	}
	lines := s.ledger.CreditLines()
	dst = appendNumbers(dst, uint64(len(lines)))
	for _, l := range lines {
		dst = appendNumbers(dst, uint64(l.Owner), uint64(l.Asset), uint64(l.Amount))
	}
	return dst
}

func (s *State) restoreRareBalances(r *reader) {
	for i := range s.assets {
		s.ledger.RestoreOf(ledger.Position{Account: ledger.Account{Kind: ledger.Adjustments}, Asset: ledger.AssetID(i + 1)}, r.signed())
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		p := ledger.Position{Asset: r.assetID(), Account: r.account()}
		balance := r.signed()
		if _, known := s.Asset(p.Asset); !known || p.Account.Owner == 0 ||
			p.Account.Kind != ledger.Commission && p.Account.Kind != ledger.Transit {
			r.fail("a balance is of no account")
			return
		}
		s.ledger.RestoreOf(p, balance)
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner, asset, amount := account.ID(r.number()), r.assetID(), r.amount()
		if _, known := s.Asset(asset); !known || amount == 0 || s.ledger.SetCredit(owner, asset, amount) != nil {
			r.fail("a credit line is out of range")
			return
		}
	}
}

// appendAgents writes agents by id, each with the id of the one above, which may
// stand behind it.
func (s *State) appendAgents(dst []byte) []byte {
	dst = appendNumbers(dst, uint64(len(s.rules.agents)))
	for _, id := range slices.Sorted(maps.Keys(s.rules.agents)) {
		a := s.rules.agents[id]
		dst = appendPlan(appendNumbers(dst, uint64(id), uint64(a.parent)), a.plan)
	}
	return dst
}

func (s *State) restoreAgents(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		id := account.ID(r.number())
		s.rules.agents[id] = &agent{account.ID(r.number()), r.plan()}
	}
}

func (s *State) appendRules(dst []byte) []byte {
	limits := slices.SortedFunc(maps.Keys(s.rules.limits), func(a, b limitKey) int {
		return cmp.Or(cmp.Compare(a.scope, b.scope), cmp.Compare(a.id, b.id), cmp.Compare(a.market, b.market))
	})
	dst = appendNumbers(dst, uint64(len(limits)))
	for _, key := range limits {
		dst = appendNumbers(append(dst, byte(key.scope)), key.id, uint64(key.market))
		dst = appendLimits(dst, s.rules.limits[key])
	}
	fees := slices.SortedFunc(maps.Keys(s.rules.fees), func(a, b feeKey) int {
		return cmp.Or(cmp.Compare(a.market, b.market), cmp.Compare(a.group, b.group))
	})
	dst = appendNumbers(dst, uint64(len(fees)))
	for _, key := range fees {
		dst = appendTiers(appendNumbers(dst, uint64(key.market), uint64(key.group)), s.rules.fees[key])
	}
	return dst
}

func (s *State) restoreRules(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		key := limitKey{risk.Scope(r.byte()), r.number(), r.marketID()}
		limits := r.limits()
		if r.err != nil || validScope(key.scope, key.id) != nil || limits.Validate(key.market != 0) != nil ||
			key.market != 0 && s.market(key.market) == nil || limits == (risk.Limits{}) {
			r.fail("limits are out of range")
			return
		}
		s.setLimits(key, &limits)
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		key := feeKey{r.marketID(), r.group()}
		tiers := r.tiers()
		if r.err != nil || s.market(key.market) == nil || len(tiers) == 0 || market.ValidateFees(tiers) != nil {
			r.fail("a schedule is out of order")
			return
		}
		s.setFees(key, tiers)
	}
}

// What a member's section holds.
const (
	hasProfile = 1 << iota
	hasRate
	hasVolumes
)

// appendMembers writes, by id, the members about whom there is something to say.
func (s *State) appendMembers(dst []byte) []byte {
	type entry struct {
		id      account.ID
		section []byte
	}
	var entries []entry
	for place := 1; place < len(s.members.list); place++ {
		if section := s.memberSection(s.members.at(uint32(place))); section != nil {
			entries = append(entries, entry{s.members.at(uint32(place)).id, section})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	dst = appendNumbers(dst, uint64(len(entries)))
	for _, e := range entries {
		dst = append(appendNumbers(dst, uint64(e.id)), e.section...)
	}
	return dst
}

func (s *State) memberSection(m *member) []byte {
	section, what := []byte{0}, byte(0)
	if m.stand.profile != nil {
		what |= hasProfile
		section = appendProfile(section, m.stand.profile)
	}
	if placed := m.rate.at(s.time); placed != 0 {
		what |= hasRate
		section = appendNumbers(section, uint64(placed))
	}
	if days := m.volumes.list(dayOf(s.time)); len(days) > 0 {
		what |= hasVolumes
		section = appendNumbers(section, uint64(len(days)))
		for _, d := range days {
			section = appendNumbers(section, uint64(d.asset), uint64(d.day), uint64(d.amount))
		}
	}
	if what == 0 {
		return nil
	}
	section[0] = what
	return section
}

type dayVolume struct {
	asset  ledger.AssetID
	day    int64
	amount money.Amount
}

// list returns what decides on the fees of today or of days to come, by asset
// and day.
func (v *volumes) list(today int64) (days []dayVolume) {
	assets := make([]ledger.AssetID, 0, len(v.past)+1)
	for i := range v.past {
		assets = append(assets, v.past[i].asset)
	}
	if v.amount != 0 {
		assets = append(assets, v.asset)
	}
	slices.Sort(assets)
	for _, asset := range slices.Compact(assets) {
		for day := today - volumeDays; day <= today; day++ {
			if amount := v.at(asset, day); amount != 0 {
				days = append(days, dayVolume{asset, day, amount})
			}
		}
	}
	return days
}

func (s *State) restoreMembers(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		id, what := account.ID(r.number()), r.byte()
		if id == 0 || what == 0 || what > hasProfile|hasRate|hasVolumes {
			r.fail("a member is malformed")
			return
		}
		place := s.members.take(id)
		if what&hasProfile != 0 {
			p := r.profile()
			s.setProfile(id, &p)
		}
		if what&hasRate != 0 {
			s.members.at(place).rate = rate{secondOf(s.time), int64(r.amount())}
		}
		if what&hasVolumes != 0 {
			s.restoreVolumes(r, &s.members.at(place).volumes)
		}
	}
}

func (s *State) restoreVolumes(r *reader, v *volumes) {
	today := dayOf(s.time)
	last := dayVolume{day: -1}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		d := dayVolume{r.assetID(), int64(r.amount()), r.amount()}
		if r.err != nil || d.amount == 0 || d.day > today || d.day < today-volumeDays ||
			d.asset < last.asset || d.asset == last.asset && d.day <= last.day {
			r.fail("volumes are out of order")
			return
		}
		*v.of(d.asset).at(d.day) = d.amount
		last = d
	}
}
