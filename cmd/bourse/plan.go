package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/graph"
	"bourse/router/federation"
	"bourse/router/plan"
)

// planning is one run of bourse plan.
type planning struct {
	supergraph, operation, name string
	variables                   string
	labels                      []string
	deferred, asJSON            bool
}

func newPlan() *cobra.Command {
	p := &planning{}
	cmd := &cobra.Command{
		Use:     "plan",
		GroupID: "graph",
		Short:   "Print the query plan of an operation",
		Long: `Plan prints which subgraph is asked for what, in which order: as text in the form that
Apollo's tools print, or as JSON. A plan depends on the operation and the supergraph;
with labels of progressive overrides also on which of them are on (--label), and with
@defer on whether the client takes the answer in parts (--defer) and on the variables
of its conditions (--variables).

Exit codes: 0 there is a plan; 1 the operation is at fault; 2 a file or a flag is.`,
		Example: `  bourse plan --operation query.graphql
  echo '{ me { balances { total } } }' | bourse plan
  bourse plan --supergraph supergraph.graphql --operation query.graphql --json
  bourse plan --supergraph supergraph.graphql --operation query.graphql --label new-owner
  bourse plan --operation query.graphql --defer --variables '{"slow": true}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&p.supergraph, "supergraph", "", "supergraph SDL file (default: the exchange's own)")
	flags.StringVar(&p.operation, "operation", "-", "file with the operation; - is standard input")
	flags.StringVar(&p.name, "operation-name", "", "which operation, where the file holds several")
	flags.StringVar(&p.variables, "variables", "", "variables as a JSON object, or @FILE; they are checked too")
	flags.StringSliceVar(&p.labels, "label", nil, "label of a progressive override that is on; may be repeated")
	flags.BoolVar(&p.deferred, "defer", false, "plan @defer as for a client that takes parts")
	flags.BoolVar(&p.asJSON, "json", false, "print JSON: the plan, or {errors} with code, message and locations")
	_ = cmd.MarkFlagFilename("supergraph", "graphql", "graphqls")
	_ = cmd.MarkFlagFilename("operation", "graphql", "gql")
	return cmd
}

func (p *planning) run(cmd *cobra.Command) error {
	made, faults, err := p.plan(cmd.InOrStdin())
	switch {
	case err != nil:
		return &exit{exitUsage, err}
	case len(faults) > 0 && p.asJSON:
		return errors.Join(printJSON(cmd.OutOrStdout(), map[string]any{"errors": faults}), errReported)
	case len(faults) > 0:
		for _, d := range faults {
			d.write(cmd.ErrOrStderr(), "error")
		}
		return errReported
	case p.asJSON:
		return printJSON(cmd.OutOrStdout(), made)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), made.Text())
	return err
}

// plan reads everything and plans. Faults are the operation's, the error is of what surrounds it.
func (p *planning) plan(stdin io.Reader) (*plan.Plan, []diagnostic, error) {
	sg, err := loadSupergraph(p.supergraph)
	if err != nil {
		return nil, nil, err
	}
	source, err := p.read(stdin)
	if err != nil {
		return nil, nil, fmt.Errorf("read the operation: %w", err)
	}
	values, err := readVariables(p.variables)
	if err != nil {
		return nil, nil, err
	}
	doc, err := parser.ParseQuery(source)
	if err != nil {
		return nil, faultsOf("GRAPHQL_PARSE_FAILED", source, err), nil
	}
	if list := validator.ValidateWithRules(sg.API(), doc, nil); len(list) > 0 {
		return nil, faultsOf("GRAPHQL_VALIDATION_FAILED", source, list), nil
	}
	op, err := p.choose(doc)
	if err != nil {
		return nil, faultsOf("OPERATION_NOT_FOUND", source, err), nil
	}
	given := plan.Given{Labels: map[string]bool{}, Defer: p.deferred, Variables: map[string]bool{}}
	for _, l := range p.labels {
		given.Labels[l] = true
	}
	if values != nil {
		coerced, err := validator.VariableValues(sg.API(), op, values)
		if err != nil {
			return nil, faultsOf("BAD_USER_INPUT", source, err), nil
		}
		for name, v := range coerced {
			if b, ok := v.(bool); ok {
				given.Variables[name] = b
			}
		}
	}
	made, err := plan.New(sg, plan.Options{}).Plan(doc, op.Name, given)
	var fault *plan.Error
	if errors.As(err, &fault) {
		d := diagnostic{Code: fault.Code, Message: fault.Message, Subgraphs: []string{}, Locations: []place{}}
		return nil, []diagnostic{d}, nil
	}
	return made, nil, err
}

func (p *planning) read(stdin io.Reader) (*ast.Source, error) {
	text, name := []byte(nil), p.operation
	var err error
	if p.operation == "-" {
		name = "standard input"
		text, err = io.ReadAll(stdin)
	} else {
		text, err = os.ReadFile(p.operation)
	}
	return &ast.Source{Name: name, Input: string(text)}, err
}

// readVariables reads a JSON object, from a file where the text starts with @.
func readVariables(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	raw := []byte(text)
	if file, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if raw, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read the variables: %w", err)
		}
	}
	values := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil || values == nil {
		return nil, fmt.Errorf("--variables is no JSON object: %w", cmp.Or(err, errors.New("it is null")))
	}
	return values, nil
}

// choose finds the operation that is meant.
func (p *planning) choose(doc *ast.QueryDocument) (*ast.OperationDefinition, error) {
	var names []string
	for _, op := range doc.Operations {
		names = append(names, op.Name)
	}
	switch {
	case len(doc.Operations) == 0:
		return nil, errors.New("the file has no operation")
	case p.name == "" && len(names) > 1:
		return nil, fmt.Errorf("the file has several operations; --operation-name says which: %s", strings.Join(names, ", "))
	case p.name == "":
		return doc.Operations[0], nil
	}
	if op := doc.Operations.ForName(p.name); op != nil {
		return op, nil
	}
	return nil, fmt.Errorf("the file has no operation %q; it has %s", p.name, strings.Join(names, ", "))
}

// faultsOf tells what gqlparser found, with its places.
func faultsOf(code string, source *ast.Source, err error) []diagnostic {
	var found gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &found):
	case errors.As(err, &one):
		found = gqlerror.List{one}
	default:
		return []diagnostic{{Code: code, Message: err.Error(), Subgraphs: []string{}, Locations: []place{}}}
	}
	var out []diagnostic
	for _, e := range found {
		d := diagnostic{Code: code, Message: e.Message, Subgraphs: []string{}, Locations: []place{}}
		if len(e.Path) > 0 {
			d.Message = e.Path.String() + ": " + e.Message
		}
		for _, l := range e.Locations {
			d.Locations = append(d.Locations, place{File: source.Name, Line: l.Line, Column: l.Column, source: source.Input})
		}
		out = append(out, d)
	}
	return out
}

func loadSupergraph(file string) (*federation.Supergraph, error) {
	if file == "" {
		return federation.Load(graph.Supergraph)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the supergraph: %w", err)
	}
	sg, err := federation.Load(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return sg, nil
}
