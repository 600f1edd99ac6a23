package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"bourse/router/compose"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/identity"
	"bourse/router/plan"
)

// planned makes plans of operations, each anew.
func planned(t *testing.T) func(text string) *plan.Plan {
	t.Helper()
	got, err := compose.Compose([]compose.Subgraph{{Name: "s", URL: "http://s", SDL: `
type Query { a(x: Int): Int b: Int }
type Mutation { w: Int }
type Subscription { s: Int }
`}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sg, err := federation.Load(got.SupergraphSDL)
	if err != nil {
		t.Fatal(err)
	}
	planner := plan.New(sg, plan.Options{})
	return func(text string) *plan.Plan {
		doc, err := parser.ParseQuery(&ast.Source{Input: text})
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Plan(doc, "", plan.Given{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// runs counts executions, which wait until they are let go, and answer what they were asked for.
type runs struct {
	gate  chan struct{}
	calls atomic.Int64
}

func (r *runs) run(ctx context.Context, in execute.Input) Executed {
	r.calls.Add(1)
	select {
	case <-r.gate:
	case <-ctx.Done():
	}
	return Executed{Result: new(execute.Result), Caching: asked(in)}
}

// asked is all that an operation's answer may depend on.
func asked(in execute.Input) string {
	variables, _ := json.Marshal(in.Variables)
	return fmt.Sprintf("%p %s %s", in.Plan, variables, signature(&execute.Request{Header: in.Header, Identity: in.Identity}))
}

// An operation's answer is only shared by those for whom it is theirs. All hashes collide here.
func TestNoOperationGetsTheAnswerOfAnother(t *testing.T) {
	outer, p := t, planned(t)
	plans := []*plan.Plan{p(`query($x: Int) { a(x: $x) }`), p(`query($x: Int) { a(x: $x) }`), p(`{ b }`)}
	rapid.Check(t, func(t *rapid.T) {
		inputs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) execute.Input {
			in := execute.Input{Plan: rapid.SampledFrom(plans).Draw(t, "plan"), Header: http.Header{}}
			if rapid.Bool().Draw(t, "variables") {
				in.Variables = map[string]any{"x": json.Number(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "x"))}
			}
			for _, name := range []string{"Authorization", "X-Tenant", "X-Request-Id"} {
				if value := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, name); value != "" {
					in.Header.Set(name, value)
				}
			}
			if n := rapid.IntRange(0, 2).Draw(t, "identity"); n > 0 {
				in.Identity = &identity.Identity{Digest: [32]byte{31: byte(n)}}
			}
			return in
		}), 2, 24).Draw(t, "operations")
		synctest.Test(outer, func(*testing.T) {
			r := &runs{gate: make(chan struct{})}
			o := NewOperations(0)
			o.flights.hash = func(*key[*plan.Plan]) uint64 { return 7 }
			different := map[string]bool{}
			var wg sync.WaitGroup
			for _, in := range inputs {
				different[asked(in)] = true
				wg.Go(func() {
					answer := o.Execute(context.Background(), in, r.run)
					if got := answer.CacheControl(); got != asked(in) {
						t.Errorf("%s got %s", asked(in), got)
					}
					answer.Release()
				})
			}
			synctest.Wait()
			close(r.gate)
			wg.Wait()
			if n := int(r.calls.Load()); n != len(different) || int(o.Shared()) != len(inputs)-n {
				t.Errorf("%d executions and %d shared for %d operations, %d of them different", n, o.Shared(), len(inputs), len(different))
			}
		})
	})
}

// Whoever asks after a mutation has ended gets nothing from before it; mutations and subscriptions are everyone's own.
func TestOnlyQueriesAreExecutedOnceAndNotPastAMutation(t *testing.T) {
	p := planned(t)
	query, mutation, subscription := p(`{ b }`), p(`mutation { w }`), p(`subscription { s }`)
	synctest.Test(t, func(t *testing.T) {
		o := NewOperations(0)
		var wg sync.WaitGroup
		ask := func(p *plan.Plan, r *runs) {
			wg.Go(func() { o.Execute(t.Context(), execute.Input{Plan: p}, r.run).Release() })
			synctest.Wait()
		}
		expect := func(what string, r *runs, want int64) {
			t.Helper()
			if n := r.calls.Load(); n != want {
				t.Errorf("%s: %d executions, want %d", what, n, want)
			}
		}
		reads, writes, events := &runs{gate: make(chan struct{})}, &runs{gate: make(chan struct{})}, &runs{gate: make(chan struct{})}
		for range 2 {
			ask(query, reads)
			ask(mutation, writes)
			ask(subscription, events)
		}
		expect("queries while mutations run", reads, 1)
		expect("mutations", writes, 2)
		expect("subscriptions", events, 2)
		writes.gate <- struct{}{}
		synctest.Wait()
		ask(query, reads)
		expect("a query after a mutation has ended", reads, 2)
		for _, r := range []*runs{reads, writes, events} {
			close(r.gate)
		}
		wg.Wait()
	})
}

// A shared result goes back once, after everyone has released it.
func TestASharedResultIsReleasedByTheLast(t *testing.T) {
	query := planned(t)(`{ b }`)
	synctest.Test(t, func(t *testing.T) {
		o, r := NewOperations(0), &runs{gate: make(chan struct{})}
		answers := make(chan Answer, 3)
		for range 3 {
			go func() { answers <- o.Execute(t.Context(), execute.Input{Plan: query}, r.run) }()
		}
		synctest.Wait()
		close(r.gate)
		for i := range 3 {
			a := <-answers
			released := func() bool { return reflect.ValueOf(a.Result).Elem().FieldByName("released").Bool() }
			if released() {
				t.Fatalf("released after %d of three", i)
			}
			if a.Release(); i == 2 && !released() {
				t.Error("never released")
			}
		}
	})
}
