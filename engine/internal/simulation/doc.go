// Package simulation is a world in which everything goes wrong, and in which the same seed always goes
// wrong in the same way. One scheduler owns time, storage, network and all chance; the parts that are
// tried are the house's own, driven step by step in one goroutine:
//
//	clients ──▶ process p1 ─┐  sequencer.Core, Publisher, View     ┌─▶ journal: synced records
//	  keep    ──▶ process p2 ─┼─ remote.Client, Server, Tail  ───────┼─▶ who leads, snapshots
//	  acks    ──▶ process p3 ─┘  feed.Hub, postgres.CatchUp           └─▶ tables of the projections
//	                 ▲    ▲            │                                        ▲
//	            crash, freeze,    lost, doubled, late,                 crash with a torn record,
//	            turned clock      overtaken, partitioned               full, slow, answer lost,
//	                                                                   lead dropped, snapshot spoilt
//
// After every step: what is acknowledged is on the disk with that receipt, and has one effect; who
// was told that nothing happened was told the truth; what any process shows is a prefix of the
// journal with the journal's digest, and does not go back; no batch of an older term lands after a
// newer one was taken; the chain verifies; balances, holds and books add up (venue.State.Check) on
// the disk after every command, on every view and on the venue that runs ahead; commands that were
// given in order to the leader take effect in order; a watch is a snapshot and then every batch, or
// an end with a reason; nobody who waits for a sequence is left waiting when it is shown; the
// projections are the fold of the postings up to their watermark, and nobody says that they have
// come further. Once faults stop, everybody has an answer and shows the same within a minute of
// virtual time, and replay of the journal alone, with snapshots and without, leads to the same digest.
//
// What is modelled, and not the house's own: the database (its log of records, its lock and row of
// the lead, the loss of what was committed without being synced), the network, and the rows of the
// projections, which here are balances alone. The real ones have tests of their own.
//
// A failure prints its seed, its step and the last lines of the story; `make sim SEED=...` tells the
// story again in full.
//
// The checks were themselves tried, by breaking the code on purpose. Within 300 seeds each of these
// was found, by the check named:
//
//	the core answers before the commit                 acknowledged and not on the disk
//	the store answers before the sync                  a view shows what is no prefix of the journal
//	the store forgets the fence                        a batch of an older term lands
//	memory that ran ahead survives a failed commit     resumed while it decides
//	a commit in doubt is told as "nothing happened"    had its effect, and its client was told otherwise
//	a failed batch is published all the same           what the disk gets does not follow
//	batches are published out of order                 committed events do not fold
//	keys are forgotten                                 two effects of one key
//	stamps follow a clock that goes back               a refusal with CLOCK_WENT_BACK
//	a torn record is kept                              the disk is broken
//	a follower takes batches without the chain         a view shows what is no prefix of the journal
//	the leader forgets whom it answered                had its effect, and its client was told otherwise
//	rows are written without looking at the watermark  the projections are not what the postings come to
//	a failed transaction moves the watermark           says that history has come further than it stands
//	a crash loses the watermark and not the rows       the projections are not what the postings come to
//	readers are not woken                              a reader waits for what is shown
//	a slow watcher loses messages unsaid               heard of a batch that does not follow
//
// Two were not found within 1,200 seeds: a leader that executes a doubled question again after it
// refused it as UNAVAILABLE, and one that forgets a doubt of its own. Both take a leader that
// refuses while it leads, and then a double that comes late. The property test of the protocol finds
// the second; nothing finds the first.
//
// To lead without reading what landed is refused by Core.Resume, and without that by the order of
// the journal: breaking one of them alone goes unnoticed, as it should.
package simulation
