package plan

import (
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Text prints the plan for people.
func (p *Plan) Text() string {
	t := &textWriter{plan: p}
	t.open("QueryPlan {")
	if len(p.labels) > 0 {
		t.line("# labels on: " + strings.Join(p.labels, ", "))
	}
	if p.stopped {
		t.line("# the search for a cheaper plan stopped at its bound")
	}
	switch {
	case p.operation == ast.Subscription && len(p.Stages) > 0:
		t.open("Subscription {")
		t.open("Primary: {")
		t.fetch(p.Stages[0][0])
		t.close("},")
		if len(p.Stages) > 1 {
			t.open("Rest: {")
			t.stages(p.Stages[1:])
			t.close("},")
		}
		t.close("},")
	case len(p.Deferred) > 0:
		t.defers(primaryPart, p.Output, p.Stages)
	default:
		t.stages(p.Stages)
	}
	t.close("}")
	return t.String()
}

// String is the plan in one line: the subgraphs of each stage, and behind a bar those of deferred parts.
//
//	products > inventory + reviews > products | shipping
func (p *Plan) String() string {
	var b strings.Builder
	write := func(stages [][]*Fetch) {
		for i, fetches := range stages {
			if i > 0 {
				b.WriteString(" > ")
			}
			for j, f := range fetches {
				if j > 0 {
					b.WriteString(" + ")
				}
				b.WriteString(f.Subgraph)
			}
		}
	}
	write(p.Stages)
	for _, d := range p.Deferred {
		b.WriteString(" | ")
		write(d.Stages)
	}
	return strings.TrimSpace(b.String())
}

type textWriter struct {
	strings.Builder
	plan   *Plan
	indent int
}

func (t *textWriter) line(s string) {
	t.WriteString(strings.Repeat("  ", t.indent) + s + "\n")
}

func (t *textWriter) open(s string) {
	t.line(s)
	t.indent++
}

func (t *textWriter) close(s string) {
	t.indent--
	t.line(s)
}

func (t *textWriter) stages(stages [][]*Fetch) {
	if len(stages) > 1 {
		t.open("Sequence {")
		defer t.close("},")
	}
	for _, fetches := range stages {
		if len(fetches) > 1 {
			t.open("Parallel {")
		}
		for _, f := range fetches {
			t.fetch(f)
		}
		if len(fetches) > 1 {
			t.close("},")
		}
	}
}

func (t *textWriter) fetch(f *Fetch) {
	if f.Cond != Always {
		t.open("Include(if: " + t.plan.Conditions[f.Cond].String() + ") {")
		defer t.close("},")
	}
	if len(f.Entries) == 1 && len(f.Entries[0].Paths) > 0 {
		t.open("Flatten(path: " + pathsText(f.Entries[0].Paths) + ") {")
		defer t.close("},")
	}
	t.open("Fetch(service: " + string(jsonString(f.Subgraph)) + t.id(f) + ") {")
	for _, e := range f.Entries {
		if e.Variable == "" {
			t.body(e.selection())
			continue
		}
		if len(f.Entries) > 1 {
			t.open("Flatten(path: " + pathsText(e.Paths) + ") {")
		}
		t.open("{")
		for _, r := range e.Representations {
			t.open("... on " + r.TypeName + " {")
			t.line("__typename")
			t.repFields(r.Fields)
			t.close("}")
		}
		t.close("} =>")
		for _, c := range e.Contexts {
			t.line("# $" + c.Variable + ": " + strings.Join(c.places(), ", else "))
		}
		t.body(e.selection())
		if len(f.Entries) > 1 {
			t.close("},")
		}
	}
	t.close("},")
}

func (t *textWriter) repFields(fields []*RepField) {
	for _, f := range fields {
		if f.Child == nil {
			t.line(f.Name)
			continue
		}
		t.open(f.Name + " {")
		if f.Abstract {
			t.line("__typename")
		}
		t.repFields(f.Child)
		t.close("}")
	}
}

// body prints a selection, one field a line.
func (t *textWriter) body(selection string) {
	doc, err := parser.ParseQuery(&ast.Source{Input: "{" + selection + "}"})
	if err != nil {
		t.line("{" + selection + " }")
		return
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(doc)
	text := strings.TrimPrefix(strings.TrimSpace(b.String()), "query ")
	for _, l := range strings.Split(text, "\n") {
		t.line(l)
	}
}

func pathsText(paths []Path) string {
	all := make([]string, len(paths))
	for i, p := range paths {
		all[i] = p.String()
	}
	if len(all) == 1 {
		return string(jsonString(all[0]))
	}
	b, _ := json.Marshal(all)
	return string(b)
}

// String joins the steps by dots; @ stands for the elements of a list.
func (p Path) String() string {
	names := make([]string, len(p))
	for i, s := range p {
		names[i] = s.Field + strings.Repeat(".@", s.Lists)
	}
	return strings.Join(names, ".")
}

// String writes the condition as a formula.
func (c Condition) String() string {
	clauses := make([]string, len(c))
	for i, cl := range c {
		literals := make([]string, len(cl))
		for j, l := range cl {
			literals[j] = "$" + l.Variable
			if !l.Want {
				literals[j] = "!$" + l.Variable
			}
		}
		clauses[i] = strings.Join(literals, " && ")
	}
	return strings.Join(clauses, " || ")
}

// The JSON form of a plan.
type (
	jsonPlan struct {
		Kind      string        `json:"kind"`
		Operation ast.Operation `json:"operation"`
		Name      string        `json:"operationName,omitempty"`
		Labels    []string      `json:"labels,omitempty"`
		Stopped   bool          `json:"searchStopped,omitempty"`
		Stages    [][]jsonFetch `json:"stages"`
		Deferred  []jsonPart    `json:"deferred,omitempty"`
		Text      string        `json:"text,omitempty"`
	}
	jsonPart struct {
		Parent  *int          `json:"parent,omitempty"` // index into deferred; the primary answer when there is none
		Label   *string       `json:"label,omitempty"`
		Path    string        `json:"path"`
		Depends []int         `json:"depends"` // ids of fetches
		Stages  [][]jsonFetch `json:"stages"`
	}
	jsonFetch struct {
		ID        *int        `json:"id,omitempty"` // where parts are deferred
		Subgraph  string      `json:"subgraph"`
		Query     string      `json:"query"`
		Variables []string    `json:"variables,omitempty"`
		Include   string      `json:"include,omitempty"`
		Entities  []jsonEntry `json:"entities,omitempty"`
	}
	jsonEntry struct {
		Variable        string              `json:"variable"`
		Paths           []string            `json:"paths"`
		Representations map[string][]string `json:"representations"`
		Contexts        map[string][]string `json:"contexts,omitempty"` // where the value of a variable stands, the nearest first
	}
)

// MarshalJSON prints the plan for machines: stages in order, the fetches of each running in parallel.
func (p *Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(p.json(len(p.Deferred) > 0))
}

// Explained is the JSON of MarshalJSON with every fetch's id, and with the text for people.
func (p *Plan) Explained() []byte {
	out := p.json(true)
	out.Text = p.Text()
	text, err := json.Marshal(out)
	if err != nil {
		panic("plan: a plan is JSON: " + err.Error())
	}
	return text
}

func (p *Plan) json(ids bool) jsonPlan {
	out := jsonPlan{
		Kind: "QueryPlan", Operation: p.operation, Name: p.name, Labels: p.labels, Stopped: p.stopped, Stages: p.jsonStages(p.Stages, ids),
	}
	for _, d := range p.Deferred {
		part := jsonPart{Label: d.Label, Path: d.Path.String(), Depends: []int{}, Stages: p.jsonStages(d.Stages, ids)}
		if d.Parent != primaryPart {
			part.Parent = &d.Parent
		}
		for _, f := range d.Depends {
			part.Depends = append(part.Depends, f.Index)
		}
		out.Deferred = append(out.Deferred, part)
	}
	return out
}

func (p *Plan) jsonStages(stages [][]*Fetch, ids bool) [][]jsonFetch {
	out := [][]jsonFetch{}
	for _, fetches := range stages {
		var stage []jsonFetch
		for _, f := range fetches {
			jf := jsonFetch{Subgraph: f.Subgraph, Query: f.Query, Variables: f.Variables}
			if ids {
				jf.ID = &f.Index
			}
			if f.Cond != Always {
				jf.Include = p.Conditions[f.Cond].String()
			}
			for _, e := range f.Entries {
				if e.Variable != "" {
					jf.Entities = append(jf.Entities, e.json())
				}
			}
			stage = append(stage, jf)
		}
		out = append(out, stage)
	}
	return out
}

func (e *Entry) json() jsonEntry {
	out := jsonEntry{Variable: e.Variable, Representations: map[string][]string{}}
	for _, p := range e.Paths {
		out.Paths = append(out.Paths, p.String())
	}
	for _, c := range e.Contexts {
		if out.Contexts == nil {
			out.Contexts = map[string][]string{}
		}
		out.Contexts[c.Variable] = c.places()
	}
	for _, r := range e.Representations {
		name := r.TypeName
		if r.Type != nil {
			name = r.Type.Name
		}
		out.Representations[name] = repNames("", r.Fields)
	}
	return out
}

func repNames(prefix string, fields []*RepField) []string {
	names := []string{}
	for _, f := range fields {
		if f.Child == nil {
			names = append(names, prefix+f.Name)
		}
		names = append(names, repNames(prefix+f.Name+".", f.Child)...)
	}
	return names
}
