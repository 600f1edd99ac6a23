package gateway

import (
	"fmt"
	"strings"
)

// object is an object of the shop: its fields by name, which are scalars, objects, lists of objects, or functions of their arguments.
type object map[string]any

// shop is what there is: the root of queries, and entities by type and key.
type shop struct {
	root     object
	entities map[string]object
}

// newShop makes up six users, six products and who reviewed which.
func newShop() *shop {
	s := &shop{entities: map[string]object{}}
	var users, products, reviews []object
	for i := 1; i <= 6; i++ {
		u := object{"__typename": "User", "id": fmt.Sprintf("u%d", i), "name": fmt.Sprintf("Reader No. %d", i), "username": fmt.Sprintf("reader-%d", i)}
		s.entities["User "+u["id"].(string)] = u
		users = append(users, u)
		price, weight := 1000+150*i, 300+40*i
		p := object{
			"__typename": "Product", "upc": fmt.Sprintf("p%d", i), "name": fmt.Sprintf("Thing of kind %d", i), "price": price, "weight": weight,
			"inStock": i%3 != 0, "shippingEstimate": shipping(price, weight),
		}
		s.entities["Product "+p["upc"].(string)] = p
		products = append(products, p)
	}
	for i := range reviewCount {
		r := object{
			"__typename": "Review", "id": fmt.Sprintf("r%d", i+1), "author": users[i%len(users)], "product": products[(i*i+i/2)%len(products)],
			"body": "It " + strings.Repeat("really ", i%5) + praise,
		}
		s.entities["Review "+r["id"].(string)] = r
		reviews = append(reviews, r)
	}
	for _, o := range append(users, products...) {
		mine := []object{}
		for _, r := range reviews {
			if r["author"].(object)["id"] == o["id"] && o["id"] != nil || r["product"].(object)["upc"] == o["upc"] && o["upc"] != nil {
				mine = append(mine, r)
			}
		}
		o["reviews"] = mine
	}
	s.root = object{"__typename": "Query", "users": users, "topProducts": func(arguments map[string]any) any {
		first := int64(5)
		if n, ok := arguments["first"].(int64); ok {
			first = n
		}
		return products[:first]
	}}
	return s
}

const reviewCount = 14

// praise makes a review as long as people write them.
const praise = "does what it should, as far as one can tell after a week in which it was used every day and twice on Sunday by everyone in " +
	"the house, the cat among them, who likes the box that it came in best of all. One would buy it again. It came late, though, " +
	"and the paper in it was for another thing."

// shipping is what it costs to send a product: light and dear ones go for nothing.
func shipping(price, weight int) any {
	if price > 1750 {
		return 0
	}
	return weight / 2
}

// entity finds what a representation stands for. What it requires comes from the representation: a router that does not send it gets none.
func (s *shop) entity(representation map[string]any) any {
	name, _ := representation["__typename"].(string)
	for _, key := range []string{"id", "upc"} {
		value, _ := representation[key].(string)
		have := s.entities[name+" "+value]
		if have == nil {
			continue
		}
		if name != "Product" {
			return have
		}
		own := object{}
		for field, v := range have {
			own[field] = v
		}
		own["shippingEstimate"] = nil
		price, priced := representation["price"].(int64)
		weight, weighed := representation["weight"].(int64)
		if priced && weighed {
			own["shippingEstimate"] = shipping(int(price), int(weight))
		}
		return own
	}
	return nil
}
