// Package draw draws random sets of subgraphs, and operations on what they compose to, out of a seed.
//
//	seed ─ domain ─ spread over subgraphs ─ directives laid over ─► SDL of each subgraph
//	seed, client's schema ─► operation, variables
//
// Most graphs compose and nearly all operations are valid; the caller counts the rest. Graph.Features says what is in a graph, so
// that a test can insist that everything has been tried. The same seed gives the same graph and the same operation.
//
// It knows nothing of composing, planning or data.
package draw
