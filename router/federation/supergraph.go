package federation

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
)

// Supergraph is the immutable model of one composed schema. It is safe for
// concurrent use; callers must not modify what its methods hand out.
type Supergraph struct {
	api       *ast.Schema
	apiSDL    string
	subgraphs []Subgraph
}

// Subgraph is one service of the supergraph.
type Subgraph struct {
	Name string // as in @join__graph(name:)
	URL  string // as in @join__graph(url:); may be empty
}

// Load reads a supergraph SDL of the join specification.
func Load(sdl string) (*Supergraph, error) { return nil, errors.New("federation: not yet") }

// API is the schema that clients see: without the machinery of the join and
// link specifications and without anything @inaccessible.
func (s *Supergraph) API() *ast.Schema { return s.api }

// APISDL is the canonical print of API.
func (s *Supergraph) APISDL() string { return s.apiSDL }

// Subgraphs lists the services in the order of the join__Graph enum.
func (s *Supergraph) Subgraphs() []Subgraph { return s.subgraphs }
