// Package plan turns a validated operation into an immutable query plan: which
// subgraph is asked for what, in which order, and how the answers fit together.
//
// It does no I/O, reads no variable values (conditions and variables stay in
// the plan for run time) and never imports the executor.
package plan
