// Command generate writes the executable schema of each subgraph.
//
// It reads the one gqlgen.yml at the root of the module, fills in the name of a subgraph wherever
// the file says ${subgraph}, and runs gqlgen with the result. The output is in
// subgraphs/<name>/internal/gen and is checked in. It does not write resolvers: those are
// maintained by hand, and the compiler says what is missing.
//
//	go run ./cmd/generate            all subgraphs
//	go run ./cmd/generate member     one of them
package main

//go:generate go run .

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

const (
	configFile  = "gqlgen.yml"
	placeholder = "${subgraph}"
)

var subgraphs = []string{"member", "agent", "admin"}

func main() {
	// gqlgen notes each entity resolver that it cannot bind to a method; all of ours are interfaces.
	log.SetOutput(io.Discard)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	for _, name := range names {
		if !slices.Contains(subgraphs, name) {
			return fmt.Errorf("no subgraph %q; there are %s", name, strings.Join(subgraphs, ", "))
		}
	}
	if len(names) == 0 {
		names = subgraphs
	}
	if err := enterModuleRoot(); err != nil {
		return err
	}
	shared, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := generate(shared, name); err != nil {
			return fmt.Errorf("subgraph %s: %w", name, err)
		}
	}
	return nil
}

// enterModuleRoot changes to the directory of the configuration, so that the command may be started
// anywhere below it; gqlgen resolves all paths from the working directory.
func enterModuleRoot() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
			return os.Chdir(dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return errors.New("no " + configFile + " here or above")
		}
		dir = parent
	}
}

func generate(shared []byte, subgraph string) error {
	if err := os.MkdirAll(filepath.Join("subgraphs", subgraph, "internal", "gen"), 0o755); err != nil {
		return err
	}
	filled := bytes.ReplaceAll(shared, []byte(placeholder), []byte(subgraph))
	cfg, err := config.ReadConfig(bytes.NewReader(filled))
	if err != nil {
		return err
	}
	return api.Generate(cfg)
}
