package execute_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"bourse/router/execute"
)

const errorsSDL = joinHeader + `
type Query @join__type(graph: A) @join__type(graph: B) {
  people: [Person] @join__field(graph: A)
  grid: [[Person!]!] @join__field(graph: A)
  boss: Person @join__field(graph: A)
}
type Person @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A) @join__field(graph: B)
  name: String @join__field(graph: A)
  nick: String @join__field(graph: B)
  pets: [Pet!] @join__field(graph: B)
}
type Pet @join__type(graph: B) { name: String! }`

// TestErrorsInTheClientsTerms has one line for each way in which a subgraph may tell of an error.
func TestErrorsInTheClientsTerms(t *testing.T) {
	e := func(message, path, code, service string) string {
		return fmt.Sprintf(`{"message":%q,"path":[%s],"extensions":{"code":%q,"service":%q}}`, message, path, code, service)
	}
	const own, http = "DOWNSTREAM_SERVICE_ERROR", "SUBREQUEST_HTTP_ERROR"
	for name, c := range map[string]struct {
		op, a, b string
		errB     error
		want     string
	}{
		"a root field under an alias, in a list": {
			op: `{ p: people { n: name } }`, a: `{"data":{"p":[{"n":"Ada"},{"n":null}]},"errors":[{"message":"m","path":["p",1,"n"]}]}`,
			want: `{"data":{"p":[{"n":"Ada"},{"n":null}]},"errors":[` + e("m", `"p",1,"n"`, own, "a") + `]}`,
		},
		"lists of lists": {
			op: `{ grid { k: nick } }`, a: `{"data":{"grid":[[{"id":"1"}],[{"id":"2"},{"id":"1"}]]}}`, b: `{"data":{"_entities":[{"k":null},{"k":"x"}]},"errors":[{"message":"m","path":["_entities",0,"k"]}]}`,
			want: `{"data":{"grid":[[{"k":null}],[{"k":"x"},{"k":null}]]},"errors":[` + e("m", `"grid",0,0,"k"`, own, "b") + `,` + e("m", `"grid",1,1,"k"`, own, "b") + `]}`,
		},
		"below an entity": {
			op: `{ boss { p: pets { n: name } } }`, a: `{"data":{"boss":{"id":"1"}}}`, b: `{"data":{"_entities":[{"p":null}]},"errors":[{"message":"m","path":["_entities",0,"p",2,"n"]}]}`,
			want: `{"data":{"boss":{"p":null}},"errors":[` + e("m", `"boss","p",2,"n"`, own, "b") + `]}`,
		},
		"one of two selections on entities in a request": {
			op: `{ people { nick } boss { pets { name } } }`, a: `{"data":{"people":[{"id":"1"}],"boss":{"id":"1"}}}`,
			b:    `{"data":{"_e0":[{"nick":null}],"_e1":[{"pets":null}]},"errors":[{"message":"first","path":["_e0",0,"nick"]},{"message":"second","path":["_e1",0,"pets"]}]}`,
			want: `{"data":{"people":[{"nick":null}],"boss":{"pets":null}},"errors":[` + e("first", `"people",0,"nick"`, own, "b") + `,` + e("second", `"boss","pets"`, own, "b") + `]}`,
		},
		"a key that only the planner asked for": {
			op: `{ boss { nick } }`, a: `{"data":{"boss":null},"errors":[{"message":"m","path":["boss","id"]}]}`,
			want: `{"data":{"boss":null},"errors":[` + e("m", `"boss"`, own, "a") + `]}`,
		},
		"a path that leads nowhere": {
			op: `{ boss { nick } }`, a: `{"data":{"boss":{"id":"1"}}}`, b: `{"data":{"_entities":[{"nick":"x"}]},"errors":[{"message":"m","path":["_entities",0,"other",-1,{}]},{"message":"lost","path":["_entities",7,"nick"]},{"message":"odd","path":[null]}]}`,
			want: `{"data":{"boss":{"nick":"x"}},"errors":[` + e("m", `"boss"`, own, "b") + `,{"message":"lost","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}},` + e("odd", `"boss"`, own, "b") + `]}`,
		},
		"a message and nothing else": {
			op: `{ boss { name } }`, a: `{"data":{"boss":null},"errors":[{"message":"m"}]}`,
			want: `{"data":{"boss":null},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"extensions of its own": {
			op: `{ boss { name } }`, a: `{"data":{"boss":null},"errors":[{"message":"m","path":["boss"],"extensions":{"code":"NOT_FOUND","service":"forged","id":7}}]}`,
			want: `{"data":{"boss":null},"errors":[{"message":"m","path":["boss"],"extensions":{"code":"NOT_FOUND","service":"a","id":7}}]}`,
		},
		"no answer in time": {
			op: `{ people { k: nick } }`, a: `{"data":{"people":[{"id":"1"},null,{"id":"2"}]}}`, errB: fmt.Errorf("subgraph b: %w", context.DeadlineExceeded),
			want: `{"data":{"people":[{"k":null},null,{"k":null}]},"errors":[` + e("Subgraph 'b' did not answer in time.", `"people",0,"k"`, http, "b") + `,` + e("Subgraph 'b' did not answer in time.", `"people",2,"k"`, http, "b") + `]}`,
		},
		"no connection": {
			op: `{ boss { nick pets { name } } }`, a: `{"data":{"boss":{"id":"1"}}}`, errB: &net.OpError{Op: "dial", Err: errors.New("connection refused")},
			want: `{"data":{"boss":{"nick":null,"pets":null}},"errors":[` + e("Subgraph 'b' could not be reached.", `"boss","nick"`, http, "b") + `,` + e("Subgraph 'b' could not be reached.", `"boss","pets"`, http, "b") + `]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sg := load(t, errorsSDL)
			s := &script{answers: map[string]*execute.Response{"a": ok(c.a), "b": ok(c.b)}, errs: map[string]error{"b": c.errB}}
			r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), planFor(t, sg, c.op, nil))
			defer r.Release()
			if got := string(r.JSON()); got != c.want {
				t.Errorf("got  %s\nwant %s\n%s", got, c.want, strings.Join(s.requests, "\n"))
			}
		})
	}
}

