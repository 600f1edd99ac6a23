package execute_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"
	"go.uber.org/goleak"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/plan"
)

const deferSDL = joinHeader + `
type Query @join__type(graph: A) @join__type(graph: B) {
  person: Person @join__field(graph: A)
  people: [Person!] @join__field(graph: A)
}
type Person @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID! @join__field(graph: A) @join__field(graph: B) @join__field(graph: C)
  name: String @join__field(graph: A)
  home: Home @join__field(graph: A)
  age: Int! @join__field(graph: B)
  nick: String @join__field(graph: C)
}
type Home @join__type(graph: A) { street: String town: String! }`

// deferred plans an operation for a client that takes parts.
func deferred(t testing.TB, sg *federation.Supergraph, op string, raw map[string]any) execute.Input {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "", deferring(doc.Operations[0], vars))
	if err != nil {
		t.Fatal(err)
	}
	return execute.Input{Plan: p, Variables: vars}
}

// gates answer each subgraph's request when the test lets it.
type gates struct {
	asked map[string]chan struct{}
	open  map[string]chan *execute.Response
}

func newGates(subgraphs ...string) gates {
	g := gates{map[string]chan struct{}{}, map[string]chan *execute.Response{}}
	for _, s := range subgraphs {
		g.asked[s], g.open[s] = make(chan struct{}, 10), make(chan *execute.Response, 10)
	}
	return g
}

func (g gates) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	g.asked[req.Subgraph] <- struct{}{}
	select {
	case r := <-g.open[req.Subgraph]:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g gates) wait(t *testing.T, subgraph string) {
	t.Helper()
	select {
	case <-g.asked[subgraph]:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was not asked", subgraph)
	}
}

func next(t *testing.T, d *execute.Delivery, want string) {
	t.Helper()
	p, err := d.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestPartsDoNotWaitForOneAnother holds back the primary answer, then the first part: nothing else waits for them but
// what must.
func TestPartsDoNotWaitForOneAnother(t *testing.T) {
	defer goleak.VerifyNone(t)
	g := newGates("a", "b", "c")
	d := execute.New(load(t, deferSDL), g, execute.Options{}).Deliver(context.Background(), deferred(t, load(t, deferSDL),
		`{ person { name age ... @defer(label: "late") { nick home { town } } ... @defer(label: "soon") { name } } }`, nil))
	defer d.Close()
	g.open["a"] <- ok(`{"data":{"person":{"name":"Ada","id":"1"}}}`)
	g.wait(t, "a")
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		g.wait(t, "c") // while the primary answer still waits for b
		g.wait(t, "b")
		g.wait(t, "a") // for the home of the part "late"
		g.open["b"] <- ok(`{"data":{"_entities":[{"age":36}]}}`)
	}()
	next(t, d, `{"data":{"person":{"name":"Ada","age":36}},"hasNext":true}`)
	<-reading
	next(t, d, `{"incremental":[{"data":{"name":"Ada"},"path":["person"],"label":"soon"}],"hasNext":true}`)
	waiting, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Next(waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting has no end: %v", err)
	}
	g.open["a"] <- ok(`{"data":{"_entities":[{"home":{"town":"London"}}]}}`)
	g.open["c"] <- ok(`{"data":{"_entities":[{"nick":"Countess"}]}}`)
	next(t, d, `{"incremental":[{"data":{"nick":"Countess","home":{"town":"London"}},"path":["person"],"label":"late"}],"hasNext":false}`)
	if _, err := d.Next(context.Background()); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	defer goleak.VerifyNone(t)
	sg := load(t, deferSDL)
	g := newGates("a", "b", "c")
	released := make(chan struct{}, 1)
	late := ok(`{"data":{"_entities":[{"age":1}]}}`)
	late.Release = func() { released <- struct{}{} }
	e := execute.New(sg, g, execute.Options{})
	d := e.Deliver(context.Background(), deferred(t, sg, `{ person { name ... @defer { age nick } } }`, nil))
	g.open["a"] <- ok(`{"data":{"person":{"name":"Ada","id":"1"}}}`)
	next(t, d, `{"data":{"person":{"name":"Ada"}},"hasNext":true}`)
	g.wait(t, "b")
	g.wait(t, "c")
	g.open["b"] <- late
	d.Close()
	d.Close()
	if len(g.open["b"]) == 0 {
		<-released // what came back but was not read is given back as well
	}
	if _, err := e.Deliver(context.Background(), execute.Input{Plan: mustPlan(t, sg, `{ __typename }`)}).Next(context.Background()); err != nil {
		t.Error(err)
	}
}

