// Package gateway measures the router as a process of its own: what a query costs it, beside a program that does only the HTTP work of the
// same query.
//
//	load ──▶ router, or floor (a process on one core) ──▶ four subgraphs
//	└───────── this process, on the other cores ─────────────────┘
//
// The graph is a small shop: users write reviews of products, of which another subgraph knows the stock. Every answer of the measured process
// is compared with what the same data say served whole. Cost is processor time by the system's account, because requests per second depend on
// what else the machine does.
package gateway
