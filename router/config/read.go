package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFileBytes = 1 << 20
	// maxAliases bounds how often a file may say again what it said before.
	maxAliases = 1000
)

// ReadFile reads a configuration file, with the environment of the process.
func ReadFile(name string) (*Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Read(name, text, os.LookupEnv)
	if c != nil {
		c.dir = filepath.Dir(name)
	}
	return c, err
}

// Read reads a configuration. The error is of type Faults: all that is wrong, with its places. lookup finds variables of the environment.
func Read(name string, text []byte, lookup func(string) (string, bool)) (*Config, error) {
	c := Default()
	r := &reader{file: name, lookup: lookup, places: places{}}
	if len(text) > maxFileBytes {
		return nil, Faults{{File: name, Message: fmt.Sprintf("the configuration is larger than %s", Size(maxFileBytes))}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, another yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return nil, Faults{r.syntax(err, text)}
	}
	if err := decoder.Decode(&another); !errors.Is(err, io.EOF) {
		r.fail(&another, "the file has several documents; one is read")
	}
	c.file, c.places = name, r.places // which fill while it is read: checks look at them
	r.value(document.Content[0], reflect.ValueOf(c).Elem(), field{key: "the configuration"}, "")
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b *Fault) int { return a.Line - b.Line })
		return nil, r.faults
	}
	return c, nil
}

type reader struct {
	file    string
	lookup  func(string) (string, bool)
	aliases int
	places  places
	faults  Faults
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, &Fault{r.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

var lineOfError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax places a text that is no YAML. The library counts lines from 0 where its parser finds the fault, and from 1 where its scanner does.
func (r *reader) syntax(err error, text []byte) *Fault {
	parts := lineOfError.FindStringSubmatch(err.Error())
	if parts == nil {
		return &Fault{File: r.file, Message: "not YAML: " + err.Error()}
	}
	line, _ := strconv.Atoi(parts[1]) // digits, or nothing for the first line
	if strings.HasPrefix(parts[2], "did not find expected") {
		line++
	}
	line = max(line, 1)
	if all := strings.Split(string(text), "\n"); line <= len(all) && strings.HasPrefix(strings.TrimLeft(all[line-1], " "), "\t") {
		return &Fault{r.file, line, 1, "not YAML: a line begins with a tab, where YAML has blanks"}
	}
	return &Fault{r.file, line, 1, "not YAML: " + parts[2]}
}

// value reads what stands at n into v. path is the way to it in the file, for people.
func (r *reader) value(n *yaml.Node, v reflect.Value, f field, path string) {
	at := n
	if n = r.resolve(n); n == nil {
		return
	}
	r.places[path] = at
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		fresh := reflect.New(t.Elem())
		if isSection(t.Elem()) {
			setDefaults(fresh.Elem())
		}
		r.value(at, fresh.Elem(), f, path)
		v.Set(fresh)
	case isSection(t):
		r.section(n, v, path)
	case t.Kind() == reflect.Map:
		r.named(n, v, f, path)
	case t.Kind() == reflect.Slice && !readsText(t):
		r.list(n, v, f, path)
	default:
		r.scalar(n, v, f, path)
	}
}

// resolve follows aliases.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		if r.aliases++; r.aliases > maxAliases {
			if r.aliases == maxAliases+1 {
				r.fail(n, "more than %d aliases", maxAliases)
			}
			return nil
		}
		n = n.Alias
	}
	return n
}

// checker is a section that knows what its fields cannot say alone.
type checker interface{ Check() error }

func (r *reader) section(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	before := len(r.faults)
	places := map[string]*yaml.Node{}
	r.entries(n, path, func(key, value *yaml.Node) {
		places[key.Value] = value
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key.Value })
		if i < 0 {
			keys := make([]string, len(fields))
			for i, f := range fields {
				keys[i] = f.key
			}
			r.fail(key, "%s has no key %q: %s", sayPath(path), key.Value, instead(key.Value, keys))
			return
		}
		r.value(value, v.Field(fields[i].index), fields[i], join(path, key.Value))
	})
	for _, f := range fields {
		if f.required && places[f.key] == nil {
			r.fail(n, "%s needs %s: %s", sayPath(path), f.key, f.doc)
		}
	}
	c, ok := v.Addr().Interface().(checker)
	if !ok || len(r.faults) > before {
		return
	}
	if err := c.Check(); err != nil {
		for _, one := range each(err) {
			r.checked(n, path, one)
		}
	}
}

