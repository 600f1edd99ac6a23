package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
)

// Schema is the JSON schema of the configuration file, for editors and checks.
func Schema() []byte {
	s := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "Configuration of the router"},
	}
	text, err := json.MarshalIndent(append(s, schemaOfSection(reflect.TypeFor[Config]())...), "", "  ")
	if err != nil {
		panic("config: the schema is not JSON: " + err.Error())
	}
	return append(text, '\n')
}

// object is JSON with its keys in order.
type object []entry

type entry struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, e := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := json.Marshal(e.key)
		if err != nil {
			return nil, err
		}
		var value bytes.Buffer
		encoder := json.NewEncoder(&value)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(e.value); err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value.Bytes())
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func schemaOfSection(t reflect.Type) object {
	properties := object{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		s := schemaOf(f.typ, f)
		s = append(object{{"description", f.doc}}, s...)
		if f.standard != "" {
			s = append(s, entry{"default", defaultOf(f)})
		}
		properties = append(properties, entry{f.key, s})
		if f.required {
			required = append(required, f.key)
		}
	}
	o := object{{"type", []string{"object", "null"}}, {"properties", properties}, {"additionalProperties", false}}
	if len(required) > 0 {
		o = append(o, entry{"required", required})
	}
	return o
}

// fromEnvironment is what may stand where a value is not text.
var fromEnvironment = object{{"type", "string"}, {"pattern", `\$\{`}}

func schemaOf(t reflect.Type, f field) object {
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), f)
	case t == reflect.TypeFor[Duration]():
		return object{{"type", "string"}, {"pattern", `^-?([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$|\$\{`}}
	case t == reflect.TypeFor[Size]():
		return object{{"anyOf", []object{{{"type", "integer"}}, {{"type", "string"}, {"pattern", `^[0-9.]+ *(B|kB|MB|GB|KiB|MiB|GiB)?$|\$\{`}}}}}
	case isSection(t):
		return schemaOfSection(t)
	case readsText(t):
		return object{{"type", "string"}}
	}
	switch t.Kind() {
	case reflect.Map:
		return object{{"type", []string{"object", "null"}}, {"additionalProperties", schemaOf(t.Elem(), f)}}
	case reflect.Slice:
		return object{{"type", "array"}, {"items", schemaOf(t.Elem(), f)}}
	case reflect.Bool:
		return object{{"anyOf", []object{{{"type", "boolean"}}, fromEnvironment}}}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{{"anyOf", []object{bounded("integer", f), fromEnvironment}}}
	case reflect.Float64:
		return object{{"anyOf", []object{bounded("number", f), fromEnvironment}}}
	default:
		if len(f.enum) > 0 {
			return object{{"anyOf", []object{{{"enum", f.enum}}, fromEnvironment}}}
		}
		return object{{"type", []string{"string", "number", "boolean"}}}
	}
}

func bounded(kind string, f field) object {
	low := f.min
	if low == "" {
		low = "0"
	}
	o := object{{"type", kind}, {"minimum", json.Number(low)}}
	if f.max != "" {
		o = append(o, entry{"maximum", json.Number(f.max)})
	}
	return o
}

// defaultOf is a default as JSON would have it.
func defaultOf(f field) any {
	switch f.typ.Kind() {
	case reflect.Bool:
		return f.standard == "true"
	case reflect.Slice:
		return listOf(f)
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		if _, err := strconv.ParseFloat(f.standard, 64); err == nil {
			return json.Number(f.standard)
		}
	}
	return f.standard
}
