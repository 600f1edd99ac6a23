// Package config is the router's configuration file: one YAML document, each section a struct in a file of its own.
//
//	text ─ read (keys, values, ${ENV}) ─▶ Config ─ Build ─▶ router.Options
//	            ╰─ faults with line and column        ╰─ what must be closed, what the admin listener serves
//
// A section's struct is the only place that describes it: the reader, the JSON schema (Schema) and the tables of docs/router.md come
// from its fields and their tags.
//
//	yaml      the key, in snake_case
//	doc       what it does; a field without is a failing test
//	default   in the form that the file would have it; lists with commas
//	enum      allowed values, with |
//	min, max  bounds of a number, Duration or Size; without min a negative one is refused
//	required  "true": the file must say it
//
// A field is a bool, a number, a string, a Duration, a Size, anything with UnmarshalText, a struct, a pointer to one (nil where the file
// does not have it), a list or a map by name of these. What one field cannot say alone is said by a method Check() error on the struct,
// which may point at a key with badKey.
//
// To add a section: its file with the struct and its method apply(*Built) error, a line in Config, a heading in docs/router.md with
// the markers of a table, and go test ./router/config -update.
package config
