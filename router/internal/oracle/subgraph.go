package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/federation"
)

// Subgraph serves one subgraph of the data.
type Subgraph struct {
	data   *Data
	id     federation.GraphID
	schema *ast.Schema
	calls  atomic.Int64
}

// Schema derives the schema of one subgraph from the supergraph.
func Schema(sg *federation.Supergraph, g federation.GraphID) (*ast.Schema, error) {
	doc := validator.PreludeDocument()
	var entities []string
	for _, def := range sg.Definitions() {
		t := sg.Type(def.Name)
		j := t.In[g]
		if j == nil {
			continue
		}
		if j.NameIn != t.Name {
			continue // known through its interface object only
		}
		d := subgraphType(sg, t, g)
		if d.Kind == ast.Object && len(j.Keys) > 0 {
			entities = append(entities, d.Name)
		}
		if (d.Kind == ast.Object || d.Kind == ast.Interface) && len(d.Fields) == 0 {
			if sg.Root(ast.Query) != t {
				continue
			}
		}
		doc.Definitions = append(doc.Definitions, d)
	}
	addEntities(doc, sg, entities)
	return validator.ValidateSchemaDocument(doc)
}

func subgraphType(sg *federation.Supergraph, t *federation.Type, g federation.GraphID) *ast.Definition {
	d := *t.Def
	d.Directives, d.TypePositions = nil, nil
	d.Fields, d.Interfaces, d.Types = nil, nil, nil
	if t.In[g].InterfaceObject {
		d.Kind = ast.Object
	}
	for _, f := range t.Def.Fields {
		c := *f
		c.Directives, c.Arguments = nil, nil
		for _, a := range f.Arguments {
			bare := *a
			bare.Directives = nil
			c.Arguments = append(c.Arguments, &bare)
		}
		if d.Kind != ast.InputObject {
			j := t.Field(f.Name).In[g]
			if j == nil {
				continue
			}
			c.Type = j.Type
		}
		d.Fields = append(d.Fields, &c)
	}
	switch t.Kind {
	case ast.Object:
		for _, name := range t.Def.Interfaces {
			if i := sg.Type(name); i.In[g] != nil && slices.Contains(i.In[g].Possible, t) && !i.In[g].InterfaceObject {
				d.Interfaces = append(d.Interfaces, name)
			}
		}
	case ast.Union:
		for _, m := range t.In[g].Possible {
			d.Types = append(d.Types, m.Name)
		}
	}
	d.EnumValues = nil
	for _, v := range t.Def.EnumValues {
		c := *v
		c.Directives = nil
		d.EnumValues = append(d.EnumValues, &c)
	}
	return &d
}

func addEntities(doc *ast.SchemaDocument, sg *federation.Supergraph, entities []string) {
	doc.Schema = ast.SchemaDefinitionList{{}}
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		root := sg.Root(op)
		if root == nil {
			continue
		}
		d := doc.Definitions.ForName(root.Name)
		if d == nil {
			if op != ast.Query {
				continue
			}
			d = &ast.Definition{Kind: ast.Object, Name: root.Name}
			doc.Definitions = append(doc.Definitions, d)
		}
		doc.Schema[0].OperationTypes = append(doc.Schema[0].OperationTypes, &ast.OperationTypeDefinition{Operation: op, Type: root.Name})
		if op == ast.Query {
			d.Fields = append(d.Fields, &ast.FieldDefinition{Name: "_sdl", Type: ast.NamedType("String", nil)})
			if len(entities) > 0 {
				d.Fields = append(d.Fields, &ast.FieldDefinition{
					Name: "_entities", Type: ast.NonNullListType(ast.NamedType("_Entity", nil), nil),
					Arguments: ast.ArgumentDefinitionList{{
						Name: "representations",
						Type: ast.NonNullListType(ast.NonNullNamedType("_Any", nil), nil),
					}},
				})
			}
		}
	}
	doc.Definitions = append(doc.Definitions, &ast.Definition{Kind: ast.Scalar, Name: "_Any"})
	if len(entities) > 0 {
		doc.Definitions = append(doc.Definitions, &ast.Definition{Kind: ast.Union, Name: "_Entity", Types: entities})
	}
}

