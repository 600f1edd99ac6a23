package plan

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Options bound the planner.
type Options struct {
	// MaxSteps bounds the work on one operation; 0: 200,000. A step is about one field of one concrete type.
	MaxSteps int
	// MaxSearch bounds, in steps too, the search for a cheaper plan than the first that was found; 0: 20,000. A plan
	// for which it was hit is right all the same, and says so.
	MaxSearch int
}

// Planner plans operations against one supergraph. It is safe for concurrent use.
type Planner struct {
	sg           *federation.Supergraph
	o            Options
	labelled     bool // the supergraph has progressive overrides
	contextTypes map[string][]*federation.Type
}

// New returns a planner for the supergraph.
func New(sg *federation.Supergraph, o Options) *Planner {
	if o.MaxSteps <= 0 {
		o.MaxSteps = defaultMaxSteps
	}
	if o.MaxSearch <= 0 {
		o.MaxSearch = defaultSearchSteps
	}
	return &Planner{sg: sg, o: o, labelled: hasLabels(sg), contextTypes: contextTypes(sg)}
}

// Given is what a plan depends on beside the document and the supergraph. Plans for different Givens are
// different plans: whoever keeps plans must keep them apart by it.
type Given struct {
	// Labels says of each label of a progressive @override whether it is on; a label that is missing is off.
	Labels map[string]bool
	// Defer says that the client takes the answer in parts. Otherwise @defer means nothing.
	Defer bool
	// Variables has the values of the variables that Deferring names; one that is missing counts as true.
	Variables map[string]bool
	// Denies says which fields of which object and interface types the client may not see; nil: it may see all.
	Denies func(typ, field string) bool
}

// Codes of Error.
const (
	CodeUnplannable = "QUERY_PLAN_FAILED"         // no subgraph can be reached that resolves a field
	CodeTooLarge    = "QUERY_PLAN_LIMIT_EXCEEDED" // the bound was hit
)

// Error says why an operation cannot be planned. Its message is fit for the client.
type Error struct {
	Message string
	Code    string
}

func (e *Error) Error() string { return e.Message }

// Plan plans the named operation of doc, which must already be validated against the API schema.
// operationName may be empty when doc holds one operation. The error is an *Error. doc must not change
// afterwards: introspection fields refer to it.
func (p *Planner) Plan(doc *ast.QueryDocument, operationName string, given Given) (*Plan, error) {
	op := doc.Operations.ForName(operationName)
	if op == nil {
		return nil, &Error{Message: fmt.Sprintf("no operation %q in the document", operationName), Code: CodeUnplannable}
	}
	b := p.builder(op, given)
	if err := b.build(); err != nil {
		if known := new(Error); errors.As(err, &known) {
			known.Code = cmp.Or(known.Code, CodeUnplannable)
			return nil, known
		}
		return nil, &Error{Message: err.Error(), Code: CodeUnplannable}
	}
	finished := b.finish()
	if given.Denies != nil {
		finished.listDenied()
	}
	return finished, nil
}

func (p *Planner) builder(op *ast.OperationDefinition, given Given) *builder {
	return &builder{
		sg: p.sg, op: op, given: given, maxSteps: p.o.MaxSteps, maxSearch: p.o.MaxSearch,
		slotSubs:     map[*slot][]subset{},
		enums:        map[*federation.Type]map[string]bool{},
		condIDs:      map[string]CondID{},
		scores:       map[scoreKey]int{},
		contextTypes: p.contextTypes,
		shapes:       map[*federation.FieldJoin]string{},
	}
}
