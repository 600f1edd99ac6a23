// Package subscribe follows subscriptions at subgraphs and shares them among those who ask for the same.
//
//	                                       Hub: a topic for each key
//	subgraph ── Source ──▶ bounded queue ──▶ complete ──▶ Receiver, Receiver, Receiver …
//
// One goroutine for each upstream subscription reads as fast as events come; what waits to be completed is bounded in number and bytes.
// Past the bound the subscription ends with ErrLagged, after what was already waiting, so that nobody is shown a stream with a hole in it;
// or, by option, the oldest are dropped and the next event says how many.
//
// A second goroutine completes an event, once for all, hands it to every receiver, and only then completes the next: executions do not
// overlap, so that what an event takes from other subgraphs is never older than what the one before it took, and events are in order for
// everybody. Receivers never block, so none waits for another.
//
// The package does not look into responses and does not know who receives them.
package subscribe
