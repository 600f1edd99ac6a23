package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Code says which rule of composition was broken. The values are Apollo's, so that documentation and tools agree.
type Code string

// Location is a place in the source of one subgraph. Line and Column start at 1.
type Location struct {
	Subgraph string `json:"subgraph"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
}

func (l Location) String() string { return fmt.Sprintf("%s:%d:%d", l.Subgraph, l.Line, l.Column) }

// Error is one reason why the subgraphs do not compose.
type Error struct {
	Code      Code       `json:"code"`
	Message   string     `json:"message"`
	Subgraphs []string   `json:"subgraphs,omitempty"`
	Locations []Location `json:"locations,omitempty"`
}

func (e *Error) Error() string {
	places := make([]string, len(e.Locations))
	for i, l := range e.Locations {
		places[i] = l.String()
	}
	if len(places) == 0 {
		places = e.Subgraphs
	}
	if len(places) == 0 {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Code, e.Message, strings.Join(places, ", "))
}

// Errors is what Compose returns when the subgraphs do not compose: every error of the stage that failed, in a stable order.
type Errors []*Error

func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Level ranks a hint: WARN is likely a mistake, INFO worth knowing, DEBUG expected in a graph that is being changed.
type Level string

// Levels of hints.
const (
	Warn  Level = "WARN"
	Info  Level = "INFO"
	Debug Level = "DEBUG"
)

// Hint is something about the subgraphs that composes but that their authors may not have meant.
type Hint struct {
	Code      Code       `json:"code"`
	Level     Level      `json:"level"`
	Message   string     `json:"message"`
	Locations []Location `json:"locations,omitempty"`
}

func (h Hint) String() string { return fmt.Sprintf("%s %s: %s", h.Level, h.Code, h.Message) }

// site is an element of one subgraph that an error or hint is about.
type site struct {
	sub *subgraph
	pos *ast.Position
}

// report collects errors and hints of all stages.
type report struct {
	errors Errors
	hints  []Hint
}

func (r *report) fail(code Code, sites []site, format string, args ...any) {
	e := &Error{Code: code, Message: fmt.Sprintf(format, args...)}
	for _, s := range sites {
		if !slices.Contains(e.Subgraphs, s.sub.name) {
			e.Subgraphs = append(e.Subgraphs, s.sub.name)
		}
	}
	e.Locations = locations(sites)
	r.errors = append(r.errors, e)
}

func (r *report) hint(code Code, sites []site, format string, args ...any) {
	r.hints = append(r.hints, Hint{Code: code, Level: hintLevels[code], Message: fmt.Sprintf(format, args...), Locations: locations(sites)})
}

func locations(sites []site) []Location {
	var out []Location
	for _, s := range sites {
		// Definitions that composition adds itself have no place in a source.
		if s.pos == nil || s.pos.Line == 0 || s.pos.Src == nil || s.pos.Src.BuiltIn {
			continue
		}
		l := Location{Subgraph: s.sub.name, Line: s.pos.Line, Column: s.pos.Column}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// subgraphNames renders names as people list them: subgraph "a"; subgraphs "a", "b" and "c".
func subgraphNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	switch len(quoted) {
	case 0:
		return "no subgraph"
	case 1:
		return "subgraph " + quoted[0]
	}
	last := len(quoted) - 1
	return "subgraphs " + strings.Join(quoted[:last], ", ") + " and " + quoted[last]
}
