package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"bourse/router"
)

// places are where in the file values stand, by their paths, such as "identity.issuers[0].secret".
type places map[string]*yaml.Node

// nearest is the place of what stands at path, or else of the closest that it is a part of; nil: nothing of it is in the file.
func (p places) nearest(path string) *yaml.Node {
	for path != "" {
		if n := p[path]; n != nil {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return nil
}

// below follows an error down the keys that it names.
func below(path string, err error) (where string, why error) {
	var bad *keyError
	for errors.As(err, &bad) {
		path, err = join(path, bad.key), bad.err
	}
	return path, err
}

// At gives an error about what stands at path its place in the file.
func (c *Config) At(path string, err error) error {
	path, err = below(path, err)
	if n := c.places.nearest(path); n != nil {
		return &Fault{c.file, n.Line, n.Column, fmt.Sprintf("%s: %v", path, err)}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Says tells whether the file has a value at path.
func (c *Config) Says(path string) bool { return c.places[path] != nil }

// OfSupergraph is an error of router.New with a place: in the file, where that names a subgraph that the supergraph does not have, and else in the
// supergraph.
func (c *Config) OfSupergraph(err error) error {
	var unknown *router.UnknownSubgraphError
	if !errors.As(err, &unknown) {
		return fmt.Errorf("%s: %w", c.Supergraph.File, err)
	}
	var faults Faults
	for path, n := range c.places {
		where, named := path, strings.Contains(path, ".subgraphs[") && n.Value == unknown.Name
		if section, name, ok := strings.Cut(path, ".each."); ok && name == unknown.Name {
			where, named = section+".each", true
		}
		if named {
			faults = append(faults, &Fault{c.file, n.Line, n.Column, fmt.Sprintf(
				"%s: the supergraph has no subgraph %q: %s", where, unknown.Name, instead(unknown.Name, unknown.Has))})
		}
	}
	if len(faults) == 0 { // a flag or a program named it
		return fmt.Errorf("%s: %w", c.Supergraph.File, err)
	}
	slices.SortFunc(faults, func(a, b *Fault) int { return a.Line - b.Line })
	return faults
}
