package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is one key of a section, as its tags describe it.
type field struct {
	key, doc, standard string
	enum               []string
	min, max           string
	required           bool
	typ                reflect.Type
	index              int
}

// fieldsOf lists the keys of a section in their order.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Tag.Get("yaml") == "-" {
			continue
		}
		one := field{
			key: keyOf(f), doc: f.Tag.Get("doc"), standard: f.Tag.Get("default"), min: f.Tag.Get("min"), max: f.Tag.Get("max"),
			required: f.Tag.Get("required") == "true", typ: f.Type, index: i,
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			one.enum = strings.Split(enum, "|")
		}
		out = append(out, one)
	}
	return out
}

func keyOf(f reflect.StructField) string { return f.Tag.Get("yaml") }

// setDefaults gives a section the values that hold where the file says nothing.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		at := v.Field(f.index)
		switch {
		case isSection(f.typ):
			setDefaults(at)
		case f.standard == "":
		case f.typ.Kind() == reflect.Slice:
			for one := range strings.SplitSeq(f.standard, ",") {
				item := reflect.New(f.typ.Elem()).Elem()
				mustSet(item, one, f)
				at.Set(reflect.Append(at, item))
			}
		case f.typ.Kind() == reflect.Pointer:
			at.Set(reflect.New(f.typ.Elem()))
			mustSet(at.Elem(), f.standard, f)
		default:
			mustSet(at, f.standard, f)
		}
	}
}

func mustSet(v reflect.Value, text string, f field) {
	if err := setScalar(v, text); err != nil {
		panic(fmt.Sprintf("config: the default of %s: %v", f.key, err)) // a mistake in a struct tag, which any test finds
	}
}

// isSection says whether a type is a mapping of known keys.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct && !readsText(t) }

func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// setScalar reads one value from its text. The error says what is allowed.
func setScalar(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, ok := map[string]bool{"true": true, "false": false}[text]
		if !ok {
			return fmt.Errorf("allowed: true, false")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64, reflect.Int32:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("a whole number is wanted")
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n != n {
			return fmt.Errorf("a number is wanted")
		}
		v.SetFloat(n)
	default:
		panic("config: a field of type " + v.Type().String() + " cannot be read")
	}
	return nil
}

// checkScalar holds a value against the field's enum and bounds.
func checkScalar(v reflect.Value, f field) error {
	if len(f.enum) > 0 && v.Kind() == reflect.String {
		for _, allowed := range f.enum {
			if v.String() == allowed {
				return nil
			}
		}
		return fmt.Errorf("%s", instead(v.String(), f.enum))
	}
	if !v.CanInt() && !v.CanFloat() {
		return nil
	}
	low := f.min
	if low == "" {
		low = "0"
		if v.Type() == reflect.TypeFor[Duration]() {
			low = "0s"
		}
	}
	if less(v, low, f) {
		return fmt.Errorf("it is at least %s", low)
	}
	if f.max != "" && !less(v, f.max, f) && !equal(v, f.max, f) {
		return fmt.Errorf("it is at most %s", f.max)
	}
	return nil
}

func less(v reflect.Value, bound string, f field) bool {
	b := reflect.New(v.Type()).Elem()
	mustSet(b, bound, f)
	if v.CanFloat() {
		return v.Float() < b.Float()
	}
	return v.Int() < b.Int()
}

func equal(v reflect.Value, bound string, f field) bool {
	b := reflect.New(v.Type()).Elem()
	mustSet(b, bound, f)
	return v.Equal(b)
}
