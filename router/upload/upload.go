// Package upload carries files from a client's request to the subgraph that takes them, by the GraphQL multipart request specification
// (https://github.com/jaydenseric/graphql-multipart-request-spec), without keeping them.
//
//	client ── operations, map, file, file ──▶ Files ──▶ Form ── operations, map, file ──▶ subgraph
//
// In the variables a file is a placeholder that nobody can guess. A request to a subgraph whose variables have placeholders becomes a form with
// their files, which are read from the client as the subgraph takes them. A file that comes before its turn, because another subgraph wants it,
// waits on disk. Files are bounded in number and in bytes.
package upload

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Faults of forms.
var (
	ErrForm     = errors.New("the form is not one of the GraphQL multipart request specification")
	ErrTooMany  = errors.New("the form has more files than allowed")
	ErrTooLarge = errors.New("a file is larger than allowed")
	ErrMissing  = errors.New("the form ends before a file that its map names")
)

// Bounds of what a request may upload.
type Bounds struct {
	Files     int   // 0: there are no uploads
	FileBytes int64 // of one file
	TextBytes int64 // of operations, and of the map
}

// Files are the files of one request. They are used by several goroutines.
type Files struct {
	token  string
	fields map[string]int // the number of the file in a field of the form

	mu     sync.Mutex
	bounds Bounds
	form   *multipart.Reader
	parked map[int]*parked
	taken  map[int]bool
}

// parked is a file that came before its turn.
type parked struct {
	*os.File
	header textproto.MIMEHeader
}

// Read reads a form up to its files: it returns the operations, in which nothing is put yet, and for each place in them the placeholder that
// belongs there. The caller closes Files.
func Read(form *multipart.Reader, bounds Bounds) (operations []byte, places map[string]string, f *Files, err error) {
	operations, err = field(form, "operations", bounds.TextBytes)
	if err != nil {
		return nil, nil, nil, err
	}
	text, err := field(form, "map", bounds.TextBytes)
	if err != nil {
		return nil, nil, nil, err
	}
	var fields map[string][]string
	if json.Unmarshal(text, &fields) != nil || len(fields) == 0 {
		return nil, nil, nil, fmt.Errorf("%w: the field map must be an object with lists of places", ErrForm)
	}
	if len(fields) > bounds.Files {
		return nil, nil, nil, ErrTooMany
	}
	f = &Files{token: rand.Text(), fields: map[string]int{}, bounds: bounds, form: form, parked: map[int]*parked{}, taken: map[int]bool{}}
	places = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f.fields[name] = len(f.fields)
		for _, path := range fields[name] {
			if places[path] != "" {
				return nil, nil, nil, fmt.Errorf("%w: two files for %q", ErrForm, path)
			}
			places[path] = f.placeholder(f.fields[name])
		}
	}
	return operations, places, f, nil
}

func field(form *multipart.Reader, name string, most int64) ([]byte, error) {
	part, err := form.NextPart()
	if err != nil || part.FormName() != name {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: the field %s is not in its place: operations, map, then files", ErrForm, name)
	}
	text, err := io.ReadAll(io.LimitReader(part, most+1))
	if err == nil && int64(len(text)) > most {
		err = ErrTooLarge
	}
	return text, err
}

func (f *Files) placeholder(file int) string { return "upload:" + f.token + ":" + strconv.Itoa(file) }

// Close gives back what files left behind. Whoever still waits for the client's next byte is stopped by interrupt.
func (f *Files) Close(interrupt func()) {
	if !f.mu.TryLock() {
		interrupt()
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	for _, p := range f.parked {
		_ = p.Close() // its name is gone already
	}
	f.form = nil
}

type key struct{}

// With makes the files those of ctx.
func With(ctx context.Context, f *Files) context.Context { return context.WithValue(ctx, key{}, f) }

// From is what With put there; nil: there are no files.
func From(ctx context.Context) *Files {
	f, _ := ctx.Value(key{}).(*Files)
	return f
}

// In says whether a request to a subgraph has one of the files.
func (f *Files) In(request []byte) bool { return bytes.Contains(request, []byte("upload:"+f.token)) }

// Form makes a request to a subgraph a form with its files. What it returns must be read to its end, or closed.
func (f *Files) Form(request []byte) (contentType string, form io.ReadCloser, err error) {
	var body struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName,omitempty"`
		Variables     map[string]any `json:"variables,omitempty"`
		Extensions    map[string]any `json:"extensions,omitempty"`
	}
	d := json.NewDecoder(bytes.NewReader(request))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		return "", nil, fmt.Errorf("read the request: %w", err)
	}
	places := map[int][]string{}
	body.Variables, _ = f.empty(body.Variables, "variables", places).(map[string]any)
	operations, err := json.Marshal(body)
	if err != nil {
		return "", nil, err
	}
	if f.In(operations) {
		return "", nil, errors.New("a file stands in an operation's text")
	}
	r, w := io.Pipe()
	out := multipart.NewWriter(w)
	go func() { _ = w.CloseWithError(f.write(out, operations, places)) }() // ends with the form, or with its reader
	return out.FormDataContentType(), r, nil
}

