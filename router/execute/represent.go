package execute

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"math/bits"
	"slices"

	"bourse/router/federation"
	"bourse/router/plan"
)

// prepare writes the request of a fetch. It reports false when there is nothing to ask.
func (r *run) prepare(c *call, f *plan.Fetch) bool {
	var groups []*contextual
	if f.Contextual() {
		f, groups = r.repeat(f)
	}
	c.fetch, c.err = f, nil
	c.entries = c.entries[:0]
	c.body = append(c.body[:0], f.Prefix...)
	sent := 0
	for i, e := range f.Entries {
		if i == cap(c.entries) || i >= len(c.entries) {
			c.entries = slices.Grow(c.entries, 1)[:i+1]
		}
		ce := &c.entries[i]
		ce.targets, ce.count, ce.read = ce.targets[:0], 0, false
		if e.Variable == "" {
			r.collectRoots(ce, e)
			sent += len(ce.targets)
			continue
		}
		c.body = append(c.body, '"')
		c.body = append(c.body, e.Variable...)
		c.body = append(c.body, `":[`...)
		switch {
		case len(e.Contexts) > 0:
			ce.targets = append(ce.targets, groups[i].targets...)
			r.writeRepresentations(c, ce, e)
		case r.wants(e.Cond):
			r.represent(c, ce, e)
		}
		c.body = append(c.body, `],`...)
		if len(e.Contexts) > 0 {
			c.writeContexts(e, groups[i])
		}
		sent += ce.count
	}
	if sent == 0 {
		return false
	}
	r.finishBody(c)
	return true
}

// collectRoots finds the records that a root selection completes: the root, or all of a path that are root of queries again.
func (r *run) collectRoots(ce *called, e *plan.Entry) {
	if len(e.Paths) == 0 {
		ce.targets = append(ce.targets, target{record: r.root})
		return
	}
	if !r.wants(e.Cond) {
		return
	}
	r.entry++
	var walk func(p plan.Path, v value)
	walk = func(p plan.Path, v value) {
		switch {
		case v.kind == list:
			for i := range v.b {
				walk(p, r.arena.values[v.a+i])
			}
		case v.kind == object && len(p) > 0:
			walk(p[1:], r.arena.slot(v.a, p[0].Slot))
		case v.kind == object && !r.arena.mark(v.a, r.entry):
			ce.targets = append(ce.targets, target{record: v.a})
		}
	}
	for _, p := range e.Paths {
		walk(p, value{kind: object, a: r.root})
	}
}

// finishBody adds the client's variables that the fetch uses.
func (r *run) finishBody(c *call) {
	for _, name := range c.fetch.Variables {
		v, ok := r.in.Variables[name]
		if !ok {
			continue
		}
		text, err := json.Marshal(withLists(v))
		if err != nil {
			text = []byte("null")
		}
		c.body = append(c.body, '"')
		c.body = append(c.body, name...)
		c.body = append(c.body, `":`...)
		c.body = append(c.body, text...)
		c.body = append(c.body, ',')
	}
	c.body = append(bytes.TrimSuffix(c.body, []byte(",")), "}}"...)
}

// withLists makes empty lists out of nil ones: a default of [] comes from the document as a nil slice, which JSON would show as null.
func withLists(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withLists(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = withLists(v[k])
		}
		return out
	}
	return v
}

// represent collects the records of an entry and writes their representations.
func (r *run) represent(c *call, ce *called, e *plan.Entry) {
	r.entry++
	for _, p := range e.Paths {
		r.collect(ce, e, p, value{kind: object, a: r.root})
	}
	r.writeRepresentations(c, ce, e)
}

// writeRepresentations writes the representations of what was collected, equal ones once.
func (r *run) writeRepresentations(c *call, ce *called, e *plan.Entry) {
	r.reps.reset(len(ce.targets))
	kept := ce.targets[:0]
	for _, t := range ce.targets {
		rep := r.representation(e, t.record)
		if t.rep = r.findRep(ce, kept, rep, t.record); t.rep == uint32(ce.count) {
			if ce.count > 0 {
				c.body = append(c.body, ',')
			}
			c.body = append(c.body, `{"__typename":"`...)
			c.body = append(c.body, rep.TypeName...)
			c.body = append(c.body, '"')
			c.body = r.writeFields(c.body, rep.Fields, t.record, true)
			c.body = append(c.body, '}')
			ce.count++
		}
		kept = append(kept, t)
	}
	ce.targets = kept
}

// collect walks a path to the records that the entry can complete: of a type that it represents and with
// all that the representation needs.
func (r *run) collect(ce *called, e *plan.Entry, p plan.Path, v value) {
	switch v.kind {
	case list:
		for i := range v.b {
			r.collect(ce, e, p, r.arena.values[v.a+i])
		}
	case object:
		if len(p) > 0 {
			r.collect(ce, e, p[1:], r.arena.slot(v.a, p[0].Slot))
			return
		}
		if r.completes(e, v.a) {
			ce.targets = append(ce.targets, target{record: v.a})
		}
	}
}

// completes says whether an entry completes a record that was not met before.
func (r *run) completes(e *plan.Entry, record uint32) bool {
	if r.arena.mark(record, r.entry) {
		return false
	}
	rep := r.representation(e, record)
	return rep != nil && r.wants(rep.Cond) && r.representable(rep, record)
}

// representation is how an entry shows a record; nil when it does not. An entry for objects of unknown type is also for
// those whose type another part of the answer has found out meanwhile.
func (r *run) representation(e *plan.Entry, record uint32) *plan.Representation {
	id := r.arena.typeID(record)
	for _, rep := range e.Representations {
		if rep.Type == nil && (id < 0 || len(r.in.Plan.Deferred) > 0) || rep.Type != nil && rep.Type.ID == id {
			return rep
		}
	}
	return nil
}

