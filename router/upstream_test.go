package router_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/headers"
	"bourse/router/subscribe/socket"
	"bourse/router/traffic"
)

// A router whose subgraph is another router that it asks for subscriptions over a WebSocket.
func TestSubscriptionOverASocketToTheSubgraph(t *testing.T) {
	markets, stats := newSubgraphs()
	marketServer, statsServer := httptest.NewServer(markets), httptest.NewServer(stats)
	defer marketServer.Close()
	defer statsServer.Close()
	alone, err := compose.Compose([]compose.Subgraph{{Name: "market", URL: marketServer.URL, SDL: marketSDL}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	below, err := router.New(alone.SupergraphSDL, router.Options{ForwardHeaders: []string{"Authorization"}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/live", below)
	belowServer := httptest.NewServer(mux)
	defer belowServer.Close()
	defer func() { _ = below.Close(t.Context()) }()
	r, err := router.New(composed(t, belowServer.URL+"/graphql", statsServer.URL), router.Options{
		ForwardHeaders: []string{"Authorization"},
		Subgraphs:      router.Subgraphs{Sockets: socket.Options{Subgraphs: map[string]socket.Subgraph{"market": {URL: "/live", Protocol: socket.TransportWS}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	defer server.Close()
	defer func() { _ = r.Close(t.Context()) }()

	got := make(chan string, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{"query":"subscription { trades(symbol: \"BTC\") { price market { symbol volume } } }"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Authorization", "Bearer t")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close() //nolint:errcheck // test
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	markets.events <- "BTC"
	markets.events <- "end"
	<-markets.left
	want := ":\n\nevent: next\ndata: {\"data\":{\"trades\":{\"price\":\"1.50\",\"market\":{\"symbol\":\"BTC\",\"volume\":3}}}}\n\nevent: complete\ndata: \n\n"
	if text := <-got; text != want {
		t.Errorf("got %q", text)
	}
	markets.mu.Lock()
	defer markets.mu.Unlock()
	if header := markets.headers[len(markets.headers)-1]; header.Get("Authorization") != "Bearer t" {
		t.Errorf("the subgraph's subgraph saw %v", header)
	}

	_, err = router.New(composed(t, belowServer.URL, statsServer.URL), router.Options{
		Subgraphs: router.Subgraphs{Sockets: socket.Options{Subgraphs: map[string]socket.Subgraph{"nobody": {Protocol: socket.TransportWS}}}},
	})
	if err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an unknown subgraph: %v", err)
	}
}

// What is said of a subgraph that is not there would hold for none, silently: a misspelt name is a breaker that never opens.
func TestOptionsNameOnlySubgraphsThatAreThere(t *testing.T) {
	for name, o := range map[string]router.Options{
		"addresses":   {Subgraphs: router.Subgraphs{URLs: map[string]string{"nobody": "http://127.0.0.1:1"}}},
		"sockets":     {Subgraphs: router.Subgraphs{Sockets: socket.Options{Subgraphs: map[string]socket.Subgraph{"nobody": {}}}}},
		"connections": {Subgraphs: router.Subgraphs{HTTP: fetch.HTTPOptions{Connections: map[string]fetch.Connection{"nobody": {}}}}},
		"traffic":     {Traffic: traffic.Options{Subgraphs: map[string]traffic.Rules{"nobody": {}}}},
		"errors":      {ErrorsOf: map[string]execute.Errors{"nobody": {}}},
		"headers":     {Headers: headers.Rules{Subgraphs: map[string][]headers.Rule{"nobody": {}}}},
		"answers":     {Headers: headers.Rules{Response: []headers.ResponseRule{{Name: "X", Subgraphs: []string{"nobody"}}}}},
		"cache":       {Cache: &entitycache.Options{Store: entitycache.NewMemory(1 << 20), Subgraphs: map[string]entitycache.SubgraphOptions{"nobody": {}}}},
	} {
		_, err := router.New(composed(t, "http://127.0.0.1:1", "http://127.0.0.1:2"), o)
		var unknown *router.UnknownSubgraphError
		if !errors.As(err, &unknown) || unknown.Name != "nobody" || len(unknown.Has) == 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Streams of events from one subgraph are bounded: each is a connection.
func TestEventStreamsOfASubgraphAreBounded(t *testing.T) {
	markets, stats := newSubgraphs()
	marketServer, statsServer := httptest.NewServer(markets), httptest.NewServer(stats)
	defer marketServer.Close()
	defer statsServer.Close()
	r, err := router.New(composed(t, marketServer.URL, statsServer.URL), router.Options{Subgraphs: router.Subgraphs{MaxEventStreams: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(context.WithoutCancel(t.Context())) }()
	subscribe := func(field string) (text string) {
		return ask(r, query(`subscription { trades(symbol: "BTC") { `+field+` } }`), "Accept", "text/event-stream").Body.String()
	}
	for range 2 { // a place comes back when its stream has ended
		first := make(chan string, 1)
		go func() { first <- subscribe("price") }()
		<-markets.came
		if got := subscribe("market { symbol }"); !strings.Contains(got, "SUBGRAPH_OVERLOADED") || !strings.Contains(got, "Subgraph 'market' has too many subscriptions.") {
			t.Errorf("the second stream got %s", got)
		}
		markets.events <- "BTC"
		markets.events <- "end"
		if got := <-first; !strings.Contains(got, `"price":"1.50"`) || !strings.Contains(got, "complete") {
			t.Errorf("the first stream got %s", got)
		}
		<-markets.left
	}
}
