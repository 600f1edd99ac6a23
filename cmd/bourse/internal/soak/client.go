package soak

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"bourse/cmd/bourse/internal/bench/gateway"
)

// client is one who asks, one thing after the other.
type client struct {
	graph  *graph
	url    string // of the GraphQL endpoint
	host   string
	http   *http.Client
	random *rand.Rand
	user   string
	token  string
	big    []byte // the right answer to the big operation
}

func newClient(number int, address string, g *graph, seed uint64) (*client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	c := &client{
		graph: g, url: address, host: u.Host, user: fmt.Sprint("user-", number), random: rand.New(rand.NewPCG(seed, uint64(number))),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: time.Minute},
	}
	if c.token, err = token(c.user, 24*time.Hour); err != nil {
		return nil, err
	}
	c.big, err = g.shop.Answer(gateway.BigOperation, nil)
	return c, err
}

// answer is what came back.
type answer struct {
	asked  time.Time
	status int
	text   []byte
}

func (a answer) String() string { return fmt.Sprintf("status %d: %.300s", a.status, a.text) }

// codes are those of the answer's errors.
func (a answer) codes() []string {
	var body struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if json.Unmarshal(a.text, &body) != nil {
		return []string{"not JSON"}
	}
	var codes []string
	for _, e := range body.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	return codes
}

func (a answer) refusedWith(code string) error {
	if !slices.Contains(a.codes(), code) {
		return fmt.Errorf("not refused with %s but %s", code, a)
	}
	return nil
}

// ask posts a request with the client's token, or another; empty: none.
func (c *client) ask(ctx context.Context, request map[string]any, token string) (answer, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	return c.send(r, token)
}

func (c *client) send(r *http.Request, token string) (answer, error) {
	r.Header.Set("Accept", "application/graphql-response+json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	a := answer{asked: time.Now()}
	res, err := c.http.Do(r)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a.status = res.StatusCode
	a.text, err = io.ReadAll(res.Body)
	return a, err
}

// What the errors of a subgraph's faults may be.
var ofSubgraphs = []string{"SUBREQUEST_HTTP_ERROR", "SUBREQUEST_MALFORMED_RESPONSE", "SUBGRAPH_UNAVAILABLE", "SUBGRAPH_OVERLOADED"}

// right says what is wrong with an answer. Where a frail subgraph had a part in it and was not well, its errors are no fault of the router.
func (c *client) right(a answer, want []byte, frail string) error {
	if a.status == http.StatusOK && gateway.SameJSON(a.text, want) {
		return nil
	}
	codes := a.codes()
	if frail == "" || len(codes) == 0 || c.graph.well(frail, a.asked) {
		return fmt.Errorf("a wrong answer: %s", a)
	}
	for _, code := range codes {
		if !slices.Contains(ofSubgraphs, code) {
			return fmt.Errorf("a fault of %s became %s", frail, a)
		}
	}
	return nil
}

// visit is a kind of thing that clients do. weight is how often, among the others.
type visit struct {
	name   string
	weight int
	do     func(c *client, ctx context.Context) error
}

var visits = []visit{
	{"big queries", 40, (*client).askBig},
	{"queries", 80, (*client).askProducts},
	{"queries by GET", 20, (*client).askByGet},
	{"mutations", 40, (*client).takeNote},
	{"persisted queries", 40, (*client).askByHash},
	{"lists of requests", 12, (*client).askList},
	{"protected fields", 20, (*client).askWhoami},
	{"bad tokens", 20, (*client).askWithBadToken},
	{"refused operations", 32, (*client).askTooMuch},
	{"rate limits", 12, (*client).askSeldom},
	{"abandoned queries", 12, (*client).leaveEarly},
	{"WebSockets", 8, (*client).listenBySocket},
	{"event streams", 8, (*client).listenByEvents},
	{"expiring tokens", 1, (*client).outlastToken},
	{"readers that stall", 1, (*client).neverRead},
	{"slow headers", 1, (*client).sendHeadersSlowly},
	{"slow bodies", 1, (*client).sendBodySlowly},
}

func (c *client) askBig(ctx context.Context) error {
	bearer := ""
	if c.random.IntN(2) == 0 {
		bearer = c.token
	}
	a, err := c.ask(ctx, map[string]any{"query": gateway.BigOperation}, bearer)
	if err != nil {
		return err
	}
	return c.right(a, c.big, "inventory")
}

// products is an operation whose text is one of many, so that caches of texts and plans are full.
func (c *client) products() (query string, want []byte, err error) {
	query = fmt.Sprintf("query Products%d { topProducts(first: %d) { upc name price reviews { id author { name } } } }", c.random.IntN(1000), 1+c.random.IntN(6))
	want, err = c.graph.shop.Answer(query, nil)
	return query, want, err
}

func (c *client) askProducts(ctx context.Context) error {
	query, want, err := c.products()
	if err != nil {
		return err
	}
	a, err := c.ask(ctx, map[string]any{"query": query}, c.token)
	if err != nil {
		return err
	}
	return c.right(a, want, "")
}

func (c *client) askByGet(ctx context.Context) error {
	query, want, err := c.products()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"?"+url.Values{"query": {query}}.Encode(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("GraphQL-Require-Preflight", "1")
	a, err := c.send(r, c.token)
	if err != nil {
		return err
	}
	return c.right(a, want, "")
}

func (c *client) takeNote(ctx context.Context) error {
	text := fmt.Sprint("note ", c.random.Uint64())
	a, err := c.ask(ctx, map[string]any{"query": "mutation Note($text: String!) { note(text: $text) }", "variables": map[string]any{"text": text}}, c.token)
	if err != nil {
		return err
	}
	return c.right(a, fmt.Appendf(nil, `{"data":{"note":%q}}`, text), "desk")
}

// askByHash asks by the protocol of automatic persisted queries: the text only when its hash is not known.
func (c *client) askByHash(ctx context.Context) error {
	query, want, err := c.products()
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(query))
	request := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(hash[:])}}}
	a, err := c.ask(ctx, request, c.token)
	if err != nil {
		return err
	}
	if slices.Contains(a.codes(), "PERSISTED_QUERY_NOT_FOUND") {
		request["query"] = query
		if a, err = c.ask(ctx, request, c.token); err != nil {
			return err
		}
	}
	return c.right(a, want, "")
}

