// Package oracle is what federated answers are judged by: it serves one set of data both as one schema and as the subgraphs of a
// graph.
//
//	                       ┌─ One: the client's schema over all data ────────────► expected answer
//	subgraph SDL ─Read─► Graph ─ Data ─┤
//	                       └─ Serve: each subgraph with what is its own ─ router ─► answer to judge
//
// Read takes what each subgraph owns from its own SDL; neither package federation nor package compose has a hand in it, so that a
// fault of the loader or the composer shows as well as one of the planner. Derive writes the SDL of subgraphs that a
// hand-written supergraph could have come from.
//
// A subgraph here knows what its schema says and no more. An operation or variables that its schema does not allow it refuses; of
// a representation it insists on a resolvable key; a @requires field it computes from the representation alone; a field that is
// external there or taken over by another subgraph it answers wrongly unless @provides covers it; and a call in which nothing is
// asked of anything it refuses too. All of these are also noted as complaints (Subgraphs.Complaints), whatever the router
// makes of the answer.
//
// It is for tests; it knows nothing of plans.
package oracle
