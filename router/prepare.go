package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/execute"
	"bourse/router/identity"
	"bourse/router/lift"
	"bourse/router/limits"
	"bourse/router/rate"
	"bourse/router/serve"
	"bourse/router/telemetry"
)

// Codes of refusals before execution.
const (
	codeParseFailed      = "GRAPHQL_PARSE_FAILED"
	codeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	codeBadUserInput     = "BAD_USER_INPUT"
	codePlanFailed       = "QUERY_PLAN_FAILED"
)

// maxReported bounds how many validation errors one answer tells.
const maxReported = 20

// Prepare implements serve.Gateway.
func (g *gateway) Prepare(ctx context.Context, req *serve.Request) (serve.Operation, *serve.Refusal) {
	explains, refusal := g.explanation(req)
	if refusal != nil {
		return nil, refusal
	}
	found, refusal := g.find(ctx, req)
	if refusal != nil {
		return nil, refusal
	}
	var told telemetry.Prepared
	stage := rate.Whole
	k, ok := g.ready.texts.get(textKey{req.Query, req.OperationName})
	if !ok {
		stage = rate.After
		if refusal := g.ration(ctx, req, nil, 0, rate.Before); refusal != nil {
			return nil, refusal
		}
		if k, _, refusal = g.read(req, &told); refusal != nil {
			return nil, refusal
		}
	}
	variables, spent, refusal := g.judge(ctx, req, k)
	if refusal != nil && stage == rate.Whole { // what is refused counts as well, known or not
		if limited := g.ration(ctx, req, nil, 0, rate.Before); limited != nil {
			return nil, limited
		}
	}
	if refusal != nil {
		return nil, refusal
	}
	if refusal := g.ration(ctx, req, k, spent, stage); refusal != nil {
		return nil, refusal
	}
	p, refusal := g.planFor(ctx, req, k, variables, &told)
	if refusal != nil {
		return nil, refusal
	}
	maps.Copy(variables, k.literals)
	if refusal := g.withheld(ctx, req, k.definition.Name, p, variables); refusal != nil {
		return nil, refusal
	}
	op := &operation{g: g, name: k.definition.Name, input: execute.Input{Plan: p, Variables: variables, Header: g.passOn(req), Identity: req.Identity}, explains: explains, protected: len(k.needs.touched) > 0, cost: spent}
	if account := telemetry.Of(ctx); account != nil {
		told.Document, told.Kind, told.Plan, told.Variables, told.Cost = k.document, p.Operation(), p, req.Variables, spent
		account.Prepared(told)
	}
	if found.Keep != "" {
		g.documents.Keep(ctx, found)
	}
	if refusal := g.admitted(ctx, op, req.Query); refusal != nil {
		return nil, refusal
	}
	return op, nil
}

// judge holds what a request says beside its text against what its client may ask for.
func (g *gateway) judge(ctx context.Context, req *serve.Request, k *known) (variables map[string]any, spent int, refusal *serve.Refusal) {
	if refusal = g.secluded(req, k); refusal != nil {
		return nil, 0, refusal
	}
	if variables, refusal = g.variables(k.definition, req.Variables); refusal != nil {
		return nil, 0, refusal
	}
	spent, refusal = g.spend(ctx, req, k, variables)
	return variables, spent, refusal
}