func mustPlan(t *testing.T, sg *federation.Supergraph, op string) *plan.Plan {
	t.Helper()
	return planFor(t, sg, op, nil).Plan
}

// TestFailuresInParts tells errors with the part that lacks data for them, with paths from the root.
func TestFailuresInParts(t *testing.T) {
	for name, c := range map[string]struct {
		op, a, b, c string
		down        string
		want        []string
	}{
		"a field that came along with the primary answer": {
			op: `{ p: person { h: home { street ... @defer(label: "d") { t: town } } } }`,
			a:  `{"data":{"p":{"h":{"street":"x","t":null}}},"errors":[{"message":"no town","path":["p","h","t"]}]}`,
			want: []string{
				`{"data":{"p":{"h":{"street":"x"}}},"hasNext":true}`,
				`{"incremental":[{"data":null,"errors":[{"message":"no town","path":["p","h","t"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}],"path":["p","h"],"label":"d"}],"hasNext":false}`,
			},
		},
		"a subgraph that is down": {
			op: `{ people { name ... @defer { n: nick } } }`, down: "c",
			a: `{"data":{"people":[{"id":"1","name":"Ada"},{"id":"2","name":"Bo"},{"id":"1","name":"Ada"}]}}`,
			want: []string{
				`{"data":{"people":[{"name":"Ada"},{"name":"Bo"},{"name":"Ada"}]},"hasNext":true}`,
				`{"incremental":[{"data":{"n":null},"errors":[{"message":"Subgraph 'c' could not be reached.","path":["people",0,"n"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}],"path":["people",0]},` +
					`{"data":{"n":null},"errors":[{"message":"Subgraph 'c' could not be reached.","path":["people",1,"n"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}],"path":["people",1]},` +
					`{"data":{"n":null},"errors":[{"message":"Subgraph 'c' could not be reached.","path":["people",2,"n"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}],"path":["people",2]}],"hasNext":false}`,
			},
		},
		"an error of one entity that stands at several places": {
			op: `{ people { name ... @defer { age } } }`,
			a:  `{"data":{"people":[{"id":"1","name":"Ada"},{"id":"2","name":"Bo"},{"id":"1","name":"Ada"}]}}`,
			b:  `{"data":{"_entities":[null,{"age":7}]},"errors":[{"message":"gone","path":["_entities",0,"age"],"extensions":{"code":"GONE"}}]}`,
			want: []string{
				`{"data":{"people":[{"name":"Ada"},{"name":"Bo"},{"name":"Ada"}]},"hasNext":true}`,
				`{"incremental":[{"data":null,"errors":[{"message":"gone","path":["people",0,"age"],"extensions":{"code":"GONE","service":"b"}}],"path":["people",0]},` +
					`{"data":{"age":7},"path":["people",1]},` +
					`{"data":null,"errors":[{"message":"gone","path":["people",2,"age"],"extensions":{"code":"GONE","service":"b"}}],"path":["people",2]}],"hasNext":false}`,
			},
		},
		"an error of the primary answer stays there": {
			op: `{ person { name ... @defer { name nick } } }`,
			a:  `{"data":{"person":{"id":"1","name":null}},"errors":[{"message":"no name","path":["person","name"]}]}`,
			c:  `{"data":{"_entities":[{"nick":"x"}]}}`,
			want: []string{
				`{"data":{"person":{"name":null}},"errors":[{"message":"no name","path":["person","name"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}],"hasNext":true}`,
				`{"incremental":[{"data":{"name":null,"nick":"x"},"path":["person"]}],"hasNext":false}`,
			},
		},
		"errors without a path": {
			op: `{ person { name ... @defer { nick } } }`,
			a:  `{"data":{"person":{"id":"1","name":"Ada"}}}`,
			c:  `{"data":null,"errors":[{"message":"no"}]}`,
			want: []string{
				`{"data":{"person":{"name":"Ada"}},"hasNext":true}`,
				`{"incremental":[{"data":{"nick":null},"errors":[{"message":"no","path":["person"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"c"}}],"path":["person"]}],"hasNext":false}`,
			},
		},
		"the whole root of a part": {
			op: `{ __typename ... @defer { person { age } } }`, down: "a",
			want: []string{
				`{"data":{"__typename":"Query"},"hasNext":true}`,
				`{"incremental":[{"data":{"person":null},"errors":[{"message":"Subgraph 'a' could not be reached.","path":["person"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"a"}}],"path":[]}],"hasNext":false}`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sg := load(t, deferSDL)
			s := &script{answers: map[string]*execute.Response{"a": ok(c.a), "b": ok(c.b), "c": ok(c.c)}, errs: map[string]error{}}
			if c.down != "" {
				s.errs[c.down] = errors.New("connection refused")
			}
			d := execute.New(sg, s, execute.Options{}).Deliver(context.Background(), deferred(t, sg, c.op, nil))
			defer d.Close()
			for _, want := range c.want {
				next(t, d, want)
			}
			if _, err := d.Next(context.Background()); !errors.Is(err, io.EOF) {
				t.Errorf("more came: %v", err)
			}
		})
	}
}

