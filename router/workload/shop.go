package workload

import (
	"fmt"
	"strings"
)

// Shop is a graph of four subgraphs, as a shop has them.
func Shop() []Subgraph {
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@shareable", "@provides"])
`
	return []Subgraph{
		{"accounts", link + `
type Query { me: User users(first: Int = 10): [User!]! }
type User @key(fields: "id") { id: ID! name: String! email: String tier: Tier! address: Address favourite: Product }
type Address { street: String city: String country: String }
type Product @key(fields: "sku", resolvable: false) { sku: ID! }
enum Tier { PLAIN GOLD }`},
		{"products", link + `
type Query { top(first: Int = 10): [Product!]! search(text: String!): [Found!]! }
type Product @key(fields: "sku") @key(fields: "id") { sku: ID! id: ID! title: String! price: Money! weight: Int brand: Brand! related: [Product!]! }
type Brand @key(fields: "name") { name: ID! country: String products: [Product!]! }
type Money @shareable { units: Int! currency: String! }
union Found = Product | Brand`},
		{"reviews", link + `
type Query { latest(first: Int = 10): [Review!]! }
type Review @key(fields: "id") { id: ID! stars: Int! body: String author: User! product: Product! }
type User @key(fields: "id") { id: ID! reviews(first: Int = 10): [Review!]! helpful: Int! }
type Product @key(fields: "sku") { sku: ID! reviews(first: Int = 10): [Review!]! score: Int }`},
		{"stock", link + `
type Product @key(fields: "id") { id: ID! weight: Int @external inStock: Int! shipping: Money @requires(fields: "weight") warehouses: [Warehouse!]! }
type Money @shareable { units: Int! currency: String! }
type Brand @key(fields: "name") { name: ID! stocked: Int! }
type Warehouse @key(fields: "code") { code: ID! city: String }`},
	}
}

// ShopOperation selects 60 fields of the Shop over all of its subgraphs.
const ShopOperation = `query Shop($first: Int = 5, $text: String!) {
  me { id name tier address { street city country } favourite { title price { units currency } inStock } }
  top(first: $first) {
    title price { units currency } score shipping { units currency } warehouses { code city }
    brand { name stocked }
    reviews(first: 3) { stars body author { name helpful } }
    related { title inStock score }
  }
  latest(first: $first) { id stars author { name reviews { id stars } } product { title brand { name } } }
  search(text: $text) { ... on Product { sku title score inStock } ... on Brand { name stocked products { title } } }
}
`

// Wide is a graph of two subgraphs that share an interface with that many implementers.
func Wide(implementers int) []Subgraph {
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
`
	var a, b strings.Builder
	a.WriteString(link + "type Query { node: Node }\ninterface Node { id: ID! title: String next: Node }\n")
	b.WriteString(link + "interface Node { id: ID! note: String }\n")
	for i := range implementers {
		fmt.Fprintf(&a, "type T%d implements Node @key(fields: \"id\") { id: ID! title: String next: Node }\n", i)
		fmt.Fprintf(&b, "type T%d implements Node @key(fields: \"id\") { id: ID! note: String own%d: Int }\n", i, i)
	}
	return []Subgraph{{"a", a.String()}, {"b", b.String()}}
}

// WideOperation goes depth objects deep into Wide and selects a field of each implementer's own on the way, from the other subgraph: implementers
// and four more selections for each object.
func WideOperation(implementers, depth int) string {
	var b strings.Builder
	b.WriteString("{ node {")
	for range depth {
		b.WriteString(" id title note")
		for i := range implementers {
			fmt.Fprintf(&b, " ... on T%d { own%d }", i, i)
		}
		b.WriteString(" next {")
	}
	b.WriteString(" id" + strings.Repeat(" }", depth) + " } }")
	return b.String()
}
