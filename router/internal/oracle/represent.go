package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// entityIndex finds objects by the text of a key. It is filled as subgraphs ask.
type entityIndex struct {
	mu    sync.Mutex
	byKey map[string]map[string]*Object // service, type and key → what the key selects, as JSON → object
}

// entity finds the object of a type for what a key of a subgraph selects.
func (d *Data) entity(i int, t *typ, k key, want map[string]any) *Object {
	d.index.mu.Lock()
	defer d.index.mu.Unlock()
	at := fmt.Sprint(i, " ", t.name, " ", k.text)
	found := d.index.byKey[at]
	if found == nil {
		found = map[string]*Object{}
		for _, o := range d.objects[t.name] {
			text := string(mustJSON(d.gather(i, o, k.fields)))
			if found[text] == nil {
				found[text] = o
			}
		}
		if d.index.byKey == nil {
			d.index.byKey = map[string]map[string]*Object{}
		}
		d.index.byKey[at] = found
	}
	return found[string(mustJSON(want))]
}

// entities answers _entities. To ask for the type of what is known by its interface alone is worth a call.
func (s *Subgraph) entities(x *executor, reps any) (any, error) {
	var list []map[string]any
	dec := json.NewDecoder(bytes.NewReader(mustJSON(reps)))
	dec.UseNumber()
	if err := dec.Decode(&list); err != nil {
		return nil, s.complain("representations: %v", err)
	}
	out := make([]any, len(list))
	for i, rep := range list {
		o, err := s.find(rep)
		if name, _ := rep["__typename"].(string); err != nil || o == nil || x.schema.Types[name].IsAbstractType() {
			x.useful = true
		}
		if err != nil {
			out[i] = Fail{err.Error()}
			continue
		}
		if o != nil {
			out[i] = node{o, known{rep: rep}}
		}
	}
	return out, nil
}

// find is the entity of a representation, which must hold a resolvable key of the subgraph; nil when the data does not have it.
func (s *Subgraph) find(rep map[string]any) (*Object, error) {
	name, _ := rep["__typename"].(string)
	lt := s.service().types[name]
	if lt == nil {
		return nil, s.complain("representation of the unknown type %q", name)
	}
	var why error
	for _, k := range lt.keys {
		if !k.resolvable {
			continue
		}
		want, err := s.service().pick(k.fields, name, rep)
		if err != nil {
			why = err
			continue
		}
		for _, t := range s.data.g.possibleIn(s.id, name) {
			if o := s.data.entity(s.id, t, k, want); o != nil {
				return o, nil
			}
		}
		return nil, nil
	}
	return nil, s.complain("no resolvable key of %s in %s: %v", name, mustJSON(rep), why)
}

// gather takes a field set of a subgraph from the data, as the subgraph sees it.
func (d *Data) gather(i int, o *Object, set ast.SelectionSet) map[string]any {
	out := map[string]any{}
	s, t := d.g.services[i], d.g.types[o.Type]
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if s.applies(sel.TypeCondition, o.Type) {
				for k, v := range d.gather(i, o, sel.SelectionSet) {
					out[k] = v
				}
			}
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			f := t.byName[sel.Name]
			if f == nil {
				continue
			}
			v, err := d.oneField(o, f, d.g.setArguments(f, sel), nil)
			if err != nil {
				v = nil
			}
			out[sel.Name] = d.gatherUnder(i, v, sel.SelectionSet)
		}
	}
	return out
}

// setArguments are the arguments of a field in a field set, with defaults.
func (g *Graph) setArguments(f *field, sel *ast.Field) map[string]any {
	args := map[string]any{}
	for _, a := range sel.Arguments {
		args[a.Name], _ = a.Value.Value(nil)
	}
	for _, i := range g.resolvers(f) {
		x := &executor{schema: g.services[i].schema}
		for _, a := range f.in[i].def.Arguments {
			v, ok := args[a.Name]
			if !ok && a.DefaultValue != nil {
				v, _ = a.DefaultValue.Value(nil)
				ok = true
			}
			if ok {
				args[a.Name] = x.coerce(a.Type, v)
			}
		}
	}
	return args
}

func (d *Data) gatherUnder(i int, v any, set ast.SelectionSet) any {
	switch v := v.(type) {
	case node:
		return d.gather(i, v.object, set)
	case []any:
		out := make([]any, len(v))
		for j := range v {
			out[j] = d.gatherUnder(i, v[j], set)
		}
		return out
	}
	return v
}

// applies says whether a type condition of the subgraph holds for a type, which it need not know.
func (s *service) applies(condition, name string) bool {
	return condition == "" || condition == name ||
		slices.ContainsFunc(s.schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == name })
}

var errMissing = errors.New("the representation lacks a field")

// pick takes a field set of the subgraph from a representation, or a part of one. typ is the static type there.
func (s *service) pick(set ast.SelectionSet, typ string, rep map[string]any) (map[string]any, error) {
	concrete := typ
	def := s.schema.Types[typ]
	if def == nil {
		return nil, fmt.Errorf("%w: unknown type %s", errMissing, typ)
	}
	if def.IsAbstractType() {
		if concrete, _ = rep["__typename"].(string); concrete == "" {
			if slices.ContainsFunc(set, func(sel ast.Selection) bool { _, ok := sel.(*ast.InlineFragment); return ok }) {
				return nil, fmt.Errorf("%w: __typename of a %s", errMissing, typ)
			}
			concrete = typ
		}
	}
	out := map[string]any{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if !s.applies(sel.TypeCondition, concrete) {
				continue
			}
			on := typ
			if sel.TypeCondition != "" {
				on = sel.TypeCondition
			}
			more, err := s.pick(sel.SelectionSet, on, rep)
			if err != nil {
				return nil, err
			}
			for k, v := range more {
				out[k] = v
			}
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			v, ok := rep[sel.Name]
			if !ok {
				return nil, fmt.Errorf("%w: %s.%s", errMissing, concrete, sel.Name)
			}
			under, err := s.pickUnder(sel.SelectionSet, def.Fields.ForName(sel.Name).Type.Name(), v)
			if err != nil {
				return nil, err
			}
			out[sel.Name] = under
		}
	}
	return out, nil
}

func (s *service) pickUnder(set ast.SelectionSet, typ string, v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if len(set) > 0 {
			return s.pick(set, typ, v)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = s.pickUnder(set, typ, v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}