// each lists what errors.Join has put together.
func each(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, one := range joined.Unwrap() {
		all = append(all, each(one)...)
	}
	return all
}

// checked gives what a Check says of the section at n its place.
func (r *reader) checked(n *yaml.Node, path string, err error) {
	place, message := n, err.Error()
	var bad *keyError
	if errors.As(err, &bad) {
		where, why := below(path, bad)
		message = where + ": " + why.Error()
		if at := r.places.nearest(where); at != nil {
			place = at
		}
	} else if path != "" {
		message = path + ": " + message
	}
	r.fail(place, "%s", message)
}

// named reads a mapping with any keys.
func (r *reader) named(n *yaml.Node, v reflect.Value, f field, path string) {
	out := reflect.MakeMap(v.Type())
	r.entries(n, path, func(key, value *yaml.Node) {
		one := reflect.New(v.Type().Elem()).Elem()
		if isSection(one.Type()) {
			setDefaults(one)
		}
		r.value(value, one, f, join(path, key.Value))
		out.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), one)
	})
	v.Set(out)
}

func (r *reader) list(n *yaml.Node, v reflect.Value, f field, path string) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s must be a list, such as [a, b]", path)
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	for i, item := range n.Content {
		one := reflect.New(v.Type().Elem()).Elem()
		if isSection(one.Type()) {
			setDefaults(one)
		}
		r.value(item, one, f, fmt.Sprintf("%s[%d]", path, i))
		out = reflect.Append(out, one)
	}
	v.Set(out)
}

func (r *reader) scalar(n *yaml.Node, v reflect.Value, f field, path string) {
	if n.Kind != yaml.ScalarNode {
		r.fail(n, "%s is one value, neither a list nor a mapping", path)
		return
	}
	if n.Tag == "!!null" {
		r.fail(n, "%s has no value", path)
		return
	}
	text, fromEnvironment, err := expand(n.Value, r.lookup)
	if err != nil {
		r.fail(n, "%s: %v", path, err)
		return
	}
	err = setScalar(v, text)
	if err == nil {
		err = checkScalar(v, f)
	}
	switch {
	case err == nil:
	case fromEnvironment: // what came out may be a secret
		r.fail(n, "%s: what %s stands for is not allowed: %s", path, n.Value, firstOf(f, err))
	default:
		r.fail(n, "%s cannot be %q: %v", path, text, err)
	}
}

// firstOf is an error that does not repeat the value.
func firstOf(f field, err error) string {
	if len(f.enum) > 0 {
		return "allowed: " + strings.Join(f.enum, ", ")
	}
	return err.Error()
}

// entries reads a mapping, with what it merges in.
func (r *reader) entries(n *yaml.Node, path string, entry func(key, value *yaml.Node)) {
	seen := map[string]bool{}
	var read func(n *yaml.Node, merged bool)
	read = func(n *yaml.Node, merged bool) {
		if n = r.resolve(n); n == nil || n.Tag == "!!null" {
			return
		}
		if n.Kind != yaml.MappingNode {
			r.fail(n, "%s must be a mapping of keys to values", sayPath(path))
			return
		}
		var merges []*yaml.Node // what a mapping says itself wins
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch {
			case key.Tag == "!!merge":
				merges = append(merges, value)
			case key.Kind != yaml.ScalarNode || key.Value == "":
				r.fail(key, "%s has a key that is no text", sayPath(path))
			case seen[key.Value] && merged:
			case seen[key.Value]:
				r.fail(key, "%s has %q twice", sayPath(path), key.Value)
			default:
				seen[key.Value] = true
				entry(key, value)
			}
		}
		for _, m := range merges {
			read(m, true)
		}
	}
	read(n, false)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sayPath(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}
