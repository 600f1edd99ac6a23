package router

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/router/access"
	"bourse/router/internal/oracle"
	"bourse/router/serve"
)

const protectedData = `{
	"Query": [{"me": {"ref": "User/0"}, "users": [{"ref": "User/0"}, {"ref": "User/1"}], "posts": [{"ref": "Post/0"}, {"ref": "Post/1"}],
		"media": [{"ref": "Book/0"}, {"ref": "Film/0"}, {"ref": "Tape/0"}], "found": [{"ref": "Book/0"}, {"ref": "Vault/0"}], "must": 7, "hidden": {"ref": "Vault/0"}, "open": 1}],
	"Mutation": [{"publish": {"ref": "Post/0"}, "touch": 5}],
	"User": [{"id": "1", "name": "Ada", "email": "a@x", "salary": 100, "grade": "HIGH", "seal": "S"}, {"id": "2", "name": "Bob", "email": "b@x", "salary": 50, "grade": "HIGH", "seal": "S"}],
	"Post": [{"id": "p", "author": {"ref": "User/0"}, "views": 9, "strict": 1}, {"id": "q", "author": null, "views": 8, "strict": 2}],
	"Vault": [{"gold": 3}],
	"Book": [{"id": "b", "title": "B", "secret": 1}], "Film": [{"id": "f", "title": "F", "secret": 2}], "Tape": [{"id": "t", "title": "T", "secret": 3}]
}`

// protectedHouse serves testdata/protected.graphql to requests with some rights.
func protectedHouse(t testing.TB, rights access.Rights, asked *[]string) (*gateway, *oracle.Subgraphs) {
	t.Helper()
	file := "testdata/protected.graphql"
	data, err := dataFor(t, textOf(t, file)).ParseData([]byte(protectedData))
	if err != nil {
		t.Fatal(err)
	}
	subgraphs := data.Serve(nil)
	return newGateway(load(t, file), Options{
		Fetcher: handlers(subgraphs.Handlers()), Logger: slog.New(slog.DiscardHandler),
		Rights: func(_ context.Context, _ http.Header, policies []string) access.Rights {
			if asked != nil {
				*asked = append(*asked, strings.Join(policies, " "))
			}
			return rights
		},
	}), subgraphs
}

func denied(path string) string {
	return `{"message":"Unauthorized field or type","path":` + path + `,"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}`
}

