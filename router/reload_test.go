package router_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/fetch"
	"bourse/router/internal/await"
	"bourse/router/traffic"
)

// ticker is a subgraph whose subscription tells every subscriber the same numbers, until it is ended; it answers the rest by an ordinary one.
type ticker struct {
	*subgraph
	mu    sync.Mutex
	heard map[chan int]bool
	came  chan struct{} // a token for each subscriber
}

func (s *ticker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		s.subgraph.ServeHTTP(w, r)
		return
	}
	numbers := make(chan int, 1000)
	s.mu.Lock()
	s.heard[numbers] = true
	s.mu.Unlock()
	s.came <- struct{}{}
	defer func() {
		s.mu.Lock()
		delete(s.heard, numbers)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case n := <-numbers:
			if n < 0 {
				fmt.Fprint(w, "event: complete\ndata:\n\n")
				return
			}
			fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"trades\":{\"price\":\"%d\"}}}\n\n", n)
			_ = flush()
		}
	}
}

// tell tells a number to all; below 0 it ends their streams.
func (s *ticker) tell(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.heard {
		c <- n
	}
}

// graphs are two supergraphs of the same subgraphs: the second has a field more.
func graphs(t *testing.T, marketURL, statsURL string) [2]string {
	t.Helper()
	var out [2]string
	for i, sdl := range []string{statsSDL, strings.Replace(statsSDL, "volume: Int", "extra: Int volume: Int", 1)} {
		r, err := compose.Compose([]compose.Subgraph{{Name: "market", URL: marketURL, SDL: marketSDL}, {Name: "stats", URL: statsURL, SDL: sdl}}, compose.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = r.SupergraphSDL
	}
	return out
}

const ticks = `subscription T { trades(symbol: "any") { price } }`

// tick is the event of a number.
func tick(n int) string { return fmt.Sprintf(`{"data":{"trades":{"price":"%d"}}}`, n) }

// listen reads all that a socket brings, until its end.
func listen(t *testing.T, conn *websocket.Conn) <-chan string {
	t.Helper()
	texts := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, text, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			texts <- string(text)
		}
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return texts
}

