// Package rate bounds how often clients may ask.
//
//	request ─ rules that apply ─ keys ─▶ Store.Take, once for all of them ─▶ go on, or refuse with the time to wait
//
// Each rule is a generic cell rate algorithm: a client may spend Burst at once and gains Limit for each Per again. A Store keeps one time
// for each client of each rule, in Redis for several routers or in the memory of one. All rules of a request are asked in one round trip,
// and either all of them are charged or none.
//
// It knows clients by what is known of them before an operation runs, and nothing of what operations do. What tells clients apart is
// hashed: neither tokens nor addresses stand in Redis.
package rate