// TestErrorsOfEventsStayInTheirEvent completes events of one subscription, with requirements in them: what fails in one does not
// matter to the next.
func TestErrorsOfEventsStayInTheirEvent(t *testing.T) {
	sg := load(t, strings.Replace(joinHeader, "query: Query", "query: Query subscription: Subscription", 1)+`
type Query @join__type(graph: A) { a: Int }
type Subscription @join__type(graph: A) { sold: Item }
type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  weight: Int @join__field(graph: B) @join__field(graph: C, external: true)
  shipping: Int! @join__field(graph: C, requires: "weight")
  name: String @join__field(graph: A)
}`)
	s := &script{answers: map[string]*execute.Response{}, errs: map[string]error{}}
	e := execute.New(sg, s, execute.Options{})
	in := planFor(t, sg, `subscription { s: sold { n: name shipping } }`, nil)
	const event = `{"data":{"s":{"n":"x","id":"1"}}}`
	for i, c := range []struct {
		event, b, c string
		down        string
		want        string
	}{
		{event, `{"data":{"_entities":[{"weight":2}]}}`, `{"data":{"_entities":[{"shipping":20}]}}`, "", `{"data":{"s":{"n":"x","shipping":20}}}`},
		{event, `{"data":{"_entities":[{"weight":2}]}}`, ``, "c", `{"data":{"s":null},"errors":[{"message":"Subgraph 'c' could not be reached.","path":["s","shipping"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}]}`},
		{event, `{"data":{"_entities":[null]},"errors":[{"message":"gone","path":["_entities",0]}]}`, ``, "", `{"data":{"s":null},"errors":[{"message":"gone","path":["s"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`},
		{`{"data":null,"errors":[{"message":"broken"}]}`, ``, ``, "", `{"data":{"s":null},"errors":[{"message":"broken","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`},
		{event, `{"data":{"_entities":[{"weight":2}]}}`, `{"data":{"_entities":[{"shipping":20}]}}`, "", `{"data":{"s":{"n":"x","shipping":20}}}`},
	} {
		s.answers["b"], s.answers["c"] = ok(c.b), ok(c.c)
		s.errs = map[string]error{}
		if c.down != "" {
			s.errs[c.down] = errors.New("connection refused")
		}
		r := e.Event(context.Background(), in, []byte(c.event))
		if got := string(r.JSON()); got != c.want {
			t.Errorf("event %d: got  %s\nwant %s", i, got, c.want)
		}
		r.Release()
	}
}
