package gateway

import (
	"bourse/router/compose"
)

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@requires", "@external", "@shareable", "@provides"])
`

// schemas are the shop's four subgraphs, by name.
var schemas = map[string]string{
	"accounts": link + `
type Query { users: [User!]! }
type User @key(fields: "id") { id: ID! name: String! username: String @shareable }`,
	"products": link + `
type Query { topProducts(first: Int = 5): [Product!]! }
type Product @key(fields: "upc") { upc: ID! name: String! price: Int! weight: Int! }`,
	"reviews": link + `
type Review @key(fields: "id") { id: ID! body: String! author: User! @provides(fields: "username") product: Product! }
type User @key(fields: "id") { id: ID! username: String @external reviews: [Review!]! }
type Product @key(fields: "upc") { upc: ID! reviews: [Review!]! }
type Subscription { reviewed(topic: String = "all"): Review! }`,
	"inventory": link + `
type Product @key(fields: "upc") {
  upc: ID! price: Int! @external weight: Int! @external inStock: Boolean! shippingEstimate: Int @requires(fields: "price weight")
}`,
}

// supergraph composes the shop with its subgraphs at an address.
func supergraph(address string) (string, error) {
	var subgraphs []compose.Subgraph
	for _, name := range []string{"accounts", "inventory", "products", "reviews"} {
		subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: "http://" + address + "/" + name, SDL: schemas[name]})
	}
	composed, err := compose.Compose(subgraphs, compose.Options{})
	if err != nil {
		return "", err
	}
	return composed.SupergraphSDL, nil
}

// The operations. Big asks all four subgraphs for an answer of 87 kB, small one of them for 281 bytes.
const (
	bigOperation = `query Big {
  users { ...user reviews { ...review product { ...product reviews { ...review author { ...user reviews { ...review product { ...product } } } } } } }
  topProducts { ...product reviews { ...review author { ...user reviews { ...review product { ...product } } } } }
}
fragment user on User { id name username }
fragment review on Review { id body }
fragment product on Product { upc name price weight inStock shippingEstimate }
`
	smallOperation = `{ topProducts(first: 5) { upc name price } }`
)

// call is a request to a subgraph.
type call struct {
	Subgraph string
	Body     string
}

// floorCalls are the subgraph requests that a good plan makes, in waves: seven for the big operation, one for the small one.
var floorCalls = map[string][][]call{
	bigOperation: {
		{{"accounts", `{"query":"{users{id name username}}"}`}, {"products", `{"query":"{topProducts{upc name price weight}}"}`}},
		{
			{"reviews", `{"query":"query($p:[_Any!]!,$u:[_Any!]!){p:_entities(representations:$p){...on Product{reviews{id body author{id username reviews{id body product{upc}}}}}} ` +
				`u:_entities(representations:$u){...on User{reviews{id body product{upc reviews{id body author{id username reviews{id body product{upc}}}}}}}}}","variables":{` +
				`"p":[{"__typename":"Product","upc":"p1"},{"__typename":"Product","upc":"p2"},{"__typename":"Product","upc":"p3"},{"__typename":"Product","upc":"p4"},{"__typename":"Product","upc":"p5"}],` +
				`"u":[{"__typename":"User","id":"u1"},{"__typename":"User","id":"u2"},{"__typename":"User","id":"u3"},{"__typename":"User","id":"u4"},{"__typename":"User","id":"u5"},{"__typename":"User","id":"u6"}]}}`},
			{"inventory", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{inStock shippingEstimate}}}","variables":{` +
				`"r":[{"__typename":"Product","upc":"p1","price":1150,"weight":340},{"__typename":"Product","upc":"p2","price":1300,"weight":380}]}}`},
		},
		{
			{"products", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{name price weight}}}","variables":{"r":[{"__typename":"Product","upc":"p6"}]}}`},
			{"accounts", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on User{name}}}","variables":{"r":[{"__typename":"User","id":"u1"}]}}`},
		},
		{{"inventory", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{inStock shippingEstimate}}}","variables":{"r":[{"__typename":"Product","upc":"p6","price":1900,"weight":540}]}}`}},
	},
	smallOperation: {{{"products", `{"query":"{topProducts(first:5){upc name price}}"}`}}},
}
