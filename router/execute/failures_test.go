package execute_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/plan"
)

const peopleSDL = joinHeader + `
type Query @join__type(graph: A) @join__type(graph: B) {
  people(first: Int = 5): [Person] @join__field(graph: A)
  must: Int! @join__field(graph: A)
  colour: Colour @join__field(graph: A)
  tags: [[String!]] @join__field(graph: A)
  other: String @join__field(graph: B)
}
enum Colour @join__type(graph: A) { RED SECRET @inaccessible }
type Person @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A) @join__field(graph: B)
  name: String @join__field(graph: A)
  age: Int! @join__field(graph: B)
  nick: String @join__field(graph: B)
}`

// script is a fetcher with prepared answers by subgraph; it keeps the requests.
type script struct {
	mu       sync.Mutex
	answers  map[string]*execute.Response
	errs     map[string]error
	requests []string
}

func (s *script) Fetch(_ context.Context, req *execute.Request) (*execute.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, req.Subgraph+" "+string(req.Body))
	if err := s.errs[req.Subgraph]; err != nil {
		return nil, err
	}
	return s.answers[req.Subgraph], nil
}

func ok(body string) *execute.Response { return &execute.Response{Status: 200, Body: []byte(body)} }

func planFor(t testing.TB, sg *federation.Supergraph, op string, raw map[string]any) execute.Input {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "", plan.Given{})
	if err != nil {
		t.Fatal(err)
	}
	return execute.Input{Plan: p, Variables: vars}
}

