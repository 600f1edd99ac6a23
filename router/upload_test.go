package router_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/serve"
)

// store is a subgraph that takes files and says what it got.
type store struct {
	field string
	first chan string // when not nil: gets what the first file begins with, before the rest of it is read
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(v any) { _ = json.NewEncoder(w).Encode(object{"data": object{s.field: v, s.field + "Q": v}}) }
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		body, _ := io.ReadAll(r.Body)
		answer("no form: " + string(body))
		return
	}
	form := multipart.NewReader(r.Body, params["boundary"])
	var got strings.Builder
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			answer(got.String())
			return
		}
		if err != nil {
			return // the request is broken off
		}
		if s.first != nil && part.FileName() != "" {
			begin := make([]byte, 5)
			_, _ = io.ReadFull(part, begin)
			s.first <- string(begin)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return
		}
		if part.FormName() == "operations" {
			var o struct{ Variables any }
			_ = json.Unmarshal(text, &o)
			text, _ = json.Marshal(o.Variables)
		}
		fmt.Fprintf(&got, "%s %s %s %.40s\n", part.FormName(), part.FileName(), part.Header.Get("Content-Type"), text)
	}
}

func uploading(t *testing.T, a, b *store, u serve.Uploads) *httptest.Server {
	t.Helper()
	var subgraphs []compose.Subgraph
	for _, s := range []*store{a, b} {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		sdl := federationLink + `scalar Upload type Query { ` + s.field + `Q(file: Upload): String } input Box { file: Upload } type Mutation { ` + s.field + `(file: Upload, files: [Upload!], in: Box): String }`
		subgraphs = append(subgraphs, compose.Subgraph{Name: s.field, URL: server.URL, SDL: strings.ReplaceAll(sdl, "Box", "Box"+s.field)})
	}
	res, err := compose.Compose(subgraphs, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := router.New(res.SupergraphSDL, router.Options{Uploads: u, MaxBatch: 2})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		_ = r.Close(t.Context())
		server.Close()
	})
	return server
}

// form is a request with files; each is name=content.
func form(t *testing.T, operations, places string, files ...string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("operations", operations)
	_ = w.WriteField("map", places)
	for _, f := range files {
		name, content, _ := strings.Cut(f, "=")
		part, err := w.CreateFormFile(name, name+".txt")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, content)
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

func TestUploads(t *testing.T) {
	server := uploading(t, &store{field: "a"}, &store{field: "b"}, serve.Uploads{Files: 3, FileBytes: 10})
	const octets = "application/octet-stream"
	for _, c := range []struct {
		name, operations, places string
		files                    []string
		want                     string // in the answer
		status                   int
	}{
		{
			"one", `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"x":["variables.f"]}`,
			[]string{"x=hello"},
			`{"data":{"a":"operations   {\"f\":null}\nmap   {\"0\":[\"variables.f\"]}\n0 x.txt ` + octets + ` hello\n"}}`, 200,
		},
		{
			"a list", `{"query":"mutation($f: [Upload!]) { a(files: $f) }","variables":{"f":[null,null]}}`, `{"0":["variables.f.0"],"1":["variables.f.1"]}`,
			[]string{"0=one", "1=two"},
			`.txt ` + octets + ` two\n"}}`, 200,
		},
		{"in an input", `{"query":"mutation($f: Boxa) { a(in: $f) }","variables":{"f":{"file":null}}}`, `{"0":["variables.f.file"]}`, []string{"0=deep"}, "variables.f.file", 200},
		{
			"two subgraphs, files in the other order", `{"query":"mutation($a: Upload, $b: Upload) { b(file: $b) a(file: $a) }","variables":{"a":null,"b":null}}`,
			`{"0":["variables.a"],"1":["variables.b"]}`,
			[]string{"0=for a", "1=for b"},
			octets + ` for a\n"}}`, 200,
		},
		{"missing", `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"0":["variables.f"]}`, nil, `the form ends before the last of them.","path":["a"],"extensions":{"code":"BAD_REQUEST"`, 200},
		{"too large", `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"0":["variables.f"]}`, []string{"0=more than ten"}, `one of them is larger than allowed.","path":["a"],"extensions":{"code":"UPLOAD_LIMIT_EXCEEDED"`, 200},
		{
			"too many", `{"query":"mutation($f: [Upload!]) { a(files: $f) }","variables":{"f":[null,null,null,null]}}`,
			`{"0":["variables.f.0"],"1":["variables.f.1"],"2":["variables.f.2"],"3":["variables.f.3"]}`, nil, serve.CodeUploadTooLarge, 413,
		},
		{"no such place", `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"0":["variables.g"]}`, nil, "BAD_REQUEST", 400},
		{"a place that is taken", `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":"x"}}`, `{"0":["variables.f"]}`, nil, "BAD_REQUEST", 400},
		{"not into the query", `{"query":"mutation { a }"}`, `{"0":["query"]}`, nil, "BAD_REQUEST", 400},
		{"no map", `{"query":"mutation { a }"}`, `[]`, nil, "BAD_REQUEST", 400},
		{
			"list of requests", `[{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}},{"query":"mutation($f: [Upload!]) { b(files: $f) }","variables":{"f":[null,null]}}]`,
			`{"0":["1.variables.f.0"],"1":["0.variables.f"],"2":["1.variables.f.1"]}`,
			[]string{"0=one", "1=two", "2=three"},
			`[{"data":{"a":"operations   {\"f\":null}\nmap   {\"1\":[\"variables.f\"]}\n1 1.txt ` + octets + ` two\n"}},{"data":{"b":"`, 200,
		},
		{
			"queries side by side", `[{"query":"query($f: Upload) { aQ(file: $f) }","variables":{"f":null}},{"query":"query($f: Upload) { bQ(file: $f) }","variables":{"f":null}}]`,
			`{"0":["1.variables.f"],"1":["0.variables.f"]}`,
			[]string{"0=one", "1=two"},
			`{"data":{"bQ":"operations`, 200,
		},
		{"list without numbers", `[{"query":"mutation { a }","variables":{"f":null}}]`, `{"0":["variables.f"]}`, nil, "number of a request", 400},
		{"list with a number too high", `[{"query":"mutation { a }","variables":{"f":null}}]`, `{"0":["1.variables.f"]}`, nil, "number of a request", 400},
		{"list that is too long", `[{"query":"mutation { a }"},{"query":"mutation { a }"},{"query":"mutation { a }"}]`, `{"0":["0.variables.f"]}`, nil, "BATCH_LIMIT_EXCEEDED", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			contentType, body := form(t, c.operations, c.places, c.files...)
			status, text := submit(t, server.URL, body, "Content-Type", contentType, "GraphQL-Require-Preflight", "1", "Accept", "application/json")
			if status != c.status || !strings.Contains(text, c.want) {
				t.Errorf("%d %s, want %d %s", status, text, c.status, c.want)
			}
		})
	}
	contentType, body := form(t, `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"0":["variables.f"]}`, "0=x")
	if status, text := submit(t, server.URL, body, "Content-Type", contentType); status != 403 || !strings.Contains(text, "CSRF_PREVENTED") {
		t.Errorf("without the header: %d %s", status, text)
	}
	if status, text := submit(t, server.URL, "{}", "Content-Type", contentType, "GraphQL-Require-Preflight", "1"); status != 400 {
		t.Errorf("no form: %d %s", status, text)
	}
	off := uploading(t, &store{field: "a"}, &store{field: "b"}, serve.Uploads{})
	if status, text := submit(t, off.URL, body, "Content-Type", contentType, "GraphQL-Require-Preflight", "1"); status != 415 {
		t.Errorf("uploads are off: %d %s", status, text)
	}
	// A text that looks like a placeholder is none.
	if _, text := submit(t, server.URL, `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":"upload:GUESSED:0"}}`, "Content-Type", "application/json"); !strings.Contains(text, "no form") {
		t.Errorf("a guess: %s", text)
	}
}

