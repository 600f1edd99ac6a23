package housetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"bourse/subgraphs/internal/viewer"
)

// Secret is what the handlers under test take for the router's.
const Secret = "the router of this test"

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// Client asks one subgraph on behalf of one person.
type Client struct {
	Handler http.Handler
	// Token is the access token; empty for a visitor.
	Token string
	// MinSequence is sent as the header of that name, when it is not empty.
	MinSequence string
	// NoSecret leaves out the proof of having passed the router.
	NoSecret bool
}

// Variables are those of an operation.
type Variables map[string]any

// Answer is a GraphQL response.
type Answer struct {
	Status int             `json:"-"`
	Data   any             `json:"data"`
	Errors []ResponseError `json:"errors"`
	Raw    string          `json:"-"`
}

// ResponseError is one entry of errors.
type ResponseError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code is extensions.code.
func (e ResponseError) Code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// Do sends one operation and returns whatever comes back.
func (c Client) Do(t testing.TB, query string, variables Variables) Answer {
	t.Helper()
	w := httptest.NewRecorder()
	c.Handler.ServeHTTP(w, c.request(t, "/", query, variables))
	answer := Answer{Status: w.Code, Raw: w.Body.String()}
	if w.Code == http.StatusOK || w.Code == http.StatusUnprocessableEntity {
		decode(t, w.Body.Bytes(), &answer)
	}
	return answer
}

// Must is Do for an operation that succeeds without any error.
func (c Client) Must(t testing.TB, query string, variables Variables) Answer {
	t.Helper()
	answer := c.Do(t, query, variables)
	if answer.Status != http.StatusOK || len(answer.Errors) > 0 {
		t.Fatalf("%s\n%d %s", query, answer.Status, answer.Raw)
	}
	return answer
}

// Refused is Do for an operation that is refused with exactly this code.
func (c Client) Refused(t testing.TB, code, query string, variables Variables) ResponseError {
	t.Helper()
	answer := c.Do(t, query, variables)
	if len(answer.Errors) != 1 || answer.Errors[0].Code() != code {
		t.Fatalf("want one error %s of\n%s %v\n%d %s", code, query, variables, answer.Status, answer.Raw)
	}
	return answer.Errors[0]
}

func (c Client) request(t testing.TB, url, query string, variables Variables) *http.Request {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if !c.NoSecret {
		r.Header.Set(viewer.SecretHeader, Secret)
	}
	if c.MinSequence != "" {
		r.Header.Set(viewer.MinSequenceHeader, c.MinSequence)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return r
}

func decode(t testing.TB, body []byte, into *Answer) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("not an answer: %v\n%s", err, body)
	}
}

// At returns what stands at a path such as "me.balances.0.total"; nil where the path ends early.
func (a Answer) At(path string) any {
	at := a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch node := at.(type) {
		case map[string]any:
			at = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return nil
			}
			at = node[i]
		default:
			return nil
		}
	}
	return at
}

// Text is At for text and numbers.
func (a Answer) Text(path string) string {
	switch v := a.At(path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Len is the length of the list at a path; -1 where there is none.
func (a Answer) Len(path string) int {
	if list, ok := a.At(path).([]any); ok {
		return len(list)
	}
	return -1
}

// Balance is a field of the balance of one asset in the list of balances at a path; the balances must
// carry asset { code }.
func (a Answer) Balance(path, asset, field string) string {
	for i := range a.Len(path) {
		at := path + "." + strconv.Itoa(i)
		if a.Text(at+".asset.code") == asset {
			return a.Text(at + "." + field)
		}
	}
	return ""
}

// Want fails the test unless each path holds its text.
func (a Answer) Want(t testing.TB, want map[string]string) {
	t.Helper()
	for path, text := range want {
		if got := a.Text(path); got != text {
			t.Errorf("%s is %q, want %q", path, got, text)
		}
	}
	if t.Failed() {
		t.Log(a.Raw)
	}
}

// Stream is a subscription over server-sent events.
type Stream struct {
	t      testing.TB
	events chan Answer
}

// Subscribe opens a subscription over a real connection. It ends with the test.
func (c Client) Subscribe(t testing.TB, query string, variables Variables) *Stream {
	t.Helper()
	server := httptest.NewServer(c.Handler)
	ctx, cancel := context.WithCancel(context.Background())
	made := c.request(t, server.URL, query, variables)
	made.RequestURI = ""
	made.Header.Set("Accept", "text/event-stream")
	response, err := server.Client().Do(made.WithContext(ctx))
	if err != nil {
		cancel()
		server.Close()
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		t.Errorf("answered %d %s: %s", response.StatusCode, kind, body)
	}
	s := &Stream{t: t, events: make(chan Answer, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(response.Body)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = response.Body.Close()
		server.Close()
	})
	return s
}

// read turns events into answers until the stream ends; the channel is then closed.
func (s *Stream) read(body io.Reader) {
	defer close(s.events)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		answer := Answer{Status: http.StatusOK, Raw: data}
		decoder := json.NewDecoder(strings.NewReader(data))
		decoder.UseNumber()
		if decoder.Decode(&answer) != nil {
			return
		}
		s.events <- answer
	}
}

// Next waits for the next message. It fails the test when the stream ends or nothing comes.
func (s *Stream) Next() Answer {
	s.t.Helper()
	select {
	case answer, ok := <-s.events:
		if !ok {
			s.t.Fatal("the subscription ended")
		}
		return answer
	case <-time.After(patience):
		s.t.Fatal("no message came")
	}
	return Answer{}
}

// Until skips messages until one passes.
func (s *Stream) Until(pass func(Answer) bool) Answer {
	s.t.Helper()
	for {
		if answer := s.Next(); pass(answer) {
			return answer
		}
	}
}

// Ended waits for the end of the stream.
func (s *Stream) Ended() {
	s.t.Helper()
	select {
	case answer, ok := <-s.events:
		if ok {
			s.t.Fatalf("another message came: %s", answer.Raw)
		}
	case <-time.After(patience):
		s.t.Fatal("the subscription did not end")
	}
}
