// Package router serves a supergraph over GraphQL: one http.Handler in front of any number of subgraphs.
//
//	request ─ serve ─ limits ─ lift ─ validate ─ access ─ plan ─┬─ execute ─ fetch ─▶ subgraphs
//	                                                            └─ subscribe ─ execute each event
//
// What was prepared once is kept: a known text needs only its variables checked, and a text that differs from a known one in its
// literals is neither validated nor planned again. Plans are kept apart by all that they depend on beside the operation: labels of
// progressive overrides, deferred delivery, and what the request may see.
//
// It is for any supergraph of the join specification, whoever composed it, and for any subgraphs that follow the federation
// specification; it knows nothing of what the graph is about. Package compose makes supergraphs.
package router
