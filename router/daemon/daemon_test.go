package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/internal/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) `

// graph is a supergraph of one subgraph with these fields of Int.
func graph(t testing.TB, url string, fields ...string) string {
	t.Helper()
	sdl := link + "type Query { " + strings.Join(fields, ": Int ") + ": Int }"
	r, err := compose.Compose([]compose.Subgraph{{Name: "numbers", URL: url, SDL: sdl}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.SupergraphSDL
}

// numbers is a subgraph all of whose fields are 7; asked hears of each request, and answers wait for may where there is one.
type numbers struct {
	asked chan struct{}
	may   chan struct{}
}

func (n numbers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if n.asked != nil {
		n.asked <- struct{}{}
	}
	if n.may != nil {
		<-n.may
	}
	w.Header().Set("Content-Type", "application/json")
	data := map[string]any{}
	for _, name := range []string{"a", "b", "__typename"} {
		if strings.Contains(string(body), name) {
			data[name] = 7
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

// running is a router that runs for a test.
type running struct {
	Started
	t        testing.TB
	dir      string
	end      context.CancelFunc
	ended    chan error
	hangup   chan os.Signal
	reloaded chan router.ReloadEvent
	pauses   chan chan struct{} // gets a channel for each pause, which lasts until that is closed
}

// start writes the files and runs the router with them. In the configuration, which must be a block with listen first, addresses are any.
func start(t testing.TB, configuration, supergraph string) *running {
	t.Helper()
	return startWith(t, configuration, supergraph, nil)
}

// startWith is start with more files.
func startWith(t testing.TB, configuration, supergraph string, more map[string]string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{
		t: t, dir: t.TempDir(), end: cancel, ended: make(chan error, 1), hangup: make(chan os.Signal),
		reloaded: make(chan router.ReloadEvent, 100), pauses: make(chan chan struct{}, 1),
	}
	r.write("router.yaml", configuration)
	r.write("graph.graphql", supergraph)
	for name, text := range more {
		r.write(name, text)
	}
	started := make(chan Started, 1)
	o := Options{
		Source: Source{
			ConfigFile: filepath.Join(r.dir, "router.yaml"),
			Options: func(o *router.Options) {
				o.Hooks.Reload = func(e router.ReloadEvent) { r.reloaded <- e }
			},
		},
		Logger: slog.New(slog.DiscardHandler), Hangup: r.hangup,
		Started: func(s Started) { started <- s },
	}
	go func() {
		r.ended <- run(ctx, o, func(time.Duration) {
			over := make(chan struct{})
			r.pauses <- over
			<-over
		})
	}()
	select {
	case r.Started = <-started:
	case err := <-r.ended:
		t.Fatalf("the router does not start: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := r.wait(); err != nil {
			t.Errorf("the router ended with %v", err)
		}
	})
	return r
}

// wait is for the end; it may be called again.
func (r *running) wait() error {
	err := await.One(r.t, r.ended)
	r.ended <- err
	return err
}

// write replaces a file at one blow: a half written one would be a change of its own on a slow machine.
func (r *running) write(name, text string) {
	r.t.Helper()
	next := filepath.Join(r.dir, "."+name)
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) ask(text string) (int, string) {
	r.t.Helper()
	body, _ := json.Marshal(map[string]string{"query": text})
	res, err := http.Post(r.Endpoint, "application/json", strings.NewReader(string(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	return answer(r.t, res)
}

func (r *running) get(url string) (int, string) {
	r.t.Helper()
	res, err := http.Get(url)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer(r.t, res)
}

func answer(t testing.TB, res *http.Response) (int, string) {
	t.Helper()
	defer res.Body.Close() //nolint:errcheck // what was wanted of it has been read
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(text))
}

const watching = `
listen: {address: "127.0.0.1:0"}
supergraph: {file: graph.graphql, poll: 10ms}
`

func TestFilesAreTakenUpWhenTheyChange(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(t, watching, graph(t, subgraph.URL, "a"))
	if _, got := r.ask(`{ a }`); got != `{"data":{"a":7}}` {
		t.Fatalf("got %s", got)
	}
	r.write("graph.graphql", graph(t, subgraph.URL, "a", "b"))
	if e := await.One(t, r.reloaded); e.Err != nil || e.Warmed.Plans != 1 {
		t.Fatalf("the change: %+v", e)
	}
	if _, got := r.ask(`{ a b }`); got != `{"data":{"a":7,"b":7}}` {
		t.Errorf("got %s", got)
	}
	r.write("graph.graphql", "type Query { a: Int }")
	if e := await.One(t, r.reloaded); e.Err == nil {
		t.Error("a graph without subgraphs is taken")
	}
	r.write("router.yaml", watching+"plans: {cash: 3}\n")
	if e := await.One(t, r.reloaded); e.Err == nil || !strings.Contains(e.Err.Error(), `plans has no key "cash"`) {
		t.Errorf("a bad configuration: %v", e.Err)
	}
	if _, got := r.ask(`{ b }`); got != `{"data":{"b":7}}` {
		t.Errorf("after bad files got %s", got)
	}
	r.write("graph.graphql", graph(t, subgraph.URL, "a"))
	r.write("router.yaml", strings.Replace(watching, `"127.0.0.1:0"`, `"127.0.0.1:0", path: /api`, 1))
	for await.One(t, r.reloaded).Err != nil { // between the two writes the files may be taken up as well
	}
	r.Endpoint = strings.TrimSuffix(r.Endpoint, "/graphql") + "/api"
	moved := time.Now()
	for { // the paths are exchanged right after the graph, and before the next look at the files
		status, got := r.ask(`{ a }`)
		if status == http.StatusNotFound && time.Since(moved) < 20*time.Second {
			continue
		}
		if got != `{"data":{"a":7}}` {
			t.Errorf("at the new path got %d %s", status, got)
		}
		return
	}
}

// Whoever watches the metrics hears of a configuration that was refused as of a supergraph that was.
func TestRefusedFilesAreCounted(t *testing.T) {
	counted := watching + "telemetry: {metrics: {}}\n"
	r := start(t, counted, graph(t, "http://127.0.0.1:1", "a"))
	refused := func(times int) {
		t.Helper()
		if e := await.One(t, r.reloaded); e.Err == nil {
			t.Fatal("what is wrong is taken")
		}
		_, got := r.get(strings.TrimSuffix(r.Endpoint, "/graphql") + "/metrics")
		if want := fmt.Sprintf("bourse_router_reloads_total{result=\"failed\"} %d\n", times); !strings.Contains(got, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	r.write("router.yaml", counted+"plans: {cash: 3}\n")
	refused(1)
	r.write("graph.graphql", "type Query { a: Int }")
	r.write("router.yaml", counted)
	refused(2)
}

func TestSignalReloads(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(t, strings.Replace(watching, "poll: 10ms", "watch: false", 1), graph(t, subgraph.URL, "a"))
	r.write("graph.graphql", graph(t, subgraph.URL, "b"))
	r.hangup <- os.Interrupt
	if e := await.One(t, r.reloaded); e.Err != nil {
		t.Fatal(e.Err)
	}
	if _, got := r.ask(`{ b }`); got != `{"data":{"b":7}}` {
		t.Errorf("got %s", got)
	}
}

// The way down: not ready first, while requests are still served; then no new work, and the end of what runs.
func TestDrain(t *testing.T) {
	n := numbers{asked: make(chan struct{}, 10), may: make(chan struct{})}
	subgraph := httptest.NewServer(n)
	defer subgraph.Close()
	r := start(t, `
