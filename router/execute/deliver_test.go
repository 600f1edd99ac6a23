package execute_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"pgregory.net/rapid"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/internal/oracle/draw"
	"bourse/router/plan"
)

// TestDeferredEqualsOneSchema merges what is delivered in parts: it must be what one schema answers at once.
func TestDeferredEqualsOneSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/supergraphs/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no supergraphs", err)
	}
	for _, file := range files {
		sg, g := loadFile(t, file)
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		for _, failures := range []bool{false, true} {
			label := name
			if failures {
				label += " with failures"
			}
			t.Run(label, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) { checkDeferred(t, sg, g, ast.Query, failures) })
			})
		}
		if sg.API().Mutation != nil {
			t.Run(name+" mutations", func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) { checkDeferred(t, sg, g, ast.Mutation, false) })
			})
		}
	}
}

func checkDeferred(t *rapid.T, sg *federation.Supergraph, g *oracle.Graph, kind ast.Operation, failures bool) {
	data := g.RandomData(rapid.Uint64().Draw(t, "data"), failures)
	op := oracle.RandomDeferred(t, sg.API(), kind)
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op.Text, nil)
	if len(errs) > 0 {
		t.Skip("not a valid operation")
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], op.Vars)
	if err != nil {
		t.Fatalf("variables: %v", err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "", deferring(doc.Operations[0], vars))
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, op.Text)
	}
	if what := deliverAndCompare(sg, data, nil, p, doc, vars); what != "" {
		t.Fatalf("%s\noperation: %s\nvariables: %v", what, op.Text, op.Vars)
	}
}

// deliverAndCompare takes an answer in parts and says what is wrong with it; empty: nothing.
func deliverAndCompare(sg *federation.Supergraph, data *oracle.Data, labels oracle.Labels, p *plan.Plan, doc *ast.QueryDocument, vars map[string]any) string {
	subgraphs := data.Serve(labels)
	d := execute.New(sg, inProcess(subgraphs.Handlers()), execute.Options{}).Deliver(context.Background(), execute.Input{Plan: p, Variables: vars})
	defer d.Close()
	got, log, err := collect(d)
	want := plain(data.One(sg.API(), doc, "", vars))
	complaint := func(what string) string {
		text, _ := json.Marshal(want)
		return fmt.Sprintf("%s\nwant: %s\ngot:\n%s\n%s", what, text, strings.Join(log, "\n"), p.Text())
	}
	if err != nil {
		return complaint(err.Error())
	}
	for _, c := range subgraphs.Complaints() {
		return complaint(c)
	}
	if at, differs := difference(want.Data, got.Data, nil, want.Errors); differs {
		return complaint(fmt.Sprintf("the merged answer differs at %v", at))
	}
	for _, e := range want.Errors {
		if at := nullOn(want.Data, e.Path); !e.Hidden && !explains(got.Errors, at) {
			return complaint(fmt.Sprintf("no error explains the null at %v", at))
		}
	}
	if len(want.Errors) == 0 && len(got.Errors) > 0 {
		return complaint("errors that one schema does not have")
	}
	return ""
}

// TestRandomGraphsDeferred defers fragments on random graphs, with their data.
func TestRandomGraphsDeferred(t *testing.T) {
	answered := 0
	for seed := *first; answered < *cases/6; seed++ {
		g := draw.Subgraphs(seed)
		w, _ := build(g.Sources)
		if w == nil {
			continue // TestRandomGraphs says when that is wrong
		}
		labels := oracle.Labels{"percent(100)": true}
		for n := range perGraph {
			kind := ast.Query
			if w.sg.API().Mutation != nil && n%5 == 0 {
				kind = ast.Mutation
			}
			op := rapid.Custom(func(t *rapid.T) oracle.Operation { return oracle.RandomDeferred(t, w.sg.API(), kind) }).Example(int(seed)*perGraph + n)
			doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), op.Text, nil)
			if len(errs) > 0 {
				continue
			}
			vars, err := validator.VariableValues(w.sg.API(), doc.Operations[0], op.Vars)
			if err != nil {
				continue
			}
			given := deferring(doc.Operations[0], vars)
			given.Labels = labels
			p, err := w.planner.Plan(doc, "", given)
			if err != nil {
				t.Fatalf("graph %d, operation %d: not planned: %v\n%s", seed, n, err, op.Text)
			}
			answered++
			data := w.g.RandomData(seed, n%3 == 0)
			if what := deliverAndCompare(w.sg, data, labels, p, doc, vars); what != "" {
				c := trial{sources: g.Sources, labels: labels, seed: seed, failures: n%3 == 0, text: op.Text, vars: op.Vars}
				t.Fatalf("graph %d, operation %d: %s\n%s", seed, n, what, c.fixture(fault{"deferred", what}))
			}
		}
	}
}

