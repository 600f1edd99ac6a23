package sources

import (
	"strings"
	"testing"
)

func TestWhatIsWrongWithAConfigurationIsToldWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"nothing", "", "empty"},
		{"only a comment", "# hello\n", "empty"},
		{"not YAML", "subgraphs:\n  a: [", "c.yaml:2:"},
		{"tabs", "subgraphs:\n\ta: 1", "not YAML"},
		{"a list", "- a\n", "must be a mapping"},
		{"a word", "hello", "must be a mapping"},
		{"no subgraphs", "federation_version: 2\n", "no subgraphs"},
		{"none", "subgraphs: {}\n", "names none"},
		{"null", "subgraphs:\n", "names none"},
		{"misspelt", "subgraphs:\n  a:\n    routing_ulr: x\n    schema: { file: a }\n", `c.yaml:3:5: INVALID_CONFIG: subgraph a has no key "routing_ulr"; known are routing_url, schema`},
		{"misspelt above", "subgraph:\n  a: { schema: { file: a } }\n", `c.yaml:1:1: INVALID_CONFIG: the configuration has no key "subgraph"`},
		{"misspelt below", "subgraphs:\n  a:\n    schema:\n      path: a\n", `c.yaml:4:7: INVALID_CONFIG: schema has no key "path"`},
		{"twice", "subgraphs:\n  a: { schema: { file: a } }\n  a: { schema: { file: b } }\n", "c.yaml:3:"},
		{"no schema", "subgraphs:\n  a:\n    routing_url: x\n", `subgraph "a" has no schema`},
		{"two sources", "subgraphs:\n  a:\n    schema: { file: a, sdl: b }\n", "it has 2"},
		{"headers for a file", "subgraphs:\n  a:\n    schema: { file: a, introspection_headers: {x: y} }\n", "go with subgraph_url"},
		{"a registry", "subgraphs:\n  a:\n    schema: { graphref: me@current }\n", "registry"},
		{"not set", "subgraphs:\n  a:\n    routing_url: ${env.NOBODY}\n    schema: { file: a }\n", "c.yaml:3:18: INVALID_CONFIG: NOBODY is not set"},
		{"a version", "federation_version: three\nsubgraphs:\n  a: { schema: { file: a } }\n", "federation_version"},
		{"a list for text", "subgraphs:\n  a:\n    schema: { file: [a] }\n", "file must be text"},
		{"no alias", "subgraphs:\n  a: *nobody\n", "nobody"},
		{"goes round", "subgraphs: &s\n  <<: *s\n", "too many"},
		{"tags", "subgraphs:\n  a: { schema: { file: a } }\ncontracts:\n  c: { include_tags: a }\n", "include_tags must be a list"},
		{"a switch", "subgraphs:\n  a: { schema: { file: a } }\ncontracts:\n  c: { hide_unreachable: maybe }\n", "true or false"},
	} {
		_, faults := ReadConfig("c.yaml", []byte(c.yaml), func(string) (string, bool) { return "", false })
		if len(faults) == 0 || !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, faults, c.want)
		}
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	_, faults := ReadConfig("c.yaml", []byte("x: 1\nsubgraphs:\n  a: { y: 1 }\n  b: { schema: { z: 1 } }\n"), nil)
	if len(faults) != 4 {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
}

func TestWhatAConfigurationSays(t *testing.T) {
	lookup := func(name string) (string, bool) { return "of " + name, name == "SET" }
	c, faults := ReadConfig("c.yaml", []byte(`
federation_version: =2.9.0 # any
subgraphs:
  a:
    routing_url: &url http://a/${env.SET}/${SET}/${env.NOT:-otherwise}
    schema:
      file: ./a.graphql
  b:
    routing_url: *url
    schema:
      subgraph_url: http://b
      introspection_headers: &h { X-Key: "${env.SET}", "x-other": 1 }
  c:
    schema: { subgraph_url: http://c, introspection_headers: *h }
  d:
    schema:
      sdl: |
        type Query {
          a: Int
        }
contracts:
  partner: { include_tags: [a, b/c], exclude_tags: [x], hide_unreachable: true, output: p.graphql }
`), lookup)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	a, b, d := c.Subgraphs[0], c.Subgraphs[1], c.Subgraphs[3]
	if a.RoutingURL != "http://a/of SET/of SET/otherwise" || a.File != "./a.graphql" || b.RoutingURL != a.RoutingURL || b.SubgraphURL != "http://b" {
		t.Errorf("subgraphs: %+v %+v", a, b)
	}
	if c.Subgraphs[2].Headers.Get("X-Key") != "of SET" || b.Headers.Get("X-Other") != "1" {
		t.Errorf("headers: %v", c.Subgraphs[2].Headers)
	}
	if d.SDL != "type Query {\n  a: Int\n}\n" {
		t.Errorf("sdl: %q", d.SDL)
	}
	p := c.Contracts[0]
	if p.Name != "partner" || len(p.Filter.Include) != 2 || p.Filter.Include[1] != "b/c" || p.Filter.Exclude[0] != "x" || !p.Filter.HideUnreachable || p.Output != "p.graphql" {
		t.Errorf("contract: %+v", p)
	}
}

// Depth is the way in which a parser that recurses is brought down.
func TestDeepConfigurationsDoNotBringDownTheProcess(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 1<<20), strings.Repeat("{a: ", 1<<18), strings.Repeat("- ", 1<<19), "? " + strings.Repeat("? ", 1<<16),
	} {
		if _, faults := ReadConfig("c.yaml", []byte(text), nil); len(faults) == 0 {
			t.Errorf("%.20q…: no fault", text)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add("subgraphs:\n  a: &x { schema: { file: a } }\n  b: *x\ncontracts:\n  c: { include_tags: [a] }\n")
	f.Add("a: b: c")
	f.Add("<<: *x")
	f.Add("? a\n: !!str b\n---\n|\n  x")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		c, faults := ReadConfig("c.yaml", []byte(text), func(string) (string, bool) { return "", false })
		if len(faults) == 0 && len(c.Subgraphs) == 0 {
			t.Errorf("neither subgraphs nor faults")
		}
	})
}
