package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// cell is the place of a slot in its record. Cells are united when one fetch completes records of several
// sites: then all of them share a layout.
type cell struct {
	up    *cell
	index int
}

func (c *cell) find() *cell {
	for c.up != nil {
		c = c.up
	}
	return c
}

func (c *cell) unite(d *cell) {
	if c, d = c.find(), d.find(); c != d {
		d.up = c
	}
}

type layout struct {
	up    *layout
	cells []*cell
	out   *Layout
}

func (l *layout) find() *layout {
	for l.up != nil {
		l = l.up
	}
	return l
}

func (l *layout) unite(m *layout) {
	if l, m = l.find(), m.find(); l != m {
		m.up = l
		l.cells = append(l.cells, m.cells...)
		m.cells = nil
	}
}

// finisher turns the builder's entries into the plan.
type finisher struct {
	*builder
	bySlot  map[*slot][]*selField
	conds   map[*entry]cond
	fetchOf map[*entry]*Fetch
}

func (b *builder) finish() *Plan {
	f := &finisher{builder: b, bySlot: map[*slot][]*selField{}, conds: map[*entry]cond{}, fetchOf: map[*entry]*Fetch{}}
	f.widenConditions()
	groups := f.groupEntries()
	merged := make([][]*entryGroup, 0, len(groups))
	for _, g := range groups {
		merged = append(merged, f.mergeEqual(g))
	}
	f.assignCells(b.root)
	p := &Plan{
		Root: b.root.layout.find().out, Output: b.root.outputFor(b.parts[0]), RootType: b.rootType,
		operation: b.op.Operation, name: b.op.Name, types: b.sg.Objects(), labels: b.given.on(), stopped: b.stopped,
	}
	for _, o := range b.outputs {
		o.field.Slot = o.slot.cell.find().index
	}
	f.simplify(b.root)
	f.buildFetches(p, merged)
	p.Conditions = b.conds
	return p
}

// widenConditions makes a field as wanted as what is under it, and as the entities that it is a key of.
func (f *finisher) widenConditions() {
	for _, e := range f.entries {
		f.index(e.sel)
	}
	byStage := slices.Clone(f.entries)
	slices.SortStableFunc(byStage, func(x, y *entry) int { return y.stage - x.stage })
	for _, e := range byStage {
		c := f.widen(e.sel).either(e.cond)
		f.conds[e] = c
		for _, r := range e.reps {
			f.widenRep(r.fields, c)
		}
		for _, d := range e.deps {
			if d.of != nil { // without it the types of e's objects are not known
				d.cond = d.cond.union(c)
			}
		}
		for _, v := range e.contexts {
			for _, s := range v.sources {
				f.widenRep(s.fields, c)
			}
		}
	}
	for _, e := range f.entries { // keys may sit deep in an answer
		f.conds[e] = f.widen(e.sel).either(e.cond)
	}
}

func (f *finisher) index(s *selection) {
	for _, sf := range s.fields {
		f.bySlot[sf.slot] = append(f.bySlot[sf.slot], sf)
		if sf.child != nil {
			f.index(sf.child)
		}
	}
}

func (f *finisher) widen(s *selection) cond {
	var all cond
	for _, sf := range s.fields {
		if sf.child != nil {
			under := f.widen(sf.child)
			if !f.acts(s.site) { // a mutation's field has its turn and no other
				sf.cond = sf.cond.union(under)
			}
		}
		all = all.either(sf.cond)
	}
	if !f.acts(s.site) {
		all = all.bounded()
	}
	return all
}

func (f *finisher) widenRep(fields []*repField, c cond) {
	for _, rf := range fields {
		for _, sf := range f.bySlot[rf.slot] {
			sf.cond = sf.cond.union(c)
		}
		f.widenRep(rf.child, c)
	}
}

// entryGroup is entries that are one in the request: same selection, same representations.
type entryGroup struct {
	entries []*entry
	text    string
	vars    map[string]bool
}

// groupEntries gathers the entries of each request: by part, stage and subgraph.
func (f *finisher) groupEntries() [][]*entry {
	entries := slices.Clone(f.entries)
	slices.SortStableFunc(entries, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(x.part.index, y.part.index), cmp.Compare(x.stage, y.stage), cmp.Compare(x.graph, y.graph))
	})
	var groups [][]*entry
	for _, e := range entries {
		if n := len(groups) - 1; n >= 0 {
			if first := groups[n][0]; first.part == e.part && first.stage == e.stage && first.graph == e.graph && first.reps != nil && e.reps != nil {
				groups[n] = append(groups[n], e)
				continue
			}
		}
		groups = append(groups, []*entry{e})
	}
	return groups
}

