package serve

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// What a client sees of graphql-transport-ws on a good connection, rule by rule: what it sends, and all that comes until the pong of a ping.
func TestSocketRules(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	subscribe := func(id, query string) string {
		return fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query)
	}
	for _, c := range []struct {
		rule string
		send []string
		want string // types and ids in order, of each id
	}{
		{"a query is one next and complete", []string{subscribe("a", "query x")}, "a: next complete"},
		{"a mutation is one next and complete", []string{subscribe("a", "mutation x")}, "a: next complete"},
		{"a subscription is many next and complete", []string{subscribe("a", "count 3")}, "a: next next next complete"},
		{"an empty subscription is complete", []string{subscribe("a", "count 0")}, "a: complete"},
		{"a deferred answer is several next and complete", []string{subscribe("a", "defer 3")}, "a: next next next complete"},
		{"an error is the last word", []string{subscribe("a", "refuse")}, "a: error"},
		{"an error after events is the last word", []string{subscribe("a", "fail")}, "a: next error"},
		{"an id is free after complete", []string{subscribe("a", "query x"), "wait a", subscribe("a", "count 1")}, "a: next complete next complete"},
		{"an id is free after error", []string{subscribe("a", "refuse"), "wait a", subscribe("a", "count 1")}, "a: error next complete"},
		{"an id is free after the client's complete", []string{subscribe("a", "silent"), `{"id":"a","type":"complete"}`, subscribe("a", "count 1"), "wait a"}, "a: next complete"},
		{"complete of nothing is no breach", []string{`{"id":"b","type":"complete"}`, subscribe("a", "query x")}, "a: next complete"},
		{"complete twice is no breach", []string{subscribe("a", "silent"), `{"id":"a","type":"complete"}`, `{"id":"a","type":"complete"}`}, ""},
		{"a pong out of the blue is no breach", []string{`{"type":"pong"}`, `{"type":"pong","payload":{}}`, subscribe("a", "query x")}, "a: next complete"},
		{"an extra field is no breach", []string{`{"type":"pong","more":1}`, `{"id":"a","type":"subscribe","payload":{"query":"query x","more":1},"more":1}`}, "a: next complete"},
		{"null stands for nothing", []string{`{"id":"a","type":"subscribe","payload":{"query":"query x","operationName":null,"variables":null,"extensions":null}}`}, "a: next complete"},
		{"operations do not wait for one another", []string{subscribe("s", "silent"), subscribe("a", "query x"), "wait a", `{"id":"s","type":"complete"}`}, "a: next complete"},
		{"ids are any text", []string{subscribe(`"ü\`, "query x")}, `"ü\: next complete`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			k := greet(t, h.URL, "", nil)
			got := map[string][]string{}
			var order []string
			ends := 0
			next := func() (id string, last bool) {
				var m struct{ ID, Type string }
				if err := json.Unmarshal([]byte(k.read()), &m); err != nil {
					t.Fatal(err)
				}
				if m.Type == "pong" {
					return "", true
				}
				if got[m.ID] == nil {
					order = append(order, m.ID)
				}
				got[m.ID] = append(got[m.ID], m.Type)
				last = m.Type == "complete" || m.Type == "error"
				if last {
					ends++
				}
				return m.ID, last
			}
			wait := func(id string) {
				for {
					if of, last := next(); of == id && last {
						return
					}
				}
			}
			for _, text := range c.send {
				if id, ok := strings.CutPrefix(text, "wait "); ok {
					wait(id)
					continue
				}
				k.send(text)
			}
			for all := strings.Count(c.want, " complete") + strings.Count(c.want, " error"); ends < all; {
				next()
			}
			k.send(`{"type":"ping"}`)
			for {
				if id, last := next(); last && id == "" {
					break
				}
			}
			var said []string
			for _, id := range order {
				said = append(said, id+": "+strings.Join(got[id], " "))
			}
			if text := strings.Join(said, "; "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

// However a client's complete and the server's cross, nothing of an operation comes after its end was taken note of, and its id works again.
func TestSocketCompletesCross(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	k := greet(t, h.URL, "", nil)
	for i := range 200 {
		id := fmt.Sprint("i", i)
		k.subscribe(id, fmt.Sprint("count ", i%7))
		k.send(`{"id":"` + id + `","type":"complete"}`)
		k.send(`{"type":"ping"}`)
		for pong := `{"type":"pong"}`; ; {
			text := k.read()
			if text == pong {
				break
			}
			if !strings.Contains(text, `"id":"`+id+`"`) {
				t.Fatalf("after the end of the one before %s: %s", id, text)
			}
		}
	}
	k.subscribe("i7", "query x")
	k.expect(`{"id":"i7","type":"next","payload":{"data":"x"}}`)
	k.expect(`{"id":"i7","type":"complete"}`)
}