// empty puts null where placeholders stand, and notes where that was.
func (f *Files) empty(v any, path string, places map[int][]string) any {
	switch v := v.(type) {
	case string:
		number, ours := strings.CutPrefix(v, "upload:"+f.token+":")
		if file, err := strconv.Atoi(number); ours && err == nil {
			places[file] = append(places[file], path)
			return nil
		}
	case map[string]any:
		for name := range v {
			v[name] = f.empty(v[name], path+"."+name, places)
		}
	case []any:
		for i := range v {
			v[i] = f.empty(v[i], path+"."+strconv.Itoa(i), places)
		}
	}
	return v
}

func (f *Files) write(out *multipart.Writer, operations []byte, places map[int][]string) error {
	index, err := json.Marshal(places)
	if err != nil {
		return err
	}
	if err := out.WriteField("operations", string(operations)); err != nil {
		return err
	}
	if err := out.WriteField("map", string(index)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(places) > 0 {
		file, err := f.next(places, out)
		if err != nil {
			return err
		}
		delete(places, file)
	}
	return out.Close()
}

// next writes one of the files that are wanted: one that is parked, or the first that comes.
func (f *Files) next(wanted map[int][]string, out *multipart.Writer) (int, error) {
	for file := range wanted {
		if p := f.parked[file]; p != nil {
			delete(f.parked, file)
			defer p.Close() //nolint:errcheck // read only
			return file, f.copy(out, file, p.header, p)
		}
		if f.taken[file] {
			return 0, errors.New("a file can be given to one subgraph only")
		}
	}
	for f.form != nil {
		part, err := f.form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return 0, ErrMissing
		case err != nil:
			return 0, fmt.Errorf("read the client's files: %w", err)
		}
		file, known := f.fields[part.FormName()]
		if !known || f.taken[file] {
			continue
		}
		f.taken[file] = true
		if _, now := wanted[file]; now {
			return file, f.copy(out, file, part.Header, part)
		}
		if err := f.park(file, part); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the request has ended")
}

func (f *Files) copy(out *multipart.Writer, file int, header textproto.MIMEHeader, from io.Reader) error {
	w, err := out.CreatePart(partHeader(file, header))
	if err != nil {
		return err
	}
	return f.bounded(w, from)
}

// partHeader says of a file what the client said.
func partHeader(file int, header textproto.MIMEHeader) textproto.MIMEHeader {
	given := multipart.Part{Header: header}
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(given.FileName())
	h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%d"; filename="%s"`, file, name)}}
	if kind := header.Get("Content-Type"); kind != "" {
		h.Set("Content-Type", kind)
	}
	return h
}

func (f *Files) bounded(w io.Writer, from io.Reader) error {
	switch n, err := io.Copy(w, io.LimitReader(from, f.bounds.FileBytes+1)); {
	case err != nil:
		return err
	case n > f.bounds.FileBytes:
		return ErrTooLarge
	}
	return nil
}

// park keeps a file whose turn comes later, in a file without a name.
func (f *Files) park(file int, part *multipart.Part) error {
	to, err := os.CreateTemp("", "upload-*")
	if err != nil {
		return err
	}
	_ = os.Remove(to.Name()) // what is open stays
	p := &parked{to, part.Header}
	f.parked[file] = p
	if err := f.bounded(to, part); err != nil {
		return err
	}
	_, err = to.Seek(0, io.SeekStart)
	return err
}

// Place puts placeholders into the variables of requests where the map of the form says, and null stands: at paths such as variables.files.0 for
// one request, 1.variables.files.0 for the second of a list.
func Place(requests []map[string]any, list bool, places map[string]string) error {
	for path, placeholder := range places {
		which, steps := 0, strings.Split(path, ".")
		if list {
			number, err := strconv.Atoi(steps[0])
			if err != nil || number < 0 || number >= len(requests) {
				return fmt.Errorf("%w: %q does not begin with the number of a request", ErrForm, path)
			}
			which, steps = number, steps[1:]
		}
		if len(steps) < 2 || steps[0] != "variables" || !put(requests[which], steps[1:], placeholder) {
			return fmt.Errorf("%w: %q is no place in the variables with null", ErrForm, path)
		}
	}
	return nil
}

func put(in any, steps []string, placeholder string) bool {
	set := func(at any, store func(any)) bool {
		if len(steps) > 1 {
			return put(at, steps[1:], placeholder)
		}
		if at != nil {
			return false
		}
		store(placeholder)
		return true
	}
	switch in := in.(type) {
	case map[string]any:
		at, there := in[steps[0]]
		return there && set(at, func(v any) { in[steps[0]] = v })
	case []any:
		i, err := strconv.Atoi(steps[0])
		return err == nil && i >= 0 && i < len(in) && set(in[i], func(v any) { in[i] = v })
	}
	return false
}