func (c *client) askList(ctx context.Context) error {
	query, want, err := c.products()
	if err != nil {
		return err
	}
	one, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(fmt.Sprintf("[%s,%s]", one, one)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := c.send(r, c.token)
	if err != nil {
		return err
	}
	return c.right(a, fmt.Appendf(nil, "[%s,%s]", want, want), "")
}

func (c *client) askWhoami(ctx context.Context) error {
	request := map[string]any{"query": "{ whoami }"}
	if c.random.IntN(2) == 0 {
		a, err := c.ask(ctx, request, "")
		if err != nil {
			return err
		}
		return a.refusedWith("UNAUTHORIZED_FIELD_OR_TYPE")
	}
	a, err := c.ask(ctx, request, c.token)
	if err != nil {
		return err
	}
	return c.right(a, []byte(`{"data":{"whoami":"somebody"}}`), "desk")
}

func (c *client) askWithBadToken(ctx context.Context) error {
	expired, err := token(c.user, -time.Minute)
	if err != nil {
		return err
	}
	bad := []string{expired, spoiled(c.token), "nonsense", strings.Repeat("x", 10_000)}
	a, err := c.ask(ctx, map[string]any{"query": "{ topProducts { name } }"}, bad[c.random.IntN(len(bad))])
	if err != nil {
		return err
	}
	if a.status != http.StatusUnauthorized {
		return fmt.Errorf("not refused but %s", a)
	}
	return a.refusedWith("UNAUTHENTICATED")
}

// tooMuch are operations that are refused, with the code for each.
var tooMuch = []struct{ query, code string }{
	{"{ users " + strings.Repeat("{ reviews { author ", 20) + "{ id }" + strings.Repeat(" } }", 20) + " }", "OPERATION_LIMIT_EXCEEDED"},
	{"{ " + strings.Repeat("a: users { id } b: users { id } ", 20) + "}", "OPERATION_LIMIT_EXCEEDED"},
	{"{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }", "GRAPHQL_VALIDATION_FAILED"},
	{"{ users { nobody } }", "GRAPHQL_VALIDATION_FAILED"},
	{"{ users { ", "GRAPHQL_PARSE_FAILED"},
	{"{ users { id } } #" + strings.Repeat("x", 300<<10), "BAD_REQUEST"},
}

func (c *client) askTooMuch(ctx context.Context) error {
	one := tooMuch[c.random.IntN(len(tooMuch))]
	a, err := c.ask(ctx, map[string]any{"query": one.query}, c.token)
	if err != nil {
		return err
	}
	return a.refusedWith(one.code)
}

func (c *client) askSeldom(ctx context.Context) error {
	for range 4 { // more than may be asked at once
		a, err := c.ask(ctx, map[string]any{"query": "query " + limitedName + " { topProducts(first: 1) { upc } }"}, c.token)
		if err != nil {
			return err
		}
		if a.status == http.StatusTooManyRequests {
			return a.refusedWith("RATE_LIMITED")
		}
		if err := c.right(a, []byte(`{"data":{"topProducts":[{"upc":"p1"}]}}`), ""); err != nil {
			return err
		}
	}
	return nil // the time between may have been enough to earn them
}

// leaveEarly goes before the answer has come.
func (c *client) leaveEarly(ctx context.Context) error {
	soon, cancel := context.WithTimeout(ctx, time.Duration(c.random.IntN(3000))*time.Microsecond)
	defer cancel()
	a, err := c.ask(soon, map[string]any{"query": gateway.BigOperation}, c.token)
	if err != nil {
		return nil // that is what it is about
	}
	return c.right(a, c.big, "inventory")
}
