package execute_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/execute"
	"bourse/router/internal/oracle"
)

// TestDeferredFixtures are fixtures as in TestFixtures, for clients that take parts. The answer is a list: the primary answer,
// then every part, in an order that does not depend on which came first.
func TestDeferredFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/deferred/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			f := readFixture(t, file)
			w := f.world(t, f.supergraph(t), f.sources(t))
			for _, op := range f.operations() {
				t.Run(op.title(), func(t *testing.T) {
					got := w.deliver(t, op)
					f.check(t, op, "plan.txt", got.plan)
					f.check(t, op, "answer.json", got.pretty(t))
				})
			}
			if len(f.subgraphs()) == 0 {
				return
			}
			subgraphs := f.mirrored(t)
			mirrored := f.world(t, composed(t, subgraphs), sources(subgraphs))
			for _, op := range f.operations() {
				t.Run(op.title()+" mirrored", func(t *testing.T) {
					want, got := unnamed(op.section("answer.json")), unnamed(mirrored.deliver(t, op).pretty(t))
					if got != want {
						t.Errorf("the answer depends on names or order\nas written:\n%s\nmirrored:\n%s", want, got)
					}
				})
			}
		})
	}
}

// unnamed is an answer without what errors tell of subgraphs.
func unnamed(answer string) string {
	lines := slices.DeleteFunc(strings.Split(answer, "\n"), func(l string) bool {
		return strings.Contains(l, `"service":`) || strings.Contains(l, `"message":`)
	})
	return strings.Join(lines, "\n")
}

// deliver takes the answer of an operation in parts and compares what they make together with one schema.
func (w *world) deliver(t *testing.T, op operation) outcome {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), op.section("operation.graphql"), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	vars, err := validator.VariableValues(w.sg.API(), doc.Operations[0], op.variables(t))
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.planner.Plan(doc, "", deferring(doc.Operations[0], vars))
	if err != nil {
		t.Fatal(err)
	}
	subgraphs := w.data.Serve(nil)
	d := execute.New(w.sg, inProcess(subgraphs.Handlers()), execute.Options{}).Deliver(context.Background(), execute.Input{Plan: p, Variables: vars})
	defer d.Close()
	merged, log, err := collect(d)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, strings.Join(log, "\n"), p.Text())
	}
	for _, complaint := range subgraphs.Complaints() {
		t.Errorf("%s\n%s", complaint, p.Text())
	}
	got := outcome{plan: p.Text(), answer: sorted(t, log)}
	one := w.data.One(w.sg.API(), doc, "", vars)
	if op.reason("differs") == "" {
		text, err := json.Marshal(oracle.Answer{Data: merged.Data, Errors: merged.Errors})
		if err != nil {
			t.Fatal(err)
		}
		equalsOne(t, one, outcome{plan: got.plan, answer: text}, true)
	}
	return got
}

// sorted is a list of the primary answer and all parts, in order of path and label.
func sorted(t *testing.T, log []string) []byte {
	t.Helper()
	var out []json.RawMessage
	for _, text := range log {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if m["incremental"] == nil {
			out = append(out, json.RawMessage(text))
			continue
		}
		var parts []json.RawMessage
		if err := json.Unmarshal(m["incremental"], &parts); err != nil {
			t.Fatal(err)
		}
		out = append(out, parts...)
	}
	key := func(part json.RawMessage) string {
		var p struct{ Path, Label json.RawMessage }
		if err := json.Unmarshal(part, &p); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s %s %s", p.Path, p.Label, part)
	}
	slices.SortFunc(out[1:], func(a, b json.RawMessage) int { return strings.Compare(key(a), key(b)) })
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
