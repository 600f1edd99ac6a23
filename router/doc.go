// Package router serves a supergraph over GraphQL: one http.Handler in front of any number of subgraphs.
//
//	request ─ serve ─ limits ─ validate ─ plan ─┬─ execute ─ fetch ─▶ subgraphs
//	                     (cached by text)       └─ subscribe ─ execute each event
//
// It is for any supergraph of the join specification, whoever composed it, and for any subgraphs that follow the federation
// specification; it knows nothing of what the graph is about. Package compose makes supergraphs.
package router
