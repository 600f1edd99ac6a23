package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Object is one object of the data. Fields hold nil, string, int, bool, Fail, *Object or []any of these.
type Object struct {
	Type   string
	Fields map[string]any
}

// Fail is a field whose resolver fails.
type Fail struct{ Message string }

// Data is a world: the objects of each type, and the roots.
type Data struct {
	sg      *federation.Supergraph
	chance  *rand.Rand
	objects map[string][]*Object
}

// perType is how many objects of each type a random world has.
const perType = 3

// RandomData makes a world for the supergraph out of a seed; with failures some resolvers fail. Fields that are
// part of a key are never null and tell objects apart.
func RandomData(seed uint64, sg *federation.Supergraph, failures bool) *Data {
	d := &Data{sg: sg, chance: rand.New(rand.NewPCG(seed, 0)), objects: map[string][]*Object{}}
	for _, typ := range sg.Objects() {
		n := perType
		if d.isRoot(typ) {
			n = 1
		}
		for range n {
			d.objects[typ.Name] = append(d.objects[typ.Name], &Object{Type: typ.Name, Fields: map[string]any{}})
		}
	}
	needed, keys := neededInside(sg)
	for _, typ := range sg.Objects() {
		for i, o := range d.objects[typ.Name] {
			for _, f := range typ.Fields {
				key := keys[f]
				o.Fields[f.Name] = d.draw(typ, f, f.Def.Type, i, key, failures && !needed[f])
			}
		}
	}
	return d
}

func (d *Data) isRoot(t *federation.Type) bool {
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		if d.sg.Root(op) == t {
			return true
		}
	}
	return false
}

// keyFields are the fields at the top of any key of a type, in any subgraph.
func keyFields(t *federation.Type) map[string]bool {
	keys := map[string]bool{}
	for _, j := range t.In {
		if j == nil {
			continue
		}
		for _, k := range j.Keys {
			for _, sel := range k.Fields {
				if f, ok := sel.(*ast.Field); ok {
					keys[f.Name] = true
				}
			}
		}
	}
	return keys
}

// neededInside are the fields that keys and requirements name, at any depth. They do not fail in a random world: the
// router could not help asking for them, where one schema need not.
func neededInside(sg *federation.Supergraph) (needed, keys map[*federation.Field]bool) {
	needed, keys = map[*federation.Field]bool{}, map[*federation.Field]bool{}
	var walk func(into map[*federation.Field]bool, set ast.SelectionSet, t *federation.Type)
	walk = func(into map[*federation.Field]bool, set ast.SelectionSet, t *federation.Type) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				for _, p := range append(slices.Clip(t.Possible), t) {
					if f := p.Field(sel.Name); f != nil {
						needed[f], into[f] = true, true
						walk(into, sel.SelectionSet, sg.Type(f.Def.Type.Name()))
					}
				}
			case *ast.InlineFragment:
				on := t
				if sel.TypeCondition != "" {
					on = sg.Type(sel.TypeCondition)
				}
				walk(into, sel.SelectionSet, on)
			}
		}
	}
	for _, def := range sg.Definitions() {
		t := sg.Type(def.Name)
		for _, j := range t.In {
			if j == nil {
				continue
			}
			for _, k := range j.Keys {
				walk(keys, k.Fields, t)
			}
		}
		for _, f := range t.Fields {
			for _, j := range f.In {
				if j != nil {
					walk(needed, j.Requires, t)
				}
			}
		}
	}
	return needed, keys
}

func (d *Data) draw(owner *federation.Type, f *federation.Field, typ *ast.Type, i int, key, failures bool) any {
	if failures && d.chance.IntN(15) == 0 {
		return Fail{"no " + f.Name}
	}
	if !typ.NonNull && !key && d.chance.IntN(7) == 0 {
		return nil
	}
	if typ.Elem != nil {
		n := d.chance.IntN(4)
		if key {
			n = 1
		}
		out := make([]any, n)
		for j := range out {
			out[j] = d.draw(owner, f, typ.Elem, i, key, false)
		}
		return out
	}
	named := d.sg.Type(typ.NamedType)
	if named.IsComposite() {
		if key { // objects of a composite key tell their owners apart
			return d.objects[named.Possible[0].Name][i]
		}
		possible := d.resolvable(f, named)
		if len(possible) == 0 {
			return nil
		}
		all := d.objects[possible[d.chance.IntN(len(possible))].Name]
		return all[d.chance.IntN(len(all))]
	}
	return d.leaf(owner, f, named, i, key)
}

