package execute_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/internal/oracle/draw"
	"bourse/router/plan"
)

// counting counts what subgraphs are asked.
type counting struct {
	execute.Fetcher
	n atomic.Int64
}

func (c *counting) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	c.n.Add(1)
	return c.Fetcher.Fetch(ctx, req)
}

// Stream implements entitycache.Fetcher.
func (*counting) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, errors.New("there are no subscriptions")
}

// forgetful is a cache's memory that has lost some of what it should have.
type forgetful struct {
	*entitycache.Memory
	share float64 // of what is forgotten

	mu     sync.Mutex
	chance *rand.Rand
}

// Get implements entitycache.Store.
func (f *forgetful) Get(ctx context.Context, keys, labels []string) (entitycache.Found, error) {
	found, err := f.Memory.Get(ctx, keys, labels)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range found.Values {
		if f.chance.Float64() < f.share {
			found.Values[i] = nil
		}
	}
	return found, err
}

// altered are other values of variables, where that is easy to say.
func altered(vars map[string]any) map[string]any {
	other := map[string]any{}
	for name, value := range vars {
		switch v := value.(type) {
		case bool:
			value = !v
		case float64:
			value = v + 1
		case int:
			value = v + 1
		}
		other[name] = value
	}
	return other
}

// TestRandomGraphsCached answers random operations by way of an entity cache: anew, out of what was kept, out of half of that, and with other
// values of its variables. Whatever operations on the same data have left there, the answer is that of one schema.
func TestRandomGraphsCached(t *testing.T) {
	answered, asked := 0, [4]int64{}
	for seed := *first; answered < *cases/6; seed++ {
		g := draw.Subgraphs(seed)
		w, _ := build(g.Sources)
		if w == nil {
			continue // TestRandomGraphs says when that is wrong
		}
		store := &forgetful{chance: rand.New(rand.NewPCG(seed, 5))}
		var of uint64
		for n := range perGraph {
			c := drawTrial(w, g, seed*1000, uint64(n))
			c.failures = false // what failed is not kept; others see to that
			doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), c.text, nil)
			if len(errs) > 0 || doc.Operations[0].Operation != ast.Query {
				continue
			}
			p, err := w.planner.Plan(doc, "", plan.Given{Labels: c.labels})
			if err != nil {
				t.Fatalf("graph %d, operation %d: %v", seed, n, err)
			}
			if store.Memory == nil || of != c.seed {
				store.Memory, of = entitycache.NewMemory(16<<20), c.seed
			}
			for time, given := range []map[string]any{c.vars, c.vars, c.vars, altered(c.vars)} {
				vars, err := validator.VariableValues(w.sg.API(), doc.Operations[0], given)
				if err != nil {
					break
				}
				if store.share = 0; time == 2 {
					store.share = 0.5
				}
				subgraphs := w.world(c).Serve(c.labels)
				below := &counting{Fetcher: inProcess(subgraphs.Handlers())}
				cache := entitycache.New(below, w.sg, entitycache.Options{Store: store, TTL: keptFor})
				r := execute.New(w.sg, cache, execute.Options{}).Execute(t.Context(), execute.Input{Plan: p, Variables: vars})
				if f := judge(w.world(c).One(w.sg.API(), doc, "", vars), r.JSON(), subgraphs); f.class != "" {
					c.vars = given
					t.Fatalf("graph %d, operation %d, time %d: %s: %s\n%s\n%s", seed, n, time+1, f.class, f.text, p.Text(), c.fixture(f))
				}
				r.Release()
				asked[time] += below.n.Load()
			}
			answered++
		}
	}
	t.Logf("%d operations: requests to subgraphs anew, again, with half of it forgotten, with other variables: %d", answered, asked)
	if asked[0] == 0 || asked[1] > 0 || asked[2] == 0 || asked[3] == 0 {
		t.Errorf("not what should be asked: %d", asked)
	}
}

const keptFor = time.Hour // longer than the test lasts