// A hundred reloads under load, over real sockets: no request fails, every subscription that lives through them gets every event in its order,
// and what each reload replaced is released once nothing uses it.
func TestReloadDropsNothing(t *testing.T) {
	const reloads = 100
	markets, stats := newSubgraphs()
	source := &ticker{subgraph: markets, heard: map[chan int]bool{}, came: make(chan struct{}, 10)}
	m, s := httptest.NewServer(source), httptest.NewServer(stats)
	defer m.Close()
	defer s.Close()
	sdl := graphs(t, m.URL, s.URL)
	var released, warmed atomic.Int64
	started := make(chan struct{}, 5)
	options := func() router.Options {
		return router.Options{
			Released: func() { released.Add(1) },
			Hooks: router.Hooks{
				Reload: func(e router.ReloadEvent) { warmed.Add(int64(e.Warmed.Plans)) },
				Subscription: func(_ context.Context, e router.SubscriptionEvent) {
					if e.Phase == router.SubscriptionStarted {
						started <- struct{}{}
					}
				},
			},
		}
	}
	r, err := router.New(sdl[0], options())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	defer server.Close()
	h := &house{url: server.URL, router: r, markets: markets, stats: stats}
	defer h.closeRouter(t)

	streams := make([]<-chan string, 4)
	for i := range streams {
		streams[i] = h.follow(t, ticks)
	}
	conn := h.socket(t, `{}`)
	overSocket := listen(t, conn)
	send(t, conn, `{"id":"s","type":"subscribe","payload":`+query(ticks)+`}`)
	for range 5 {
		await.One(t, started)
	}
	await.One(t, source.came) // one for all
	greetings := 0            // a stream over HTTP that stands has its head; one on a socket shows by what it hears
	for ; len(overSocket) == 0; greetings++ {
		source.tell(0)
		for _, lines := range streams {
			if got := await.One(t, lines); got != tick(0) {
				t.Fatalf("greeted by %s", got)
			}
		}
	}

	done := make(chan struct{})
	var load sync.WaitGroup
	var asked atomic.Int64
	for range 4 {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				asked.Add(1)
				if err := askMarkets(server.URL, fmt.Sprintf(`query Q%d { markets { symbol volume } }`, n%8)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range reloads {
		if err := r.Reload(sdl[(i+1)%2], options()); err != nil {
			t.Fatal(err)
		}
		source.tell(i + 1)
		before := asked.Load()
		for asked.Load() == before { // some load on each of them
			runtime.Gosched()
		}
	}
	close(done)
	load.Wait()
	source.tell(-1)

	want := []string{}
	for i := range reloads {
		want = append(want, tick(i+1))
	}
	want = append(want, "complete")
	for i, lines := range streams {
		var got []string
		for line := range lines {
			got = append(got, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("stream %d got %d events: %q", i, len(got), got)
		}
	}
	var got []string
	for len(got) == 0 || got[len(got)-1] != "complete" {
		text := await.One(t, overSocket)
		switch payload, is := strings.CutPrefix(text, `{"id":"s","type":"next","payload":`); {
		case is && len(got) == 0 && payload == tick(0)+"}": // a greeting
			greetings--
		case is:
			got = append(got, strings.TrimSuffix(payload, "}"))
		case text == `{"id":"s","type":"complete"}`:
			got = append(got, "complete")
		default:
			t.Fatalf("the socket got %s", text)
		}
	}
	if !slices.Equal(got, want) || greetings < 0 {
		t.Errorf("the socket got %d events: %q", len(got), got)
	}
	send(t, conn, `{"id":"q","type":"subscribe","payload":`+query(`{ busiest { symbol extra } }`)+`}`) // known to the second graph alone
	if got := await.One(t, overSocket); !strings.Contains(got, "Cannot query field") {
		t.Errorf("the socket is answered by an old graph: %s", got)
	}
	h.closeRouter(t)
	http.DefaultClient.CloseIdleConnections()
	if released.Load() != reloads+1 {
		t.Errorf("%d options were released of %d", released.Load(), reloads+1)
	}
	if warmed.Load() < reloads {
		t.Errorf("only %d plans were made before they were asked for", warmed.Load())
	}
	t.Logf("%d requests, %d plans warmed", asked.Load(), warmed.Load())
}

// follow is subscribeSSE for any subscription.
func (h *house) follow(t *testing.T, operation string) <-chan string {
	t.Helper()
	return h.events(t, t.Context(), query(operation))
}

func askMarkets(url, text string) error {
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		return err
	}
	res, err := http.Post(url, "application/json", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // test
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if want := `{"data":{"markets":[{"symbol":"BTC","volume":3},{"symbol":"ETH","volume":3}]}}`; string(answer) != want {
		return fmt.Errorf("status %d: %s", res.StatusCode, answer)
	}
	return nil
}

// A bad supergraph is refused, the hook hears of it, and the router goes on.
func TestReloadRefusesWhatIsWrong(t *testing.T) {
	var heard []router.ReloadEvent
	o := router.Options{Hooks: router.Hooks{Reload: func(e router.ReloadEvent) { heard = append(heard, e) }}}
	h := open(t, o)
	if err := h.router.Reload("type Query { a: Int }", router.Options{Released: func() { t.Error("options that were never used are released") }}); err == nil {
		t.Fatal("a graph without subgraphs is taken")
	}
	if err := h.router.Reload(composed(t, "http://a", "http://b"), router.Options{Subgraphs: router.Subgraphs{URLs: map[string]string{"nobody": "http://c"}}}); err == nil {
		t.Fatal("an unknown subgraph is taken")
	}
	if len(heard) != 2 || heard[0].Err == nil || heard[1].Err == nil {
		t.Errorf("the hook heard %+v", heard)
	}
	_, got := h.post(t, query(`{ markets { symbol } }`))
	same(t, got, `{"data":{"markets":[{"symbol":"BTC"},{"symbol":"ETH"}]}}`)
}

// What was known is planned before it is asked for, the last used first, as far as the bounds go; what the new graph does not know is left out.
func TestReloadWarms(t *testing.T) {
	markets, stats := newSubgraphs()
	m, s := httptest.NewServer(markets), httptest.NewServer(stats)
	defer m.Close()
	defer s.Close()
	sdl := graphs(t, m.URL, s.URL)
	r, err := router.New(sdl[1], router.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background()) //nolint:errcheck // nothing runs
	known := []string{`{ busiest { symbol } }`, `{ busiest { extra } }`, `{ markets { symbol } }`, `{ market(symbol: "A") { name } }`, `{ market(symbol: "B") { name } }`}
	for _, text := range known {
		if _, err := r.Plan(t.Context(), text, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	warm := func(sdl string, most int) router.Warmed {
		var got router.Warmed
		o := router.Options{WarmOperations: most, Hooks: router.Hooks{Reload: func(e router.ReloadEvent) { got = e.Warmed }}}
		if err := r.Reload(sdl, o); err != nil {
			t.Fatal(err)
		}
		got.Took = 0
		return got
	}
	// Texts that differ in literals alone share a plan; the field extra is gone.
	if got, want := warm(sdl[0], 0), (router.Warmed{Known: 5, Operations: 4, Plans: 3, Refused: 1}); got != want {
		t.Errorf("warmed %+v, want %+v", got, want)
	}
	if got, want := warm(sdl[0], 2), (router.Warmed{Known: 4, Operations: 2, Plans: 1, Stopped: true}); got != want { // the two of market, which came last
		t.Errorf("warmed %+v, want %+v", got, want)
	}
	if got, want := warm(sdl[0], -1), (router.Warmed{}); got != want {
		t.Errorf("warmed %+v, want %+v", got, want)
	}
}

// A breaker that is open stays open over a reload.
func TestReloadLeavesBreakersAsTheyAre(t *testing.T) {
	var asked atomic.Int64
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "broken", http.StatusInternalServerError)
	})
	o := router.Options{
		Fetcher: fetch.NewLocal(map[string]http.Handler{"market": broken, "stats": broken}),
		Traffic: traffic.Options{Rules: traffic.Rules{Breaker: traffic.BreakerOptions{FailureRatio: 0.5, MinRequests: 1, Cooldown: time.Hour}}},
	}
	sdl := graphs(t, "http://market.invalid", "http://stats.invalid")
	r, err := router.New(sdl[0], o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	for i := range 3 {
		w := ask(r, query(`{ markets { symbol } }`))
		if got := w.Body.String(); asked.Load() != 1 || i > 0 && !strings.Contains(got, traffic.CodeUnavailable) {
			t.Errorf("after %d reloads the subgraph was asked %d times: %s", i, asked.Load(), got)
		}
		if err := r.Reload(sdl[(i+1)%2], o); err != nil {
			t.Fatal(err)
		}
	}
}
