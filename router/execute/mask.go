package execute

import (
	"encoding/json"
	"maps"
	"slices"
)

// Errors says what clients see of the errors that subgraphs report. The zero value shows all.
type Errors struct {
	// Mask replaces the messages of errors without a code in extensions.code by a general one, and drops their extensions.
	Mask bool
	// Codes, where there are any, are the only ones that are let through; errors with another code are masked whatever Mask says.
	Codes []string
	// Extensions, where it is not nil, are the only keys of extensions that are let through, beside code and service.
	Extensions []string
}

// view shows an error as the policy has it, and says which code it has then.
func (p *Errors) view(e *subgraphError) (code string) {
	var own string
	_ = json.Unmarshal(e.extensions["code"], &own) // no code is an empty one
	if own == "" && p.Mask || len(p.Codes) > 0 && !slices.Contains(p.Codes, own) {
		e.message, e.extensions = maskedMessage, nil
		return codeSubgraph
	}
	if p.Extensions != nil {
		maps.DeleteFunc(e.extensions, func(key string, _ json.RawMessage) bool { return !slices.Contains(p.Extensions, key) })
	}
	if own == "" {
		return codeSubgraph
	}
	return own
}

// errorsOf is the policy for a subgraph.
func (e *Executor) errorsOf(subgraph string) *Errors {
	if p, ok := e.o.ErrorsOf[subgraph]; ok {
		return &p
	}
	return &e.o.Errors
}
