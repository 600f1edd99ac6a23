// Package graph holds the API contract: the schemas written by hand, a folder for
// each subgraph beside the shared one, and what composition makes of them. It knows
// no resolver and no router; it hands out text.
package graph

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed schema
var schemas embed.FS

// Supergraph is the composed supergraph SDL (join specification) that the router serves.
//
//go:embed supergraph.graphql
var Supergraph string

// API is the schema that clients see.
//
//go:embed api.graphql
var API string

// Subgraphs are the names of the subgraphs, in the order of composition.
func Subgraphs() []string { return []string{"member", "agent", "admin"} }

// SDL is the schema of one subgraph: the shared files, then its own, by file name.
func SDL(subgraph string) (string, error) {
	var sdl strings.Builder
	for _, folder := range []string{"shared", subgraph} {
		files, err := fs.Glob(schemas, "schema/"+folder+"/*.graphqls")
		if err != nil || len(files) == 0 {
			return "", fmt.Errorf("no schema files for %q", folder)
		}
		for _, name := range files {
			text, err := schemas.ReadFile(name)
			if err != nil {
				return "", fmt.Errorf("read %s: %w", name, err)
			}
			sdl.Write(text)
			sdl.WriteString("\n")
		}
	}
	return sdl.String(), nil
}
