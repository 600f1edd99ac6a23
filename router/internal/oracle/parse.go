package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// ParseData reads a world from JSON: for each type a list of objects, for a root type a list of one. In values,
// {"ref":"Type/0"} is the object at an index, {"fail":"message"} a resolver that fails, {"json":…} a value of a custom scalar, and
// an object with a __typename stands for itself.
func (g *Graph) ParseData(text []byte) (*Data, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var raw map[string][]map[string]any
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	d := &Data{g: g, objects: map[string][]*Object{}}
	for _, t := range g.objects {
		for range raw[t.name] {
			d.objects[t.name] = append(d.objects[t.name], &Object{Type: t.name, Fields: map[string]any{}})
		}
		if t.root && len(d.objects[t.name]) == 0 {
			d.objects[t.name] = []*Object{{Type: t.name, Fields: map[string]any{}}}
		}
	}
	for name, list := range raw {
		if len(d.objects[name]) != len(list) {
			return nil, fmt.Errorf("data: no object type %s", name)
		}
		for i, fields := range list {
			for field, v := range fields {
				value, err := d.parse(v)
				if err != nil {
					return nil, fmt.Errorf("data: %s.%s: %w", name, field, err)
				}
				d.objects[name][i].Fields[field] = value
			}
		}
	}
	return d, nil
}

func (d *Data) parse(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n), nil
		}
		return v, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			item, err := d.parse(v[i])
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	case map[string]any:
		return d.parseObject(v)
	}
	return v, nil
}

func (d *Data) parseObject(v map[string]any) (any, error) {
	if ref, ok := v["ref"].(string); ok {
		name, index, _ := strings.Cut(ref, "/")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(d.objects[name]) {
			return nil, fmt.Errorf("no object %s", ref)
		}
		return d.objects[name][i], nil
	}
	if message, ok := v["fail"].(string); ok {
		return Fail{message}, nil
	}
	if value, ok := v["json"]; ok {
		return value, nil
	}
	name, _ := v["__typename"].(string)
	if d.g.types[name] == nil {
		return nil, fmt.Errorf("no type %q", name)
	}
	o := &Object{Type: name, Fields: map[string]any{}}
	for k, f := range v {
		if k == "__typename" {
			continue
		}
		value, err := d.parse(f)
		if err != nil {
			return nil, err
		}
		o.Fields[k] = value
	}
	return o, nil
}

// JSON writes the world as ParseData reads it.
func (d *Data) JSON() []byte {
	places := map[*Object]string{}
	for name, list := range d.objects {
		for i, o := range list {
			places[o] = fmt.Sprintf("%s/%d", name, i)
		}
	}
	out := map[string][]map[string]any{}
	for name, list := range d.objects {
		for _, o := range list {
			out[name] = append(out[name], d.print(o.Fields, d.g.types[name], places))
		}
	}
	return mustJSON(out)
}

func (d *Data) print(fields map[string]any, t *typ, places map[*Object]string) map[string]any {
	out := map[string]any{}
	for name, v := range fields {
		f := t.byName[name]
		out[name] = d.printValue(v, f != nil && f.typ.Elem != nil, places)
	}
	return out
}

func (d *Data) printValue(v any, list bool, places map[*Object]string) any {
	switch v := v.(type) {
	case Fail:
		return map[string]any{"fail": v.Message}
	case *Object:
		if at, ok := places[v]; ok {
			return map[string]any{"ref": at}
		}
		o := d.print(v.Fields, d.g.types[v.Type], places)
		o["__typename"] = v.Type
		return o
	case []any:
		if !list {
			return map[string]any{"json": v}
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = d.printValue(v[i], true, places)
		}
		return out
	case map[string]any:
		return map[string]any{"json": v}
	}
	return v
}
