package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"bourse/graph"
	"bourse/router/compose"
)

func newCompose() *cobra.Command {
	var config, output, apiOutput string
	var verify bool
	cmd := &cobra.Command{
		Use:     "compose",
		GroupID: "graph",
		Short:   "Compose subgraph schemas into a supergraph",
		Long: `Compose reads the schemas of subgraphs and writes the supergraph that the router
serves. Without --config it composes the exchange's own three subgraphs. The
configuration names each subgraph with its address and its schema file:

  subgraphs:
    products:
      routing_url: http://127.0.0.1:4001/graphql
      schema:
        file: ./products.graphql`,
		Example: `  bourse compose -o graph/supergraph.graphql --api graph/api.graphql
  bourse compose --config supergraph.yaml -o supergraph.graphql`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			subgraphs, err := composeInput(config)
			if err != nil {
				return err
			}
			result, err := compose.Compose(subgraphs, compose.Options{})
			if err != nil {
				return reportComposition(cmd, err)
			}
			for _, hint := range result.Hints {
				fmt.Fprintln(cmd.ErrOrStderr(), "hint:", hint)
			}
			if err := emit(cmd, output, result.SupergraphSDL, verify); err != nil {
				return err
			}
			if apiOutput == "" {
				return nil
			}
			return emit(cmd, apiOutput, result.APISDL, verify)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "YAML file that names the subgraphs (default: the exchange's own)")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "where the supergraph goes; - is standard output")
	cmd.Flags().StringVar(&apiOutput, "api", "", "where the schema that clients see goes")
	cmd.Flags().BoolVar(&verify, "verify", false, "write nothing; fail where a file differs from what would be written")
	return cmd
}

// emit writes text to the file, or with verify compares it.
func emit(cmd *cobra.Command, file, text string, verify bool) error {
	if file == "-" {
		_, err := fmt.Fprint(cmd.OutOrStdout(), text)
		return err
	}
	if !verify {
		return os.WriteFile(file, []byte(text), 0o644)
	}
	stands, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if !bytes.Equal(stands, []byte(text)) {
		return fmt.Errorf("%s is not what the schemas compose to; run \"make generate\"", file)
	}
	return nil
}

func reportComposition(cmd *cobra.Command, err error) error {
	var list compose.Errors
	if !errors.As(err, &list) {
		return err
	}
	for _, one := range list {
		fmt.Fprintln(cmd.ErrOrStderr(), one)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d errors; nothing was written\n", len(list))
	return errReported
}

// composeInput reads the subgraphs of a configuration file, or the exchange's own.
func composeInput(config string) ([]compose.Subgraph, error) {
	if config == "" {
		return ownSubgraphs()
	}
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var file struct {
		Subgraphs map[string]struct {
			RoutingURL string `yaml:"routing_url"`
			Schema     struct {
				File string `yaml:"file"`
			} `yaml:"schema"`
		} `yaml:"subgraphs"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	var subgraphs []compose.Subgraph
	for name, s := range file.Subgraphs {
		path := s.Schema.File
		if path == "" {
			return nil, fmt.Errorf("%s: subgraph %q has no schema.file", config, name)
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(config), path)
		}
		sdl, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("subgraph %q: %w", name, err)
		}
		subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: s.RoutingURL, SDL: string(sdl)})
	}
	if len(subgraphs) == 0 {
		return nil, fmt.Errorf("%s names no subgraphs", config)
	}
	sort.Slice(subgraphs, func(i, j int) bool { return subgraphs[i].Name < subgraphs[j].Name })
	return subgraphs, nil
}

func ownSubgraphs() ([]compose.Subgraph, error) {
	var subgraphs []compose.Subgraph
	for _, name := range graph.Subgraphs() {
		sdl, err := graph.SDL(name)
		if err != nil {
			return nil, err
		}
		subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: "http://" + name + ".internal/graphql", SDL: sdl})
	}
	return subgraphs, nil
}
