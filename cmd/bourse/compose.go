package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/sources"
	"bourse/graph"
	"bourse/router/compose"
	"bourse/router/contract"
)

// composing is one run of bourse compose.
type composing struct {
	config, output, api string
	verify, asJSON      bool
	hints               string
	timeout             time.Duration

	contract        string
	include         []string
	exclude         []string
	hideUnreachable bool

	check      string
	operations []string
	failOn     string
}

var hintLevels = []string{"none", "warn", "info", "debug"}

func newCompose() *cobra.Command {
	c := &composing{}
	cmd := &cobra.Command{
		Use:     "compose",
		GroupID: "graph",
		Short:   "Compose subgraph schemas into a supergraph; check what changes; filter by contract",
		Long: `Compose reads the schemas of subgraphs and writes the supergraph that the router
serves. Without --config it composes the exchange's own three subgraphs. The
configuration names each subgraph with its address and where its schema is: a file,
the text itself, or a running subgraph, which is asked for { _service { sdl } }.
Relative files are looked for beside the configuration; ${env.NAME} and
${env.NAME:-otherwise} stand for variables of the environment:

  federation_version: =2.9.0
  subgraphs:
    products:
      routing_url: http://127.0.0.1:4001/graphql
      schema:
        file: ./products.graphql
    reviews:                     # routing_url is subgraph_url where it is left out
      schema:
        subgraph_url: ${env.REVIEWS:-http://127.0.0.1:4002/graphql}
        introspection_headers: { Authorization: "Bearer ${env.TOKEN:-none}" }
  contracts:                     # filtered by @tag; written where output says
    partner: { include_tags: [partner], exclude_tags: [internal], output: partner.graphql }

--check OLD compares what clients see with an older supergraph or API schema and
tells what breaks; --operations says what clients are known to send (GraphQL files,
manifests of trusted documents, or JSON lines with query, operationName, variables
and count), so that each change also names the operations that it breaks. With
--check the supergraph is written only where -o names a file.

Exit codes: 0 it composes; 1 it does not, or the check fails; 2 the configuration,
a file, a subgraph or a flag is at fault.`,
		Example: `  bourse compose -o graph/supergraph.graphql --api graph/api.graphql
  bourse compose --config supergraph.yaml -o supergraph.graphql
  bourse compose --config supergraph.yaml --check supergraph.graphql --operations ./operations
  bourse compose --config supergraph.yaml --check old.graphql --operations usage.jsonl --fail-on used --json
  bourse compose --config supergraph.yaml --contract partner -o partner.graphql
  bourse compose --config supergraph.yaml --contract public --exclude-tags internal,beta --hide-unreachable -o public.graphql`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.config, "config", "", "YAML file that names the subgraphs; - is standard input (default: the exchange's own)")
	flags.StringVarP(&c.output, "output", "o", "-", "where the supergraph goes; - is standard output")
	flags.StringVar(&c.api, "api", "", "where the schema that clients see goes")
	flags.BoolVar(&c.verify, "verify", false, "write nothing; fail where a file differs from what would be written")
	flags.BoolVar(&c.asJSON, "json", false, "print one JSON object: composed, errors, hints, contracts, check")
	flags.StringVar(&c.hints, "hints", "info", "least level of hints to print: "+strings.Join(hintLevels, ", "))
	flags.DurationVar(&c.timeout, "timeout", 10*time.Second, "for the answer of one subgraph that is asked for its schema")
	flags.StringVar(&c.contract, "contract", "", "write this contract instead of the whole graph; one of the configuration, or named here with its tags")
	flags.StringSliceVar(&c.include, "include-tags", nil, "tags that the contract lets through; none: everything")
	flags.StringSliceVar(&c.exclude, "exclude-tags", nil, "tags that the contract hides")
	flags.BoolVar(&c.hideUnreachable, "hide-unreachable", false, "let the contract hide types that nothing visible leads to")
	flags.StringVar(&c.check, "check", "", "compare with this older supergraph or API schema")
	flags.StringSliceVar(&c.operations, "operations", nil, "file or folder with recorded operations, for --check; may be repeated")
	flags.StringVar(&c.failOn, "fail-on", "breaking", "what fails a check: breaking, any breaking change; used, one that breaks a recorded operation")
	completeWith(cmd, "hints", hintLevels...)
	completeWith(cmd, "fail-on", failOnWords...)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	for _, name := range []string{"output", "api", "check"} {
		_ = cmd.MarkFlagFilename(name, "graphql", "graphqls")
	}
	_ = cmd.MarkFlagFilename("operations")
	_ = cmd.RegisterFlagCompletionFunc("contract", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		config, _, _ := c.readConfig(cmd)
		var names []string
		for _, k := range config.Contracts {
			names = append(names, k.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// completeWith lets the shell complete the values of a flag.
func completeWith(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// composition is what came of it; in JSON these are the keys.
type composition struct {
	Composed   bool         `json:"composed"`
	Output     string       `json:"output,omitempty"`
	Supergraph string       `json:"supergraph,omitempty"` // its text, where no file takes it
	Errors     []diagnostic `json:"errors"`
	Hints      []diagnostic `json:"hints"`
	Contracts  []variant    `json:"contracts"`
	Check      *checked     `json:"check,omitempty"`
}

// variant is a contract of the graph.
type variant struct {
	Name       string   `json:"name"`
	Output     string   `json:"output,omitempty"`
	Hidden     []string `json:"hidden"`
	UnusedTags []string `json:"unusedTags"`
	made       *contract.Contract
}

func (c *composing) run(cmd *cobra.Command) error {
	if err := c.checkFlags(); err != nil {
		return &exit{exitUsage, err}
	}
	out := &composition{Errors: []diagnostic{}, Hints: []diagnostic{}, Contracts: []variant{}}
	err := c.compose(cmd, out)
	if c.asJSON {
		if err := printJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		out.print(cmd)
	}
	return err
}

func (c *composing) checkFlags() error {
	switch {
	case !slices.Contains(hintLevels, c.hints):
		return fmt.Errorf("--hints %q: use %s", c.hints, strings.Join(hintLevels, ", "))
	case !slices.Contains(failOnWords, c.failOn):
		return fmt.Errorf("--fail-on %q: use %s", c.failOn, strings.Join(failOnWords, " or "))
	case len(c.operations) > 0 && c.check == "":
		return errors.New("--operations goes with --check")
	case c.timeout <= 0:
		return errors.New("--timeout must be more than nothing")
	}
	return nil
}

// compose does the work, and tells in out what came of it. The error only says how to end.
func (c *composing) compose(cmd *cobra.Command, out *composition) error {
	schemas, contracts, faults := c.input(cmd)
	if len(faults) > 0 {
		out.Errors = faults
		return &exit{exitUsage, errReported}
	}
	subgraphs := make([]compose.Subgraph, len(schemas))
	for i, s := range schemas {
		subgraphs[i] = compose.Subgraph{Name: s.Name, URL: s.URL, SDL: s.SDL}
	}
	result, err := compose.Compose(subgraphs, compose.Options{})
	var refused compose.Errors
	switch {
	case errors.As(err, &refused):
		for _, e := range refused {
			out.Errors = append(out.Errors, diagnostic{Code: string(e.Code), Message: e.Message, Subgraphs: list(e.Subgraphs), Locations: places(e.Locations, schemas)})
		}
		return errReported
	case err != nil:
		return err
	}
	for _, h := range result.Hints {
		if slices.Index(hintLevels, strings.ToLower(string(h.Level))) <= slices.Index(hintLevels, c.hints) {
			out.Hints = append(out.Hints, hint(h, schemas))
		}
	}
	supergraph, api := result.SupergraphSDL, result.APISDL
	if err := out.applyContracts(supergraph, contracts); err != nil {
		return err
	}
	if c.contract != "" {
		made := out.Contracts[0].made
		supergraph, api = made.SupergraphSDL, made.APISDL
		out.Contracts[0].Output = ""
	}
	out.Composed = true
	var checkFailed error
	if c.check != "" {
		if out.Check, err = c.runCheck(api); err != nil {
			return &exit{exitUsage, err}
		}
		if out.Check.Failed {
			checkFailed = errReported
		}
	}
	return cmp.Or(c.write(cmd, out, supergraph, api), checkFailed)
}

// applyContracts filters the supergraph by each contract.
func (out *composition) applyContracts(supergraph string, contracts []sources.Contract) error {
	for _, k := range contracts {
		made, err := contract.Apply(supergraph, k.Filter)
		var faults contract.Errors
		switch {
		case errors.As(err, &faults):
			for _, f := range faults {
				out.Errors = append(out.Errors, diagnostic{
					Code: string(f.Code), Message: f.Message, Subgraphs: []string{}, Locations: []place{}, Coordinate: f.Coordinate, Contract: k.Name,
				})
			}
		case err != nil:
			return fmt.Errorf("contract %s: %w", k.Name, err)
		default:
			out.Contracts = append(out.Contracts, variant{Name: k.Name, Output: k.Output, Hidden: list(made.Hidden), UnusedTags: list(made.UnusedTags), made: made})
		}
	}
	if len(out.Errors) > 0 {
		return errReported
	}
	return nil
}

// write puts the schemas where they belong.
func (c *composing) write(cmd *cobra.Command, out *composition, supergraph, api string) error {
	if c.output != "-" {
		out.Output = c.output
		if err := emit(c.output, supergraph, c.verify); err != nil {
			return err
		}
	} else if c.check == "" {
		out.Supergraph = supergraph
	}
	if c.api != "" {
		if err := emit(c.api, api, c.verify); err != nil {
			return err
		}
	}
	for _, v := range out.Contracts {
		if v.Output != "" && c.check == "" {
			if err := emit(v.Output, v.made.SupergraphSDL, c.verify); err != nil {
				return err
			}
		}
	}
	return nil
}

// emit writes text to the file at once, so that nobody reads half of it, or with verify compares it.
func emit(file, text string, verify bool) error {
	if verify {
		stands, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if string(stands) != text {
			return fmt.Errorf("%s is not what the schemas compose to; run \"make generate\"", file)
		}
		return nil
	}
	if known, err := os.Stat(file); err == nil && !known.Mode().IsRegular() {
		return os.WriteFile(file, []byte(text), 0o644) // a pipe or a device
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.WriteString(text)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

// print tells people what came of it: the supergraph on the standard output where no file takes it, the rest beside.
func (out *composition) print(cmd *cobra.Command) {
	beside := cmd.ErrOrStderr()
	for _, d := range out.Errors {
		d.write(beside, "error")
	}
	for _, d := range out.Hints {
		d.write(beside, "hint "+d.Level)
	}
	if n := len(out.Errors); n > 0 {
		fmt.Fprintf(beside, "%s; nothing was written\n", count(n, "error"))
	}
	for _, v := range out.Contracts {
		if len(v.UnusedTags) > 0 {
			fmt.Fprintf(beside, "contract %s: no element has the tags %s\n", v.Name, strings.Join(v.UnusedTags, ", "))
		}
	}
	if out.Check != nil {
		out.Check.print(cmd.OutOrStdout())
	}
	fmt.Fprint(cmd.OutOrStdout(), out.Supergraph)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func hint(h compose.Hint, schemas []sources.Schema) diagnostic {
	d := diagnostic{Code: string(h.Code), Level: string(h.Level), Message: h.Message, Subgraphs: []string{}, Locations: places(h.Locations, schemas)}
	for _, l := range h.Locations {
		if !slices.Contains(d.Subgraphs, l.Subgraph) {
			d.Subgraphs = append(d.Subgraphs, l.Subgraph)
		}
	}
	return d
}

// places finds the sources of locations in subgraphs.
func places(locations []compose.Location, schemas []sources.Schema) []place {
	out := []place{}
	for _, l := range locations {
		p := place{Subgraph: l.Subgraph, Line: l.Line, Column: l.Column}
		for _, s := range schemas {
			if s.Name == l.Subgraph {
				p.File, p.source = s.File, s.SDL
			}
		}
		out = append(out, p)
	}
	return out
}

// input reads the configuration and the schemas that it names, or the exchange's own.
func (c *composing) input(cmd *cobra.Command) ([]sources.Schema, []sources.Contract, []diagnostic) {
	config, text, faults := c.readConfig(cmd)
	var schemas []sources.Schema
	if len(faults) == 0 {
		schemas, faults = c.schemas(cmd.Context(), config)
	}
	contracts, err := c.contracts(config)
	if err != nil {
		faults = append(faults, &sources.Fault{Code: sources.InvalidConfig, Message: err.Error()})
	}
	var out []diagnostic
	for _, f := range faults {
		d := diagnostic{Code: f.Code, Message: f.Message, Subgraphs: []string{}, Locations: []place{}}
		if f.Subgraph != "" {
			d.Subgraphs = []string{f.Subgraph}
		}
		if f.File != "" {
			d.Locations = []place{{Subgraph: f.Subgraph, File: f.File, Line: f.Line, Column: f.Column, source: text}}
		}
		out = append(out, d)
	}
	return schemas, contracts, out
}

func (c *composing) readConfig(cmd *cobra.Command) (*sources.Config, string, sources.Faults) {
	var text []byte
	var err error
	switch c.config {
	case "":
		return &sources.Config{}, "", nil
	case "-":
		text, err = io.ReadAll(cmd.InOrStdin())
	default:
		text, err = os.ReadFile(c.config)
	}
	if err != nil {
		return &sources.Config{}, "", sources.Faults{{Code: sources.InvalidConfig, Message: fmt.Sprintf("read the configuration: %s", err)}}
	}
	config, faults := sources.ReadConfig(c.config, text, os.LookupEnv)
	if config == nil {
		config = &sources.Config{}
	}
	return config, string(text), faults
}

func (c *composing) schemas(ctx context.Context, config *sources.Config) ([]sources.Schema, sources.Faults) {
	if c.config != "" {
		return config.Load(ctx, c.dir(), c.timeout)
	}
	var schemas []sources.Schema
	for _, name := range graph.Subgraphs() {
		sdl, err := graph.SDL(name)
		if err != nil {
			return nil, sources.Faults{{Code: sources.SchemaFile, Message: err.Error(), Subgraph: name}}
		}
		schemas = append(schemas, sources.Schema{Name: name, URL: "http://" + name + ".internal/graphql", SDL: sdl})
	}
	return schemas, nil
}

// dir is where relative files of the configuration are.
func (c *composing) dir() string {
	if c.config == "-" {
		return "."
	}
	return filepath.Dir(c.config)
}

// contracts are those to make: the one that flags ask for, else all of the configuration.
func (c *composing) contracts(config *sources.Config) ([]sources.Contract, error) {
	given := len(c.include)+len(c.exclude) > 0 || c.hideUnreachable
	if c.contract == "" && given {
		return nil, errors.New("--include-tags, --exclude-tags and --hide-unreachable need --contract NAME")
	}
	if c.contract == "" || !given {
		all := slices.Clone(config.Contracts)
		for i, k := range all {
			if k.Output != "" && !filepath.IsAbs(k.Output) {
				all[i].Output = filepath.Join(c.dir(), k.Output)
			}
			if k.Name == c.contract {
				return all[i : i+1], nil
			}
		}
		if c.contract != "" {
			return nil, fmt.Errorf("the configuration has no contract %q; give its tags with --include-tags and --exclude-tags", c.contract)
		}
		return all, nil
	}
	return []sources.Contract{{Name: c.contract, Filter: contract.Filter{Include: c.include, Exclude: c.exclude, HideUnreachable: c.hideUnreachable}}}, nil
}