func submit(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	res, text := roundTrip(t, http.MethodPost, url, body, header...)
	return res.StatusCode, text
}

// The subgraph has the beginning of a file before the client has sent its end.
func TestUploadsAreStreamed(t *testing.T) {
	a := &store{field: "a", first: make(chan string, 1)}
	server := uploading(t, a, &store{field: "b"}, serve.Uploads{Files: 1, FileBytes: 64 << 20})
	contentType, body := form(t, `{"query":"mutation($f: Upload) { a(file: $f) }","variables":{"f":null}}`, `{"0":["variables.f"]}`, "0=begin"+strings.Repeat("x", 1<<20))
	r, w := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, r)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("GraphQL-Require-Preflight", "1")
	got := make(chan string, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close() //nolint:errcheck // test
		text, _ := io.ReadAll(res.Body)
		got <- string(text)
	}()
	_, _ = io.WriteString(w, body[:len(body)-1000])
	if begin := <-a.first; begin != "begin" {
		t.Errorf("the file begins with %q", begin)
	}
	_, _ = io.WriteString(w, body[len(body)-1000:])
	_ = w.Close()
	if text := <-got; !strings.Contains(text, "0.txt") {
		t.Errorf("got %s", text)
	}
}

// A client that stops in the middle of a file does not keep the operation, nor anything on disk.
func TestUploadThatBreaksOffLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a := &store{field: "a", first: make(chan string, 1)}
	server := uploading(t, a, &store{field: "b"}, serve.Uploads{Files: 2, FileBytes: 64 << 20})
	contentType, body := form(t, `{"query":"mutation($a: Upload, $b: Upload) { a(file: $a) b(file: $b) }","variables":{"a":null,"b":null}}`,
		`{"1":["variables.b"],"0":["variables.a"]}`, "1=parked", "0=begin"+strings.Repeat("x", 1<<20))
	r, w := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, r)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("GraphQL-Require-Preflight", "1")
	failed := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		failed <- err
	}()
	_, _ = io.WriteString(w, body[:len(body)-1000])
	<-a.first
	_ = w.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-failed; err == nil {
		t.Error("half an upload is answered")
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