func TestProtectedFieldsAreNullWithAnError(t *testing.T) {
	nobody, someone := access.Rights{}, access.Rights{Authenticated: true}
	scopes := func(s ...string) access.Rights { return access.Rights{Scopes: s} }
	policies := func(p string) access.Rights { return access.Rights{Policies: map[string]bool{p: true}} }
	for name, c := range map[string]struct {
		rights      access.Rights
		query, data string
		denied      []string // paths
	}{
		"field":                {nobody, `{ me { id } open }`, `{"me":null,"open":1}`, []string{`["me"]`}},
		"allowed":              {someone, `{ me { id } open }`, `{"me":{"id":"1"},"open":1}`, nil},
		"alias":                {nobody, `{ x: me { id } }`, `{"x":null}`, []string{`["x"]`}},
		"non-null":             {nobody, `{ open must }`, `null`, []string{`["must"]`}},
		"in lists":             {nobody, `{ posts { id v: views } }`, `{"posts":[{"id":"p","v":null},{"id":"q","v":null}]}`, []string{`["posts",0,"v"]`, `["posts",1,"v"]`}},
		"nothing else":         {nobody, `{ posts { views } }`, `{"posts":[{"views":null},{"views":null}]}`, []string{`["posts",0,"views"]`, `["posts",1,"views"]`}},
		"non-null in a list":   {nobody, `{ posts { strict } open }`, `{"posts":null,"open":1}`, []string{`["posts",0,"strict"]`}},
		"in a fragment":        {nobody, `{ posts { ...F } } fragment F on Post { id ... { views } }`, `{"posts":[{"id":"p","views":null},{"id":"q","views":null}]}`, []string{`["posts",0,"views"]`, `["posts",1,"views"]`}},
		"skipped":              {nobody, `{ me @skip(if: true) { id } open }`, `{"open":1}`, nil},
		"and of scopes":        {scopes("email:read"), `{ users { email } }`, `{"users":[{"email":null},{"email":null}]}`, []string{`["users",0,"email"]`, `["users",1,"email"]`}},
		"all of one set":       {scopes("user:read", "email:read"), `{ users { email } }`, `{"users":[{"email":"a@x"},{"email":"b@x"}]}`, nil},
		"or of scopes":         {scopes("admin"), `{ users { email } }`, `{"users":[{"email":"a@x"},{"email":"b@x"}]}`, nil},
		"policy":               {policies("boss"), `{ users { salary } }`, `{"users":[{"salary":100},{"salary":50}]}`, nil},
		"no policy":            {policies("other"), `{ users { salary } }`, `{"users":[{"salary":null},{"salary":null}]}`, []string{`["users",0,"salary"]`, `["users",1,"salary"]`}},
		"required":             {nobody, `{ users { name tax } }`, `{"users":[{"name":"Ada","tax":null},{"name":"Bob","tax":null}]}`, []string{`["users",0,"tax"]`, `["users",1,"tax"]`}},
		"enum":                 {nobody, `{ users { grade } }`, `{"users":[{"grade":null},{"grade":null}]}`, []string{`["users",0,"grade"]`, `["users",1,"grade"]`}},
		"enum allowed":         {someone, `{ users { grade } }`, `{"users":[{"grade":"HIGH"},{"grade":"HIGH"}]}`, nil},
		"scalar":               {someone, `{ users { seal } }`, `{"users":[{"seal":null},{"seal":null}]}`, []string{`["users",0,"seal"]`, `["users",1,"seal"]`}},
		"object type":          {nobody, `{ hidden { gold } open }`, `{"hidden":null,"open":1}`, []string{`["hidden"]`}},
		"object allowed":       {scopes("vault"), `{ hidden { gold } }`, `{"hidden":{"gold":3}}`, nil},
		"union member":         {nobody, `{ found { __typename ... on Vault { gold } ... on Book { id } } }`, `{"found":[{"__typename":"Book","id":"b"},{"__typename":"Vault","gold":null}]}`, []string{`["found",1,"gold"]`}},
		"implementers":         {nobody, `{ media { __typename title } }`, `{"media":[{"__typename":"Book","title":null},{"__typename":"Film","title":"F"},{"__typename":"Tape","title":null}]}`, []string{`["media",0,"title"]`, `["media",2,"title"]`}},
		"one implementer":      {scopes("books"), `{ media { title } }`, `{"media":[{"title":"B"},{"title":"F"},{"title":null}]}`, []string{`["media",2,"title"]`}},
		"through interface":    {nobody, `{ media { ... on Media { secret } } }`, `{"media":[{"secret":null},{"secret":null},{"secret":null}]}`, []string{`["media",0,"secret"]`, `["media",1,"secret"]`, `["media",2,"secret"]`}},
		"of the type itself":   {nobody, `{ media { ... on Film { secret } } }`, `{"media":[{},{"secret":2},{}]}`, nil},
		"by both ways":         {nobody, `{ media { secret ... on Film { secret } } }`, `{"media":[{"secret":null},{"secret":2},{"secret":null}]}`, []string{`["media",0,"secret"]`, `["media",2,"secret"]`}},
		"non-null implementer": {nobody, `{ media { id } }`, `{"media":[{"id":"b"},{"id":"f"},null]}`, []string{`["media",2,"id"]`}},
		"mutation":             {nobody, `mutation { publish { id } touch }`, `{"publish":null,"touch":5}`, []string{`["publish"]`}},
		"introspection":        {nobody, `{ __typename open }`, `{"__typename":"Query","open":1}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g, subgraphs := protectedHouse(t, c.rights, nil)
			op, refusal := g.Prepare(t.Context(), &serve.Request{Query: c.query})
			if refusal != nil {
				t.Fatal(refusal)
			}
			answer := op.Run(t.Context())
			want := `{"data":` + c.data
			for i, path := range c.denied {
				want += map[bool]string{true: `,"errors":[`, false: `,`}[i == 0] + denied(path)
			}
			if want += "}"; len(c.denied) > 0 {
				want = want[:len(want)-1] + "]}"
			}
			if got := string(answer.AppendJSON(nil)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if complaints := subgraphs.Complaints(); len(complaints) > 0 {
				t.Error(complaints)
			}
			if name == "mutation" && slices.Contains(subgraphs.Mutations(), "publish") {
				t.Error("a denied mutation ran")
			}
		})
	}
}

// What is denied is not asked of a subgraph, neither by itself nor for the sake of another field.
func TestDeniedFieldsAreNotFetched(t *testing.T) {
	g, subgraphs := protectedHouse(t, access.Rights{}, nil)
	op, refusal := g.Prepare(t.Context(), &serve.Request{Query: `{ users { id tax email salary grade } me { id } must: open }`})
	if refusal != nil {
		t.Fatal(refusal)
	}
	op.Run(t.Context()).Release()
	for _, name := range []string{"a", "b"} {
		for _, call := range subgraphs.Subgraph(name).Calls() {
			for _, secret := range []string{"tax", "email", "salary", "grade", "me "} {
				if strings.Contains(call, secret) {
					t.Errorf("%s was asked for %s: %s", name, secret, call)
				}
			}
		}
	}
}

func TestDeniedSubscriptionsAreRefused(t *testing.T) {
	g, _ := protectedHouse(t, access.Rights{}, nil)
	op, refusal := g.Prepare(t.Context(), &serve.Request{Query: `subscription { p: published { id } }`})
	if refusal != nil {
		t.Fatal(refusal)
	}
	_, refusal = op.Subscribe(t.Context(), nil)
	if refusal == nil || refusal.Code() != "UNAUTHORIZED_FIELD_OR_TYPE" || len(refusal.Errors[0].Path) != 1 || refusal.Errors[0].Path[0] != "p" {
		t.Fatalf("%+v", refusal)
	}
}

// Requests that may see the same share a plan, whoever they are, and only operations that touch something protected ask for rights.
func TestPlansAreKeptApartByWhatMayBeSeen(t *testing.T) {
	var asked []string
	rights := access.Rights{}
	g, _ := protectedHouse(t, rights, nil)
	g.rights = func(_ context.Context, _ http.Header, policies []string) access.Rights {
		asked = append(asked, strings.Join(policies, " "))
		return rights
	}
	prepare := func(query string) {
		t.Helper()
		if _, refusal := g.Prepare(t.Context(), &serve.Request{Query: query}); refusal != nil {
			t.Fatal(refusal)
		}
	}
	prepare(`{ open }`)
	if len(asked) > 0 {
		t.Error("rights were asked for an open operation")
	}
	for _, r := range []access.Rights{
		{}, {Authenticated: true}, {Scopes: []string{"nothing"}}, {Policies: map[string]bool{"hr": true}}, {Policies: map[string]bool{"boss": true, "x": true}},
	} {
		rights = r
		prepare(`{ users { salary } }`)
	}
	if len(asked) != 5 || asked[0] != "boss hr" {
		t.Errorf("asked about %q", asked)
	}
	if n := g.ready.plans.kept.Len(); n != 3 { // of { open }, and of the other with and without
		t.Errorf("%d plans", n)
	}
}

// What is deferred hides the same.
func TestDeniedFieldsInParts(t *testing.T) {
	g, subgraphs := protectedHouse(t, access.Rights{}, nil)
	op, refusal := g.Prepare(t.Context(), &serve.Request{Incremental: true, Query: `{ open users { id ... @defer { name tax } } }`})
	if refusal != nil {
		t.Fatal(refusal)
	}
	if !op.Deferred() {
		t.Fatal("nothing is deferred")
	}
	parts := op.Deliver(t.Context())
	defer parts.Close()
	var all strings.Builder
	for {
		answer, err := parts.Next(t.Context(), time.Minute)
		if err != nil {
			break
		}
		all.Write(answer.AppendJSON(nil))
		answer.Release()
	}
	for _, want := range []string{`"name":"Ada","tax":null`, denied(`["users",0,"tax"]`), denied(`["users",1,"tax"]`)} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %s in %s", want, all.String())
		}
	}
	for _, call := range subgraphs.Subgraph("b").Calls() {
		if strings.Contains(call, "tax") {
			t.Errorf("b was asked: %s", call)
		}
	}
}
