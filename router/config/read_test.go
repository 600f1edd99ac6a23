package config_test

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"bourse/router/config"
	"bourse/router/plan"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

func TestAFileBecomesOptions(t *testing.T) {
	c, err := config.Read("router.yaml", []byte(`
listen:
  address: ${HOST:-0.0.0.0}:${PORT}
  header_timeout: 1500ms
supergraph: { file: graph.graphql, watch: "${WATCH}" }
subgraphs:
  timeout: 3s
  max_response: 1.5MiB
  each:
    products: { url: "${PRODUCTS}/graphql" }
plans:
  cache: 7
`), environment(map[string]string{"PORT": "4001", "WATCH": "false", "PRODUCTS": "http://10.0.0.7"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen.Address != "0.0.0.0:4001" || c.Listen.HeaderTimeout.Std() != 1500*time.Millisecond || c.Listen.Path != "/graphql" {
		t.Errorf("listen is %+v", c.Listen)
	}
	if c.Supergraph.File != "graph.graphql" || c.Supergraph.Watch {
		t.Errorf("supergraph is %+v", c.Supergraph)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o := b.Options
	if h := o.Subgraphs.HTTP; h.Timeout != 3*time.Second || h.MaxResponseBytes != 3<<19 || o.Subgraphs.URLs["products"] != "http://10.0.0.7/graphql" || o.PlanCacheSize != 7 {
		t.Errorf("options are %+v", o)
	}
}

// Every way to be wrong is told at its place, with what would be right.
func TestFaultsHaveAPlaceAndAWayOut(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown section", "listn:\n  address: :1", `r.yaml:1:1: the configuration has no key "listn": did you mean "listen"? allowed: `},
		{"unknown key", "listen:\n  adress: :1", `r.yaml:2:3: listen has no key "adress": did you mean "address"? allowed: address, admin, `},
		{"unknown key with nothing near", "plans:\n  zzzzzzzzzzzz: 1", `r.yaml:2:3: plans has no key "zzzzzzzzzzzz": allowed: cache, cache_bytes`},
		{"key of one subgraph", "subgraphs: { each: { products: { urls: x } } }", `r.yaml:1:34: subgraphs.each.products has no key "urls": did you mean "url"? allowed: `},
		{"twice", "plans: {cache: 1, cache: 2}", `r.yaml:1:19: plans has "cache" twice`},
		{"bad duration", "listen:\n  header_timeout: 10", `r.yaml:2:19: listen.header_timeout cannot be "10": a duration is a number with a unit, such as "250ms"`},
		{"too short", "listen:\n  header_timeout: 0s", `r.yaml:2:19: listen.header_timeout cannot be "0s": it is at least 1ms`},
		{"negative", "listen: {drain: {delay: -1s}}", `r.yaml:1:25: listen.drain.delay cannot be "-1s": it is at least 0s`},
		{"bad size", "subgraphs:\n  max_response: much", `r.yaml:2:17: subgraphs.max_response cannot be "much": a size is a number with a unit`},
		{"huge size", "subgraphs:\n  max_response: 99999999999GiB", `a size is a number with a unit`},
		{"no number", "plans: {cache: many}", `r.yaml:1:16: plans.cache cannot be "many": a whole number is wanted`},
		{"no boolean", "supergraph: {watch: yes}", `r.yaml:1:21: supergraph.watch cannot be "yes": allowed: true, false`},
		{"a list for a value", "plans: {cache: [1]}", `r.yaml:1:16: plans.cache is one value`},
		{"a value for a section", "plans: 3", `r.yaml:1:8: plans must be a mapping of keys to values`},
		{"nothing for a value", "plans: {cache: }", `plans.cache has no value`},
		{"unset variable", "listen:\n  address: ${NOWHERE}", `r.yaml:2:12: listen.address: the environment has no NOWHERE; ${NOWHERE:-otherwise} would`},
		{"broken reference", "listen:\n  address: ${9}", `r.yaml:2:12: listen.address: "${" begins a variable`},
		{"a check of its own", "listen:\n  address: nowhere", `r.yaml:2:12: listen.address: an address is HOST:PORT`},
		{"no YAML", "listen: ]", `r.yaml:1:1: not YAML: `},
		{"no YAML, found by the parser", "plans: {}\nlisten: {\n  a: b: c }", `r.yaml:2:1: not YAML: `},
		{"no YAML, found by the scanner", "plans: {}\nlisten: @", `r.yaml:2:1: not YAML: `},
		{"no algorithm", "identity: {issuers: [{name: a, algorithms: [RSA256], secret: b}]}", `r.yaml:1:45: identity.issuers[0].algorithms[0] cannot be "RSA256": did you mean "RS256"`},
		{"a tab", "plans: {}\nlisten:\n\taddress: ':1'", `r.yaml:3:1: not YAML: a line begins with a tab`},
		{"a value for a list", "headers: {forward: Authorization}", `r.yaml:1:20: headers.forward must be a list`},
		{"a share for a percentage", "traffic: {all: {hedge: {percentile: 0.95}}}", `r.yaml:1:37: traffic.all.hedge.percentile: 95 is`},
		{"no port", "listen: {address: ':99999'}", `r.yaml:1:19: listen.address: an address is HOST:PORT`},
		{"one address for all", "listen:\n  address: :1\n  admin: :1", `r.yaml:3:10: listen.admin: it is the address of the clients' listener`},
		{"no origin", "cors: {origins: ['*', app.example.com]}", `r.yaml:1:23: cors.origins[1]: "app.example.com" is no origin`},
		{"an origin with a path", "cors: {origins: ['https://example.com/app']}", `r.yaml:1:18: cors.origins[0]: "https://example.com/app" is no origin`},
		{"no pattern", "cors: {patterns: ['(']}", `r.yaml:1:19: cors.patterns[0]: "(" is no regular expression`},
		{"values of no claim", "explain: {claim_values: [a]}", `r.yaml:1:25: explain.claim_values: they are of a claim`},
		{"a short secret", "cache: {invalidation: {secret: abc}}", `r.yaml:1:32: cache.invalidation.secret: a secret has at least 16`},
		{"no path", "playground: {path: '{x'}", `r.yaml:1:20: playground.path: a path begins with /`},
		{"no path for metrics", "telemetry: {metrics: {path: m}}", `r.yaml:1:29: telemetry.metrics.path: a path begins with /`},
		{"costs that nobody computes", "rate: {rules: [{name: a, limit: 1}, {name: b, limit: 1, cost: true}]}", `r.yaml:1:63: rate.rules[1].cost: costs are not computed`},
		{"a rate rule in a list", "rate:\n  rules:\n    - {name: a, limit: 1}\n    - {name: b, limit: 1, by: [address, moon]}", `r.yaml:4:41: rate.rules[1].by[1]: clients are told apart by "address"`},
		{"two rate rules of one name", "rate:\n  rules:\n    - {name: a, limit: 1}\n    - {name: a, limit: 2}", `r.yaml:4:14: rate.rules[1].name: rules[0] is named a already`},
		{"a header rule in a list", "headers:\n  all:\n    - {action: remove, name: X}\n    - action: insert\n      name: Y", `r.yaml:4:7: headers.all[1]: what is inserted has a name, and either a value or a claim`},
		{"a header rule of one subgraph", "headers:\n  each:\n    a:\n      - {action: propagate, name: Host}", `r.yaml:4:9: headers.each.a[0]: the header Host belongs to a connection`},
		{"a header rule for answers", "headers: {response: [{name: A}, {matching: '('}]}", `r.yaml:1:33: headers.response[1]: error parsing regexp`},
		{"a cookie for all", "headers: {response: [{name: set-cookie}]}", `r.yaml:1:29: headers.response[0].name: clients that share an answer would get each other's cookies`},
		{"nothing to enforce", "cost:\n  mode: enforce\n  roles: {admin: 0}", `r.yaml:2:9: cost.mode: there is no budget to enforce: give max`},
		{"a budget of nothing", "cost:\n  max: 10", `r.yaml:2:8: cost.max: nothing comes of it while cost.mode is not warn or enforce`},
		{"invalidation of nothing", "cache:\n  cache_control: true\n  invalidation: {secret: a-secret-of-some-length}", `r.yaml:3:17: cache.invalidation: nothing comes of it while cache.enabled is not true`},
		{"claims for nobody", "headers: {claims: {secret_file: claims.txt}}", `r.yaml:1:33: headers.claims.secret_file: nothing comes of it while headers.claims.enabled is not true`},
		{"too little time to drain", "websocket: {drain_jitter: 10s}", `r.yaml:1:27: websocket.drain_jitter: it is at least listen.drain.timeout, 10s`},
		{"no Redis for the cache", "cache:\n  enabled: true\n  redis: {url: 'redis://:hunter2@[x'}", "r.yaml:3:16: cache.redis.url: a URL is redis://"},
		{"two documents", "plans: {}\n---\nplans: {}", `the file has several documents`},
		{"too large", strings.Repeat("#", 2<<20), "larger than 1MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Read("r.yaml", []byte(c.text), environment(nil))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A section that says nothing says what its absence does: its defaults pass its own checks.
func TestEverySectionMayBeEmpty(t *testing.T) {
	for section := range reflect.TypeFor[config.Config]().Fields() {
		key := section.Tag.Get("yaml")
		if key == "" {
			continue
		}
		c, err := config.Read("r.yaml", []byte(key+": {}"), environment(nil))
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := c.Build(slog.New(slog.DiscardHandler))
		if err != nil {
			t.Error(err)
			continue
		}
		b.Close()
	}
}

// What was in use can be turned off by one word, in a hurry.
func TestWhatIsTurnedOffByTheFileStaysAsItIs(t *testing.T) {
	_, err := config.Read("r.yaml", []byte(`
cache: { enabled: false, ttl: 1m, invalidation: { secret: a-secret-of-some-length } }
cost: { mode: "off", max: 10 }
headers: { claims: { enabled: false, key_file: k.pem } }
`), environment(nil))
	if err != nil {
		t.Error(err)
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, err := config.Read("r.yaml", []byte("listen: {adress: x}\nplans: {cache: -1}\nsubgraphs: {timeout: fast}"), environment(nil))
	if faults, ok := err.(config.Faults); !ok || len(faults) != 3 || faults[0].Line != 1 || faults[2].Line != 3 {
		t.Errorf("got %v", err)
	}
	_, err = config.Read("r.yaml", []byte("cost: {max: 1}\nrate: {rules: [{name: a, limit: 1, by: [moon, sun]}]}\nheaders: {all: [{action: insert, name: X}]}"), environment(nil))
	if faults, ok := err.(config.Faults); !ok || len(faults) != 3 || faults[2].Line != 3 {
		t.Errorf("got %v", err)
	}
	_, err = config.Read("r.yaml", []byte("cost: {max: 1}\ncache: {ttl: 1m}\nrate: {rules: [{name: a, limit: 1, cost: true}]}"), environment(nil))
	if faults, ok := err.(config.Faults); !ok || len(faults) != 3 || faults[2].Line != 3 {
		t.Errorf("got %v", err)
	}
}

// What comes out of the environment may be a secret: a fault shows the variable's name alone.
func TestFaultsDoNotTellTheEnvironment(t *testing.T) {
	_, err := config.Read("r.yaml", []byte("plans: {cache: '${SECRET}'}"), environment(map[string]string{"SECRET": "hunter2"}))
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "${SECRET}") {
		t.Errorf("got %v", err)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	c, err := config.Read("r.yaml", []byte("subgraphs:\n  each:\n    a: &a {url: 'http://a'}\n    b: *a\n    c: {<<: *a, url: 'http://c'}\n"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if e := c.Subgraphs.Each; e["b"].URL != "http://a" || e["c"].URL != "http://c" {
		t.Errorf("each is %v", e)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("subgraphs:\n  each:\n    a: &a {url: 'http://a'}\n")
	for range 2000 {
		text.WriteString("    x: *a\n")
	}
	if _, err := config.Read("r.yaml", []byte(text.String()), environment(nil)); err == nil {
		t.Error("2,000 aliases are read")
	}
	// Aliases of aliases: a file of a kilobyte that would stand for gigabytes.
	bomb := "a: &a {x: 1}\nb: &b {<<: [*a]}\nsubgraphs: {<<: *b}"
	if _, err := config.Read("r.yaml", []byte(bomb), environment(nil)); err == nil {
		t.Error("unknown keys are read")
	}
}

func TestLiteralDollar(t *testing.T) {
	c, err := config.Read("r.yaml", []byte("supergraph: {file: 'a$${b}c$d'}"), environment(nil))
	if err != nil || c.Supergraph.File != "a${b}c$d" {
		t.Errorf("%q, %v", c.Supergraph.File, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("listen: {address: ':1'}")
	f.Add("subgraphs: &a {each: {x: *a}}")
	f.Add("plans: {<<: {cache: 1}}")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = config.Read("r.yaml", []byte(text), environment(nil)) // it may refuse, and must not panic or hang
	})
}

func TestPlansAreMadeAsTheFileSays(t *testing.T) {
	b, err := built(t, "plans: {labels: [beta], steps: 5, search_steps: 6}")
	if err != nil {
		t.Fatal(err)
	}
	if b.Options.Plan != (plan.Options{MaxSteps: 5, MaxSearch: 6}) {
		t.Errorf("planning is %+v", b.Options.Plan)
	}
	if on := b.Options.Label; !on(t.Context(), "beta") || on(t.Context(), "alpha") {
		t.Error("another label is on than the file says")
	}
}
