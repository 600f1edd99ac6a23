package oracle

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// Subgraphs are all subgraphs of a world at work, for one request or many.
type Subgraphs struct {
	labels Labels
	all    map[string]*Subgraph

	mu         sync.Mutex
	complaints []string
	mutations  []string
}

// Subgraph serves one subgraph of the data.
type Subgraph struct {
	data  *Data
	id    int
	team  *Subgraphs
	mu    sync.Mutex
	calls []string
}

// Serve puts every subgraph of the data to work. labels say which labelled overrides are on.
func (d *Data) Serve(labels Labels) *Subgraphs {
	t := &Subgraphs{labels: labels, all: map[string]*Subgraph{}}
	for i, s := range d.g.services {
		t.all[s.name] = &Subgraph{data: d, id: i, team: t}
	}
	return t
}

// Handlers are the subgraphs by name.
func (t *Subgraphs) Handlers() map[string]http.Handler {
	out := map[string]http.Handler{}
	for name, s := range t.all {
		out[name] = s
	}
	return out
}

// Subgraph is one of them by name.
func (t *Subgraphs) Subgraph(name string) *Subgraph { return t.all[name] }

// Complaints are what subgraphs had to object to: whatever a router that knows its trade does not do.
func (t *Subgraphs) Complaints() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.complaints
}

// Mutations are the mutations that ran, in order, each with its arguments.
func (t *Subgraphs) Mutations() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mutations
}

// complain notes that the router did what it must not do; the error is for the answer.
func (s *Subgraph) complain(format string, args ...any) error {
	err := fmt.Errorf("INVALID: "+format, args...)
	s.team.mu.Lock()
	defer s.team.mu.Unlock()
	s.team.complaints = append(s.team.complaints, s.service().name+": "+err.Error())
	return err
}

func (s *Subgraph) service() *service { return s.data.g.services[s.id] }

// Calls are the operations that the subgraph was sent.
func (s *Subgraph) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// ServeHTTP answers POST requests in JSON.
func (s *Subgraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	a := Answer{}
	if err := d.Decode(&req); err != nil {
		a.Errors = []Error{{Message: s.complain("request: %v", err).Error()}}
	} else {
		a = s.answer(req.Query, req.OperationName, req.Variables)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // the reader went away
}

func (s *Subgraph) answer(query, name string, raw map[string]any) Answer {
	s.mu.Lock()
	s.calls = append(s.calls, query)
	s.mu.Unlock()
	schema := s.service().schema
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	if len(errs) > 0 {
		return Answer{Errors: []Error{{Message: s.complain("operation: %v in %s", errs, query).Error()}}}
	}
	op := doc.Operations.ForName(name)
	vars, err := validator.VariableValues(schema, op, raw)
	if err != nil {
		return Answer{Errors: []Error{{Message: s.complain("variables: %v in %s", err, query).Error()}}}
	}
	x := &executor{schema: schema, vars: plain(vars), named: s.named}
	x.resolve = func(n node, _ *ast.Definition, f *ast.Field, args map[string]any) (any, error) {
		if f.Name == "_entities" {
			return s.entities(x, args["representations"])
		}
		return s.resolve(n, f, args)
	}
	local := s.service().root(op.Operation)
	a := x.run(op, schema.Types[local], node{object: s.data.objects[s.service().global(local)][0]})
	if !x.useful {
		return Answer{Errors: []Error{{Message: s.complain("a call for nothing: %s with %s", query, mustJSON(raw)).Error()}}}
	}
	return a
}

// named is what the subgraph calls an object's type: an interface object stands for all implementers.
func (s *Subgraph) named(o *Object) string {
	if lt := s.data.g.knows(s.id, s.data.g.types[o.Type]); lt != nil {
		return lt.def.Name
	}
	return o.Type
}

// known is what the subgraph knows of an object beyond its own fields.
type known struct {
	provided []ast.SelectionSet
	rep      map[string]any
}

func (s *Subgraph) resolve(n node, f *ast.Field, args map[string]any) (any, error) {
	if f.Name == "_service" {
		return nil, s.complain("%s is no field for a plan", f.Name)
	}
	k, _ := n.state.(known)
	field := s.data.g.types[n.object.Type].byName[f.Name]
	local := field.in[s.id]
	if n.object.Type == "Mutation" {
		s.team.mu.Lock()
		s.team.mutations = append(s.team.mutations, mutation(f.Name, args))
		s.team.mu.Unlock()
	}
	provided, ok := s.provides(k.provided, n.object.Type, f.Name)
	if !ok && !s.data.g.owns(s.id, field, s.team.labels) {
		return s.wrong(field)
	}
	if local.provides != nil {
		provided = append(provided, local.provides)
	}
	state := known{provided: provided}
	if ok {
		v, err := s.data.oneField(n.object, field, args, nil)
		return again(v, state), err
	}
	if len(local.requires) > 0 {
		values, err := s.service().pick(local.requires, s.named(n.object), k.rep)
		if err != nil {
			return nil, s.complain("%s.%s: %v", n.object.Type, f.Name, err)
		}
		return asNodes(s.data.vary(s.data.computed(field, values), field, args), state)
	}
	return asNodes(s.data.value(n.object, field, args), state)
}

// wrong is what a subgraph says of a field that is not its own to answer: beside the complaint it answers wrongly, as
// a real one might.
func (s *Subgraph) wrong(f *field) (any, error) {
	err := s.complain("%s.%s is not of this subgraph", f.parent.name, f.name)
	switch f.typ.NamedType {
	case "Int":
		return -999, nil
	case "String", "ID":
		return "WRONG", nil
	}
	return nil, err
}

// provides says whether @provides on the way here covers a field, and with what below it.
func (s *Subgraph) provides(sets []ast.SelectionSet, typ, name string) (under []ast.SelectionSet, ok bool) {
	for _, set := range sets {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if sel.Name == name {
					under, ok = append(under, sel.SelectionSet), true
				}
			case *ast.InlineFragment:
				if s.service().applies(sel.TypeCondition, typ) {
					more, found := s.provides([]ast.SelectionSet{sel.SelectionSet}, typ, name)
					under, ok = append(under, more...), ok || found
				}
			}
		}
	}
	return under, ok
}

// String lists the calls, for messages.
func (t *Subgraphs) String() string {
	var b strings.Builder
	for _, s := range t.all {
		for _, c := range s.Calls() {
			fmt.Fprintf(&b, "%s: %s\n", s.service().name, c)
		}
	}
	return b.String()
}
