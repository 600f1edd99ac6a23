// Package socket asks subgraphs for subscriptions over WebSockets: graphql-transport-ws, and the protocol before it, graphql-ws, that
// subscriptions-transport-ws brought about.
//
//	Stream ─┐                    ┌─▶ events of one subscription ─▶ its reader
//	Stream ─┼─▶ one connection ──┼─▶ …
//	Stream ─┘   for the subgraph └─▶ …
//	            and these headers
//
// All subscriptions of one subgraph with the same headers share a connection, which begins with the first of them and ends a while after the
// last. Each has a buffer of bounded size: one that is not read ends alone, the others go on. A connection that is lost ends what runs on it;
// the next subscription opens a new one.
//
// A stream reads as text/event-stream, in the form in which a subgraph sends it over HTTP, so that whoever follows subscriptions
// needs to know one form alone.
package socket
