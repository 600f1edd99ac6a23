package entitycache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bourse/router/execute"
	"bourse/router/plan"
)

// changing is a subgraph whose answers count the requests; it may fail, and wait.
type changing struct {
	control string
	status  int
	err     error
	body    string // instead of what counts
	may     chan struct{}
	calls   atomic.Int32
	mu      sync.Mutex
	asked   []string // representations, by request
}

func (c *changing) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	n := c.calls.Add(1)
	if c.may != nil {
		select {
		case <-c.may:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	body := fmt.Sprintf(`{"data":{"a":%d}}`, n)
	if strings.Contains(string(req.Body), "_entities") {
		var asked struct {
			Variables struct{ R []struct{ ID string } }
		}
		_ = json.Unmarshal(req.Body, &asked)
		var list, ids []string
		for _, rep := range asked.Variables.R {
			list, ids = append(list, fmt.Sprintf(`{"__typename":"T","n":%d}`, n)), append(ids, rep.ID)
		}
		c.mu.Lock()
		c.asked = append(c.asked, strings.Join(ids, ""))
		c.mu.Unlock()
		body = `{"data":{"_entities":[` + strings.Join(list, ",") + `]}}`
	}
	if c.body != "" {
		body = c.body
	}
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	return &execute.Response{Status: status, Header: http.Header{"Cache-Control": {c.control}}, Body: []byte(body)}, nil
}

func (c *changing) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, errors.New("no streams")
}

func entitiesRequest(ids string) *execute.Request {
	f := &plan.Fetch{
		Subgraph: "s", Operation: "query", Query: "q", Prefix: []byte(`{"query":"_entities","variables":{`),
		Entries: []*plan.Entry{{Alias: "_entities", Variable: "r", Representations: []*plan.Representation{{TypeName: "T", Fields: []*plan.RepField{{Name: "id", Key: true}}}}}},
	}
	var reps []string
	for _, id := range ids {
		reps = append(reps, fmt.Sprintf(`{"__typename":"T","id":"%c"}`, id))
	}
	return &execute.Request{Subgraph: "s", Idempotent: true, Fetch: f, Entities: len(reps), Body: []byte(`{"query":"_entities","variables":{"r":[` + strings.Join(reps, ",") + `]}}`)}
}

// staleTest is a cache in a bubble, in which time passes by itself.
func staleTest(t *testing.T, o Options, test func(t *testing.T, c *Cache, s *changing)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &changing{control: "public, max-age=60"}
		o.Store = NewMemory(0)
		c := New(s, nil, o)
		defer c.Close()
		test(t, c, s)
	})
}

func expectAnswer(t *testing.T, c *Cache, req *execute.Request, want string) *execute.Response {
	t.Helper()
	resp, err := c.Fetch(t.Context(), req)
	switch {
	case err != nil && err.Error() != want:
		t.Errorf("got %v, want %s", err, want)
	case err == nil && string(resp.Body) != want:
		t.Errorf("got %s, want %s", resp.Body, want)
	}
	return resp
}

func answerNumber(n int) string { return fmt.Sprintf(`{"data":{"a":%d}}`, n) }

func TestStaleAnswersAreGivenWhileOneAsksAnew(t *testing.T) {
	staleTest(t, Options{Stale: Stale{WhileRevalidate: 30 * time.Second}}, func(t *testing.T, c *Cache, s *changing) {
		expectAnswer(t, c, rootRequest(), answerNumber(1))
		time.Sleep(61 * time.Second)
		s.may = make(chan struct{})
		for range 50 {
			resp := expectAnswer(t, c, rootRequest(), answerNumber(1))
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("clients hear %q of what is stale", got)
			}
		}
		synctest.Wait()
		if n := s.calls.Load(); n != 2 {
			t.Errorf("%d requests, want one in the background", n)
		}
		close(s.may)
		synctest.Wait()
		expectAnswer(t, c, rootRequest(), answerNumber(2)) // fresh again
		synctest.Wait()
		if n := s.calls.Load(); n != 2 {
			t.Errorf("%d requests", n)
		}
		time.Sleep(91 * time.Second) // too old to be given
		expectAnswer(t, c, rootRequest(), answerNumber(3))
	})
}

func TestWhatFailsToBeAskedAnewStaysStale(t *testing.T) {
	staleTest(t, Options{Stale: Stale{WhileRevalidate: 30 * time.Second}}, func(t *testing.T, c *Cache, s *changing) {
		told := 0
		c.o.OnStale = func(context.Context, string, error) { told++ }
		expectAnswer(t, c, rootRequest(), answerNumber(1))
		time.Sleep(70 * time.Second)
		s.err = errors.New("down")
		for n := 2; n <= 4; n++ {
			expectAnswer(t, c, rootRequest(), answerNumber(1))
			synctest.Wait()
			if got := int(s.calls.Load()); got != n || told != n-1 {
				t.Errorf("%d requests and %d errors, want %d", got, told, n)
			}
		}
		time.Sleep(21 * time.Second)
		expectAnswer(t, c, rootRequest(), "down")
	})
}

