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
// It is for tests; it knows nothing of plans. Package draw draws graphs, and operations on them, out of a seed;
// TestRandomGraphs of router/execute puts the two together, and makes a fixture of what fails.
//
// What such a test is worth shows when something is broken on purpose. Planted one at a time, each of these was caught, after so many random
// operations:
//
//	planner   what is external counts as at hand                              6
//	planner   @provides counts everywhere below the type                     25
//	planner   a @requires field is taken where the object is                 25
//	planner   an interface knows all types everywhere                        54
//	planner   @skip and @include are the other way round                      5
//	planner   fields of other shape share an alias                          239
//	planner   the types of stubs of an interface are taken for known        871
//	planner   a required field takes the place of one with arguments      1,053
//	planner   representations of stubs need not be alike                  7,869
//	planner   a key that does not resolve is entered by                   8,478
//	loader    labels of @override are not looked at                         174
//	loader    what @override takes away is still answered                   342
//	executor  an empty list by default is sent as null                       71
//	executor  all objects of a type count as one representation              83
//	executor  hidden enum values are shown                                  136
//	executor  null may stand in a list of what is not null                  618
package oracle