func (f *finisher) mergeEqual(entries []*entry) []*entryGroup {
	var out []*entryGroup
	bySignature := map[string]*entryGroup{}
	for _, e := range entries {
		r := &renderer{b: f.builder, vars: map[string]bool{}}
		r.entry(e, f.conds[e])
		g := &entryGroup{entries: []*entry{e}, text: r.String(), vars: r.vars}
		sig := repSignature(e) + g.text + f.conds[e].key()
		if have := bySignature[sig]; have != nil && len(e.contexts) == 0 && canUnite(have.entries[0].sel, e.sel) {
			uniteSelections(have.entries[0].sel, e.sel)
			uniteReps(have.entries[0].reps, e.reps)
			have.entries = append(have.entries, e)
			continue
		}
		bySignature[sig] = g
		out = append(out, g)
	}
	return out
}

// name is what the subgraph of an entry calls the type.
func (r *rep) name(e *entry) string {
	if r.typ == nil {
		return e.of.Name
	}
	return r.typ.In[e.graph].NameIn
}

func repSignature(e *entry) string {
	var b strings.Builder
	var fields func(fs []*repField)
	fields = func(fs []*repField) {
		for _, f := range fs {
			b.WriteString(f.name)
			for _, t := range f.types {
				b.WriteString("@" + t.Name)
			}
			b.WriteString(" {")
			fields(f.child)
			b.WriteString("} ")
		}
	}
	for _, r := range e.reps {
		b.WriteString(r.name(e))
		if r.typ != nil { // interface objects have several types under one name
			b.WriteString("=" + r.typ.Name)
		}
		b.WriteString(":")
		fields(r.fields)
	}
	return b.String()
}

func canUnite(a, b *selection) bool {
	if a.site == b.site || len(a.fields) != len(b.fields) {
		return false
	}
	for i, f := range a.fields {
		g := b.fields[i]
		if f.alias != g.alias || f.slot.field != g.slot.field || (f.child == nil) != (g.child == nil) {
			return false
		}
		if f.child != nil && f.child.site != g.child.site && !canUnite(f.child, g.child) {
			return false
		}
	}
	return true
}

func uniteSelections(a, b *selection) {
	a.site.layout.unite(b.site.layout)
	for i, f := range a.fields {
		g := b.fields[i]
		f.slot.cell.unite(g.slot.cell)
		if f.child != nil && f.child.site != g.child.site {
			uniteSelections(f.child, g.child)
		}
	}
}

func uniteReps(a, b []*rep) {
	var fields func(x, y []*repField)
	fields = func(x, y []*repField) {
		for i := range x {
			x[i].slot.cell.unite(y[i].slot.cell)
			if c, d := x[i].slot.child, y[i].slot.child; c != nil && d != nil {
				c.layout.unite(d.layout)
			}
			fields(x[i].child, y[i].child)
		}
	}
	for i := range a {
		fields(a[i].fields, b[i].fields)
	}
}

// assignCells numbers the slots of every layout under a site.
func (f *finisher) assignCells(s *site) {
	if l := s.layout.find(); l.out == nil {
		l.out = &Layout{}
		seen := map[*cell]bool{}
		for _, c := range l.cells {
			if c = c.find(); !seen[c] {
				seen[c] = true
				c.index = l.out.Slots
				l.out.Slots++
			}
		}
	}
	for _, sl := range s.slots {
		if sl.child != nil {
			f.assignCells(sl.child)
		}
	}
}

// simplify marks sites where all types print alike.
func (f *finisher) simplify(s *site) {
	for _, o := range s.outputs {
		var only *Variant
		same := len(o.ByType) == len(s.types)
		for _, v := range o.ByType {
			if only != nil && v != only {
				same = false
			}
			only = v
		}
		if same {
			o.Only = only
		}
	}
	for _, sl := range s.slots {
		if sl.child != nil {
			f.simplify(sl.child)
		}
	}
}

func (f *finisher) buildFetches(p *Plan, groups [][]*entryGroup) {
	f.buildParts(p)
	part, stage := 0, -1
	stages := &p.Stages
	for i, g := range groups {
		first := g[0].entries[0]
		if first.part.index != part {
			part, stage = first.part.index, -1
			stages = &p.Deferred[part-1].Stages
		}
		if first.stage != stage {
			stage = first.stage
			*stages = append(*stages, nil)
		}
		fetch := f.buildFetch(g, i)
		(*stages)[len(*stages)-1] = append((*stages)[len(*stages)-1], fetch)
		for _, eg := range g {
			for _, e := range eg.entries {
				f.fetchOf[e] = fetch
			}
		}
	}
	f.orderFetches(p)
}

