package plan

import (
	"slices"
	"strconv"
	"strings"
)

// primaryPart stands where the index of a deferred part may stand.
const primaryPart = -1

// defers prints a part of the answer with what is deferred inside it.
func (t *textWriter) defers(part int, o *Object, stages [][]*Fetch) {
	t.open("Defer {")
	t.open("Primary {")
	t.part(o, stages)
	t.close("}, [")
	t.indent++
	for i, d := range t.plan.Deferred {
		if d.Parent == part {
			t.deferred(i, d)
		}
	}
	t.close("]")
	t.close("},")
}

func (t *textWriter) deferred(i int, d *Deferred) {
	names := make([]string, len(d.Path))
	for i, s := range d.Path {
		names[i] = s.Field
	}
	ids := make([]string, len(d.Depends))
	for i, f := range d.Depends {
		ids[i] = strconv.Itoa(f.Index)
	}
	head := "Deferred(depends: [" + strings.Join(ids, ", ") + "], path: " + string(jsonString(strings.Join(names, "/")))
	if d.Label != nil {
		head += ", label: " + string(jsonString(*d.Label))
	}
	t.open(head + ") {")
	defer t.close("},")
	if slices.ContainsFunc(t.plan.Deferred, func(inner *Deferred) bool { return inner.Parent == i }) {
		t.defers(i, d.Output, d.Stages)
		return
	}
	t.part(d.Output, d.Stages)
}

// part prints what the client gets of a part, and how.
func (t *textWriter) part(o *Object, stages [][]*Fetch) {
	shown := t.shown(o)
	if len(stages) == 0 {
		t.line("{" + shown + " }")
		return
	}
	t.line("{" + shown + " }:")
	t.stages(stages)
}

// shown writes the fields of an output on one line, those of several types under each type.
func (t *textWriter) shown(o *Object) string {
	if o.Only != nil {
		return t.fields(o.Only)
	}
	types := make([]int, 0, len(o.ByType))
	for id := range o.ByType {
		types = append(types, id)
	}
	slices.Sort(types)
	var b strings.Builder
	for _, id := range types {
		if fields := t.fields(o.ByType[id]); fields != "" {
			b.WriteString(" ... on " + t.plan.types[id].Name + " {" + fields + " }")
		}
	}
	return b.String()
}

func (t *textWriter) fields(v *Variant) string {
	var b strings.Builder
	for _, f := range v.Fields {
		b.WriteString(" ")
		if f.Name != f.Field {
			b.WriteString(f.Name + ": ")
		}
		b.WriteString(f.Field)
		if f.Child != nil {
			b.WriteString(" {" + t.shown(f.Child) + " }")
		}
	}
	return b.String()
}

// id names a fetch on which a deferred part depends.
func (t *textWriter) id(f *Fetch) string {
	for _, d := range t.plan.Deferred {
		if slices.Contains(d.Depends, f) {
			return ", id: " + strconv.Itoa(f.Index)
		}
	}
	return ""
}
