// Package venue is the deterministic heart of the exchange: a state machine
// that takes commands and answers with events.
//
//	command ── decide ──▶ events ── fold ──▶ state
//	   │                    │
//	   ▼                    ▼
//	refusal             journal, feed, projections
//
// Deciding reads the state and changes nothing; folding applies an event and
// decides nothing. Apply does both, replay folds alone, so a state rebuilt from
// the events is the same state: the same digest, on any machine.
//
// Books, balances, holds, receipts and ids all live here. There is no I/O, no
// clock, no chance and no goroutine: commands and the time come from outside.
// A State is not safe for concurrent use, except that its reads change nothing
// and may run side by side while nothing is applied or folded.
package venue