listen: {address: "127.0.0.1:0", admin: "127.0.0.1:0", drain: {delay: 1s}}
supergraph: {file: graph.graphql}
`, graph(t, subgraph.URL, "a", "b"))
	if status, got := r.get(r.Admin + "/readyz"); status != 200 || got != `{"status":"ready"}` {
		t.Errorf("ready: %d %s", status, got)
	}
	slow := make(chan string, 2)
	ask := func(field string) { _, got := r.ask("{ " + field + " }"); slow <- got }
	go ask("a")
	await.One(t, n.asked)
	r.end()
	over := await.One(t, r.pauses)
	if status, got := r.get(r.Admin + "/readyz"); status != 503 || got != `{"status":"draining"}` {
		t.Errorf("draining: %d %s", status, got)
	}
	if status, _ := r.get(r.Admin + "/healthz"); status != 200 {
		t.Errorf("alive: %d", status)
	}
	go ask("b") // served as before
	await.One(t, n.asked)
	close(over)
	for { // until no new work is taken
		if _, got := r.ask(`{ __typename }`); strings.Contains(got, "SHUTTING_DOWN") {
			break
		}
	}
	close(n.may)
	for range 2 {
		if got := await.One(t, slow); got != `{"data":{"a":7}}` && got != `{"data":{"b":7}}` {
			t.Errorf("a running request is answered %s", got)
		}
	}
	if err := r.wait(); err != nil {
		t.Error(err)
	}
}

// What does not end in time is cut off, and the router ends all the same.
func TestDrainIsBounded(t *testing.T) {
	n := numbers{asked: make(chan struct{}, 1), may: make(chan struct{})}
	subgraph := httptest.NewServer(n)
	defer subgraph.Close()
	defer close(n.may)
	r := start(t, `