// Subgraphs serves every subgraph of the data, by name.
func (d *Data) Subgraphs() (map[string]*Subgraph, error) {
	out := map[string]*Subgraph{}
	for g, s := range d.sg.Subgraphs() {
		schema, err := Schema(d.sg, federation.GraphID(g))
		if err != nil {
			return nil, fmt.Errorf("schema of subgraph %s: %w", s.Name, err)
		}
		out[s.Name] = &Subgraph{data: d, id: federation.GraphID(g), schema: schema}
	}
	return out, nil
}

// Calls is how many operations the subgraph was sent.
func (s *Subgraph) Calls() int { return int(s.calls.Load()) }

// ServeHTTP answers POST requests in JSON.
func (s *Subgraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	var req struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	a := Answer{}
	if err := d.Decode(&req); err != nil {
		a.Errors = []Error{{Message: "request: " + err.Error()}}
	} else {
		a = s.answer(req.Query, req.OperationName, req.Variables)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // the reader went away
}

func (s *Subgraph) answer(query, name string, raw map[string]any) Answer {
	doc, errs := gqlparser.LoadQueryWithRules(s.schema, query, nil)
	if len(errs) > 0 {
		return Answer{Errors: []Error{{Message: fmt.Sprintf("INVALID SUBGRAPH OPERATION: %v in %s", errs, query)}}}
	}
	op := doc.Operations.ForName(name)
	vars, err := validator.VariableValues(s.schema, op, raw)
	if err != nil {
		return Answer{Errors: []Error{{Message: "INVALID SUBGRAPH VARIABLES: " + err.Error()}}}
	}
	x := &executor{schema: s.schema, vars: vars, resolve: s.resolve, named: s.named}
	root := s.data.sg.Root(op.Operation)
	return x.run(op, s.schema.Types[root.Name], node{object: s.data.objects[root.Name][0]})
}

// named is what the subgraph calls an object's type: an interface object stands for all implementers.
func (s *Subgraph) named(o *Object) string {
	if j := s.data.sg.Type(o.Type).In[s.id]; j != nil {
		return j.NameIn
	}
	return o.Type
}

// known is what the subgraph knows of an object beyond its own fields.
type known struct {
	provided []ast.SelectionSet
	rep      map[string]any
}

func (s *Subgraph) resolve(n node, _ *ast.Definition, f *ast.Field, args map[string]any) (any, error) {
	if f.Name == "_entities" {
		return s.entities(args["representations"])
	}
	k, _ := n.state.(known)
	field := s.data.sg.Type(n.object.Type).Field(f.Name)
	j := field.In[s.id]
	provided, ok := provides(s.data.sg, k.provided, n.object.Type, f.Name)
	switch {
	case ok:
	case !j.LocalFor(nil) && !keyFields(field.Parent)[f.Name]:
		return s.wrong(field)
	case len(j.Requires) > 0:
		values, err := pick(s.data.sg, j.Requires, n.object.Type, k.rep)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", n.object.Type, f.Name, err)
		}
		return computed(field, values), nil
	}
	if j.Provides != nil {
		provided = append(provided, j.Provides)
	}
	return asNodes(s.data.value(n.object, field, args), known{provided: provided})
}

// wrong is what a subgraph says of a field that is not its own to answer.
func (s *Subgraph) wrong(f *federation.Field) (any, error) {
	if f.Def.Type.Elem == nil && !f.Def.Type.NonNull {
		switch f.Def.Type.NamedType {
		case "Int":
			return -999, nil
		case "String", "ID":
			return "WRONG", nil
		}
	}
	return nil, fmt.Errorf("%s.%s is not of this subgraph", f.Parent.Name, f.Name)
}

func provides(sg *federation.Supergraph, sets []ast.SelectionSet, typ, name string) (under []ast.SelectionSet, ok bool) {
	for _, set := range sets {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if sel.Name == name {
					under, ok = append(under, sel.SelectionSet), true
				}
			case *ast.InlineFragment:
				if isA(sg, typ, sel.TypeCondition) {
					more, found := provides(sg, []ast.SelectionSet{sel.SelectionSet}, typ, name)
					under, ok = append(under, more...), ok || found
				}
			}
		}
	}
	return under, ok
}

