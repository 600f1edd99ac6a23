package venue

import (
	"math"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// rules is what the house has set about members, groups, agents and fees.
type rules struct {
	agents map[account.ID]*agent
	limits map[limitKey]*risk.Limits
	fees   map[feeKey][]market.FeeTier

	general int    // entries that bind everybody, whatever its profile
	version uint64 // counts changes that bind more than one member; never 0
}

type agent struct {
	parent account.ID
	plan   *commission.Plan // not to be changed
}

type limitKey struct {
	scope  risk.Scope
	id     uint64
	market MarketID // 0 for all
}

type feeKey struct {
	market MarketID
	group  uint32 // 0 for all
}

func newRules() rules {
	return rules{
		agents:  make(map[account.ID]*agent),
		limits:  make(map[limitKey]*risk.Limits),
		fees:    make(map[feeKey][]market.FeeTier),
		version: 1,
	}
}

// standing is what binds a member in a market, worked out from the rules, the
// member's profile and what it traded before today. It is derived: no digest
// knows it.
type standing struct {
	limits       risk.Limits
	maker, taker money.Rate
	chain        []commission.Link // from the member's agent up
	freeze       risk.Freeze
	market       MarketID
	day          int64 // for which the rates were found, or everyDay
}

const everyDay = math.MinInt64

// stand is what the venue keeps of a member's standings.
type stand struct {
	profile  *Profile    // nil when nothing was set; not to be changed
	own      int         // entries of limits of the member itself
	resolved uint64      // version of the rules that the rest was worked out for
	plain    bool        // nothing binds the member that does not bind everybody by default
	markets  []*standing // the one that was looked up last comes first
}

// plain is the standing in a market of a member about whom nothing was set, as
// long as nothing was set about everybody.
func (m *venueMarket) plainStanding() standing {
	return standing{
		limits: risk.Limits{OpenOrders: risk.DefaultOpenOrders},
		maker:  m.terms.MakerFee, taker: m.terms.TakerFee, market: m.id, day: everyDay,
	}
}

// standing returns what binds a member, by its place, in a market at a time. It
// is worked out once for each change that concerns the member.
func (s *State) standing(place uint32, m *venueMarket, now Time) *standing {
	st := &s.members.at(place).stand
	if st.plain && st.resolved == s.rules.version {
		return &m.plain
	}
	return s.lookUp(place, m, now)
}

func (s *State) lookUp(place uint32, m *venueMarket, now Time) *standing {
	st := &s.members.at(place).stand
	if st.resolved != s.rules.version {
		st.resolved, st.markets = s.rules.version, nil
		st.plain = st.profile == nil && st.own == 0 && s.rules.general == 0
		if st.plain {
			return &m.plain
		}
	}
	today := dayOf(now)
	for i, known := range st.markets {
		if known.market != m.id {
			continue
		}
		if known.day != everyDay && known.day != today {
			*known = s.resolve(place, m, today)
		}
		st.markets[0], st.markets[i] = known, st.markets[0]
		return known
	}
	fresh := s.resolve(place, m, today)
	st.markets = append(st.markets, &fresh)
	return &fresh
}

// forget has a member's standings worked out anew.
func (s *State) forget(place uint32) { s.members.at(place).stand.resolved = 0 }

// resolve works out a standing. It changes nothing.
func (s *State) resolve(place uint32, m *venueMarket, today int64) standing {
	member := s.members.at(place)
	var p Profile
	if member.stand.profile != nil {
		p = *member.stand.profile
	}
	out := standing{market: m.id, freeze: p.Freeze, chain: s.chain(p.Agent, m.definition.Symbol, p.Group)}
	out.limits = s.limitsOf(member.id, &p, m.id, out.chain)
	out.maker, out.taker, out.day = s.rates(place, &p, m, today)
	return out
}

// chain is the agents from one up, with what their plans say.
func (s *State) chain(from account.ID, symbol market.Symbol, group uint32) (chain []commission.Link) {
	for id := from; id != 0 && len(chain) < account.MaxTreeDepth; {
		a := s.rules.agents[id]
		if a == nil {
			break
		}
		chain = append(chain, commission.Link{Agent: id, Rate: a.plan.Rate(symbol, group)})
		id = a.parent
	}
	return chain
}

func (s *State) limitsOf(id account.ID, p *Profile, m MarketID, chain []commission.Link) risk.Limits {
	entry := func(scope risk.Scope, id uint64, m MarketID) *risk.Limits {
		return s.rules.limits[limitKey{scope, id, m}]
	}
	var own []*risk.Limits
	for _, m := range [...]MarketID{m, 0} {
		own = append(own, entry(risk.OfMember, uint64(id), m))
		if p.Group != 0 {
			own = append(own, entry(risk.OfGroup, uint64(p.Group), m))
		}
		own = append(own, entry(risk.OfHouse, 0, m))
	}
	above := make([][2]*risk.Limits, len(chain))
	for i, link := range chain {
		above[i] = [2]*risk.Limits{entry(risk.OfAgent, uint64(link.Agent), m), entry(risk.OfAgent, uint64(link.Agent), 0)}
	}
	return risk.Resolve(own, above)
}

// rates are those of the schedule for the member's group, else of that for all,
// else of the market.
func (s *State) rates(place uint32, p *Profile, m *venueMarket, today int64) (maker, taker money.Rate, day int64) {
	tiers := s.rules.fees[feeKey{m.id, p.Group}]
	if len(tiers) == 0 {
		tiers = s.rules.fees[feeKey{m.id, 0}]
	}
	if len(tiers) == 0 {
		return m.terms.MakerFee, m.terms.TakerFee, everyDay
	}
	day = everyDay
	if len(tiers) > 1 {
		day = today
	}
	tier := market.Tier(tiers, s.volumeBefore(place, m.quote, today))
	return tier.Maker, tier.Taker, day
}

// Standing is what binds a member in a market.
type Standing struct {
	Profile   Profile
	Limits    risk.Limits
	MakerRate money.Rate
	TakerRate money.Rate
	// Volume is what the member traded, in minor units of the market's quote
	// asset, in the 30 days before that of the last command.
	Volume money.Amount
	// Agents are those above the member, its own first.
	Agents []commission.Link
}

// Standing returns what binds a member in a market at the time of the last
// command; false when there is no such market.
func (s *State) Standing(id account.ID, symbol market.Symbol) (Standing, bool) {
	m, ok := s.bySymbol[symbol]
	if !ok {
		return Standing{}, false
	}
	place, today := s.members.find(id), dayOf(s.time)
	if place == 0 {
		var none Profile
		maker, taker, _ := s.rates(0, &none, m, today)
		return Standing{Limits: s.limitsOf(id, &none, m.id, nil), MakerRate: maker, TakerRate: taker}, true
	}
	st := s.resolve(place, m, today)
	out := Standing{
		Limits: st.limits, MakerRate: st.maker, TakerRate: st.taker, Agents: st.chain,
		Volume: s.volumeBefore(place, m.quote, today),
	}
	out.Profile, _ = s.Profile(id)
	return out, true
}

// Profile returns what the house has set about a member; false when nothing was.
func (s *State) Profile(id account.ID) (Profile, bool) {
	place := s.members.find(id)
	if place == 0 || s.members.at(place).stand.profile == nil {
		return Profile{}, false
	}
	return *s.members.at(place).stand.profile, true
}

// Agent returns the agent above an agent, 0 for none, and its plan, which is not
// to be changed; false when there is no such agent.
func (s *State) Agent(id account.ID) (parent account.ID, plan *commission.Plan, ok bool) {
	a := s.rules.agents[id]
	if a == nil {
		return 0, nil, false
	}
	return a.parent, a.plan, true
}

// Limits returns what was set for a scope in a market, or in all when the symbol
// is empty; false when nothing was.
func (s *State) Limits(scope risk.Scope, id uint64, symbol market.Symbol) (risk.Limits, bool) {
	key := limitKey{scope: scope, id: id}
	if symbol != "" {
		m, ok := s.bySymbol[symbol]
		if !ok {
			return risk.Limits{}, false
		}
		key.market = m.id
	}
	l := s.rules.limits[key]
	if l == nil {
		return risk.Limits{}, false
	}
	return *l, true
}

// Fees returns the schedule of a market for a group, or for all when that is 0;
// nil when there is none. It is not to be changed.
func (s *State) Fees(symbol market.Symbol, group uint32) []market.FeeTier {
	m, ok := s.bySymbol[symbol]
	if !ok {
		return nil
	}
	return s.rules.fees[feeKey{m.id, group}]
}