// representable says whether every field was answered, and not every key field with null.
func (r *run) representable(rep *plan.Representation, record uint32) bool {
	keys, nulls := 0, 0
	for _, f := range rep.Fields {
		v := r.arena.slot(record, f.Slot)
		if !r.answered(f, v) {
			return false
		}
		if f.Key {
			keys++
			if v.kind == null {
				nulls++
			}
		}
	}
	return keys == 0 || nulls < keys
}

func (r *run) answered(f *plan.RepField, v value) bool {
	switch v.kind {
	case absent:
		return false
	case leaf:
		return len(f.Child) == 0
	case list:
		for i := range v.b {
			if !r.answered(f, r.arena.values[v.a+i]) {
				return false
			}
		}
	case object:
		for _, c := range f.Child {
			if r.applies(c, v.a) && !r.answered(c, r.arena.slot(v.a, c.Slot)) {
				return false
			}
		}
	}
	return true
}

func (r *run) applies(f *plan.RepField, record uint32) bool {
	if f.Types == nil {
		return true
	}
	id := r.arena.typeID(record)
	return slices.ContainsFunc(f.Types, func(t *federation.Type) bool { return t.ID == id })
}

// writeFields writes the fields of a representation, each with a comma before it unless it is the first of
// its object.
func (r *run) writeFields(b []byte, fields []*plan.RepField, record uint32, comma bool) []byte {
	for _, f := range fields {
		if !r.applies(f, record) {
			continue
		}
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(b, '"')
		b = append(b, f.Name...)
		b = append(b, `":`...)
		b = r.writeValue(b, f, r.arena.slot(record, f.Slot))
	}
	return b
}

func (r *run) writeValue(b []byte, f *plan.RepField, v value) []byte {
	switch v.kind {
	case leaf:
		return append(b, r.arena.text(v)...)
	case object:
		b = append(b, '{')
		if f.Abstract {
			b = append(b, `"__typename":"`...)
			if id := r.arena.typeID(v.a); id >= 0 {
				b = append(b, r.e.sg.Objects()[id].Name...)
			}
			b = append(b, '"')
		}
		return append(r.writeFields(b, f.Child, v.a, f.Abstract), '}')
	case list:
		b = append(b, '[')
		for i := range v.b {
			if i > 0 {
				b = append(b, ',')
			}
			b = r.writeValue(b, f, r.arena.values[v.a+i])
		}
		return append(b, ']')
	default:
		return append(b, "null"...)
	}
}

// repTable finds equal representations by their key values in place: a hash narrows, a comparison decides.
type repTable struct {
	seed maphash.Seed
	slot []uint32 // index into the targets + 1; 0: free
}

func (t *repTable) reset(n int) {
	if t.seed == (maphash.Seed{}) {
		t.seed = maphash.MakeSeed()
	}
	size := 8
	for size < 2*n {
		size *= 2
	}
	t.slot = slices.Grow(t.slot[:0], size)[:size]
	clear(t.slot)
}

// findRep is the index of the representation equal to this record's, or ce.count when it is new.
func (r *run) findRep(ce *called, kept []target, rep *plan.Representation, record uint32) uint32 {
	mask := len(r.reps.slot) - 1
	for i := int(r.hashFields(0, rep.Fields, record)) & mask; ; i = (i + 1) & mask {
		at := r.reps.slot[i]
		if at == 0 {
			r.reps.slot[i] = uint32(len(kept)) + 1
			return uint32(ce.count)
		}
		other := kept[at-1]
		if r.arena.typeID(other.record) == r.arena.typeID(record) && r.equalFields(rep.Fields, other.record, record) {
			return other.rep
		}
	}
}

func (r *run) hashFields(h uint64, fields []*plan.RepField, record uint32) uint64 {
	for _, f := range fields {
		if r.applies(f, record) {
			h = r.hashValue(h, f, r.arena.slot(record, f.Slot))
		}
	}
	return h
}

func (r *run) hashValue(h uint64, f *plan.RepField, v value) uint64 {
	switch v.kind {
	case leaf:
		return mix(h, maphash.Bytes(r.reps.seed, r.arena.text(v)))
	case object:
		return r.hashFields(mix(h, uint64(v.kind)), f.Child, v.a)
	case list:
		h = mix(h, uint64(v.b))
		for i := range v.b {
			h = r.hashValue(h, f, r.arena.values[v.a+i])
		}
		return h
	}
	return mix(h, uint64(v.kind))
}

// mix joins hashes, in an order.
func mix(h, next uint64) uint64 { return bits.RotateLeft64(h, 23)*0x9e3779b97f4a7c15 ^ next }

func (r *run) equalFields(fields []*plan.RepField, a, b uint32) bool {
	for _, f := range fields {
		if !r.applies(f, a) {
			continue
		}
		if !r.equalValues(f, r.arena.slot(a, f.Slot), r.arena.slot(b, f.Slot)) {
			return false
		}
	}
	return true
}

func (r *run) equalValues(f *plan.RepField, a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case leaf:
		return bytes.Equal(r.arena.text(a), r.arena.text(b))
	case object:
		return r.arena.typeID(a.a) == r.arena.typeID(b.a) && r.equalFields(f.Child, a.a, b.a)
	case list:
		if a.b != b.b {
			return false
		}
		for i := range a.b {
			if !r.equalValues(f, r.arena.values[a.a+i], r.arena.values[b.a+i]) {
				return false
			}
		}
	}
	return true
}