// deferring is what a client gives that takes parts.
func deferring(op *ast.OperationDefinition, vars map[string]any) plan.Given {
	given := plan.Given{Defer: true, Variables: map[string]bool{}}
	names, _ := plan.Deferring(op)
	for _, name := range names {
		given.Variables[name], _ = vars[name].(bool)
	}
	return given
}

func explains(errs []oracle.Error, at []any) bool {
	for _, e := range errs {
		if len(e.Path) >= len(at) && reflect.DeepEqual(e.Path[:len(at)], at) || len(e.Path) < len(at) && reflect.DeepEqual(at[:len(e.Path)], e.Path) {
			return true
		}
	}
	return false
}

// plain is an answer as a client reads it.
func plain(a oracle.Answer) oracle.Answer {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	var out oracle.Answer
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}

// message is what a client reads of each message.
type message struct {
	Data        any
	Errors      []oracle.Error
	HasNext     *bool
	Incremental []struct {
		Data   any
		Errors []oracle.Error
		Path   []any
		Label  *string
	}
}

// collect takes a delivery to its end as a client would and merges it. The messages are returned as they came.
func collect(d *execute.Delivery) (oracle.Answer, []string, error) {
	var merged oracle.Answer
	var log []string
	for {
		p, err := d.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return merged, log, nil
		}
		if err != nil {
			return merged, log, err
		}
		text := string(p.AppendJSON(nil))
		log = append(log, text)
		var m message
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return merged, log, fmt.Errorf("not JSON: %w", err)
		}
		first := len(log) == 1
		switch {
		case first && (m.Incremental != nil || m.HasNext != nil && !*m.HasNext):
			return merged, log, errors.New("the first message is not a primary answer")
		case !first && (m.HasNext == nil || len(m.Incremental) == 0):
			return merged, log, errors.New("an empty message")
		case p.HasNext() != (m.HasNext != nil && *m.HasNext):
			return merged, log, errors.New("HasNext and hasNext differ")
		}
		if first {
			merged.Data = m.Data
		}
		merged.Errors = append(merged.Errors, m.Errors...)
		if len(m.Errors) > 0 != p.HasErrors() && first {
			return merged, log, errors.New("HasErrors is wrong")
		}
		for _, i := range m.Incremental {
			merged.Errors = append(merged.Errors, i.Errors...)
			into, ok := at(merged.Data, i.Path).(map[string]any)
			if !ok {
				return merged, log, fmt.Errorf("no object at %v", i.Path)
			}
			if i.Data == nil && len(i.Errors) == 0 && !explains(merged.Errors, i.Path) {
				return merged, log, fmt.Errorf("a part at %v is null without an error", i.Path)
			}
			merge(into, i.Data)
		}
	}
}

func at(data any, path []any) any {
	for _, p := range path {
		switch v := data.(type) {
		case map[string]any:
			key, _ := p.(string)
			data = v[key]
		case []any:
			n, _ := p.(float64)
			if int(n) >= len(v) {
				return nil
			}
			data = v[int(n)]
		default:
			return nil
		}
	}
	return data
}

func merge(have, more any) any {
	switch more := more.(type) {
	case map[string]any:
		into, ok := have.(map[string]any)
		if !ok {
			return more
		}
		for k, v := range more {
			into[k] = merge(into[k], v)
		}
		return into
	case []any:
		into, ok := have.([]any)
		if !ok || len(into) != len(more) {
			return more
		}
		for i, v := range more {
			into[i] = merge(into[i], v)
		}
		return into
	}
	return more
}

// difference finds where a merged answer is not what one schema says. A null that one schema lets rise from below stays,
// in parts, inside of the part that it came up in.
func difference(want, got any, path []any, errs []oracle.Error) ([]any, bool) {
	if want == nil && got != nil {
		for _, e := range errs {
			if len(e.Path) > len(path) && reflect.DeepEqual(e.Path[:len(path)], append([]any{}, path...)) {
				return nil, false
			}
		}
		return path, true
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) > len(w) {
			return path, true
		}
		for k := range w {
			if _, ok := g[k]; !ok {
				return append(path, k), true
			}
			if at, differs := difference(w[k], g[k], append(path[:len(path):len(path)], k), errs); differs {
				return at, true
			}
		}
		return nil, false
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return path, true
		}
		for i := range w {
			if at, differs := difference(w[i], g[i], append(path[:len(path):len(path)], float64(i)), errs); differs {
				return at, true
			}
		}
		return nil, false
	}
	return path, !reflect.DeepEqual(want, got)
}
