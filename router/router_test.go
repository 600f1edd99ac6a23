package router_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/internal/await"
	"bourse/router/limits"
	"bourse/router/subscribe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a router over the two test subgraphs, everything over real sockets unless local.
type house struct {
	url            string
	router         *router.Router
	markets, stats *subgraph
}

// serving is a router for a supergraph whose subgraphs are not asked.
func serving(t *testing.T, sdl string, o router.Options) *house {
	t.Helper()
	r, err := router.New(sdl, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.Close()
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &house{url: server.URL, router: r}
}

func open(t *testing.T, o router.Options) *house { return openHouse(t, o, false) }

func openHouse(t *testing.T, o router.Options, local bool) *house {
	t.Helper()
	h := &house{}
	h.markets, h.stats = newSubgraphs()
	marketURL, statsURL := "http://market.invalid", "http://stats.invalid"
	if local {
		o.Fetcher = fetch.NewLocal(map[string]http.Handler{"market": h.markets, "stats": h.stats})
	} else {
		m, s := httptest.NewServer(h.markets), httptest.NewServer(h.stats)
		t.Cleanup(m.Close)
		t.Cleanup(s.Close)
		marketURL, statsURL = m.URL, s.URL
	}
	r, err := router.New(composed(t, marketURL, statsURL), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	h.url, h.router = server.URL, r
	t.Cleanup(func() {
		h.closeRouter(t)
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

// closeRouter waits for what runs, at most ten seconds.
func (h *house) closeRouter(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.router.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// post sends one request and returns the status and the body.
func (h *house) post(t *testing.T, body string, header ...string) (int, string) {
	t.Helper()
	res, text := roundTrip(t, http.MethodPost, h.url, body, append([]string{"Content-Type", "application/json"}, header...)...)
	return res.StatusCode, text
}

// roundTrip sends one request, with headers as names and values in turn, and reads the answer.
func roundTrip(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read to its end
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func query(text string, variables ...string) string {
	vars := "null"
	if len(variables) > 0 {
		vars = variables[0]
	}
	q, _ := json.Marshal(text)
	return fmt.Sprintf(`{"query":%s,"variables":%s}`, q, vars)
}

func same(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("not JSON: %s", got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(g)
	b, _ := json.Marshal(w)
	if !bytes.Equal(a, b) {
		t.Errorf("got %s\nwant %s", a, b)
	}
}

func TestAcrossSubgraphs(t *testing.T) {
	for _, local := range []bool{false, true} {
		t.Run(fmt.Sprintf("local=%v", local), func(t *testing.T) {
			h := openHouse(t, router.Options{Introspection: true}, local)
			_, got := h.post(t, query(`query All { list: markets { symbol name volume headline } busiest { name volume } }`))
			same(t, got, `{"data":{"list":[{"symbol":"BTC","name":"Bitcoin","volume":3,"headline":"BITCOIN"},{"symbol":"ETH","name":"Ether","volume":3,"headline":"ETHER"}],
				"busiest":{"name":"of ETH","volume":7}}}`)
			_, got = h.post(t, query(`mutation R($s: ID!, $n: String!) { rename(symbol: $s, name: $n) { name volume } }`, `{"s":"BTC","n":"Gold"}`))
			same(t, got, `{"data":{"rename":{"name":"Gold","volume":3}}}`)
		})
	}
}

func TestRefusals(t *testing.T) {
	h := open(t, router.Options{Limits: limits.Limits{Depth: 5, RootFields: 3}})
	for _, c := range []struct{ name, body, code string }{
		{"syntax", query(`{ markets {`), "GRAPHQL_PARSE_FAILED"},
		{"unknown field", query(`{ markets { nam } }`), "GRAPHQL_VALIDATION_FAILED"},
		{"missing argument", query(`{ market { name } }`), "GRAPHQL_VALIDATION_FAILED"},
		{"two operations, no name", query(`query A { busiest { symbol } } query B { busiest { symbol } }`), "GRAPHQL_VALIDATION_FAILED"},
		{"unknown operation", `{"query":"query A { busiest { symbol } }","operationName":"B"}`, "GRAPHQL_VALIDATION_FAILED"},
		{"no operation", query(`fragment F on Market { name }`), "GRAPHQL_VALIDATION_FAILED"},
		{"fragments in a circle", query(`{ markets { ...F } } fragment F on Market { ...F }`), "GRAPHQL_VALIDATION_FAILED"},
		{"introspection", query(`{ ... on Query { __schema { queryType { name } } } }`), "GRAPHQL_VALIDATION_FAILED"},
		{"variable missing", query(`query Q($s: ID!) { market(symbol: $s) { name } }`), "BAD_USER_INPUT"},
		{"variable null", query(`query Q($s: ID!) { market(symbol: $s) { name } }`, `{"s":null}`), "BAD_USER_INPUT"},
		{"variable of a wrong type", query(`query Q($s: ID!) { market(symbol: $s) { name } }`, `{"s":{}}`), "BAD_USER_INPUT"},
		{"limit", query(`{ a: busiest { symbol } b: busiest { symbol } c: busiest { symbol } d: busiest { symbol } }`), "OPERATION_LIMIT_EXCEEDED"},
		{"not persisted", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"abc"}}}`, "PERSISTED_QUERY_NOT_SUPPORTED"},
		{"malformed", `{"query":`, "BAD_REQUEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := h.post(t, c.body, "Accept", "application/graphql-response+json")
			var got struct {
				Data   any
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Errors) == 0 {
				t.Fatalf("got %s", body)
			}
			if status != 400 || got.Errors[0].Extensions.Code != c.code || got.Errors[0].Message == "" || strings.Contains(body, "Did you mean") {
				t.Errorf("got %d %s, want %s", status, body, c.code)
			}
		})
	}
	if n := len(h.markets.headers) + len(h.stats.headers); n != 0 {
		t.Errorf("%d requests reached subgraphs", n)
	}
}

func TestLimitSaysWhichAndHowMuch(t *testing.T) {
	h := open(t, router.Options{Limits: limits.Limits{Aliases: 1}})
	_, got := h.post(t, query(`{ a: busiest { symbol } b: busiest { symbol } }`))
	if !strings.Contains(got, `"limit":"aliases","max":1`) || !strings.Contains(got, `"actual":2`) {
		t.Errorf("got %s", got)
	}
}

func TestHeaders(t *testing.T) {
	h := open(t, router.Options{ForwardHeaders: []string{"Authorization", "Router-Secret"}, SubgraphHeaders: http.Header{"router-secret": {"s3cret"}}})
	h.post(t, query(`{ markets { name volume } }`), "Authorization", "Bearer t", "Router-Secret", "forged", "Cookie", "c=1", "X-Request-Id", "r-1")
	for _, s := range []*subgraph{h.markets, h.stats} {
		if len(s.headers) != 1 {
			t.Fatalf("%d requests", len(s.headers))
		}
		got := s.headers[0]
		if got.Get("Authorization") != "Bearer t" || got.Get("Router-Secret") != "s3cret" || len(got.Values("Router-Secret")) != 1 ||
			got.Get("Cookie") != "" || got.Get("X-Request-Id") != "r-1" {
			t.Errorf("subgraph saw %v", got)
		}
	}
}

func TestSubgraphDown(t *testing.T) {
	h := open(t, router.Options{})
	h.stats.entity = func(object) object { panic(http.ErrAbortHandler) }
	status, got := h.post(t, query(`{ markets { name volume } }`))
	if status != 200 || !strings.Contains(got, `"code":"SUBREQUEST_HTTP_ERROR"`) || !strings.Contains(got, `"name":"Bitcoin"`) {
		t.Errorf("got %d %s", status, got)
	}
}

// A thousand requests share plans; -race tells whether they share more.
func TestConcurrentRequests(t *testing.T) {
	h := openHouse(t, router.Options{PlanCacheSize: 3}, true)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				symbol := fmt.Sprintf("S%d", w*100+i)
				c := []struct{ text, want string }{
					{`query A($s: ID!) { market(symbol: $s) { symbol volume } }`, `{"symbol":%q,"volume":%d}`},
					{`query A($s: ID!) { market(symbol: $s) { name symbol volume } }`, `{"name":"Bitcoin","symbol":%q,"volume":%d}`},
					{`query B($s: ID!) { market(symbol: $s) { headline symbol volume } }`, `{"headline":"BITCOIN","symbol":%q,"volume":%d}`},
					{`query C($s: ID!) { market(symbol: $s) { s: symbol v: volume } }`, `{"s":%q,"v":%d}`},
				}[i%4]
				_, got := h.post(t, query(c.text, `{"s":"`+symbol+`"}`))
				if want := `{"data":{"market":` + fmt.Sprintf(c.want, symbol, len(symbol)) + `}}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestOperationNameChooses(t *testing.T) {
	h := openHouse(t, router.Options{}, true)
	const text = `query A { busiest { symbol } } query B { busiest { volume } }`
	for range 2 { // the second time from the cache
		for name, want := range map[string]string{"A": `{"symbol":"ETH"}`, "B": `{"volume":7}`} {
			_, got := h.post(t, `{"query":"`+text+`","operationName":"`+name+`"}`)
			same(t, got, `{"data":{"busiest":`+want+`}}`)
		}
	}
}

func TestAccessLogHoldsNoSecrets(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	var records []router.Record
	h := open(t, router.Options{
		Logger:         slog.New(slog.NewJSONHandler(&log, nil)),
		ForwardHeaders: []string{"Authorization"},
		Observe: func(_ context.Context, r router.Record) {
			mu.Lock()
			defer mu.Unlock()
			records = append(records, r)
		},
	})
	h.post(t, query(`query Lookup($s: ID!) { market(symbol: $s) { name } }`, `{"s":"hidden-value"}`), "Authorization", "Bearer hidden-token")
	if err := h.router.Close(t.Context()); err != nil { // the log line is written after the answer
		t.Fatal(err)
	}
	if got := log.String(); !strings.Contains(got, `"operation":"Lookup"`) || !strings.Contains(got, `"status":200`) || strings.Contains(got, "hidden") {
		t.Errorf("log: %s", got)
	}
	if len(records) != 1 || records[0].Operation != "Lookup" || records[0].Kind != "query" || records[0].Duration <= 0 {
		t.Errorf("records: %+v", records)
	}
}

const watch = `subscription W($s: ID!) { trades(symbol: $s) { price market { name volume headline } } }`

func event(symbol string) string {
	return fmt.Sprintf(`{"data":{"trades":{"price":"1.50","market":{"name":"of %s","volume":%d,"headline":"OF %s"}}}}`, symbol, len(symbol), symbol)
}

// subscribeSSE starts a subscription over server-sent events; lines get the data of each event, then "complete", then are closed.
func (h *house) subscribeSSE(t *testing.T, ctx context.Context) <-chan string {
	t.Helper()
	return h.watch(t, ctx, watch, "any")
}

// watch subscribes to a symbol's trades.
func (h *house) watch(t *testing.T, ctx context.Context, text, symbol string, header ...string) <-chan string {
	t.Helper()
	return h.events(t, ctx, query(text, fmt.Sprintf(`{"s":%q}`, symbol)), header...)
}

// events subscribes; header has names and values.
func (h *house) events(t *testing.T, ctx context.Context, body string, header ...string) <-chan string {
	t.Helper()
	req, _ := http.NewRequestWithContext(ctx, "POST", h.url, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		defer res.Body.Close() //nolint:errcheck // test
		var buf []byte
		chunk := make([]byte, 4096)
		for {
			n, err := res.Body.Read(chunk)
			buf = append(buf, chunk[:n]...)
			for {
				i := bytes.Index(buf, []byte("\n\n"))
				if i < 0 {
					break
				}
				one := string(buf[:i])
				buf = buf[i+2:]
				if data, ok := strings.CutPrefix(one, "event: next\ndata: "); ok {
					lines <- data
				} else if strings.HasPrefix(one, "event: complete") {
					lines <- "complete"
				}
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return lines
}

func TestSubscriptionOverServerSentEvents(t *testing.T) {
	for _, local := range []bool{false, true} {
		t.Run(fmt.Sprintf("local=%v", local), func(t *testing.T) {
			h := openHouse(t, router.Options{}, local)
			lines := h.subscribeSSE(t, t.Context())
			h.markets.events <- "BTC"
			same(t, await.One(t, lines), event("BTC"))
			h.markets.events <- "DOGE"
			same(t, await.One(t, lines), event("DOGE"))
			close(h.markets.events)
			if got := await.One(t, lines); got != "complete" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestSubscriptionBrokenOff(t *testing.T) {
	h := open(t, router.Options{})
	lines := h.subscribeSSE(t, t.Context())
	h.markets.events <- "drop"
	if got := await.One(t, lines); !strings.Contains(got, `"SUBREQUEST_HTTP_ERROR"`) || !strings.Contains(got, `"service":"market"`) {
		t.Errorf("got %s", got)
	}
	if got := await.One(t, lines); got != "complete" {
		t.Errorf("got %s", got)
	}
}

func TestClientLeavesItsSubscription(t *testing.T) {
	for _, local := range []bool{false, true} {
		t.Run(fmt.Sprintf("local=%v", local), func(t *testing.T) {
			h := openHouse(t, router.Options{}, local)
			ctx, cancel := context.WithCancel(t.Context())
			lines := h.subscribeSSE(t, ctx)
			h.markets.events <- "BTC"
			await.One(t, lines)
			cancel()
			await.One(t, h.markets.left) // the subgraph is told
		})
	}
}

func TestSlowClientLags(t *testing.T) {
	h := openHouse(t, router.Options{Subscriptions: subscribe.Options{MaxEvents: 4}}, true)
	blocked := make(chan struct{})
	entered := make(chan struct{}, 100)
	inner := h.stats.entity
	h.stats.entity = func(rep object) object {
		entered <- struct{}{}
		<-blocked
		return inner(rep)
	}
	lines := h.subscribeSSE(t, t.Context())
	h.markets.events <- "E0"
	await.One(t, entered) // the first event is on its way and stays there
	for i := 1; ; i++ {
		stopped := false
		select {
		case h.markets.events <- fmt.Sprintf("E%d", i):
		case <-h.markets.left:
			stopped = true // the router has given the stream up
		}
		if stopped {
			break
		}
	}
	close(blocked)
	var got []string
	for line := range lines {
		got = append(got, line)
	}
	if len(got) != 7 || !strings.Contains(got[5], "SUBSCRIPTION_LAGGED") || got[6] != "complete" { // one on its way, four waiting
		t.Errorf("got %d: %s", len(got), got)
	}
}

// socket opens a WebSocket and introduces itself with the payload.
func (h *house) socket(t *testing.T, payload string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), h.url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	send(t, conn, `{"type":"connection_init","payload":`+payload+`}`)
	if got := receive(t, conn); got != `{"type":"connection_ack"}` {
		t.Fatalf("got %s", got)
	}
	return conn
}

func send(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWebSocket(t *testing.T) {
	h := open(t, router.Options{ForwardHeaders: []string{"Authorization"}})
	conn := h.socket(t, `{"authorization":"Bearer w"}`)
	send(t, conn, `{"id":"q","type":"subscribe","payload":`+query(`{ busiest { symbol name } }`)+`}`)
	same(t, receive(t, conn), `{"id":"q","type":"next","payload":{"data":{"busiest":{"symbol":"ETH","name":"of ETH"}}}}`)
	same(t, receive(t, conn), `{"id":"q","type":"complete"}`)
	send(t, conn, `{"id":"m","type":"subscribe","payload":`+query(`mutation { rename(symbol: "A", name: "B") { name } }`)+`}`)
	same(t, receive(t, conn), `{"id":"m","type":"next","payload":{"data":{"rename":{"name":"B"}}}}`)
	same(t, receive(t, conn), `{"id":"m","type":"complete"}`)
	send(t, conn, `{"id":"s","type":"subscribe","payload":`+query(watch, `{"s":"any"}`)+`}`)
	h.markets.events <- "BTC"
	same(t, receive(t, conn), `{"id":"s","type":"next","payload":`+event("BTC")+`}`)
	send(t, conn, `{"id":"s","type":"complete"}`)
	await.One(t, h.markets.left)
	send(t, conn, `{"id":"b","type":"subscribe","payload":`+query(`{ nothing }`)+`}`)
	if got := receive(t, conn); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("got %s", got)
	}
	for _, header := range h.markets.headers {
		if header.Get("Authorization") != "Bearer w" {
			t.Errorf("subgraph saw %v", header)
		}
	}
}

func TestCloseEndsSubscriptions(t *testing.T) {
	h := open(t, router.Options{})
	conn := h.socket(t, `{}`)
	send(t, conn, `{"id":"s","type":"subscribe","payload":`+query(watch, `{"s":"any"}`)+`}`)
	lines := h.subscribeSSE(t, t.Context())
	h.markets.events <- "A"
	h.markets.events <- "B"
	closed := make(chan error, 1)
	go func() { closed <- h.router.Close(t.Context()) }()
	var last []string
	for line := range lines {
		last = append(last, line)
	}
	if n := len(last); n < 2 || last[n-1] != "complete" || !strings.Contains(last[n-2], "SHUTTING_DOWN") {
		t.Errorf("the event stream ended with %q", last)
	}
	for {
		if _, _, err := conn.Read(t.Context()); err != nil {
			if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
				t.Errorf("the socket closed with %d", got)
			}
			break
		}
	}
	if err := await.One(t, closed); err != nil {
		t.Error(err)
	}
}
