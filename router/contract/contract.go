package contract

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/compose"
	"bourse/router/federation"
)

// Filter says what a contract lets through.
type Filter struct {
	Include         []string // tags; empty: everything
	Exclude         []string // tags; wins over Include
	HideUnreachable bool     // hide types that no visible root field leads to
}

// Codes of errors that composition does not have.
const (
	InvalidFilter compose.Code = "INVALID_CONTRACT_FILTER"
	InvalidSchema compose.Code = "INVALID_CONTRACT_SCHEMA"
)

// Error is one reason why a filter gives no schema.
type Error struct {
	Code       compose.Code `json:"code"`
	Message    string       `json:"message"`
	Coordinate string       `json:"coordinate,omitempty"` // Type, Type.field or Type.field(argument:)
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Errors is what Apply returns when the filter gives no schema: every fault, in the order of the supergraph.
type Errors []*Error

func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Contract is a filtered supergraph.
type Contract struct {
	SupergraphSDL string
	APISDL        string   // what the clients of the contract see
	Hidden        []string // coordinates that the filter hid, in the order of the supergraph; what is in a hidden type is not named
	UnusedTags    []string // tags of the filter that no element has
}

// Apply filters a supergraph. The error is Errors when the filter or what it gives is not valid.
func Apply(supergraphSDL string, f Filter) (*Contract, error) {
	if errs := f.check(); len(errs) > 0 {
		return nil, errs
	}
	sg, err := federation.Load(supergraphSDL)
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchema(federation.Source("supergraph", supergraphSDL))
	if err != nil {
		return nil, fmt.Errorf("supergraph: %w", err)
	}
	if len(doc.Extensions)+len(doc.SchemaExtension) > 0 {
		return nil, fmt.Errorf("the supergraph extends types; a contract needs it as a composer writes it")
	}
	v := newView(doc, sg, f)
	v.hideByTags()
	v.hideBroken()
	if f.HideUnreachable {
		v.hideUnreachable()
	}
	hidden := v.mark()
	if errs := v.check(); len(errs) > 0 {
		return nil, errs
	}
	c := &Contract{SupergraphSDL: compose.Print(doc), Hidden: hidden, UnusedTags: v.unusedTags()}
	filtered, err := federation.Load(c.SupergraphSDL)
	if err != nil {
		return nil, Errors{{Code: InvalidSchema, Message: err.Error()}}
	}
	c.APISDL = filtered.APISDL()
	return c, nil
}

// The form that Apollo asks of tags.
var validTag = regexp.MustCompile(`^[A-Za-z0-9_/-]{1,128}$`)

func (f Filter) check() Errors {
	var errs Errors
	refuse := func(format string, args ...any) {
		errs = append(errs, &Error{Code: InvalidFilter, Message: fmt.Sprintf(format, args...)})
	}
	if len(f.Include)+len(f.Exclude) == 0 && !f.HideUnreachable {
		refuse("the contract filters nothing: it needs tags to include or exclude")
	}
	for _, tag := range slices.Concat(f.Include, f.Exclude) {
		if !validTag.MatchString(tag) {
			refuse("%q is no tag: tags are 1 to 128 letters, digits, _, - and /", tag)
		}
	}
	for _, tag := range f.Include {
		if slices.Contains(f.Exclude, tag) {
			refuse("tag %q is both included and excluded", tag)
		}
	}
	return errs
}

func (v *view) unusedTags() []string {
	var unused []string
	for _, tag := range slices.Concat(v.filter.Include, v.filter.Exclude) {
		if !v.seenTags[tag] {
			unused = append(unused, tag)
		}
	}
	return unused
}

// check looks for what hiding has broken.
func (v *view) check() Errors {
	var errs Errors
	compose.CheckVisible(v.types, v.order, v.query, v.inaccessible, func(code compose.Code, _, coordinate, message string) {
		errs = append(errs, &Error{Code: code, Message: message, Coordinate: coordinate})
	})
	return errs
}

// mark writes @inaccessible onto what the view hides, and what the supergraph needs for that. It returns the coordinates of elements
// that were visible before.
func (v *view) mark() []string {
	var hidden []string
	hide := func(coordinate string, dirs *ast.DirectiveList) bool {
		if !v.hidden[coordinate] {
			return false
		}
		if dirs.ForName(v.inaccessible) == nil {
			*dirs = append(*dirs, &ast.Directive{Name: v.inaccessible})
			hidden = append(hidden, coordinate)
		}
		return true
	}
	for _, name := range v.order {
		def := v.types[name]
		if hide(name, &def.Directives) {
			continue
		}
		for _, f := range def.Fields {
			if hide(fieldCoordinate(def, f), &f.Directives) {
				continue
			}
			for _, a := range f.Arguments {
				hide(argumentCoordinate(def, f, a), &a.Directives)
			}
		}
		for _, value := range def.EnumValues {
			hide(def.Name+"."+value.Name, &value.Directives)
		}
	}
	if len(hidden) > 0 {
		v.links.declareInaccessible(v.doc, v.inaccessible)
	}
	return hidden
}

func fieldCoordinate(def *ast.Definition, f *ast.FieldDefinition) string {
	return def.Name + "." + f.Name
}

func argumentCoordinate(def *ast.Definition, f *ast.FieldDefinition, a *ast.ArgumentDefinition) string {
	return def.Name + "." + f.Name + "(" + a.Name + ":)"
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

func meets(a, b map[string]bool) bool {
	for n := range maps.Keys(a) {
		if b[n] {
			return true
		}
	}
	return false
}
