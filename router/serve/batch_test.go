package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBatch(t *testing.T) {
	h, g, _ := serveScript(t, Options{MaxBatch: 3, ForwardHeaders: []string{"Authorization"}})
	const failed = `{"errors":[{"message":"no","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`
	for _, c := range []struct {
		body, accept string
		status       int
		want         string // the answer, or the code of the refusal
	}{
		{`[{"query":"query a"},{"query":"refuse"},{"query":"header Authorization"}]`, classic, 200, `[{"data":"a"},` + failed + `,{"data":"me"}]`},
		{` [{"query":"mutation a","operationName":"A"},{"query":"query b"}]`, modern, 200, `[{"data":"a"},{"data":"b"}]`},
		{`[{"query":"query a"}]`, "", 200, `[{"data":"a"}]`},
		{`[{"query":"defer 2"}]`, "multipart/mixed, application/json", 200, `[{"data":"2"}]`},
		{`[{"query":"panic"},{"query":"query a"}]`, "", 200, `[{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]},{"data":"a"}]`},
		{`[{"query":"count 1"}]`, "", 200, `[{"errors":[{"message":"a list of requests may have no subscription","extensions":{"code":"BAD_REQUEST"}}]}]`},
		{`[{"query":"query a"},{"query":"query a"},{"query":"query a"},{"query":"query a"}]`, "", 400, CodeBatchTooLong},
		{`[]`, "", 400, CodeBadRequest},
		{`[{"query":"query a"},{}]`, "", 400, CodeBadRequest},
		{`[{"query":"query a"}`, "", 400, CodeBadRequest},
		{`[[{"query":"query a"}]]`, "", 400, CodeBadRequest},
		{`[{"query":"query a"}]`, "text/event-stream", 406, CodeBadRequest},
	} {
		g.mu.Lock()
		g.records = nil
		g.mu.Unlock()
		res := do(t, "POST", h.URL, c.body, "Content-Type", classic, "Accept", c.accept, "Authorization", "me")
		body := bodyOf(t, res)
		if res.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.body, res.StatusCode, body)
			continue
		}
		if c.status == 200 {
			if body != c.want {
				t.Errorf("%s: got %s, want %s", c.body, body, c.want)
			}
			g.mu.Lock()
			if len(g.records) != strings.Count(c.body, `"query":`) {
				t.Errorf("%s: %d records", c.body, len(g.records))
			}
			g.mu.Unlock()
		} else if got := codeOf(t, body); got != c.want {
			t.Errorf("%s: code %s", c.body, got)
		}
	}
}

// meeting is a gateway whose operations wait for one another.
type meeting struct {
	*script
	all *sync.WaitGroup
}

func (m meeting) Prepare(ctx context.Context, req *Request) (Operation, *Refusal) {
	op, refusal := m.script.Prepare(ctx, req)
	return companion{op, m.all}, refusal
}

type companion struct {
	Operation
	all *sync.WaitGroup
}

func (w companion) Run(ctx context.Context) Answer {
	w.all.Done()
	w.all.Wait()
	return w.Operation.Run(ctx)
}

func TestQueriesOfABatchRunTogether(t *testing.T) {
	var all sync.WaitGroup
	all.Add(3)
	h, g, s := serveScript(t, Options{MaxBatch: 3})
	o := s.now().o
	o.Gateway = meeting{g, &all}
	if err := s.Reload(o); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		got <- bodyOf(t, do(t, "POST", h.URL, `[{"query":"query a"},{"query":"query b"},{"query":"query c"}]`, "Content-Type", classic))
	}()
	select {
	case body := <-got:
		if body != `[{"data":"a"},{"data":"b"},{"data":"c"}]` {
			t.Errorf("got %s", body)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("they wait for one another")
	}
}

// ordered is a gateway that notes in which order its operations run.
type ordered struct {
	*script
	mu  sync.Mutex
	ran []string
}

func (o *ordered) Prepare(ctx context.Context, req *Request) (Operation, *Refusal) {
	op, refusal := o.script.Prepare(ctx, req)
	return noted{op, o, req.Query}, refusal
}

type noted struct {
	Operation
	by    *ordered
	query string
}

func (n noted) Run(ctx context.Context) Answer {
	n.by.mu.Lock()
	n.by.ran = append(n.by.ran, n.query)
	n.by.mu.Unlock()
	return n.Operation.Run(ctx)
}

// Where one request of a list changes something, what comes after it sees that, and what comes before does not.
func TestAListWithAMutationRunsInItsOrder(t *testing.T) {
	h, g, s := serveScript(t, Options{MaxBatch: 20})
	notes := &ordered{script: g}
	o := s.now().o
	o.Gateway = notes
	if err := s.Reload(o); err != nil {
		t.Fatal(err)
	}
	var list, want []string
	for i := range 20 {
		word := "query"
		if i == 10 {
			word = "mutation"
		}
		want = append(want, fmt.Sprintf("%s %d", word, i))
		list = append(list, fmt.Sprintf(`{"query":%q}`, want[i]))
	}
	if res := do(t, "POST", h.URL, "["+strings.Join(list, ",")+"]", "Content-Type", classic); res.StatusCode != 200 {
		t.Fatal(res.Status)
	}
	if !slices.Equal(notes.ran, want) {
		t.Errorf("they ran as %q", notes.ran)
	}
}
