package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

const (
	// maxOperationTokens bounds one recorded document.
	maxOperationTokens = 200_000
	// maxSamples bounds how many different variables are kept of one operation; beyond it, it may have sent anything.
	maxSamples = 100
)

// Operation is one operation that clients send.
type Operation struct {
	Name     string
	Source   string // file and line, or file and id
	Count    int64
	Document *ast.QueryDocument // the operation and the fragments that it uses
	// Variables are what it was seen with. VariablesUnknown: it was also seen without a word of them.
	Variables        []map[string]any
	VariablesUnknown bool
}

func (o *Operation) use(v verdict) Use {
	return Use{Operation: o.Name, Source: o.Source, Count: o.Count, Certain: v == yes}
}

// Recording is one file of recorded operations.
type Recording struct {
	Name string // its suffix says what it is: .graphql and .gql, .json, .jsonl and .ndjson
	Text []byte
}

// IsRecording says whether a file of that name may hold recorded operations.
func IsRecording(name string) bool {
	return slices.Contains([]string{".graphql", ".gql", ".json", ".jsonl", ".ndjson"}, path.Ext(name))
}

// ReadOperations reads what clients send:
//
//   - GraphQL documents: each operation is one. Fragments may stand in other files.
//   - JSON manifests of trusted documents: {"operations": [{"id", "name", "body"}]} as Apollo's and its like are, or a map from id to text.
//   - JSON lines, one record of use each: {"query", "operationName", "variables", "count"}. Equal operations are counted together.
//     The text may also be called document or body, the name name, and variables may be left out. A line with a summary alone is passed over.
//
// What cannot be read is told in the errors, each with its file and line; the rest is returned all the same.
func ReadOperations(recordings []Recording) ([]*Operation, []error) {
	r := &reader{fragments: map[string]*fragment{}, known: map[string][]*Operation{}}
	for _, rec := range recordings {
		switch path.Ext(rec.Name) {
		case ".json":
			r.manifest(rec)
		case ".jsonl", ".ndjson":
			r.lines(rec)
		default:
			r.file(rec)
		}
	}
	for _, w := range r.waiting {
		r.complete(w)
	}
	return r.operations, r.errs
}

type reader struct {
	fragments  map[string]*fragment // of all files, by name
	waiting    []waiting
	known      map[string][]*Operation // by text and name
	operations []*Operation
	errs       []error
}

type fragment struct {
	def       *ast.FragmentDefinition
	ambiguous bool // two files define it, and not alike
}

// waiting is an operation whose fragments may still be read from another file.
type waiting struct {
	op  *Operation
	own ast.FragmentDefinitionList
}

// sighting is one record of an operation's use.
type sighting struct {
	count     int64
	variables map[string]any
	unknown   bool // nothing is known of its variables
}

func (o *Operation) saw(s sighting) {
	o.Count += s.count
	if s.unknown || len(o.Variables) == maxSamples {
		o.VariablesUnknown = true
		return
	}
	o.Variables = append(o.Variables, s.variables)
}

func (r *reader) fail(source, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", source, fmt.Errorf(format, args...)))
}

// file reads a file of operations and of fragments, which other files may use.
func (r *reader) file(rec Recording) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Name: rec.Name, Input: string(rec.Text)}, maxOperationTokens)
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	for _, f := range doc.Fragments {
		known := r.fragments[f.Name]
		r.fragments[f.Name] = &fragment{def: f, ambiguous: known != nil && (known.ambiguous || print(known.def) != print(f))}
	}
	for _, op := range doc.Operations {
		r.wait(op, doc.Fragments, fmt.Sprintf("%s:%d", rec.Name, op.Position.Line), sighting{count: 1, unknown: len(op.VariableDefinitions) > 0})
	}
}

func print(f *ast.FragmentDefinition) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(&ast.QueryDocument{Fragments: ast.FragmentDefinitionList{f}})
	return b.String()
}

