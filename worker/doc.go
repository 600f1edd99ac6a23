// Package worker does what nobody waits for: it hands the exchange's job requests to a queue in
// Redis and runs what comes out of it.
//
//	PostgreSQL                      Redis (asynq)
//	outbox row ──take, leased──▶ task ──▶ handler ──done──▶ outbox row removed
//	    ▲                                    │
//	    └───────── lease over, not done ─────┘
//
// The row is the truth and the task only its shadow: a row goes when its job is done and not before,
// so that a Redis that forgets everything costs a lease's time and no job. Jobs may therefore run
// twice and must not mind.
//
// The package deliberately does not know what a job means to the house: a handler calls one method
// of the exchange.
package worker
