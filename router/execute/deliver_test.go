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
	subgraphs := data.Serve(nil)
	e := execute.New(sg, inProcess(subgraphs.Handlers()), execute.Options{})
	d := e.Deliver(context.Background(), execute.Input{Plan: p, Variables: vars})
	defer d.Close()
	got, log, err := collect(d)
	complain := func(what string) {
		wantText, _ := json.Marshal(data.One(sg.API(), doc, "", vars))
		t.Fatalf("%s\noperation: %s\nvariables: %v\nwant: %s\ngot:\n%s\n%s", what, op.Text, op.Vars, wantText, strings.Join(log, "\n"), p.Text())
	}
	if err != nil {
		complain(err.Error())
	}
	want := plain(data.One(sg.API(), doc, "", vars))
	if at, differs := difference(want.Data, got.Data, nil, want.Errors); differs {
		complain(fmt.Sprintf("the merged answer differs at %v", at))
	}
	for _, c := range subgraphs.Complaints() {
		complain(c)
	}
	for _, e := range want.Errors {
		at := nullOn(want.Data, e.Path)
		if !explains(got.Errors, at) {
			complain(fmt.Sprintf("no error explains the null at %v", at))
		}
	}
	if len(want.Errors) == 0 && len(got.Errors) > 0 {
		complain("errors that one schema does not have")
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