func load(t testing.TB, sdl string) *federation.Supergraph {
	t.Helper()
	sg, err := federation.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func TestFailuresGivePartialData(t *testing.T) {
	people := ok(`{"data":{"people":[{"id":"1","n":"Ada"},null,{"id":"2","n":"Bo"}]}}`)
	op := `{ people { n: name nick } }`
	const lost = `{"data":{"people":[{"n":"Ada","nick":null},null,{"n":"Bo","nick":null}]},"errors":[`
	at := func(message, code string) string {
		return lost + `{"message":"` + message + `","path":["people",0,"nick"],"extensions":{"code":"` + code + `","service":"b"}},` +
			`{"message":"` + message + `","path":["people",2,"nick"],"extensions":{"code":"` + code + `","service":"b"}}]}`
	}
	malformed := at("Subgraph 'b' gave an answer that cannot be read.", "SUBREQUEST_MALFORMED_RESPONSE")
	for name, c := range map[string]struct {
		b    *execute.Response
		err  error
		want string
	}{
		"down":             {nil, errors.New("connection refused"), at("Subgraph 'b' could not be reached.", "SUBREQUEST_HTTP_ERROR")},
		"500":              {&execute.Response{Status: 500, Body: []byte("oops")}, nil, at("Subgraph 'b' answered with HTTP status 500.", "SUBREQUEST_HTTP_ERROR")},
		"html":             {ok("<html>"), nil, malformed},
		"truncated":        {ok(`{"data":{"_entities":[{"nick":"a"},{"nick":"b"}`), nil, malformed},
		"trailing":         {ok(`{"data":{"_entities":[{"nick":"a"},{"nick":"b"}]}} x`), nil, malformed},
		"too few":          {ok(`{"data":{"_entities":[{"nick":"a"}]}}`), nil, malformed},
		"too many":         {ok(`{"data":{"_entities":[{"nick":"a"},{"nick":"b"},{"nick":"c"}]}}`), nil, malformed},
		"empty":            {ok(`{}`), nil, at("Subgraph 'b' gave an answer without data.", "SUBREQUEST_MALFORMED_RESPONSE")},
		"no entities":      {ok(`{"data":{"_entities":null}}`), nil, at("Subgraph 'b' gave an answer without data.", "SUBREQUEST_MALFORMED_RESPONSE")},
		"not an object":    {ok(`{"data":{"_entities":["x","y"]}}`), nil, malformed},
		"errors, no paths": {ok(`{"data":null,"errors":[{"message":"no"}]}`), nil, lost + `{"message":"no","path":["people",0],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}},{"message":"no","path":["people",2],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`},
		"400 with errors":  {&execute.Response{Status: 400, Body: []byte(`{"errors":[{"message":"bad","path":["_entities",1,"nick"],"extensions":{"code":"X","more":1}}]}`)}, nil, lost + `{"message":"bad","path":["people",2,"nick"],"extensions":{"code":"X","service":"b","more":1}}]}`},
		"null entity":      {ok(`{"data":{"_entities":[null,{"nick":"b"}]}}`), nil, `{"data":{"people":[{"n":"Ada","nick":null},null,{"n":"Bo","nick":"b"}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			sg := load(t, peopleSDL)
			s := &script{answers: map[string]*execute.Response{"a": people, "b": c.b}, errs: map[string]error{"b": c.err}}
			r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), planFor(t, sg, op, nil))
			defer r.Release()
			if got := string(r.AppendJSON(nil)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if r.HasErrors() != strings.Contains(c.want, `"errors"`) {
				t.Error("HasErrors is wrong")
			}
		})
	}
}

func TestNullsByTheSchema(t *testing.T) {
	for name, c := range map[string]struct{ op, a, b, want string }{
		"non-null root":      {`{ must }`, `{"data":{"must":null}}`, ``, `{"data":null,"errors":[{"message":"Cannot return null for non-nullable field Query.must.","path":["must"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`},
		"explained":          {`{ must }`, `{"data":null,"errors":[{"message":"m","path":["must"]}]}`, ``, `{"data":null,"errors":[{"message":"m","path":["must"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`},
		"hidden enum value":  {`{ colour }`, `{"data":{"colour":"SECRET"}}`, ``, `{"data":{"colour":null}}`},
		"known enum value":   {`{ colour }`, `{"data":{"colour":"RED"}}`, ``, `{"data":{"colour":"RED"}}`},
		"null inside a leaf": {`{ tags }`, `{"data":{"tags":[["a","b"],["c",null],null, [ ]]}}`, ``, `{"data":{"tags":[["a","b"],null,null,[]]},"errors":[{"message":"Cannot return null for non-nullable field Query.tags.","path":["tags",1,1],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`},
		"bubbles to the element": {
			`{ people { age } }`, `{"data":{"people":[{"id":"1"},{"id":"2"}]}}`,
			`{"data":{"_entities":[{"age":1},null]},"errors":[{"message":"m","path":["_entities",1,"age"]}]}`,
			`{"data":{"people":[{"age":1},null]},"errors":[{"message":"m","path":["people",1,"age"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`,
		},
		"missing field": {`{ other must }`, `{"data":{"must":1}}`, `{"data":{}}`, `{"data":{"other":null,"must":1}}`},
		"order of keys": {`{ other must }`, `{"data":{"must":1}}`, `{"data":{"other":"x"}}`, `{"data":{"other":"x","must":1}}`},
		"typename only": {`{ __typename a: __typename }`, ``, ``, `{"data":{"__typename":"Query","a":"Query"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			sg := load(t, peopleSDL)
			s := &script{answers: map[string]*execute.Response{"a": ok(c.a), "b": ok(c.b)}}
			r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), planFor(t, sg, c.op, nil))
			defer r.Release()
			if got := string(r.AppendJSON(nil)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMaskedErrors(t *testing.T) {
	sg := load(t, peopleSDL)
	s := &script{answers: map[string]*execute.Response{"a": ok(`{"data":{"must":1},"errors":[{"message":"password is 123","extensions":{"trace":"t"}},{"message":"told","extensions":{"code":"TOLD"}}]}`)}}
	r := execute.New(sg, s, execute.Options{Errors: execute.Errors{Mask: true}}).Execute(context.Background(), planFor(t, sg, `{ must }`, nil))
	defer r.Release()
	want := `{"data":{"must":1},"errors":[{"message":"The subgraph reported an error.","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}},{"message":"told","extensions":{"code":"TOLD","service":"a"}}]}`
	if got := string(r.JSON()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRequestsCarryWhatTheyUse(t *testing.T) {
	sg := load(t, peopleSDL)
	s := &script{answers: map[string]*execute.Response{
		"a": ok(`{"data":{"people":[{"id":"1"},{"id":"2"},{"id":"1"},{"id":null},{}]}}`),
		"b": ok(`{"data":{"_entities":[{"nick":"x"},{"nick":"y"}]}}`),
	}}
	in := planFor(t, sg, `query Q($n: Int, $yes: Boolean!) { people(first: $n) { nick @include(if: $yes) } }`, map[string]any{"n": json.Number("3"), "yes": true})
	r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), in)
	defer r.Release()
	want := []string{
		`a {"query":"query Q__a__0($n: Int, $yes: Boolean!) { people(first: $n) { id @include(if: $yes) } }","operationName":"Q__a__0","variables":{"n":3,"yes":true}}`,
		`b {"query":"query Q__b__1($representations: [_Any!]!) { _entities(representations: $representations) { ... on Person { nick } } }","operationName":"Q__b__1","variables":{"representations":[{"__typename":"Person","id":"1"},{"__typename":"Person","id":"2"}]}}`,
	}
	if !slices.Equal(s.requests, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(s.requests, "\n"), strings.Join(want, "\n"))
	}
	if got := string(r.JSON()); got != `{"data":{"people":[{"nick":"x"},{"nick":"y"},{"nick":"x"},{"nick":null},{"nick":null}]}}` {
		t.Error(got)
	}
}

func TestExcludedFetchesAreNotSent(t *testing.T) {
	sg := load(t, peopleSDL)
	s := &script{answers: map[string]*execute.Response{"a": ok(`{"data":{"people":[{"id":"1"}]}}`)}}
	in := planFor(t, sg, `query ($no: Boolean!) { people { id nick @include(if: $no) } other @include(if: $no) }`, map[string]any{"no": false})
	r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), in)
	defer r.Release()
	if len(s.requests) != 1 || r.HasErrors() {
		t.Errorf("%v\n%s", s.requests, r.JSON())
	}
}

func TestMutationsRunInOrder(t *testing.T) {
	sg, _ := loadFile(t, "testdata/supergraphs/shop.graphql")
	s := &script{answers: map[string]*execute.Response{
		"accounts": ok(`{"data":{"a":{"id":"1"},"b":true,"c":true,"d":true}}`),
		"reviews":  ok(`{"data":{"r":{"id":"9"},"_entities":[{"reviews":[]}]}}`),
	}}
	in := planFor(t, sg, `mutation { a: rename(id: 1, name: "x") { reviews { id } } b: touch c: touch r: review(product: 1) { id } d: touch }`, nil)
	r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), in)
	defer r.Release()
	var order []string
	for _, req := range s.requests {
		name, _, _ := strings.Cut(req, " ")
		order = append(order, name)
	}
	// a and its reviews, then b and c together, then r, then d
	if want := []string{"accounts", "reviews", "accounts", "reviews", "accounts"}; !slices.Equal(order, want) {
		t.Errorf("%v\n%s", order, in.Plan.Text())
	}
}

func TestMutationsStopWhenDataIsLost(t *testing.T) {
	sg := load(t, strings.Replace(joinHeader, "query: Query", "query: Query mutation: Mutation", 1)+`
type Query @join__type(graph: A) { a: Int }
type Mutation @join__type(graph: A) @join__type(graph: B) { may: Order @join__field(graph: A) must: Order! @join__field(graph: A) next: Int @join__field(graph: B) }
type Order @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") { id: ID! price: Int! @join__field(graph: B) }`)
	const failed = `,"errors":[{"message":"no"}]`
	for _, c := range []struct {
		operation, a, b string
		order           []string
	}{
		{`mutation { must { id } next }`, `{"data":{"must":{"id":"1"}}}`, `{"data":{"next":1}}`, []string{"a", "b"}},
		{`mutation { must { id } next }`, `{"data":null` + failed + `}`, ``, []string{"a"}},
		{`mutation { must { id } next }`, `{"data":{"must":null}}`, ``, []string{"a"}},
		{`mutation { must { id } next }`, `<html>`, ``, []string{"a"}},
		{`mutation { may { id } next }`, `{"data":{"may":null}` + failed + `}`, `{"data":{"next":1}}`, []string{"a", "b"}},
		{`mutation { may { id } next must { id } }`, `{"data":{"may":null}` + failed + `}`, `{"data":{"next":1}}`, []string{"a", "b", "a"}},
		{`mutation { must { price } next }`, `{"data":{"must":{"id":"1"}}}`, `{"data":{"_entities":[null],"next":1}}`, []string{"a", "b"}}, // the price alone
		{`mutation { may { price } next }`, `{"data":{"may":{"id":"1"}}}`, `{"data":{"_entities":[null],"next":1}}`, []string{"a", "b", "b"}},
	} {
		s := &script{answers: map[string]*execute.Response{"a": ok(c.a), "b": ok(c.b)}}
		r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), planFor(t, sg, c.operation, nil))
		var order []string
		for _, req := range s.requests {
			name, _, _ := strings.Cut(req, " ")
			order = append(order, name)
		}
		if !slices.Equal(order, c.order) {
			t.Errorf("%s with %s: %v, want %v", c.operation, c.a, order, c.order)
		}
		r.Release()
	}
}

func TestSubscriptionEvents(t *testing.T) {
	sg, _ := loadFile(t, "testdata/supergraphs/shop.graphql")
	s := &script{answers: map[string]*execute.Response{"accounts": ok(`{"data":{"_entities":[{"email":"a@b"}]}}`)}}
	e := execute.New(sg, s, execute.Options{})
	in := planFor(t, sg, `subscription { r: reviewed { stars author { name email } } }`, nil)
	req, err := e.SubscriptionRequest(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"query":"subscription { r: reviewed { stars author { name id } } }","variables":{}}`; string(req.Body) != want || req.Subgraph != "reviews" || req.Idempotent {
		t.Errorf("%s %s", req.Subgraph, req.Body)
	}
	for raw, want := range map[string]string{
		`{"data":{"r":{"stars":5,"author":{"id":"1","name":"Ada"}}}}`:    `{"data":{"r":{"stars":5,"author":{"name":"Ada","email":"a@b"}}}}`,
		`{"data":{"r":null},"errors":[{"message":"lost","path":["r"]}]}`: `{"data":{"r":null},"errors":[{"message":"lost","path":["r"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"reviews"}}]}`,
		`garbled`: `{"data":{"r":null},"errors":[{"message":"Subgraph 'reviews' gave an answer that cannot be read.","path":["r"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"reviews"}}]}`,
	} {
		r := e.Event(context.Background(), in, []byte(raw))
		if got := string(r.AppendJSON(nil)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r.Release()
	}
	if _, err := e.SubscriptionRequest(planFor(t, sg, `{ me { id } }`, nil)); err == nil {
		t.Error("a query has no subscription request")
	}
	if in.Plan.Operation() != ast.Subscription {
		t.Error(in.Plan.Operation())
	}
}

// panics is a fetcher that is broken.
type panics struct{}

func (panics) Fetch(context.Context, *execute.Request) (*execute.Response, error) { panic("boom") }

func TestFetcherThatPanics(t *testing.T) {
	sg := load(t, peopleSDL)
	var heard []string
	e := execute.New(sg, panics{}, execute.Options{OnFetchError: func(_ context.Context, subgraph string, err error) {
		heard = append(heard, subgraph+": "+err.Error())
	}})
	r := e.Execute(context.Background(), planFor(t, sg, `{ other people { name } }`, nil))
	defer r.Release()
	want := `{"data":{"other":null,"people":null},"errors":[` +
		`{"message":"Subgraph 'a' could not be reached.","path":["people"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"a"}},` +
		`{"message":"Subgraph 'b' could not be reached.","path":["other"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"b"}}]}`
	if got := string(r.JSON()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(heard, []string{"a: the fetcher panicked: boom", "b: the fetcher panicked: boom"}) {
		t.Error(heard)
	}
}

// FuzzOperation plans and prints whatever validates.
func FuzzOperation(f *testing.F) {
	sg, _ := loadFile(f, "testdata/supergraphs/shop.graphql")
	f.Add(bigOperation)
	f.Add(`{ node(id: 1) { ... on Product @include(if: true) { a: reviews(first: 2) { author { name } } } } __schema { types { name } } }`)
	f.Add(`mutation ($p: ID!) { review(product: $p, body: "x") { product { shipping } } touch }`)
	f.Fuzz(func(t *testing.T, op string) {
		doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op, nil)
		if len(errs) > 0 || len(doc.Operations) == 0 {
			return
		}
		p, err := plan.New(sg, plan.Options{MaxSteps: 20_000}).Plan(doc, doc.Operations[0].Name, plan.Given{})
		if err != nil {
			return
		}
		if p.Text() == "" {
			t.Fatal("an empty text")
		}
		s := &script{answers: map[string]*execute.Response{}}
		for _, g := range sg.Subgraphs() {
			s.answers[g.Name] = ok(`{"data":{}}`)
		}
		r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), execute.Input{Plan: p})
		defer r.Release()
		if !json.Valid(r.JSON()) {
			t.Fatalf("%s gave %s", op, r.JSON())
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"data":{"people":[{"id":"1"}]}}`, `{"data":{"_entities":[{"age":1,"nick":"x"}]},"errors":[{"message":"m","path":["_entities",0,"age"]}]}`)
	f.Add(`{"data":{"people":[null,{"id":1}]},"errors":[{"path":[1,"x",null]}]}`, `{"errors":{}}`)
	sg := load(f, peopleSDL)
	in := planFor(f, sg, `{ people { id age nick } colour tags must }`, nil)
	f.Fuzz(func(t *testing.T, a, b string) {
		s := &script{answers: map[string]*execute.Response{"a": ok(a), "b": ok(b)}}
		r := execute.New(sg, s, execute.Options{}).Execute(context.Background(), in)
		defer r.Release()
		if !json.Valid(r.JSON()) {
			t.Fatalf("%q %q gave %s", a, b, r.JSON())
		}
	})
}
