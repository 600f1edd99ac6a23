package traffic

// Options of the traffic to subgraphs. The zero value shares and bounds nothing.
type Options struct {
	// ShareOperations executes equal queries that are under way once: same plan, variables, forwarded headers and identity. It is for
	// routers whose answers depend on nothing else: on no hook that looks at more of the request.
	ShareOperations bool
	// ShareFetches sends equal fetches of queries that are under way once.
	ShareFetches bool
	MaxFollowers int // who may wait for one of either; default 10,000
}

// Before puts what is asked for before a fetcher.
func (o Options) Before(f Fetcher) Fetcher {
	if o.ShareFetches {
		f = NewFetches(f, o.MaxFollowers)
	}
	return f
}
