// Package traffic keeps what the router asks of subgraphs within bounds, and asks what is equal only once.
//
//	operations ─▶ Operations: equal queries under way are executed once
//	                  │
//	              execute ─▶ Fetches: equal fetches under way are sent once
//	                             │
//	                         Guard, for each subgraph:
//	                             retry and hedge ─▶ breaker ─▶ concurrency ─▶ timeout ─▶ the fetcher below
//
// Each is there only when it is asked for; what is off costs nothing. The package knows nothing of GraphQL beyond that queries may be
// repeated and mutations may not, and it keeps nothing: what outlives a request is the entity cache's.
//
// # What is shared
//
// Work is equal when its bytes are: the plan and the variables, or the subgraph and the request body; and with them every header
// that subgraphs see, and the client's identity. Hashes only find candidates. Who asks after a mutation of this router has ended
// never gets what was asked before: a client reads its own writes.
package traffic
