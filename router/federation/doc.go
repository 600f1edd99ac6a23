// Package federation reads a supergraph: the SDL that a composer writes with
// the directives of the join specification. Out of it come an immutable
// model of who resolves what (subgraphs, keys, field ownership) and the API
// schema that clients see.
//
//	supergraph SDL ──Load──► Supergraph ──API()──► schema for validation
//	                             └──Type/Field──► routing facts for the planner
//
// It knows nothing of operations, plans or the network.
package federation
