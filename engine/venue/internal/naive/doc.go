// Package naive is a second venue, written from docs/trading-rules.md alone and
// for clarity alone, so that the real one can be compared with it.
//
//	section of the page           file
//	0 commands                    venue.go, house.go
//	1 orders                      placing.go
//	2 matching                    matching.go, amending.go, cancelling.go
//	3 what is held                holding.go, fees.go
//	4 self-trade prevention       matching.go
//	5 stops and groups            stops.go, groups.go
//	6 phases                      phases.go, uncrossing.go
//	7 bands and breaker           bands.go
//	8 risk                        risk.go, limits.go
//	9 money                       ledger.go, transfers.go, commission.go, busts.go
//	10 time                       steps.go
//
// It keeps orders in one slice and finds everything by looking at all of them.
// It deliberately knows nothing of the real venue's ways: no index, no queue
// beside those that the page speaks of, no events that could be folded. Every
// command changes the state directly, after all that could refuse it.
//
// Only tests may import it.
package naive