// A client that leaves does not end what is asked anew for all; closing does, and waits.
func TestAskingAnewLastsBeyondItsRequestButNotBeyondTheCache(t *testing.T) {
	staleTest(t, Options{Stale: Stale{WhileRevalidate: time.Hour}}, func(t *testing.T, c *Cache, s *changing) {
		expectAnswer(t, c, rootRequest(), answerNumber(1))
		time.Sleep(61 * time.Second)
		s.may = make(chan struct{})
		ctx, leave := context.WithCancel(t.Context())
		req := rootRequest()
		if _, err := c.Fetch(ctx, req); err != nil {
			t.Fatal(err)
		}
		leave()
		clear(req.Body) // which was the request's
		s.may <- struct{}{}
		synctest.Wait()
		expectAnswer(t, c, rootRequest(), answerNumber(2))
		time.Sleep(61 * time.Second)
		expectAnswer(t, c, rootRequest(), answerNumber(2))
		synctest.Wait()
		c.Close()
		expectAnswer(t, c, rootRequest(), answerNumber(2)) // and nothing is begun any more
	})
}

func TestRequestsInTheBackgroundAreBounded(t *testing.T) {
	staleTest(t, Options{Stale: Stale{WhileRevalidate: time.Hour}}, func(t *testing.T, c *Cache, s *changing) {
		const ids = "abcdefghijklmnopqrstuvwxyz"
		for _, id := range ids {
			_, _ = c.Fetch(t.Context(), entitiesRequest(string(id)))
		}
		time.Sleep(61 * time.Second)
		s.may = make(chan struct{})
		before := s.calls.Load()
		for _, id := range ids {
			_, _ = c.Fetch(t.Context(), entitiesRequest(string(id)))
		}
		synctest.Wait()
		if n := s.calls.Load() - before; n != maxRefreshes {
			t.Errorf("%d requests in the background, want %d", n, maxRefreshes)
		}
		close(s.may)
		synctest.Wait()
		for _, id := range ids {
			_, _ = c.Fetch(t.Context(), entitiesRequest(string(id)))
		}
		synctest.Wait()
		if n := int(s.calls.Load() - before); n != len(ids) {
			t.Errorf("%d requests altogether, want %d", n, len(ids))
		}
	})
}

