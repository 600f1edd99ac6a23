package plan

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Options bound the planner.
type Options struct {
	// MaxSteps bounds the work on one operation; 0 means the default.
	MaxSteps int
}

// Planner plans operations against one supergraph. It is safe for concurrent use.
type Planner struct {
	sg *federation.Supergraph
	o  Options
}

// New returns a planner for the supergraph.
func New(sg *federation.Supergraph, o Options) *Planner { return &Planner{sg: sg, o: o} }

// Plan is immutable and safe for concurrent use.
type Plan struct {
	operation ast.Operation
}

// Error says why an operation cannot be planned.
type Error struct {
	Message string
}

func (e *Error) Error() string { return e.Message }

// Plan plans the named operation of doc, which must already be validated against the API schema.
// operationName may be empty when doc holds one operation.
func (p *Planner) Plan(doc *ast.QueryDocument, operationName string) (*Plan, error) {
	return nil, errors.New("plan: not yet")
}

// Operation is query, mutation or subscription.
func (p *Plan) Operation() ast.Operation { return p.operation }

// Text prints the plan for people.
func (p *Plan) Text() string { return "" }

// MarshalJSON prints the plan for machines.
func (p *Plan) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }
