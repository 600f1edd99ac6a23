package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/execute"
	"bourse/router/limits"
	"bourse/router/plan"
	"bourse/router/serve"
)

// Codes of refusals before execution.
const (
	codeParseFailed      = "GRAPHQL_PARSE_FAILED"
	codeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	codeBadUserInput     = "BAD_USER_INPUT"
	codePlanFailed       = "QUERY_PLAN_FAILED"
	codeNotPersisted     = "PERSISTED_QUERY_NOT_FOUND"
)

// cacheKey is what decides how an operation is planned: its text, which of its operations is meant, and which labels of
// progressive overrides are on.
type cacheKey struct{ query, operation, labels string }

// maxCachedText bounds what one cached operation may hold: with the default cache, 1,000 × 64 KiB of text at most.
const maxCachedText = 64 << 10

// maxReported bounds how many validation errors one answer tells.
const maxReported = 20

// prepared is an operation that is ready to run with any variables. It is shared by requests and never changed.
type prepared struct {
	doc        *ast.QueryDocument
	definition *ast.OperationDefinition
	labels     []string // that its plan depends on; in plan all are off
	plan       *plan.Plan
}

// Prepare implements serve.Gateway.
func (g *gateway) Prepare(ctx context.Context, req *serve.Request) (serve.Operation, *serve.Refusal) {
	if req.Query == "" {
		return nil, serve.Refuse(0, codeNotPersisted, "the persisted query is not known: send its text")
	}
	key := cacheKey{query: req.Query, operation: req.OperationName}
	p, known := g.ready.Get(key)
	if !known {
		var refusal *serve.Refusal
		if p, refusal = g.prepare(req); refusal != nil {
			return nil, refusal
		}
		if len(req.Query) <= maxCachedText {
			g.ready.Add(key, p)
		}
	}
	if len(p.labels) > 0 {
		var refusal *serve.Refusal
		if p, refusal = g.withLabels(ctx, key, p); refusal != nil {
			return nil, refusal
		}
	}
	if err := checkScalars(g.sg.API(), p.definition.VariableDefinitions, req.Variables); err != nil {
		return nil, refuseErrors(codeBadUserInput, err)
	}
	variables, err := validator.VariableValues(g.sg.API(), p.definition, req.Variables)
	if err != nil {
		return nil, refuseErrors(codeBadUserInput, err)
	}
	return &operation{g: g, name: p.definition.Name, input: execute.Input{Plan: p.plan, Variables: variables, Header: g.passOn(req.Header)}}, nil
}

// prepare reads, checks and plans an operation.
func (g *gateway) prepare(req *serve.Request) (*prepared, *serve.Refusal) {
	doc, err := g.limits.Parse(req.Query)
	var tooMuch *limits.Exceeded
	if errors.As(err, &tooMuch) {
		refusal := serve.Refuse(0, serve.CodeLimitExceeded, tooMuch.Error())
		refusal.Errors[0].Extensions["limit"] = tooMuch.Limit
		refusal.Errors[0].Extensions["max"] = tooMuch.Max
		refusal.Errors[0].Extensions["actual"] = tooMuch.Actual
		return nil, refusal
	}
	if err != nil {
		return nil, refuseErrors(codeParseFailed, err)
	}
	definition, refusal := choose(doc, req.OperationName)
	if refusal != nil {
		return nil, refusal
	}
	if errs := validator.ValidateWithRules(g.sg.API(), doc, g.rules); len(errs) > 0 {
		return nil, g.refuseValidation(errs)
	}
	if !g.introspection {
		if f := introspects(definition.SelectionSet); f != nil {
			refusal := serve.Refuse(0, codeValidationFailed, "introspection is not allowed: the operation asks for "+f.Name)
			refusal.Errors[0].Locations = []serve.Location{{Line: f.Position.Line, Column: f.Position.Column}}
			return nil, refusal
		}
	}
	p, refusal := g.plan(doc, definition, plan.Given{})
	if refusal != nil {
		return nil, refusal
	}
	return &prepared{doc, definition, g.planner.Labels(doc, definition.Name), p}, nil
}

func (g *gateway) plan(doc *ast.QueryDocument, definition *ast.OperationDefinition, given plan.Given) (*plan.Plan, *serve.Refusal) {
	p, err := g.planner.Plan(doc, definition.Name, given)
	if err != nil {
		var unplannable *plan.Error
		if errors.As(err, &unplannable) {
			return nil, serve.Refuse(0, codePlanFailed, unplannable.Message)
		}
		g.logger.Error("planning failed", "operation", definition.Name, "error", err)
		return nil, serve.Refuse(0, codePlanFailed, "the operation could not be planned")
	}
	return p, nil
}

// choose finds the operation that the request means.
func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *serve.Refusal) {
	switch {
	case len(doc.Operations) == 0:
		return nil, serve.Refuse(0, codeValidationFailed, "the document has no operation")
	case name == "" && len(doc.Operations) > 1:
		return nil, serve.Refuse(0, codeValidationFailed, "the document has several operations: operationName must say which")
	case name == "":
		return doc.Operations[0], nil
	}
	if op := doc.Operations.ForName(name); op != nil {
		return op, nil
	}
	return nil, serve.Refuse(0, codeValidationFailed, fmt.Sprintf("the document has no operation named %q", name))
}

// introspects finds a field of the root that asks for the schema. The document is valid, so fragments end.
func introspects(set ast.SelectionSet) *ast.Field {
	for _, sel := range set {
		var found *ast.Field
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__schema" || sel.Name == "__type" {
				return sel
			}
		case *ast.InlineFragment:
			found = introspects(sel.SelectionSet)
		case *ast.FragmentSpread:
			found = introspects(sel.Definition.SelectionSet)
		}
		if found != nil {
			return found
		}
	}
	return nil
}

func (g *gateway) refuseValidation(errs gqlerror.List) *serve.Refusal {
	refusal := &serve.Refusal{}
	for _, err := range errs[:min(len(errs), maxReported)] {
		e := errorOf(codeValidationFailed, err)
		if !g.introspection {
			// Suggestions would tell the schema name by name.
			e.Message, _, _ = strings.Cut(e.Message, " Did you mean")
		}
		refusal.Errors = append(refusal.Errors, e)
	}
	return refusal
}

// refuseErrors turns what gqlparser returns into a refusal.
func refuseErrors(code string, err error) *serve.Refusal {
	var list gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &list) && len(list) > 0:
		refusal := &serve.Refusal{}
		for _, e := range list[:min(len(list), maxReported)] {
			refusal.Errors = append(refusal.Errors, errorOf(code, e))
		}
		return refusal
	case errors.As(err, &one):
		return &serve.Refusal{Errors: []serve.Error{errorOf(code, one)}}
	default:
		return serve.Refuse(0, code, err.Error())
	}
}

func errorOf(code string, err *gqlerror.Error) serve.Error {
	e := serve.Error{Message: err.Message, Extensions: map[string]any{"code": code}}
	for _, l := range err.Locations {
		e.Locations = append(e.Locations, serve.Location{Line: l.Line, Column: l.Column})
	}
	if code == codeBadUserInput && len(err.Path) > 1 {
		// gqlparser's path of a variable is no path of the response.
		e.Message = "variable " + strings.TrimPrefix(err.Path.String(), "variable.") + ": " + err.Message
	}
	return e
}