// Only what is stale, and that nobody asks for yet, is asked for anew; where a request is due in any case it brings what is stale too.
func TestEntitiesAreAskedAnewOneByOne(t *testing.T) {
	staleTest(t, Options{Stale: Stale{WhileRevalidate: time.Hour}}, func(t *testing.T, c *Cache, s *changing) {
		fetch := func(ids string) {
			t.Helper()
			if _, err := c.Fetch(t.Context(), entitiesRequest(ids)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		fetch("ab")
		time.Sleep(30 * time.Second)
		fetch("cd")
		time.Sleep(31 * time.Second) // a and b are stale
		s.may = make(chan struct{})
		fetch("ac")
		fetch("abcd")
		close(s.may)
		synctest.Wait()
		time.Sleep(61 * time.Second) // all of them are
		fetch("ae")
		if got := strings.Join(s.asked, " "); got != "ab cd a b ae" && got != "ab cd b a ae" {
			t.Errorf("asked for %s", got)
		}
	})
}

func TestWhatWasKeptStandsInWhereASubgraphFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails func(*changing)
		want  string
	}{
		{"no answer", func(s *changing) { s.err = errors.New("down") }, answerNumber(1)},
		{"a status", func(s *changing) { s.status = 503 }, answerNumber(1)},
		{"no GraphQL", func(s *changing) { s.body = "<html>" }, answerNumber(1)},
		{"a refusal", func(s *changing) { s.status = 403; s.body = "no" }, "no"},
		{"an error in the answer", func(s *changing) { s.body = `{"data":null,"errors":[{"message":"x"}]}` }, `{"data":null,"errors":[{"message":"x"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			staleTest(t, Options{Stale: Stale{IfError: time.Hour}}, func(t *testing.T, cache *Cache, s *changing) {
				told := 0
				cache.o.OnStale = func(context.Context, string, error) { told++ }
				expectAnswer(t, cache, rootRequest(), answerNumber(1))
				time.Sleep(2 * time.Minute)
				c.fails(s)
				resp := expectAnswer(t, cache, rootRequest(), c.want)
				if got := resp.Header.Get("Cache-Control"); got != "no-store" || s.calls.Load() != 2 || (told == 1) != (c.want == answerNumber(1)) {
					t.Errorf("%q, %d calls, told %d times", got, s.calls.Load(), told)
				}
				*s = changing{control: s.control}
				expectAnswer(t, cache, rootRequest(), answerNumber(1)) // its first anew: the subgraph is asked each time
				time.Sleep(62 * time.Minute)
				s.err = errors.New("down")
				expectAnswer(t, cache, rootRequest(), "down")
			})
		})
	}
	staleTest(t, Options{Stale: Stale{IfError: time.Hour}}, func(t *testing.T, c *Cache, s *changing) {
		_, _ = c.Fetch(t.Context(), entitiesRequest("a"))
		time.Sleep(2 * time.Minute)
		s.err = errors.New("down")
		expectAnswer(t, c, entitiesRequest("a"), `{"data":{"_entities":[{"__typename":"T","n":1}]}}`)
		expectAnswer(t, c, entitiesRequest("ab"), "down") // not all of it was kept
	})
}

func TestStaleAnswersGoWhenTheyMust(t *testing.T) {
	both := Stale{time.Hour, time.Hour}
	t.Run("invalidated", func(t *testing.T) {
		staleTest(t, Options{Stale: both}, func(t *testing.T, c *Cache, s *changing) {
			expectAnswer(t, c, rootRequest(), answerNumber(1))
			time.Sleep(2 * time.Minute)
			_, _ = Invalidate(t.Context(), c.o.Store, []Invalidation{{Kind: "subgraph", Subgraph: "s"}})
			s.err = errors.New("down")
			expectAnswer(t, c, rootRequest(), "down")
		})
	})
	t.Run("invalidated by its tag", func(t *testing.T) {
		staleTest(t, Options{Stale: both}, func(t *testing.T, c *Cache, s *changing) {
			s.body = `{"data":{"a":0},"extensions":{"apolloCacheTags":["t"]}}`
			expectAnswer(t, c, rootRequest(), s.body)
			time.Sleep(2 * time.Minute)
			expectAnswer(t, c, rootRequest(), `{"data":{"a":0}}`)
			_, _ = Invalidate(t.Context(), c.o.Store, []Invalidation{{Kind: "cache_tag", Subgraph: "s", Tag: "t"}})
			synctest.Wait()
			s.err = errors.New("down")
			time.Sleep(2 * time.Minute)
			expectAnswer(t, c, rootRequest(), "down")
		})
	})
	t.Run("not to be kept any more", func(t *testing.T) {
		staleTest(t, Options{Stale: both}, func(t *testing.T, c *Cache, s *changing) {
			expectAnswer(t, c, rootRequest(), answerNumber(1))
			time.Sleep(2 * time.Minute)
			s.control = "no-store"
			expectAnswer(t, c, rootRequest(), answerNumber(1))
			synctest.Wait()
			expectAnswer(t, c, rootRequest(), answerNumber(3))
		})
	})
	t.Run("as the subgraph says", func(t *testing.T) {
		for control, want := range map[string]string{
			"public, max-age=60, stale-while-revalidate=10":                  answerNumber(2),
			"public, max-age=60, stale-while-revalidate=600":                 answerNumber(1),
			"public, max-age=60, stale-while-revalidate=86400":               answerNumber(1),
			"public, max-age=60, must-revalidate":                            answerNumber(2),
			"public, max-age=60, stale-while-revalidate=0, stale-if-error=0": answerNumber(2),
		} {
			staleTest(t, Options{Stale: both}, func(t *testing.T, c *Cache, s *changing) {
				s.control = control
				expectAnswer(t, c, rootRequest(), answerNumber(1))
				time.Sleep(2 * time.Minute)
				expectAnswer(t, c, rootRequest(), want)
			})
		}
	})
	t.Run("as the operator says", func(t *testing.T) {
		off, long := time.Duration(0), 2*time.Hour
		for _, o := range []Options{{}, {Stale: Stale{WhileRevalidate: time.Hour}, Subgraphs: map[string]SubgraphOptions{"s": {WhileRevalidate: &off}}}} {
			staleTest(t, o, func(t *testing.T, c *Cache, s *changing) {
				s.control = "public, max-age=60, stale-while-revalidate=600, stale-if-error=600"
				expectAnswer(t, c, rootRequest(), answerNumber(1))
				time.Sleep(2 * time.Minute)
				expectAnswer(t, c, rootRequest(), answerNumber(2))
			})
		}
		staleTest(t, Options{Subgraphs: map[string]SubgraphOptions{"s": {IfError: &long}}}, func(t *testing.T, c *Cache, s *changing) {
			expectAnswer(t, c, rootRequest(), answerNumber(1))
			time.Sleep(110 * time.Minute)
			s.err = errors.New("down")
			expectAnswer(t, c, rootRequest(), answerNumber(1))
		})
	})
}