// read reads and checks an operation and keeps what it finds. An operation that differs from one read before only in its literals
// is not validated again: what stands in Literals is valid by itself.
func (g *gateway) read(req *serve.Request, told *telemetry.Prepared) (*known, *shape, *serve.Refusal) {
	began := time.Now()
	doc, refusal := g.parse(req.Query)
	told.Parse = time.Since(began)
	if refusal != nil {
		return nil, nil, refusal
	}
	definition, refusal := choose(doc, req.OperationName)
	if refusal != nil {
		return nil, nil, refusal
	}
	// What the client said of its variables, before those for literals come to it.
	began = time.Now()
	client := &ast.OperationDefinition{Operation: definition.Operation, Name: definition.Name, VariableDefinitions: definition.VariableDefinitions}
	var asksForSchema *ast.Field
	if !g.introspection {
		asksForSchema = introspects(doc, definition.SelectionSet, map[string]bool{})
	}
	read := lift.Read(g.sg.API(), doc, definition)
	s, ok := g.ready.shapes.get(read.Text)
	if !ok || !read.Whole {
		if refusal := g.check(doc, req.Identity); refusal != nil {
			return nil, nil, refusal
		}
	}
	if ok {
		for _, v := range client.VariableDefinitions {
			v.Definition = g.sg.API().Types[v.Type.Name()] // which validation would have done
		}
	} else {
		definition = read.Apply(doc)
		s = &shape{text: read.Text, doc: doc, name: definition.Name, needs: g.needsOf(doc, definition)}
		g.ready.shapes.add(s.text, s, entryBytes+shapePerByte*len(s.text))
	}
	told.Validate = time.Since(began)
	k := &known{definition: client, literals: read.Literals, shape: s.text, needs: s.needs, introspects: asksForSchema}
	k.document = g.telemetry.Document(req.Query, client.Name, client.Operation)
	if s.needs.cost != nil {
		k.cost = s.needs.cost.Bind(read.Literals)
	}
	g.ready.texts.add(textKey{req.Query, req.OperationName}, k, entryBytes+knownPerByte*len(req.Query))
	return k, s, nil
}

// parse reads a text within the limits.
func (g *gateway) parse(text string) (*ast.QueryDocument, *serve.Refusal) {
	doc, warnings, err := g.limits.Parse(text)
	g.warn(warnings)
	if err != nil {
		return nil, g.refuseLimit(codeParseFailed, err)
	}
	return doc, nil
}

// warn tells the operator of limits that only warn.
func (g *gateway) warn(exceeded []limits.Exceeded) {
	for _, e := range exceeded {
		g.logger.Warn("limit exceeded", "limit", e.Limit, "max", e.Max, "actual", e.Actual)
	}
}

// refuseLimit says which limit is exceeded; any other error is refused with the code.
func (g *gateway) refuseLimit(code string, err error) *serve.Refusal {
	var tooMuch *limits.Exceeded
	if !errors.As(err, &tooMuch) {
		return refuseErrors(code, err)
	}
	g.telemetry.Limited(tooMuch.Limit)
	refusal := serve.Refuse(0, serve.CodeLimitExceeded, tooMuch.Error())
	refusal.Errors[0].Extensions["limit"] = tooMuch.Limit
	refusal.Errors[0].Extensions["max"] = tooMuch.Max
	refusal.Errors[0].Extensions["actual"] = tooMuch.Actual
	return refusal
}

// check validates a document.
func (g *gateway) check(doc *ast.QueryDocument, who *identity.Identity) *serve.Refusal {
	if errs := validator.ValidateWithRules(g.sg.API(), doc, g.rules); len(errs) > 0 {
		return g.refuseValidation(errs, who)
	}
	return nil
}

// variables coerces a request's variables (GraphQL, section 6.1.2).
func (g *gateway) variables(definition *ast.OperationDefinition, values map[string]any) (map[string]any, *serve.Refusal) {
	if len(values) > 0 {
		warnings, err := g.limits.CheckVariables(values)
		g.warn(warnings)
		if err != nil {
			return nil, g.refuseLimit(codeBadUserInput, err)
		}
	}
	if err := checkScalars(g.sg.API(), definition.VariableDefinitions, values); err != nil {
		return nil, refuseErrors(codeBadUserInput, err)
	}
	coerced, err := validator.VariableValues(g.sg.API(), definition, values)
	if err != nil {
		return nil, refuseErrors(codeBadUserInput, err)
	}
	return coerced, nil
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

func (g *gateway) refuseValidation(errs gqlerror.List, who *identity.Identity) *serve.Refusal {
	refusal := &serve.Refusal{}
	for _, err := range errs[:min(len(errs), maxReported)] {
		e := errorOf(codeValidationFailed, err)
		if !g.mayIntrospect(who) {
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
