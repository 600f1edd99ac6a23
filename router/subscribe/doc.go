// Package subscribe follows subscriptions at subgraphs.
//
//	subgraph ── server-sent events ──▶ decoder ──▶ bounded queue ──▶ Next
//
// One goroutine for each subscription reads the subgraph's stream as fast as it comes; the consumer takes events at its own pace. What the
// consumer leaves waiting is bounded in number and bytes: past the bound the subscription ends with ErrLagged, after what was already
// waiting, so that nobody is shown a stream with a hole in it.
//
// The protocol is that of distinct connections over server-sent events: one request, events named next with a response as data, and
// complete at the end. The package does not look into responses and does not know who consumes them.
package subscribe
