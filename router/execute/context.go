package execute

import "bourse/router/plan"

// contextual is the entities of an entry for which its contexts have the same values.
type contextual struct {
	values  [][]byte // JSON, by context
	targets []target
}

// repeat finds the values of contexts and gives the fetch an entry for each that it meets; groups are by entry of the fetch
// that it returns, nil for those without contexts.
func (r *run) repeat(f *plan.Fetch) (*plan.Fetch, []*contextual) {
	times := make([]int, len(f.Entries))
	var groups []*contextual
	once := true
	for i, e := range f.Entries {
		if len(e.Contexts) == 0 {
			times[i] = 1
			groups = append(groups, nil)
			continue
		}
		found := r.byContext(f, e)
		times[i] = len(found)
		groups = append(groups, found...)
		once = once && len(found) == 1
	}
	if once {
		return f, groups
	}
	return f.Repeat(times), groups
}

// byContext collects the records that an entry can complete, by the values of its contexts. Those for which a value is null that
// may not be are not asked for, and get an error.
func (r *run) byContext(f *plan.Fetch, e *plan.Entry) []*contextual {
	if !r.wants(e.Cond) {
		return nil
	}
	r.entry++
	var groups []*contextual
	var without called
	byKey := map[string]*contextual{}
	for _, p := range e.Paths {
		r.collectUnder(e, p, value{kind: object, a: r.root}, nil, func(record uint32, above []uint32) {
			values, state := r.contextValues(e, above)
			if state == nulled {
				without.targets = append(without.targets, target{record: record})
			}
			if state != known {
				return
			}
			key := ""
			for _, v := range values {
				key += string(v) + "\n" // JSON that subgraphs wrote may hold line breaks, but then inside of a value
			}
			g := byKey[key]
			if g == nil {
				g = &contextual{values: values}
				byKey[key] = g
				groups = append(groups, g)
			}
			g.targets = append(g.targets, target{record: record})
		})
	}
	if len(without.targets) > 0 {
		r.part = f.Part
		r.eachPlace(e, &without, -1, func(path []segment, record uint32) {
			r.failFields(e, path, record, "Subgraph '"+f.Subgraph+"' needs a value from the context here, and it is null.", codeNull, f.Subgraph)
		})
	}
	return groups
}

// collectUnder is collect with the records on the way.
func (r *run) collectUnder(e *plan.Entry, p plan.Path, v value, above []uint32, found func(record uint32, above []uint32)) {
	switch v.kind {
	case list:
		for i := range v.b {
			r.collectUnder(e, p, r.arena.values[v.a+i], above, found)
		}
	case object:
		if len(p) > 0 {
			r.collectUnder(e, p[1:], r.arena.slot(v.a, p[0].Slot), append(above, v.a), found)
		} else if r.completes(e, v.a) {
			found(v.a, above)
		}
	}
}

// valueState says what is known of the values of contexts.
type valueState int

const (
	known   valueState = iota
	missing            // not answered, for which there is an error already
	nulled             // null where the subgraph takes no null
)

// contextValues are the values of an entry's contexts for an object below others.
func (r *run) contextValues(e *plan.Entry, above []uint32) (values [][]byte, state valueState) {
	for _, c := range e.Contexts {
		text := []byte("null")
		for _, s := range c.Sources {
			record := above[len(above)-s.Up]
			if r.arena.typeID(record) != s.Type.ID {
				continue
			}
			var ok bool
			if text, ok = r.contextValue(nil, s.Fields, record); !ok {
				return nil, missing
			}
			break
		}
		if c.Type.NonNull && string(text) == "null" {
			return nil, nulled
		}
		values = append(values, text)
	}
	return values, known
}

// contextValue writes the one leaf of a selection.
func (r *run) contextValue(b []byte, fields []*plan.RepField, record uint32) ([]byte, bool) {
	for _, f := range fields {
		if r.applies(f, record) {
			return r.contextUnder(b, f, r.arena.slot(record, f.Slot))
		}
	}
	return append(b, "null"...), true
}

func (r *run) contextUnder(b []byte, f *plan.RepField, v value) ([]byte, bool) {
	switch v.kind {
	case absent:
		return b, false
	case leaf:
		return append(b, r.arena.text(v)...), true
	case object:
		return r.contextValue(b, f.Child, v.a)
	case list:
		b = append(b, '[')
		for i := range v.b {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = r.contextUnder(b, f, r.arena.values[v.a+i]); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	default:
		return append(b, "null"...), true
	}
}

// writeContexts adds the variables that an entry takes from contexts to a request.
func (c *call) writeContexts(e *plan.Entry, g *contextual) {
	for i, ctx := range e.Contexts {
		c.body = append(c.body, '"')
		c.body = append(c.body, ctx.Variable...)
		c.body = append(c.body, `":`...)
		c.body = append(c.body, g.values[i]...)
		c.body = append(c.body, ',')
	}
}
