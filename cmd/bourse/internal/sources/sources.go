// Package sources finds the schemas that make up a graph: it reads the configuration that names the subgraphs, their files, and asks
// running subgraphs for their schema.
//
//	supergraph.yaml ─ReadConfig─▶ Config ─Load─▶ schemas, from files and by { _service { sdl } }, several at once
//
// Everything that is wrong is told at once, each fault with its place. The package does not compose.
package sources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bourse/router/contract"
)

// Config is what a configuration file says of a graph.
type Config struct {
	FederationVersion string // as written; any 1.x and 2.x means this composer
	Subgraphs         []Subgraph
	Contracts         []Contract
}

// Subgraph says where a subgraph is and where its schema comes from: one of File, SDL and SubgraphURL.
type Subgraph struct {
	Name        string
	RoutingURL  string
	File        string
	SDL         string
	SubgraphURL string
	Headers     http.Header // of the request for the schema

	at position
}

// Contract is a filtered variant of the graph.
type Contract struct {
	Name   string
	Filter contract.Filter
	Output string // where its supergraph is written; may be empty
}

// Codes of faults.
const (
	InvalidConfig  = "INVALID_CONFIG"
	SchemaFile     = "SCHEMA_FILE_UNREADABLE"
	SchemaRequest  = "SCHEMA_REQUEST_FAILED"
	maxSchemaBytes = 64 << 20
	maxAtOnce      = 16
	defaultTimeout = 10 * time.Second
)

// Fault is one thing that is wrong with a configuration or a source of a schema.
type Fault struct {
	Code     string
	Message  string
	Subgraph string // may be empty
	File     string // may be empty; Line and Column are places in it, 0: the whole file
	Line     int
	Column   int
}

func (f *Fault) Error() string {
	switch {
	case f.File != "" && f.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Code, f.Message)
	case f.File != "":
		return fmt.Sprintf("%s: %s: %s", f.File, f.Code, f.Message)
	}
	return f.Code + ": " + f.Message
}

// Faults are all that are wrong.
type Faults []*Fault

func (fs Faults) Error() string {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errors.Join(errs...).Error()
}

// Schema is the schema of one subgraph.
type Schema struct {
	Name string
	URL  string // for the router
	SDL  string
	File string // where it was read from; empty when it was not a file
}

// Load reads the schemas of the subgraphs, in the order of their names. Relative files are below dir.
func (c *Config) Load(ctx context.Context, dir string, timeout time.Duration) ([]Schema, Faults) {
	ask := newAsker(cmp.Or(timeout, defaultTimeout))
	defer ask.close()
	schemas := make([]Schema, len(c.Subgraphs))
	faults := make([]*Fault, len(c.Subgraphs))
	places := make(chan struct{}, maxAtOnce)
	var wait sync.WaitGroup
	for i, s := range c.Subgraphs {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			schemas[i], faults[i] = s.load(ctx, dir, ask)
		})
	}
	wait.Wait()
	faults = slices.DeleteFunc(faults, func(f *Fault) bool { return f == nil })
	slices.SortFunc(schemas, func(a, b Schema) int { return cmp.Compare(a.Name, b.Name) })
	return schemas, faults
}

func (s *Subgraph) load(ctx context.Context, dir string, ask *asker) (Schema, *Fault) {
	out := Schema{Name: s.Name, URL: cmp.Or(s.RoutingURL, s.SubgraphURL), SDL: s.SDL}
	fail := func(code string, err error) *Fault {
		return &Fault{Code: code, Message: fmt.Sprintf("subgraph %q: %s", s.Name, err), Subgraph: s.Name, File: s.at.file, Line: s.at.line, Column: s.at.column}
	}
	var err error
	switch {
	case s.File != "":
		out.File = s.File
		if !filepath.IsAbs(out.File) {
			out.File = filepath.Join(dir, out.File)
		}
		if out.SDL, err = readBounded(out.File); err != nil {
			return out, fail(SchemaFile, err)
		}
	case s.SubgraphURL != "":
		if out.SDL, err = ask.sdl(ctx, s.SubgraphURL, s.Headers); err != nil {
			return out, fail(SchemaRequest, err)
		}
	}
	return out, nil
}

func readBounded(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSchemaBytes+1))
	if err == nil && len(text) > maxSchemaBytes {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxSchemaBytes>>20)
	}
	return string(text), err
}
