package traffic

import "time"

// Options of the traffic to subgraphs. The zero value shares and bounds nothing.
type Options struct {
	// ShareOperations executes equal queries that are under way once: same plan, variables, forwarded headers and identity. It is for
	// routers whose answers depend on nothing else: on no hook that looks at more of the request.
	ShareOperations bool
	// ShareFetches sends equal fetches of queries that are under way once.
	ShareFetches bool
	MaxFollowers int // who may wait for one of either; default 10,000

	Rules     Rules            // for each subgraph
	Subgraphs map[string]Rules // instead of Rules, by the subgraph's name
	// OnState hears of breakers that open and close. It may be nil and must not block.
	OnState func(subgraph string, from, to State)
}

// RulesFor are the rules of one subgraph.
func (o Options) RulesFor(subgraph string) Rules {
	if r, ok := o.Subgraphs[subgraph]; ok {
		return r
	}
	return o.Rules
}

// Longest is the time that a fetcher with this limit, 0: its own, must allow so that no subgraph has less than its rules say.
func (o Options) Longest(limit time.Duration) time.Duration {
	longest := o.Rules.Timeout
	for _, r := range o.Subgraphs {
		longest = max(longest, r.Timeout)
	}
	if longest > 0 && limit <= 0 {
		limit = usualTimeout
	}
	return max(limit, longest)
}

// usualTimeout is what subgraphs without a rule have when the fetcher's own limit must be raised.
const usualTimeout = 30 * time.Second

// Guard puts the rules before a fetcher of these subgraphs, whose addresses are given by name; nil: there are no rules. The guard before, which
// may be nil, hands on what it knows, so that breakers that are open stay open: of subgraphs whose address and rules are the same.
func (o Options) Guard(f Fetcher, addresses map[string]string, before *Guard) *Guard {
	rules := map[string]Rules{}
	for name := range addresses {
		if r := o.RulesFor(name); !r.empty() {
			rules[name] = r
		}
	}
	if len(rules) == 0 {
		return nil
	}
	return newGuard(f, rules, o.OnState, addresses, before)
}

// Timely puts before a fetcher what makes its errors speak of time, where that was over for the last who waited for something shared.
func (o Options) Timely(f Fetcher) Fetcher {
	if o.ShareOperations || o.ShareFetches {
		return &timely{f}
	}
	return f
}

// Share puts the sharing of fetches before a fetcher where it is asked for.
func (o Options) Share(f Fetcher) Fetcher {
	if o.ShareFetches {
		return NewFetches(f, o.MaxFollowers)
	}
	return f
}
