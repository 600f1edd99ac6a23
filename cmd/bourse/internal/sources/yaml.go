package sources

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping reads a mapping whose keys are known.
func (r *configReader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	r.entries(n, what, func(name string, key, value *yaml.Node) {
		read := keys[name]
		if read == nil {
			r.fail(key, "%s has no key %q; known are %s", what, name, listed(keys))
			return
		}
		read(value)
	})
}

func listed(keys map[string]func(*yaml.Node)) string {
	var names []string
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// entries reads a mapping with any keys.
func (r *configReader) entries(n *yaml.Node, what string, entry func(name string, key, value *yaml.Node)) {
	n = r.resolve(n)
	switch {
	case n == nil:
		return
	case n.Kind != yaml.MappingNode:
		r.fail(n, "%s must be a mapping of keys to values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Tag == "!!merge":
			r.entries(value, what, entry)
		case key.Kind != yaml.ScalarNode || key.Value == "":
			r.fail(key, "%s has a key that is no text", what)
		case seen[key.Value]:
			r.fail(key, "%s has %q twice", what, key.Value)
		default:
			seen[key.Value] = true
			entry(key.Value, key, value)
		}
	}
}

// scalar reads a text, with variables of the environment filled in.
func (r *configReader) scalar(n *yaml.Node, what string) string {
	resolved := r.resolve(n)
	if resolved == nil {
		return ""
	}
	if resolved.Kind != yaml.ScalarNode {
		r.fail(n, "%s must be text", what)
		return ""
	}
	return r.expand(n, resolved.Value)
}

func (r *configReader) list(n *yaml.Node, what string) []string {
	sequence := r.resolve(n)
	if sequence == nil || sequence.Kind != yaml.SequenceNode {
		r.fail(n, "%s must be a list", what)
		return nil
	}
	var out []string
	for _, one := range sequence.Content {
		out = append(out, r.scalar(one, what))
	}
	return out
}

// resolve follows an alias to the value that is meant; nil when there is none.
func (r *configReader) resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		if r.aliases++; r.aliases > maxAliases {
			r.fail(n, "the configuration says again what it said before too many times")
			return nil
		}
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	return n
}

var variable = regexp.MustCompile(`\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

func (r *configReader) expand(n *yaml.Node, text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		parts := variable.FindStringSubmatch(found)
		if value, set := r.lookup(parts[1]); set {
			return value
		}
		if parts[2] != "" {
			return strings.TrimPrefix(parts[2], ":-")
		}
		r.fail(n, "%s", fmt.Sprintf("%s is not set in the environment; %s gives it a default", parts[1], "${env."+parts[1]+":-…}"))
		return ""
	})
}