func (r *reader) wait(def *ast.OperationDefinition, own ast.FragmentDefinitionList, source string, seen sighting) *Operation {
	op := &Operation{Name: def.Name, Source: source, Document: &ast.QueryDocument{Operations: ast.OperationList{def}}}
	op.saw(seen)
	r.operations = append(r.operations, op)
	r.waiting = append(r.waiting, waiting{op, own})
	return op
}

// document reads the operations of one text; with a name only that one. A text that was read before is only counted.
func (r *reader) document(source, text, name string, seen sighting) {
	key := name + "\x00" + text
	for _, op := range r.known[key] {
		op.saw(seen)
	}
	if len(r.known[key]) > 0 {
		return
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Name: source, Input: text}, maxOperationTokens)
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	for _, op := range doc.Operations {
		if name == "" || op.Name == name {
			r.known[key] = append(r.known[key], r.wait(op, doc.Fragments, source, seen))
		}
	}
	if len(r.known[key]) == 0 {
		r.fail(source, "the document has no operation %s", name)
	}
}

// complete gives an operation its fragments. Each operation gets a document of its own: unused fragments would make it invalid.
func (r *reader) complete(w waiting) {
	doc := w.op.Document
	todo := spreadsOf(doc.Operations[0].SelectionSet, nil)
	have := map[string]bool{}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if have[name] {
			continue
		}
		have[name] = true
		def := w.own.ForName(name)
		if def == nil {
			shared := r.fragments[name]
			if shared == nil {
				continue // validation says so
			}
			if shared.ambiguous {
				r.fail(w.op.Source, "fragment %s is defined in several files, and not alike", name)
			}
			def = shared.def
		}
		doc.Fragments = append(doc.Fragments, def)
		todo = spreadsOf(def.SelectionSet, todo)
	}
}

func spreadsOf(set ast.SelectionSet, into []string) []string {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			into = spreadsOf(sel.SelectionSet, into)
		case *ast.InlineFragment:
			into = spreadsOf(sel.SelectionSet, into)
		case *ast.FragmentSpread:
			into = append(into, sel.Name)
		}
	}
	return into
}

// entry is an operation of a manifest, or a line of a record of use, under the names that tools give its parts.
type entry struct {
	ID            string         `json:"id"`
	Query         string         `json:"query"`
	Document      string         `json:"document"`
	Body          string         `json:"body"`
	OperationName string         `json:"operationName"`
	Name          string         `json:"name"`
	Variables     map[string]any `json:"variables"`
	Count         int64          `json:"count"`
	Summary       any            `json:"summary"` // of the lines before, in a record that the router writes
}

func (e *entry) text() string { return cmp.Or(e.Query, e.Document, e.Body) }

func (r *reader) manifest(rec Recording) {
	var listed struct {
		Operations []entry `json:"operations"`
	}
	if err := json.Unmarshal(rec.Text, &listed); err == nil && listed.Operations != nil {
		for i, e := range listed.Operations {
			if e.text() == "" {
				r.fail(rec.Name, "operation %d of the manifest has no body", i+1)
				continue
			}
			r.document(rec.Name+"#"+cmp.Or(e.ID, e.Name, fmt.Sprint(i+1)), e.text(), cmp.Or(e.OperationName, e.Name), sighting{count: 1, unknown: true})
		}
		return
	}
	var byID map[string]string
	if err := json.Unmarshal(rec.Text, &byID); err != nil {
		r.fail(rec.Name, `not a manifest of trusted documents: it is neither {"operations": [...]} nor a map from id to text`)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		r.document(rec.Name+"#"+id, byID[id], "", sighting{count: 1, unknown: true})
	}
}

func (r *reader) lines(rec Recording) {
	n := 0
	for line := range bytes.Lines(rec.Text) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		source := fmt.Sprintf("%s:%d", rec.Name, n)
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			r.fail(source, "not a record of use: %w", err)
			continue
		}
		if e.text() == "" && e.Summary != nil {
			continue
		}
		if e.text() == "" {
			r.fail(source, "the record has no query")
			continue
		}
		r.document(source, e.text(), cmp.Or(e.OperationName, e.Name), sighting{max(e.Count, 1), e.Variables, e.Variables == nil && strings.Contains(e.text(), "$")})
	}
}
