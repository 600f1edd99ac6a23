// Package remote is how processes that share one journal talk: the one that leads, and those that
// follow. It is the protocol alone, as two state machines that are given messages and the time and
// give back messages and verdicts; they start no goroutine, read no clock and know no transport, so
// that a simulation can drive them step by step.
//
//	follower                                       leader of epoch e
//	────────                                       ─────────────────
//	Client ── Hello ─────────────────────────────▶ Server    there is somebody to tell
//	       ◀───────────────────────── Beat{e,head} ──        I lead, the journal ends at head
//	       ◀──────────────────── Committed{batch} ──         what was just made durable
//	Submit ── Ask{number,attempt,e,deadline} ─────▶          at most one execution, and only by e
//	       ◀────────────── Answer{number,attempt,e} ──       receipt, refusal, or how it failed
//
// Messages may be lost, doubled, delayed and reordered. Nothing that matters hangs on them:
//
//   - What was committed is in the journal. A follower takes a batch from here when it fits the hash
//     chain and otherwise reads the journal; Tail says when.
//   - A command has a client key, so that asking twice has one effect. A follower asks again by
//     itself until the deadline: after a silence, and of every new leader.
//   - An Ask is addressed to one epoch and one deadline; no other leader and no later moment executes
//     it. A leader remembers until then what it answered, and does not do again what it refused as
//     UNAVAILABLE. Hence a sender that is told UNAVAILABLE by everyone it asked knows that nothing
//     happened. One who is not has to say OUTCOME_UNKNOWN.
//
// It deliberately does not know how a leader is chosen: that is the journal's business.
package remote
