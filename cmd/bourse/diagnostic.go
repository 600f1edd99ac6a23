package main

import (
	"fmt"
	"io"
	"strings"
)

// diagnostic is something wrong, or worth knowing, as commands tell it: to people with the line of the source that it is about, in JSON
// under these keys.
type diagnostic struct {
	Code       string   `json:"code"`
	Level      string   `json:"level,omitempty"` // of hints: WARN, INFO or DEBUG
	Message    string   `json:"message"`
	Subgraphs  []string `json:"subgraphs"`
	Locations  []place  `json:"locations"`
	Coordinate string   `json:"coordinate,omitempty"`
	Contract   string   `json:"contract,omitempty"`
}

// place is a location in a source. Line and Column start at 1; 0: the whole file.
type place struct {
	Subgraph string `json:"subgraph,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	source   string // the text, to show the line
}

func (p place) String() string {
	name := p.File
	if name == "" {
		name = p.Subgraph
	}
	if p.Line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d:%d", name, p.Line, p.Column)
}

// maxShown bounds how many places of one diagnostic are shown with their source; all are named.
const maxShown = 4

// write tells a diagnostic to people.
func (d diagnostic) write(w io.Writer, what string) {
	if d.Contract != "" {
		what = "contract " + d.Contract + ": " + what
	}
	fmt.Fprintf(w, "%s %s: %s\n", what, d.Code, shortened(clean(d.Message)))
	for i, p := range d.Locations {
		fmt.Fprintf(w, "  --> %s\n", p)
		if i < maxShown {
			fmt.Fprint(w, p.excerpt())
		}
	}
	if len(d.Locations) == 0 && len(d.Subgraphs) > 0 {
		fmt.Fprintf(w, "  in %s\n", strings.Join(d.Subgraphs, ", "))
	}
}

// maxMessage bounds a message for people: some quote what a schema says, which may be anything.
const maxMessage = 4000

func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}

// excerpt is the line of the source with a mark below the column; empty when there is no source.
func (p place) excerpt() string {
	const around = 60 // of a line that is too long: schemas that were printed on one line
	lines := strings.Split(p.source, "\n")
	if p.Line < 1 || p.Line > len(lines) || p.source == "" {
		return ""
	}
	line := []rune(strings.TrimRight(strings.ReplaceAll(lines[p.Line-1], "\t", " "), "\r"))
	column := min(max(p.Column-1, 0), len(line))
	from, to := 0, len(line)
	before, after := "", ""
	if len(line) > 2*around {
		if from = max(0, column-around); from > 0 {
			before = "…"
		}
		if to = min(len(line), column+around); to < len(line) {
			after = "…"
		}
	}
	number := fmt.Sprint(p.Line)
	gap := strings.Repeat(" ", len(number))
	text := before + clean(string(line[from:to])) + after
	return fmt.Sprintf("   %s |\n   %s | %s\n   %s | %s^\n", gap, number, text, gap, strings.Repeat(" ", len([]rune(before))+column-from))
}

// clean takes control characters out of what others wrote, so that it does nothing to a terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// list is a slice that JSON shows as [] when it is empty.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}
