package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// readRequest takes the GraphQL request out of an HTTP request; the headers are the caller's to add.
func (s *edition) readRequest(w http.ResponseWriter, r *http.Request) (*Request, *Refusal) {
	if r.Method == http.MethodGet {
		return readQueryString(r)
	}
	if refusal := checkContentType(r); refusal != nil {
		return nil, refusal
	}
	body, err := readBody(http.MaxBytesReader(w, r.Body, s.o.MaxBodyBytes), r.ContentLength)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, Refuse(http.StatusRequestEntityTooLarge, CodeBadRequest, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
		}
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the body could not be read")
	}
	return decodeRequest(body)
}

// readBody reads into a buffer of the announced size, as far as that is believable.
func readBody(r io.Reader, announced int64) ([]byte, error) {
	var b bytes.Buffer
	if announced > 0 && announced <= 64<<10 {
		b.Grow(int(announced) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func checkContentType(r *http.Request) *Refusal {
	unsupported := func(message string) *Refusal { return Refuse(http.StatusUnsupportedMediaType, CodeBadRequest, message) }
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return unsupported("compressed bodies are not accepted")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return unsupported("the content type must be application/json")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return unsupported("the charset must be utf-8")
	}
	return nil
}

func readQueryString(r *http.Request) (*Request, *Refusal) {
	q := r.URL.Query()
	fields := map[string]json.RawMessage{}
	for _, name := range []string{"query", "operationName"} {
		if q.Has(name) {
			fields[name], _ = json.Marshal(q.Get(name)) // a string always marshals
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		if text := q.Get(name); text != "" {
			if !json.Valid([]byte(text)) {
				return nil, Refuse(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("the parameter %q is not JSON", name))
			}
			fields[name] = json.RawMessage(text)
		}
	}
	return requestOf(fields)
}

// decodeRequest reads the JSON of a request.
func decodeRequest(body []byte) (*Request, *Refusal) {
	bad := func(message string) (*Request, *Refusal) {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, message)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return bad("the body is empty")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			return bad("the body must be a JSON object; lists of requests are not accepted")
		}
		return bad("the body is not JSON")
	}
	if fields == nil {
		return bad("the body must be a JSON object")
	}
	return requestOf(fields)
}

// requestOf checks the types of a request's parts.
func requestOf(fields map[string]json.RawMessage) (*Request, *Refusal) {
	req := &Request{}
	for name, target := range map[string]any{"query": &req.Query, "operationName": &req.OperationName, "variables": &req.Variables, "extensions": &req.Extensions} {
		raw, ok := fields[name]
		if !ok {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(target); err != nil {
			want := "a JSON object"
			if name == "query" || name == "operationName" {
				want = "a string"
			}
			return nil, Refuse(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("%q must be %s", name, want))
		}
	}
	if req.Query == "" && req.Extensions["persistedQuery"] == nil {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, `"query" is missing`)
	}
	return req, nil
}
