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
