package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/graph"
	"bourse/router/federation"
	"bourse/router/plan"
)

func newPlan() *cobra.Command {
	var supergraph, operation, name string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "plan",
		GroupID: "graph",
		Short:   "Print the query plan of an operation",
		Example: `  bourse plan --operation query.graphql
  echo '{ me { balances { total } } }' | bourse plan --operation -
  bourse plan --supergraph supergraph.graphql --operation query.graphql --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := planFile(cmd, supergraph, operation, name)
			if err != nil {
				return err
			}
			if !asJSON {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), p.Text())
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(p)
		},
	}
	cmd.Flags().StringVar(&supergraph, "supergraph", "", "supergraph SDL file (default: the exchange's own)")
	cmd.Flags().StringVar(&operation, "operation", "-", "file with the operation; - is standard input")
	cmd.Flags().StringVar(&name, "operation-name", "", "which operation, where the file holds several")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func planFile(cmd *cobra.Command, supergraph, operation, name string) (*plan.Plan, error) {
	sg, err := loadSupergraph(supergraph)
	if err != nil {
		return nil, err
	}
	var text []byte
	if operation == "-" {
		text, err = io.ReadAll(cmd.InOrStdin())
	} else {
		text, err = os.ReadFile(operation)
	}
	if err != nil {
		return nil, fmt.Errorf("read the operation: %w", err)
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: operation, Input: string(text)})
	if err != nil {
		return nil, fmt.Errorf("the operation does not parse: %w", err)
	}
	if list := validator.ValidateWithRules(sg.API(), doc, nil); len(list) > 0 {
		return nil, fmt.Errorf("the operation is not valid: %w", list)
	}
	return plan.New(sg, plan.Options{}).Plan(doc, name, plan.Given{})
}

func loadSupergraph(file string) (*federation.Supergraph, error) {
	if file == "" {
		return federation.Load(graph.Supergraph)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the supergraph: %w", err)
	}
	return federation.Load(string(text))
}
