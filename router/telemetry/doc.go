// Package telemetry is how an operator learns what the router does: traces, metrics, logs, a record of use, and timings for those who may
// see them.
//
//	Begin ─ Operation ─┬─ Prepared: which document, which plan, how long it took to find them
//	                   ├─ Fetch … Done, one for each request to a subgraph
//	                   └─ End(Record) ─▶ span · metrics · access log · slow log · usage
//
// One Telemetry serves a process and outlives reloads of what it watches. Everything above reports to it, so it stands on a low floor and
// knows neither plans nor protocols nor subgraphs: a subgraph is a name, a plan is something that can be printed.
//
// A nil *Telemetry, *Operation or *Fetch takes every report and does nothing, so that nobody who reports needs to ask whether anyone
// listens. What leaves the process (spans) does so behind a bounded queue: a collector that is away costs what the queue holds and nothing
// else. Variables, headers and answers are not kept, but for what the operator names.
package telemetry
