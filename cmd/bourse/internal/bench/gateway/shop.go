package gateway

import (
	"maps"
	"net/http"
	"time"
)

// Shop is the shop for who wants to do something else with it than measure: its subgraphs as one handler, each at the path of its name.
type Shop struct{ *subgraphs }

// NewShop makes it, with an event on each stream every so often. root is what the root has beside, whatever the subgraph.
func NewShop(every time.Duration, root map[string]any) Shop {
	s := &subgraphs{shop: newShop()}
	maps.Copy(s.shop.root, root)
	s.events = &events{shop: s.shop, every: every}
	return Shop{s}
}

// ServeHTTP implements http.Handler.
func (s Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.subgraphs.ServeHTTP(w, r) }

// Answer is what a router over the whole shop has to answer.
func (s Shop) Answer(query string, variables map[string]any) ([]byte, error) {
	return s.shop.answer(query, variables)
}

// End ends all streams.
func (s Shop) End() { s.events.stop() }

// Schemas are those of the shop's subgraphs, by name.
func Schemas() map[string]string { return maps.Clone(schemas) }

// BigOperation asks all of them.
const BigOperation = bigOperation

// SameJSON says whether two texts are the same value, whatever the order of fields.
func SameJSON(a, b []byte) bool { return sameJSON(a, b) }