// resolvable are the concrete types that every subgraph with the field can answer with.
func (d *Data) resolvable(f *federation.Field, named *federation.Type) []*federation.Type {
	possible := slices.Clone(named.Possible)
	for g, j := range f.In {
		if j == nil || !j.Local {
			continue
		}
		if static := d.sg.Type(j.Type.Name()); static.IsAbstract() {
			possible = slices.DeleteFunc(possible, func(t *federation.Type) bool {
				return !slices.Contains(static.In[g].Possible, t)
			})
		}
	}
	return possible
}

func (d *Data) leaf(owner *federation.Type, f *federation.Field, named *federation.Type, i int, key bool) any {
	n := i
	if !key {
		n = d.chance.IntN(10)
	}
	switch {
	case named.Kind == ast.Enum:
		return named.Def.EnumValues[n%len(named.Def.EnumValues)].Name
	case named.Name == "Int":
		return 100 + n
	case named.Name == "Float":
		return json.Number(fmt.Sprintf("%d.5", n))
	case named.Name == "Boolean":
		return n%2 == 0
	case named.Name == "ID", key:
		return fmt.Sprintf("%s-%d", owner.Name, n)
	default:
		return fmt.Sprintf("%s \"%d\" é", f.Name, n)
	}
}

// value is what a field of an object is for arguments. Arguments change the answer, so that a lost one shows.
func (d *Data) value(o *Object, f *federation.Field, args map[string]any) any {
	v := o.Fields[f.Name]
	if len(args) == 0 {
		return v
	}
	text, err := json.Marshal(args)
	if err != nil {
		panic("oracle: arguments that are not JSON: " + err.Error())
	}
	h := fnv.New32a()
	_, _ = h.Write(text) // never fails
	n := int(h.Sum32() % 97)
	switch v := v.(type) {
	case string:
		if d.sg.Type(f.Def.Type.Name()).Kind == ast.Enum {
			return v
		}
		return v + string(text)
	case int:
		return v + n
	case *Object:
		all := d.objects[v.Type]
		return all[n%len(all)]
	case []any:
		return v[:min(len(v), n%4)]
	}
	return v
}

// ParseData reads a world from JSON: for each type a list of objects, for a root type one object. In values,
// {"ref":"Type/0"} is the object at an index, {"fail":"message"} a resolver that fails, and an object with a
// __typename stands for itself.
func ParseData(sg *federation.Supergraph, text []byte) (*Data, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var raw map[string][]map[string]any
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	d := &Data{sg: sg, objects: map[string][]*Object{}}
	for _, t := range sg.Objects() {
		for range raw[t.Name] {
			d.objects[t.Name] = append(d.objects[t.Name], &Object{Type: t.Name, Fields: map[string]any{}})
		}
		if d.isRoot(t) && len(d.objects[t.Name]) == 0 {
			d.objects[t.Name] = []*Object{{Type: t.Name, Fields: map[string]any{}}}
		}
	}
	for name, list := range raw {
		if sg.Type(name) == nil {
			return nil, fmt.Errorf("data: no type %s", name)
		}
		for i, fields := range list {
			for field, v := range fields {
				value, err := d.parse(v)
				if err != nil {
					return nil, fmt.Errorf("data: %s.%s: %w", name, field, err)
				}
				d.objects[name][i].Fields[field] = value
			}
		}
	}
	return d, nil
}

func (d *Data) parse(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n), nil
		}
		return v, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			item, err := d.parse(v[i])
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	case map[string]any:
		return d.parseObject(v)
	}
	return v, nil
}

func (d *Data) parseObject(v map[string]any) (any, error) {
	if ref, ok := v["ref"].(string); ok {
		name, index, _ := strings.Cut(ref, "/")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(d.objects[name]) {
			return nil, fmt.Errorf("no object %s", ref)
		}
		return d.objects[name][i], nil
	}
	if message, ok := v["fail"].(string); ok {
		return Fail{message}, nil
	}
	name, _ := v["__typename"].(string)
	if d.sg.Type(name) == nil {
		return nil, fmt.Errorf("no type %q", name)
	}
	o := &Object{Type: name, Fields: map[string]any{}}
	for k, f := range v {
		if k == "__typename" {
			continue
		}
		value, err := d.parse(f)
		if err != nil {
			return nil, err
		}
		o.Fields[k] = value
	}
	return o, nil
}
