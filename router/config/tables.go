package config

import (
	"fmt"
	"reflect"
	"strings"
)

func listOf(f field) []string { return strings.Split(f.standard, ",") }

// Sections names the sections of a configuration in their order.
func Sections() []string {
	var names []string
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		names = append(names, f.key)
	}
	return names
}

// Table is the Markdown table of a section's options.
func Table(section string) string {
	var out strings.Builder
	out.WriteString("| option | type | default | |\n|---|---|---|---|\n")
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if f.key != section {
			continue
		}
		if t := structIn(f.typ); t != nil {
			rows(&out, t, section)
		} else {
			row(&out, section, f)
		}
	}
	return out.String()
}

func rows(out *strings.Builder, t reflect.Type, path string) {
	for _, f := range fieldsOf(t) {
		at := path + "." + f.key
		row(out, at, f)
		if inner := structIn(f.typ); inner != nil {
			switch plain(f.typ).Kind() {
			case reflect.Map:
				at += ".NAME"
			case reflect.Slice:
				at += "[]"
			}
			rows(out, inner, at)
		}
	}
}

func row(out *strings.Builder, path string, f field) {
	standard := f.standard
	if standard != "" {
		standard = "`" + standard + "`"
	}
	doc := f.doc
	if len(f.enum) > 0 {
		doc += " One of `" + strings.Join(f.enum, "`, `") + "`."
	}
	if f.required {
		doc += " Required."
	}
	fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", path, kindOf(f.typ), standard, strings.ReplaceAll(doc, "|", `\|`))
}

// plain is a type without its pointer.
func plain(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// structIn is the section that a field holds, alone, in a list or by name; nil: none.
func structIn(t reflect.Type) reflect.Type {
	t = plain(t)
	if isSection(t) {
		return t
	}
	if (t.Kind() == reflect.Map || t.Kind() == reflect.Slice) && !readsText(t) {
		return structIn(t.Elem())
	}
	return nil
}

// kindOf says what a value looks like in the file.
func kindOf(t reflect.Type) string {
	t = plain(t)
	switch {
	case t == reflect.TypeFor[Duration]():
		return "duration"
	case t == reflect.TypeFor[Size]():
		return "size"
	case isSection(t):
		return "section"
	case readsText(t):
		return "text"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Map:
		return kindOf(t.Elem()) + " by name"
	case reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number"
	default:
		return "text"
	}
}
