package router_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/compose"
)

const federationLink = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"]) `

const marketSDL = federationLink + `
type Query { markets: [Market!]! market(symbol: ID!): Market }
type Mutation { rename(symbol: ID!, name: String!): Market }
type Subscription { trades(symbol: ID!): Trade! }
type Market @key(fields: "symbol") { symbol: ID! name: String! }
type Trade { price: String! market: Market! }
`

const statsSDL = federationLink + `
type Query { busiest: Market }
type Market @key(fields: "symbol") { symbol: ID! name: String! @external volume: Int @deprecated headline: String! @requires(fields: "name") }
`

// object is data of a subgraph under test; a func value is called with the field's arguments.
type object = map[string]any

// subgraph answers operations out of a tree of objects, over HTTP as a real one does, subscriptions as server-sent events.
type subgraph struct {
	query, mutation object
	entity          func(representation object) object
	events          chan string   // what a subscription sends: a symbol; "end" or closed: complete; "drop": broken off
	came, left      chan struct{} // a token for each stream's beginning and end
	streams         atomic.Int32  // that are open

	mu      sync.Mutex
	headers []http.Header
}

// asked is how many requests came.
func (s *subgraph) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.headers)
}

func (s *subgraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.headers = append(s.headers, r.Header.Clone())
	s.mu.Unlock()
	var body struct {
		Query     string
		Variables object
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: body.Query})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	op := doc.Operations[0]
	run := &run{s: s, doc: doc, vars: body.Variables}
	switch op.Operation {
	case ast.Subscription:
		run.stream(w, r, op.SelectionSet)
	case ast.Mutation:
		writeJSON(w, run.selection(s.mutation, op.SelectionSet))
	default:
		writeJSON(w, run.selection(s.query, op.SelectionSet))
	}
}

func writeJSON(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{"data": data})
}

type run struct {
	s    *subgraph
	doc  *ast.QueryDocument
	vars object
}

func (r *run) stream(w http.ResponseWriter, req *http.Request, set ast.SelectionSet) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	r.s.streams.Add(1)
	r.s.came <- struct{}{}
	defer func() {
		r.s.streams.Add(-1)
		r.s.left <- struct{}{}
	}()
	for {
		select {
		case <-req.Context().Done():
			return
		case symbol, open := <-r.s.events:
			if symbol == "drop" {
				return
			}
			if !open || symbol == "end" {
				fmt.Fprint(w, "event: complete\ndata:\n\n")
				return
			}
			trade := object{"__typename": "Trade", "price": "1.50", "market": object{"__typename": "Market", "symbol": symbol, "name": "of " + symbol}}
			data, _ := json.Marshal(object{"data": r.selection(object{"trades": trade}, set)})
			fmt.Fprintf(w, "event: next\ndata: %s\n\n", data)
			_ = flush()
		}
	}
}

// selection answers the fields of one object.
func (r *run) selection(o object, set ast.SelectionSet) object {
	out := object{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			out[sel.Alias] = r.value(r.resolve(o, sel), sel.SelectionSet)
		case *ast.InlineFragment:
			if sel.TypeCondition == "" || sel.TypeCondition == o["__typename"] {
				for k, v := range r.selection(o, sel.SelectionSet) {
					out[k] = v
				}
			}
		case *ast.FragmentSpread:
			for k, v := range r.selection(o, r.doc.Fragments.ForName(sel.Name).SelectionSet) {
				out[k] = v
			}
		}
	}
	return out
}

func (r *run) resolve(o object, f *ast.Field) any {
	args := object{}
	for _, a := range f.Arguments {
		args[a.Name], _ = a.Value.Value(r.vars)
	}
	if f.Name == "_entities" {
		var out []any
		for _, rep := range args["representations"].([]any) {
			out = append(out, r.s.entity(rep.(object)))
		}
		return out
	}
	if call, ok := o[f.Name].(func(object) any); ok {
		return call(args)
	}
	return o[f.Name]
}

func (r *run) value(v any, set ast.SelectionSet) any {
	switch v := v.(type) {
	case object:
		return r.selection(v, set)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = r.value(v[i], set)
		}
		return out
	}
	return v
}

func market(symbol, name string) object {
	return object{"__typename": "Market", "symbol": symbol, "name": name}
}

// newSubgraphs makes the two subgraphs of the test house.
func newSubgraphs() (markets, stats *subgraph) {
	markets = &subgraph{
		query: object{
			"markets": []any{market("BTC", "Bitcoin"), market("ETH", "Ether")},
			"market":  func(args object) any { return market(fmt.Sprint(args["symbol"]), "Bitcoin") },
		},
		mutation: object{"rename": func(args object) any { return market(fmt.Sprint(args["symbol"]), fmt.Sprint(args["name"])) }},
		entity:   func(rep object) object { return market(fmt.Sprint(rep["symbol"]), "of "+fmt.Sprint(rep["symbol"])) },
		events:   make(chan string),
		came:     make(chan struct{}, 100), left: make(chan struct{}, 100),
	}
	stats = &subgraph{
		query: object{"busiest": object{"__typename": "Market", "symbol": "ETH", "volume": 7}},
		entity: func(rep object) object {
			name, _ := rep["name"].(string)
			return object{"__typename": "Market", "symbol": rep["symbol"], "volume": len(fmt.Sprint(rep["symbol"])), "headline": strings.ToUpper(name)}
		},
	}
	return markets, stats
}

// composed is the supergraph of the test house.
func composed(t testing.TB, marketURL, statsURL string) string {
	t.Helper()
	res, err := compose.Compose([]compose.Subgraph{{Name: "market", URL: marketURL, SDL: marketSDL}, {Name: "stats", URL: statsURL, SDL: statsSDL}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return res.SupergraphSDL
}
