// Package housetest opens a house for a test: a real exchange on a real database with an admin, two
// agents, three members and a market, and a client that asks a subgraph as the router would.
//
// It deliberately does not know which subgraph is under test.
package housetest
