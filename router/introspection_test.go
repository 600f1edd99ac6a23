package router_test

import (
	"testing"

	"bourse/router"
)

func TestIntrospectionBesideFields(t *testing.T) {
	h := openHouse(t, router.Options{Introspection: true}, true)
	_, got := h.post(t, query(`{ __schema { queryType { name } } market(symbol: "BTC") { __typename symbol } }`))
	same(t, got, `{"data":{"__schema":{"queryType":{"name":"Query"}},"market":{"__typename":"Market","symbol":"BTC"}}}`)
}

// The fragments of the usual introspection query stand on types of introspection.
func TestIntrospectionThroughFragments(t *testing.T) {
	h := openHouse(t, router.Options{Introspection: true}, true)
	_, got := h.post(t, query(`{ __type(name: "Market") { ...Fields } } fragment Fields on __Type { fields(includeDeprecated: true) { name } }`))
	same(t, got, `{"data":{"__type":{"fields":[{"name":"symbol"},{"name":"name"},{"name":"volume"},{"name":"headline"}]}}}`)
}
