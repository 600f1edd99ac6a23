package execute

import (
	"errors"

	"bourse/router/plan"
)

type kind uint8

const (
	absent kind = iota // nobody answered; null for the client
	null
	leaf   // JSON text: bytes a to b of body number body
	object // record at a
	list   // b values from a on
)

// value is one answered value: an offset, never a copy.
type value struct {
	kind kind
	body uint32
	a, b uint32
}

// arena holds the answer in the making. A record is a header followed by the slots of its layout; the header
// keeps the concrete type, whether a subgraph failed to name it, and the mark of the last entry that collected the record.
type arena struct {
	values []value
	bodies [][]byte
	stack  []value // elements of the lists being read
}

// maxArena bounds one answer: offsets are 32 bits wide.
const maxArena = 1 << 28

var errTooLarge = errors.New("the answer is too large")

func (m *arena) reset() {
	m.values = m.values[:0]
	clear(m.bodies)
	m.bodies = m.bodies[:0]
	m.stack = m.stack[:0]
}

// alloc appends n absent values.
func (m *arena) alloc(n int) (uint32, error) {
	base := len(m.values)
	if base+n > maxArena {
		return 0, errTooLarge
	}
	if cap(m.values) >= base+n {
		m.values = m.values[:base+n]
		clear(m.values[base:])
	} else {
		m.values = append(m.values, make([]value, n)...)
	}
	return uint32(base), nil
}

// record opens a record. typeID is the concrete type's, -1 when not known.
func (m *arena) record(l *plan.Layout, typeID int) (uint32, error) {
	base, err := m.alloc(1 + l.Slots)
	if err == nil {
		m.values[base].a = uint32(typeID + 1)
	}
	return base, err
}

func (m *arena) typeID(record uint32) int             { return int(m.values[record].a) - 1 }
func (m *arena) setType(record uint32, id int)        { m.values[record].a = uint32(id + 1) }
func (m *arena) misnamed(record uint32) bool          { return m.values[record].kind != absent }
func (m *arena) misname(record uint32)                { m.values[record].kind = leaf }
func (m *arena) slot(record uint32, slot int) value   { return m.values[int(record)+1+slot] }
func (m *arena) set(record uint32, slot int, v value) { m.values[int(record)+1+slot] = v }

// mark notes that an entry has seen the record and reports whether it had before.
func (m *arena) mark(record, entry uint32) (seen bool) {
	seen = m.values[record].b == entry
	m.values[record].b = entry
	return seen
}

func (m *arena) text(v value) []byte { return m.bodies[v.body][v.a:v.b] }

func (m *arena) addBody(b []byte) uint32 {
	m.bodies = append(m.bodies, b)
	return uint32(len(m.bodies) - 1)
}

// reader writes one subgraph's answer into the arena, guided by the selection that asked for it.
type reader struct {
	scanner
	*arena
	body uint32
}

