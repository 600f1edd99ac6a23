package config

import (
	"fmt"
	"net/url"
)

// Subgraphs says how subgraphs are reached.
type Subgraphs struct {
	Timeout     Duration            `yaml:"timeout" default:"30s" min:"1ms" doc:"Time for one request to a subgraph; subscriptions have none."`
	MaxResponse Size                `yaml:"max_response" default:"64MiB" min:"1KiB" doc:"Size of one answer of a subgraph."`
	NetHTTP     bool                `yaml:"net_http" default:"false" doc:"Fetch through Go's net/http even by plain HTTP/1.1, where the router's own client costs several times less."`
	Each        map[string]Subgraph `yaml:"each" doc:"What is special about one subgraph, by its name in the supergraph."`
}

// Subgraph is what is special about one subgraph.
type Subgraph struct {
	URL string `yaml:"url" doc:"Where it is called instead of where the supergraph says."`
}

// Check implements checker.
func (s *Subgraph) Check() error {
	if s.URL == "" {
		return nil
	}
	if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return badKey("url", "an address begins with http:// or https:// and has a host")
	}
	return nil
}

func (s *Subgraphs) apply(b *Built) error {
	b.Options.SubgraphTimeout = s.Timeout.Std()
	b.Options.MaxSubgraphResponse = int64(s.MaxResponse)
	b.Options.SubgraphNetHTTP = s.NetHTTP
	b.Options.SubgraphURLs = map[string]string{}
	for name, one := range s.Each {
		if name == "" {
			return fmt.Errorf("a subgraph has no name")
		}
		if one.URL != "" {
			b.Options.SubgraphURLs[name] = one.URL
		}
	}
	return nil
}