func isA(sg *federation.Supergraph, typ, condition string) bool {
	return condition == "" || slices.Contains(sg.Type(condition).Possible, sg.Type(typ))
}

func (s *Subgraph) entities(reps any) (any, error) {
	var list []map[string]any
	text, err := json.Marshal(reps)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&list)
	}
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, rep := range list {
		o, err := s.find(rep)
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

// find is the entity of a representation, which must hold a resolvable key of the subgraph.
func (s *Subgraph) find(rep map[string]any) (*Object, error) {
	name, _ := rep["__typename"].(string)
	t := s.data.sg.Type(name)
	if t == nil || t.In[s.id] == nil {
		return nil, fmt.Errorf("INVALID REPRESENTATION: unknown type %q", name)
	}
	for _, k := range t.In[s.id].Keys {
		if !k.Resolvable {
			continue
		}
		found := false
		for _, p := range t.Possible {
			want, err := pick(s.data.sg, k.Fields, p.Name, rep)
			if err != nil {
				continue
			}
			found = true
			for _, o := range s.data.objects[p.Name] {
				if equalJSON(s.data.gather(o, k.Fields), want) {
					return o, nil
				}
			}
		}
		if found {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("INVALID REPRESENTATION: no resolvable key of %s in %v", name, rep)
}

func equalJSON(a, b any) bool {
	return reflect.DeepEqual(canonical(a), canonical(b))
}

// canonical is a value as JSON would bring it back, without __typename.
func canonical(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic("oracle: a value that is not JSON: " + err.Error())
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic("oracle: own JSON does not parse: " + err.Error())
	}
	return out
}

// gather takes a field set from the data.
func (d *Data) gather(o *Object, set ast.SelectionSet) map[string]any {
	out := map[string]any{}
	t := d.sg.Type(o.Type)
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if isA(d.sg, o.Type, sel.TypeCondition) {
				for k, v := range d.gather(o, sel.SelectionSet) {
					out[k] = v
				}
			}
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			args := map[string]any{}
			for _, a := range sel.Arguments {
				args[a.Name], _ = a.Value.Value(nil)
			}
			v, err := d.oneField(o, t.Field(sel.Name), args)
			if err != nil {
				v = nil
			}
			out[sel.Name] = d.gatherUnder(v, sel.SelectionSet)
		}
	}
	return out
}

func (d *Data) gatherUnder(v any, set ast.SelectionSet) any {
	switch v := v.(type) {
	case node:
		return d.gather(v.object, set)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = d.gatherUnder(v[i], set)
		}
		return out
	}
	return v
}

var errMissing = errors.New("the representation lacks a field")

// pick takes a field set from a representation.
func pick(sg *federation.Supergraph, set ast.SelectionSet, typ string, rep map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if !isA(sg, typ, sel.TypeCondition) {
				continue
			}
			more, err := pick(sg, sel.SelectionSet, typ, rep)
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
				return nil, fmt.Errorf("%w: %s", errMissing, sel.Name)
			}
			under, err := pickUnder(sg, sel.SelectionSet, sg.Type(sg.Type(typ).Field(sel.Name).Def.Type.Name()), v)
			if err != nil {
				return nil, err
			}
			out[sel.Name] = under
		}
	}
	return out, nil
}

func pickUnder(sg *federation.Supergraph, set ast.SelectionSet, t *federation.Type, v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		name := t.Name
		if t.IsAbstract() {
			name, _ = v["__typename"].(string)
			if sg.Type(name) == nil {
				return nil, fmt.Errorf("%w: __typename of a %s", errMissing, t.Name)
			}
		}
		return pick(sg, set, name, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = pickUnder(sg, set, t, v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// computed is a @requires field: a digest of what it requires, so that a wrong input shows.
func computed(f *federation.Field, inputs map[string]any) any {
	text, err := json.Marshal(canonical(inputs))
	if err != nil {
		panic("oracle: inputs that are not JSON: " + err.Error())
	}
	if f.Def.Type.NamedType == "Int" {
		h := fnv.New32a()
		_, _ = h.Write(text) // never fails
		return int(h.Sum32() % 100_000)
	}
	return "from " + string(text)
}
