package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	j, refusal := g.judge(ctx, req, k, ok)
	if refusal != nil && stage == rate.Whole { // what is refused counts as well, known or not
		if limited := g.ration(ctx, req, nil, 0, rate.Before); limited != nil {
			return nil, limited
		}
	}
	if refusal != nil {
		return nil, refusal
	}
	for i := range j.exceeded {
		g.telemetry.Warned(j.exceeded[i].Limit)
	}
	if refusal := g.ration(ctx, req, k, j.spent, stage); refusal != nil {
		return nil, refusal
	}
	p, refusal := g.planFor(ctx, req, k, j.variables, &told)
	if refusal != nil {
		return nil, refusal
	}
	maps.Copy(j.variables, k.literals)
	if refusal := g.withheld(ctx, req, k.definition.Name, p, j.variables); refusal != nil {
		return nil, refusal
	}
	op := &operation{g: g, name: k.definition.Name, input: execute.Input{Plan: p, Variables: j.variables, Header: g.passOn(req), Identity: req.Identity}, explains: explains, protected: len(k.needs.touched) > 0, cost: j.spent, meter: k.needs.meter}
	if account := telemetry.Of(ctx); account != nil {
		told.Document, told.Kind, told.Plan, told.Variables, told.Cost, told.Costed = k.document, p.Operation(), p, req.Variables, j.spent, k.cost != nil
		account.Prepared(told)
	}
	if found.Keep != "" {
		g.documents.Keep(ctx, found)
	}
	if refusal := g.admitted(ctx, op, req.Query, j.exceeded); refusal != nil {
		return nil, refusal
	}
	return op, nil
}

// judged is what a request says beside its text, held against what its client may ask for.
type judged struct {
	variables map[string]any
	spent     int
	exceeded  []limits.Exceeded // that only warn
}

// judge finds out what a request says beside its text, and whether its client may ask for it. The log has been told of the text before, where it is
// a known one.
func (g *gateway) judge(ctx context.Context, req *serve.Request, k *known, told bool) (j judged, refusal *serve.Refusal) {
	if refusal = g.secluded(req, k); refusal != nil {
		return j, refusal
	}
	var by, over []limits.Exceeded // variables, and the cost
	if j.variables, by, refusal = g.variables(k.definition, req.Variables); refusal != nil {
		return j, refusal
	}
	if !told {
		g.warn(ctx, k, k.exceeded)
	}
	g.warn(ctx, k, by)
	if j.spent, over, refusal = g.spend(ctx, req, k, j.variables); refusal == nil {
		j.exceeded = slices.Concat(k.exceeded, by, over)
	}
	return j, refusal
}

// read reads and checks an operation and keeps what it finds. An operation that differs from one read before only in its literals
// is not validated again: what stands in Literals is valid by itself.
func (g *gateway) read(req *serve.Request, told *telemetry.Prepared) (*known, *shape, *serve.Refusal) {
	began := time.Now()
	doc, exceeded, refusal := g.parse(req.Query)
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
		// Of several who read the same at once all go on with one shape: equal plans would else be different ones, which share nothing.
		s = g.ready.shapes.settle(s.text, s, entryBytes+shapePerByte*len(s.text))
	}
	told.Validate = time.Since(began)
	k := &known{definition: client, literals: read.Literals, shape: s.text, needs: s.needs, introspects: asksForSchema, exceeded: exceeded}
	k.document = g.telemetry.Document(req.Query, client.Name, client.Operation)
	if s.needs.cost != nil {
		k.cost = s.needs.cost.Bind(read.Literals)
	}
	g.ready.texts.add(textKey{req.Query, req.OperationName}, k, entryBytes+knownPerByte*len(req.Query))
	return k, s, nil
}

// parse reads a text within the limits, and says which of them it exceeds that only warn.
func (g *gateway) parse(text string) (*ast.QueryDocument, []limits.Exceeded, *serve.Refusal) {
	doc, exceeded, err := g.limits.Parse(text)
	if err != nil {
		return nil, nil, g.refuseLimit(codeParseFailed, err)
	}
	return doc, exceeded, nil
}

// warn tells the operator of limits that only warn.
func (g *gateway) warn(ctx context.Context, k *known, exceeded []limits.Exceeded) {
	for _, e := range exceeded {
		g.logger.WarnContext(ctx, "limit exceeded", "operation", k.definition.Name, "limit", e.Limit, "max", e.Max, "actual", e.Actual)
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

// variables coerces a request's variables (GraphQL, section 6.1.2), and says which limits they exceed that only warn.
func (g *gateway) variables(definition *ast.OperationDefinition, values map[string]any) (map[string]any, []limits.Exceeded, *serve.Refusal) {
	var exceeded []limits.Exceeded
	if len(values) > 0 {
		var err error
		if exceeded, err = g.limits.CheckVariables(values); err != nil {
			return nil, nil, g.refuseLimit(codeBadUserInput, err)
		}
	}
	if err := checkScalars(g.sg.API(), definition.VariableDefinitions, values); err != nil {
		return nil, nil, refuseErrors(codeBadUserInput, err)
	}
	coerced, err := validator.VariableValues(g.sg.API(), definition, values)
	if err != nil {
		return nil, nil, refuseErrors(codeBadUserInput, err)
	}
	return coerced, exceeded, nil
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
