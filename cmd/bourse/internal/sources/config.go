package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxConfigBytes = 1 << 20
	// maxAliases bounds how often a configuration may say again what it said before.
	maxAliases = 1000
)

// position is a place in the configuration.
type position struct {
	file         string
	line, column int
}

// ReadConfig reads a configuration in the form that Apollo's rover made usual:
//
//	federation_version: =2.9.0
//	subgraphs:
//	  products:
//	    routing_url: http://127.0.0.1:4001/graphql
//	    schema:
//	      file: ./products.graphql
//	  reviews:
//	    schema:
//	      subgraph_url: http://127.0.0.1:4002/graphql
//	      introspection_headers: { Authorization: "Bearer ${env.REVIEWS_TOKEN}" }
//	contracts:
//	  partner: { include_tags: [partner], exclude_tags: [internal], hide_unreachable: true, output: partner.graphql }
//
// ${env.NAME} stands for a variable of the environment, ${env.NAME:-otherwise} too where it is not set. lookup finds them.
// Keys that are not known are faults: a misspelt one would else be silently without effect.
func ReadConfig(name string, text []byte, lookup func(string) (string, bool)) (*Config, Faults) {
	r := &configReader{file: name, lookup: lookup}
	if len(text) > maxConfigBytes {
		return nil, Faults{{Code: InvalidConfig, File: name, Message: fmt.Sprintf("the configuration is larger than %d MiB", maxConfigBytes>>20)}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, another yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, Faults{{Code: InvalidConfig, File: name, Message: "the configuration is empty: it needs subgraphs"}}
	case err != nil:
		return nil, Faults{r.syntax(err)}
	}
	if err := decoder.Decode(&another); err == nil {
		r.fail(&another, "the file has several documents; one is read")
	}
	c := r.config(document.Content[0])
	return c, r.faults
}

type configReader struct {
	file    string
	lookup  func(string) (string, bool)
	aliases int
	faults  Faults
}

func (r *configReader) at(n *yaml.Node) position { return position{r.file, n.Line, n.Column} }

func (r *configReader) fail(n *yaml.Node, format string, args ...any) {
	p := r.at(n)
	r.faults = append(r.faults, &Fault{Code: InvalidConfig, Message: fmt.Sprintf(format, args...), File: p.file, Line: p.line, Column: p.column})
}

var lineOfError = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?line (\d+): (.*)`)

func (r *configReader) syntax(err error) *Fault {
	f := &Fault{Code: InvalidConfig, File: r.file, Message: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if parts := lineOfError.FindStringSubmatch(err.Error()); parts != nil {
		f.Line, _ = strconv.Atoi(parts[1])
		f.Column, f.Message = 1, "not YAML: "+parts[2]
	}
	return f
}

func (r *configReader) config(body *yaml.Node) *Config {
	c := &Config{}
	subgraphs := false
	r.mapping(body, "the configuration", map[string]func(*yaml.Node){
		"federation_version": func(n *yaml.Node) { c.FederationVersion = r.version(n) },
		"subgraphs": func(n *yaml.Node) {
			subgraphs = true
			r.entries(n, "subgraphs", func(name string, key, value *yaml.Node) {
				s := r.subgraph(name, value)
				s.at = r.at(key)
				c.Subgraphs = append(c.Subgraphs, s)
			})
			if len(c.Subgraphs) == 0 && len(r.faults) == 0 {
				r.fail(n, "subgraphs names none")
			}
		},
		"contracts": func(n *yaml.Node) {
			r.entries(n, "contracts", func(name string, _, value *yaml.Node) {
				c.Contracts = append(c.Contracts, r.contract(name, value))
			})
		},
	})
	if !subgraphs && len(r.faults) == 0 {
		r.fail(body, "the configuration has no subgraphs")
	}
	return c
}

var knownVersion = regexp.MustCompile(`^=?[12](\.\d+){0,2}$`)

func (r *configReader) version(n *yaml.Node) string {
	version := r.scalar(n, "federation_version")
	if version != "" && !knownVersion.MatchString(version) {
		r.fail(n, "federation_version is %q; versions are 1, 2 and such as =2.9.0", version)
	}
	return version
}

func (r *configReader) subgraph(name string, n *yaml.Node) Subgraph {
	s := Subgraph{Name: name}
	schema := false
	r.mapping(n, "subgraph "+name, map[string]func(*yaml.Node){
		"routing_url": func(n *yaml.Node) { s.RoutingURL = r.scalar(n, "routing_url") },
		"schema":      func(n *yaml.Node) { schema = true; r.schema(&s, n) },
	})
	if !schema {
		r.fail(n, "subgraph %q has no schema: give it a file, subgraph_url or sdl", name)
	}
	return s
}

func (r *configReader) schema(s *Subgraph, n *yaml.Node) {
	before := len(r.faults)
	registry := func(n *yaml.Node) { r.fail(n, "schemas of a registry are not fetched: use file, subgraph_url or sdl") }
	r.mapping(n, "schema", map[string]func(*yaml.Node){
		"file":         func(n *yaml.Node) { s.File = r.scalar(n, "file") },
		"sdl":          func(n *yaml.Node) { s.SDL = r.scalar(n, "sdl") },
		"subgraph_url": func(n *yaml.Node) { s.SubgraphURL = r.scalar(n, "subgraph_url") },
		"introspection_headers": func(n *yaml.Node) {
			s.Headers = http.Header{}
			r.entries(n, "introspection_headers", func(name string, _, value *yaml.Node) {
				s.Headers.Set(name, r.scalar(value, name))
			})
		},
		"graphref": registry, "subgraph": registry,
	})
	given := 0
	for _, source := range []string{s.File, s.SDL, s.SubgraphURL} {
		if source != "" {
			given++
		}
	}
	if given != 1 && len(r.faults) == before {
		r.fail(n, "the schema of %q needs one of file, subgraph_url and sdl; it has %d", s.Name, given)
	}
	if s.Headers != nil && s.SubgraphURL == "" && len(r.faults) == before {
		r.fail(n, "introspection_headers go with subgraph_url")
	}
}

func (r *configReader) contract(name string, n *yaml.Node) Contract {
	c := Contract{Name: name}
	r.mapping(n, "contract "+name, map[string]func(*yaml.Node){
		"include_tags": func(n *yaml.Node) { c.Filter.Include = r.list(n, "include_tags") },
		"exclude_tags": func(n *yaml.Node) { c.Filter.Exclude = r.list(n, "exclude_tags") },
		"hide_unreachable": func(n *yaml.Node) {
			if err := n.Decode(&c.Filter.HideUnreachable); err != nil {
				r.fail(n, "hide_unreachable is true or false")
			}
		},
		"output": func(n *yaml.Node) { c.Output = r.scalar(n, "output") },
	})
	return c
}