// object reads an object into a record.
func (r *reader) object(sel *plan.Selection, record uint32) error {
	at := 0
	more, err := r.open('}')
	for ; more && err == nil; more, err = r.next('}') {
		f, err := r.known(sel.Fields, &at)
		if err != nil {
			return err
		}
		if f == nil {
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if err := r.field(sel, f, record); err != nil {
			return err
		}
	}
	if sel.TypeIDs != nil && r.typeID(record) < 0 {
		r.misname(record)
	}
	return err
}

// known reads a key and finds its field. Answers come in the order of the selection and as a rule without space, so that what is at hand is
// compared with what the next key looks like, before anything is read.
func (r *reader) known(fields []*plan.SelectionField, at *int) (*plan.SelectionField, error) {
	if *at < len(fields) {
		next := fields[*at]
		if q := next.Quoted; len(r.b)-r.i >= len(q) && string(r.b[r.i:r.i+len(q)]) == q {
			r.i += len(q)
			*at++
			return next, nil
		}
	}
	k, err := r.key()
	if err != nil {
		return nil, err
	}
	return match(fields, k, at), nil
}

// match finds the field of a key; the next one is tried first.
func match(fields []*plan.SelectionField, k []byte, at *int) *plan.SelectionField {
	for n := range fields {
		i := *at + n
		if i >= len(fields) {
			i -= len(fields)
		}
		if fields[i].Key == string(k) {
			*at = i + 1
			return fields[i]
		}
	}
	return nil
}

func (r *reader) field(sel *plan.Selection, f *plan.SelectionField, record uint32) error {
	switch {
	case f.TypeName:
		if r.peek() != '"' || sel.TypeIDs == nil {
			return r.skip()
		}
		start := r.i + 1
		if err := r.str(); err != nil {
			return err
		}
		if id, ok := sel.TypeIDs[string(r.b[start:r.i-1])]; ok {
			r.setType(record, id)
		}
	case f.Child == nil:
		v, err := r.leaf()
		if err != nil {
			return err
		}
		r.set(record, f.Slot, v)
	default:
		v, err := r.composite(f.Child, r.slot(record, f.Slot))
		if err != nil {
			return err
		}
		r.set(record, f.Slot, v)
	}
	return nil
}

func (r *reader) leaf() (value, error) {
	first, start := r.peek(), r.i
	var err error
	switch first {
	case 'n':
		return value{kind: null}, r.literal("null")
	case '"':
		err = r.str()
	default:
		err = r.skip()
	}
	return value{kind: leaf, body: r.body, a: uint32(start), b: uint32(r.i)}, err
}

// composite reads an object, a list of them or null. What is there from another fetch is completed, lists
// by index. Anything else is kept as it is, for whoever wants to complain of it.
func (r *reader) composite(sel *plan.Selection, have value) (value, error) {
	switch r.peek() {
	case 'n':
		if have.kind == absent {
			have = value{kind: null}
		}
		return have, r.literal("null")
	case '{':
		if have.kind != object {
			id := -1
			if sel.Type != nil {
				id = sel.Type.ID
			}
			base, err := r.record(sel.Layout, id)
			if err != nil {
				return value{}, err
			}
			have = value{kind: object, a: base}
		}
		return have, r.object(sel, have.a)
	case '[':
		return r.elements(sel, have)
	}
	return r.leaf()
}

func (r *reader) elements(sel *plan.Selection, have value) (value, error) {
	bottom := len(r.stack)
	more, err := r.open(']')
	for ; more && err == nil; more, err = r.next(']') {
		var old value
		if n := uint32(len(r.stack) - bottom); have.kind == list && n < have.b {
			old = r.values[have.a+n]
		}
		v, err := r.composite(sel, old)
		if err != nil {
			r.stack = r.stack[:bottom]
			return value{}, err
		}
		r.stack = append(r.stack, v)
	}
	if err != nil {
		return value{}, err
	}
	n := len(r.stack) - bottom
	base, err := r.alloc(n)
	if err != nil {
		return value{}, err
	}
	copy(r.values[base:], r.stack[bottom:])
	r.stack = r.stack[:bottom]
	return value{kind: list, a: base, b: uint32(n)}, nil
}

// share gives record to what a selection wrote into record from: the same entity at another place.
func (m *arena) share(sel *plan.Selection, from, to uint32) {
	if from == to {
		return
	}
	for _, f := range sel.Fields {
		if f.TypeName {
			if id := m.typeID(from); id >= 0 {
				m.setType(to, id)
			}
			continue
		}
		m.set(to, f.Slot, m.merge(f.Child, m.slot(from, f.Slot), m.slot(to, f.Slot)))
	}
}

func (m *arena) merge(sel *plan.Selection, from, to value) value {
	switch {
	case from.kind == absent || from.kind == null && to.kind != absent:
		return to
	case sel == nil || from.kind != to.kind:
		return from
	case from.kind == object:
		m.share(sel, from.a, to.a)
		return to
	case from.kind == list && from.b == to.b:
		for i := range from.b {
			m.values[to.a+i] = m.merge(sel, m.values[from.a+i], m.values[to.a+i])
		}
		return to
	}
	return from
}