listen: {address: "127.0.0.1:0", drain: {timeout: 50ms}}
supergraph: {file: graph.graphql}
`, graph(t, subgraph.URL, "a"))
	left := make(chan struct{})
	go func() {
		defer close(left)
		if res, err := http.Post(r.Endpoint, "application/json", strings.NewReader(`{"query":"{ a }"}`)); err == nil {
			_ = res.Body.Close()
		}
	}()
	await.One(t, n.asked)
	r.end()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	await.One(t, left)
}

func TestReadyMayDependOnSubgraphs(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	for _, c := range []struct {
		wanted, url string
		status      int
		text        string
	}{
		{"none", "http://127.0.0.1:1", 200, `{"status":"ready"}`},
		{"all", subgraph.URL, 200, `{"status":"ready","subgraphs":{"numbers":"ok"}}`},
		{"all", "http://127.0.0.1:1", 503, `{"status":"subgraphs","subgraphs":{"numbers":"unreachable"}}`},
		{"any", "http://127.0.0.1:1", 503, `{"status":"subgraphs","subgraphs":{"numbers":"unreachable"}}`},
	} {
		t.Run(c.wanted+" "+c.text, func(t *testing.T) {
			r := start(t, watching+"health: {subgraphs: "+c.wanted+"}\n", graph(t, c.url, "a"))
			status, got := r.get(strings.TrimSuffix(r.Endpoint, "/graphql") + "/readyz")
			if status != c.status || got != c.text {
				t.Errorf("%d %s, want %d %s", status, got, c.status, c.text)
			}
		})
	}
	subgraph.Close()
}

func TestCheckFindsWhatServingWould(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.yaml": "supergraph: {file: good.graphql}", "good.graphql": graph(t, "http://a", "a"),
		"key.yaml":  "supergraph: {fil: x}",
		"none.yaml": "plans: {}",
		"bad.yaml":  "supergraph: {file: bad.graphql}", "bad.graphql": "type Query { a: Int }",
		"who.yaml":  "supergraph: {file: good.graphql}\nsubgraphs: {each: {nobody: {url: 'http://b'}}}",
		"tls.yaml":  "supergraph: {file: good.graphql}\nlisten: {tls: {certificate: no.pem, key: no.key}}",
		"gone.yaml": "supergraph: {file: nowhere.graphql}",
		"path.yaml": "supergraph: {file: good.graphql}\nhealth: {alive_path: /graphql}",
		"page.yaml": "supergraph: {file: good.graphql}\nlisten: {path: /}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"good": "", "key": `supergraph has no key "fil"`, "none": "no supergraph", "bad": "bad.graphql: supergraph: ", "who": `who.yaml:2:28: subgraphs.each: the supergraph has no subgraph "nobody"`,
		"path": "path.yaml:2:22: health.alive_path: /graphql is the path of listen.path already", "page": "page.yaml:2:16: listen.path: / is the path of playground.path already: give playground.path another, such as /playground, or say false for playground.enabled",
		"tls": "tls.yaml:2:15: listen.tls: open", "gone": "read the supergraph: open",
	} {
		err := Source{ConfigFile: filepath.Join(dir, name+".yaml")}.Check(slog.New(slog.DiscardHandler))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A check reads files, but writes none and calls nobody.
func TestCheckOpensNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(called)
				return
			}
			called <- struct{}{}
			_ = conn.Close()
		}
	}()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := listener.Addr().String()
	write("graph.graphql", graph(t, "http://"+at, "a"))
	write("router.yaml", `
supergraph: { file: graph.graphql }
redis: { url: "redis://`+at+`" }
cache: { enabled: true, redis: { url: "redis://`+at+`" } }
rate: { rules: [{ name: few, limit: 1 }] }
identity: { issuers: [{ algorithms: [RS256], jwks_url: "http://`+at+`/keys" }] }
telemetry:
  traces: { endpoint: "http://`+at+`" }
  access_log: { output: access.log }
  slow_log: { output: slow.log }
  usage: { file: usage/current.jsonl }
`)
	source := Source{ConfigFile: filepath.Join(dir, "router.yaml")}
	if err := source.Check(slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
	write("router.yaml", "supergraph: { file: graph.graphql }\ntelemetry: { access_log: { output: nowhere/access.log } }")
	if err := source.Check(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "access_log") {
		t.Errorf("a log in a folder that is not there gave %v", err)
	}
	write("router.yaml", "supergraph: { file: graph.graphql }\nidentity: { issuers: [{ algorithms: [RS256], jwks_url: 'http://example.com/keys' }] }")
	if err := source.Check(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("a key set in clear text gave %v", err)
	}
	_ = listener.Close()
	for range called {
		t.Error("somebody was called")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}
