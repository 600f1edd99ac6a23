package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"bourse/router/upload"
)

// incoming is what an HTTP request asks for.
type incoming struct {
	requests []*Request // one, unless it is a list
	list     bool
	files    *upload.Files // nil: there are none
}

// readRequests takes the GraphQL request, or the list of them, out of an HTTP request; the headers are the caller's to add.
func (s *edition) readRequests(w http.ResponseWriter, r *http.Request) (*incoming, *Refusal) {
	if r.Method == http.MethodGet {
		req, refusal := readQueryString(r)
		return &incoming{requests: []*Request{req}}, refusal
	}
	if s.o.Uploads.Files > 0 && mediaType(r.Header.Get("Content-Type")) == mediaForm {
		return s.readForm(w, r)
	}
	if refusal := checkContentType(r); refusal != nil {
		return nil, refusal
	}
	body, refusal := s.readBody(w, r)
	if refusal != nil {
		return nil, refusal
	}
	return s.decode(body)
}

// decode reads a request, or a list of them.
func (s *edition) decode(body []byte) (*incoming, *Refusal) {
	if isList(body) {
		list, refusal := s.decodeBatch(body)
		return &incoming{requests: list, list: true}, refusal
	}
	req, refusal := decodeRequest(body)
	return &incoming{requests: []*Request{req}}, refusal
}

// readBody reads a body of bounded size, in the time that boundBody gave it.
func (s *edition) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	raw := http.MaxBytesReader(w, r.Body, s.o.MaxBodyBytes)
	plain, done, refusal := s.unpacked(raw, r.Header.Get("Content-Encoding"))
	if refusal != nil {
		return nil, refusal
	}
	defer done()
	body, err := readAll(plain, r.ContentLength, s.o.MaxBodyBytes+1)
	if err == nil && plain != raw {
		err = atEnd(raw)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), int64(len(body)) > s.o.MaxBodyBytes: // also where an inflated body is cut short
		return nil, Refuse(http.StatusRequestEntityTooLarge, CodeBadRequest, fmt.Sprintf("the body is larger than %d bytes", s.o.MaxBodyBytes))
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, Refuse(http.StatusRequestTimeout, CodeRequestTimeout, "the body did not come in time")
	case err != nil:
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the body could not be read")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // or it would end the request that has its body
	return body, nil
}

// atEnd finds what follows where nothing should.
func atEnd(r io.Reader) error {
	switch n, err := r.Read(make([]byte, 1)); {
	case n > 0:
		return errors.New("there is more than was announced")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// boundBody gives a request's body its time, whether we shall read it or the server will, which throws away what a refusal has left: a client that
// sends it byte by byte holds nothing for long. Servers that have no deadlines have other bounds.
func (s *edition) boundBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.o.ReadTimeout))
	}
}

// readAll reads no more than most bytes. Its buffer begins with the announced size, as far as that is believable, doubles as it fills, and never
// outgrows most.
func readAll(r io.Reader, announced, most int64) ([]byte, error) {
	size := int64(bytes.MinRead)
	if announced > 0 && announced <= 64<<10 {
		size += announced
	}
	b := make([]byte, 0, min(size, most))
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil || int64(len(b)) == most:
			return b, err
		case len(b) == cap(b):
			b = append(make([]byte, 0, min(2*int64(cap(b)), most)), b...)
		}
	}
}

func checkContentType(r *http.Request) *Refusal {
	if sent := r.Header["Content-Type"]; len(sent) == 1 && sent[0] == "application/json" {
		return nil // as nearly everyone says it
	}
	unsupported := func(message string) *Refusal { return Refuse(http.StatusUnsupportedMediaType, CodeBadRequest, message) }
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
	var f fields
	for name, field := range map[string]*[]byte{"query": &f.query, "operationName": &f.operationName, "documentId": &f.documentID, "id": &f.id} {
		if q.Has(name) {
			*field, _ = json.Marshal(q.Get(name)) // a string always marshals
		}
	}
	for name, field := range map[string]*[]byte{"variables": &f.variables, "extensions": &f.extensions} {
		if text := q.Get(name); text != "" {
			if !json.Valid([]byte(text)) {
				return nil, Refuse(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("the parameter %q is not JSON", name))
			}
			*field = bytes.TrimSpace([]byte(text))
		}
	}
	return requestOf(f)
}

// decodeRequest reads the JSON of a request.
func decodeRequest(body []byte) (*Request, *Refusal) {
	bad := func(message string) (*Request, *Refusal) {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, message)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return bad("the body is empty")
	}
	switch f, err := readFields(body); {
	case err == nil:
		return requestOf(f)
	case errors.Is(err, errNotObject):
		return bad("the body must be a JSON object")
	default:
		return bad("the body is not JSON")
	}
}

// requestOf checks the types of a request's parts.
func requestOf(f fields) (*Request, *Refusal) {
	req := &Request{}
	mustBe := func(name, what string) (*Request, *Refusal) {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("%q must be %s", name, what))
	}
	if !readText(f.query, &req.Query) {
		return mustBe("query", "a string")
	}
	if !readText(f.operationName, &req.OperationName) {
		return mustBe("operationName", "a string")
	}
	if f.documentID == nil && len(f.id) > 0 && f.id[0] == '"' {
		f.documentID = f.id // as some clients call it
	}
	if !readText(f.documentID, &req.DocumentID) {
		return mustBe("documentId", "a string")
	}
	if !readObject(f.variables, &req.Variables) {
		return mustBe("variables", "a JSON object")
	}
	if !readObject(f.extensions, &req.Extensions) {
		return mustBe("extensions", "a JSON object")
	}
	if req.Query == "" && req.DocumentID == "" && req.Extensions["persistedQuery"] == nil {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, `"query" is missing`)
	}
	return req, nil
}

// readText reads a string, or nothing where there is none.
func readText(raw []byte, into *string) bool {
	if len(raw) == 0 || raw[0] == 'n' {
		return true
	}
	if raw[0] != '"' {
		return false
	}
	*into = textOf(raw)
	return true
}

// readObject reads an object of which numbers are kept as they are, or nothing where there is none.
func readObject[V any](raw []byte, into *map[string]V) bool {
	if len(raw) == 0 || raw[0] == 'n' {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into) == nil
}
