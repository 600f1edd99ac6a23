package soak

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"bourse/cmd/bourse/internal/bench/gateway"
	"bourse/router/compose"
)

// The subgraphs that fail now and then. What the others alone answer has to be right at any time.
var frail = []string{"inventory", "desk"}

// desk is a subgraph beside those of the shop: it takes notes, and speaks only to those who say who they are.
const desk = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
type Query { whoami: String @authenticated %s }
type Mutation { note(text: String!): String! }`

// The field that every second supergraph has.
const newField = "greeting: String"

// graph is the subgraphs behind the router, real servers on one address, some of which fail now and then.
type graph struct {
	shop   gateway.Shop
	server *http.Server
	url    string

	mu     sync.Mutex
	fault  string // the one that goes on; empty: none
	at     string // whose it is
	ended  chan struct{}
	healed map[string]time.Time // when its last fault ended
}

func openGraph(every time.Duration) (*graph, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for subgraphs: %w", err)
	}
	g := &graph{url: "http://" + listener.Addr().String(), ended: make(chan struct{}), healed: map[string]time.Time{}}
	g.shop = gateway.NewShop(every, map[string]any{
		"whoami": "somebody", "greeting": "hello",
		"note": func(arguments map[string]any) any { return arguments["text"] },
	})
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: time.Minute}
	go func() { _ = g.server.Serve(listener) }() // until close
	return g, nil
}

func (g *graph) close() {
	g.shop.End()
	_ = g.server.Close() // it has served
}

// supergraphs are two that the router is given in turn.
func (g *graph) supergraphs() (both [2]string, err error) {
	for i, more := range []string{"", newField} {
		schemas := gateway.Schemas()
		schemas["desk"] = fmt.Sprintf(desk, more)
		var subgraphs []compose.Subgraph
		for _, name := range slices.Sorted(maps.Keys(schemas)) {
			subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: g.url + "/" + name, SDL: schemas[name]})
		}
		composed, err := compose.Compose(subgraphs, compose.Options{})
		if err != nil {
			return both, err
		}
		both[i] = composed.SupergraphSDL
	}
	return both, nil
}

// The ways to fail. Each is over with the fault, so that nothing waits for longer.
var faults = map[string]func(w http.ResponseWriter, over <-chan struct{}){
	"dead": func(w http.ResponseWriter, _ <-chan struct{}) { w.WriteHeader(http.StatusServiceUnavailable) },
	"gone": func(http.ResponseWriter, <-chan struct{}) { panic(http.ErrAbortHandler) },
	"hanging": func(_ http.ResponseWriter, over <-chan struct{}) {
		<-over
		panic(http.ErrAbortHandler)
	},
	"garbled": func(w http.ResponseWriter, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"_entities":[{"inSt`) // who has gone does not matter
	},
	"half": func(w http.ResponseWriter, _ <-chan struct{}) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"data":{`) // likewise
		panic(http.ErrAbortHandler)
	},
	"large": func(w http.ResponseWriter, over <-chan struct{}) {
		page := strings.Repeat(" ", 64<<10)
		for {
			select {
			case <-over:
				panic(http.ErrAbortHandler)
			default:
			}
			if _, err := io.WriteString(w, page); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	},
}

// ServeHTTP answers for a subgraph, or fails as it is told to.
func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	fault, over := "", g.ended
	if g.at == strings.TrimPrefix(r.URL.Path, "/") {
		fault = g.fault
	}
	g.mu.Unlock()
	if fault == "" {
		g.shop.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body) // a server that does not read would fail in a way of its own
	faults[fault](w, over)
}

// fail begins a fault and returns what ends it.
func (g *graph) fail(random *rand.Rand) (what string, end func()) {
	names := slices.Sorted(maps.Keys(faults))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault, g.at = names[random.IntN(len(names))], frail[random.IntN(len(frail))]
	return g.at + " is " + g.fault, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.healed[g.at] = time.Now()
		g.fault, g.at = "", ""
		close(g.ended)
		g.ended = make(chan struct{})
	}
}

// recovery is how long after a fault its consequences may be felt: the breaker's cooldown, its trials, and what waits for a retry.
const recovery = 4 * time.Second

// well says whether nothing has been wrong with a subgraph since a time, nor so shortly before that it could still be felt.
func (g *graph) well(name string, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at != name && since.Sub(g.healed[name]) > recovery
}