func (f *finisher) buildFetch(groups []*entryGroup, n int) *Fetch {
	first := groups[0].entries[0]
	fetch := &Fetch{
		Subgraph: f.sg.Subgraphs()[first.graph].Name, Operation: f.op.Operation, Index: n, Part: first.part.index - 1,
		graph: first.graph, stage: first.stage,
	}
	if first.site != f.root || first.reps != nil {
		fetch.Operation = ast.Query
	}
	var all cond
	vars := map[string]bool{}
	for _, g := range groups {
		maps.Copy(vars, g.vars)
	}
	for i, g := range groups {
		e := &Entry{Cond: f.condID(f.conds[g.entries[0]]), vars: g.vars, text: g.text}
		all = all.either(f.conds[g.entries[0]])
		for _, ge := range g.entries {
			if ge.site != f.root {
				e.Paths = append(e.Paths, pathTo(ge.site))
			}
		}
		if first.reps != nil {
			e.Alias, e.Variable = "_entities", "representations"
			if len(groups) > 1 {
				e.Alias, e.Variable = "_e"+strconv.Itoa(i), "_r"+strconv.Itoa(i)
				e.suffix = "_" + strconv.Itoa(i)
			}
			f.exportContexts(e, g.entries[0], vars)
			for vars[e.Variable] { // the client has a variable of that name
				e.Variable += "_"
			}
			for _, r := range g.entries[0].reps {
				e.Representations = append(e.Representations, &Representation{
					Type: r.typ, TypeName: r.name(g.entries[0]), Fields: exportRep(r.fields), Cond: f.condID(f.condOf(g.entries[0], r)),
				})
			}
		}
		e.Selection = f.exportSelection(g.entries[0].sel)
		fetch.Entries = append(fetch.Entries, e)
	}
	fetch.Cond = f.condID(all)
	f.define(fetch, vars, n)
	return fetch
}

// condOf is when something is asked of the objects of a representation.
func (f *finisher) condOf(e *entry, r *rep) cond {
	if r.typ == nil {
		return f.conds[e]
	}
	var c cond
	for _, sf := range e.sel.fields {
		if slices.Contains(sf.types, r.typ) {
			c = c.union(sf.cond)
		}
	}
	if c == nil {
		return f.conds[e]
	}
	return c
}

func pathTo(s *site) Path {
	var p Path
	for ; s.via != nil; s = s.parent {
		name := s.via.respKey
		if name == "" {
			name = s.via.name
		}
		p = append(p, Step{s.via.cell.find().index, name, listDepth(s)})
	}
	slices.Reverse(p)
	return p
}

func listDepth(s *site) int {
	for _, t := range s.parent.types {
		if f := t.Field(s.via.name); f != nil {
			depth := 0
			for typ := f.Def.Type; typ.Elem != nil; typ = typ.Elem {
				depth++
			}
			return depth
		}
	}
	return 0
}

func exportRep(fields []*repField) []*RepField {
	var out []*RepField
	for _, f := range fields {
		out = append(out, &RepField{
			Name: f.name, Slot: f.slot.cell.find().index, Key: f.key, Child: exportRep(f.child),
			Types: f.types, Abstract: f.abstract,
		})
	}
	return out
}

func (f *finisher) exportSelection(s *selection) *Selection {
	out := &Selection{Layout: s.site.layout.find().out}
	if len(s.types) == 1 && !s.stub {
		out.Type = s.types[0]
	}
	if !s.stub && (s.typename || len(s.fields) == 0) { // an interface object has no name to tell
		out.Fields = append(out.Fields, &SelectionField{Key: "__typename", Quoted: jsonKey("__typename"), TypeName: true, Cond: Always})
		if out.Type == nil {
			out.TypeIDs = make(map[string]int, len(s.types))
			for _, t := range s.types {
				out.TypeIDs[t.Name] = t.ID
			}
		}
	}
	for _, sf := range s.fields {
		of := &SelectionField{
			Key: sf.alias, Quoted: jsonKey(sf.alias), Client: sf.slot.respKey, Slot: sf.slot.cell.find().index,
			Cond: f.condID(sf.cond), Types: sf.types,
		}
		if sf.child != nil {
			of.Child = f.exportSelection(sf.child)
		}
		out.Fields = append(out.Fields, of)
	}
	return out
}

func (b *builder) variableDefinition(name string) *ast.VariableDefinition {
	for _, v := range b.op.VariableDefinitions {
		if v.Variable == name {
			return v
		}
	}
	return nil
}