// TestPartsWhenTimeIsOver tells what came in time, and errors for the rest.
func TestPartsWhenTimeIsOver(t *testing.T) {
	defer goleak.VerifyNone(t)
	sg := load(t, deferSDL)
	g := newGates("a", "b", "c")
	ctx, cancel := context.WithCancel(context.Background())
	d := execute.New(sg, g, execute.Options{}).Deliver(ctx, deferred(t, sg, `{ person { name ... @defer { nick } } }`, nil))
	defer d.Close()
	g.open["a"] <- ok(`{"data":{"person":{"name":"Ada","id":"1"}}}`)
	next(t, d, `{"data":{"person":{"name":"Ada"}},"hasNext":true}`)
	g.wait(t, "c")
	cancel()
	next(t, d, `{"incremental":[{"data":{"nick":null},"errors":[{"message":"Subgraph 'c' could not be reached.","path":["person","nick"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}],"path":["person"]}],"hasNext":false}`)
}

// TestDeliveriesShareAnExecutor runs many at once; the race detector watches.
func TestDeliveriesShareAnExecutor(t *testing.T) {
	sg := load(t, deferSDL)
	s := &script{answers: map[string]*execute.Response{
		"a": ok(`{"data":{"people":[{"id":"1","name":"Ada"},{"id":"2","name":"Bo"}]}}`),
		"b": ok(`{"data":{"_entities":[{"age":1},{"age":2}]}}`), "c": ok(`{"data":{"_entities":[{"nick":"x"},{"nick":"y"}]}}`),
	}}
	e := execute.New(sg, s, execute.Options{})
	in := deferred(t, sg, `{ people { name ... @defer(label: "age") { age ... @defer(label: "nick") { nick } } } }`, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			d := e.Deliver(context.Background(), in)
			defer d.Close()
			got, log, err := collect(d)
			text, _ := json.Marshal(got.Data)
			if want := `{"people":[{"age":1,"name":"Ada","nick":"x"},{"age":2,"name":"Bo","nick":"y"}]}`; err != nil || string(text) != want {
				t.Errorf("%v: got %s from\n%s", err, text, strings.Join(log, "\n"))
			}
		})
	}
	all.Wait()
}
