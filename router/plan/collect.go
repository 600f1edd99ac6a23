package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// subset is a selection set of the client with the conditions that lead to it and the part that it belongs to.
type subset struct {
	set  ast.SelectionSet
	on   clause
	part *part
}

// site is a place in the response: the objects under one slot of the parent's objects.
type site struct {
	parent  *site
	via     *slot
	types   []*federation.Type // concrete types that may stand here
	depth   int
	layout  *layout
	slots   []*slot
	byField map[string][]*slot  // by name and arguments
	byKey   map[slotKey][]*slot // that the client asked for
	groups  []*group
	entries []*entry // hops into this site
	outputs []siteOutput
	fills   []fill // for which arrivals and parts the client's fields were obtained, in order
}

// slot is a field of the objects at a site. The same field with the same arguments and response key is one
// slot, unless types need different selections under it.
type slot struct {
	owner   *site
	respKey string // the client's; empty when only the planner asked
	name    string
	args    ast.ArgumentList
	field   string // name and arguments, canonical
	typ     *federation.Type
	child   *site // nil for leaves
	cell    *cell
}

// group is a set of concrete types at a site for which the client selects the same.
type group struct {
	bySlot   map[wantKey]*want // of many wants
	types    []*federation.Type
	wants    []*want
	typename bool
}

// want is one field to obtain for some concrete types, for one part of the answer.
type want struct {
	slot  *slot
	part  *part
	types []*federation.Type
	cond  cond
	subs  []subset
	field *ast.Field // the client's first mention
	key   bool       // a key field, which parts that come before may well fetch
}

// slotKey is a response key with what it stands for.
type slotKey struct{ key, field string }

// collected is a response key while fields are merged.
type collected struct {
	slotKey slotKey // once asked for
	key     string
	field   *ast.Field
	denied  bool
	in      byPart
	subs    []subset
	typ     *federation.Type   // of the field, in one of the group's types
	under   []*federation.Type // concrete types of the values, over all of the group's types
}

// mention is a place where a response key stands. A key is printed where it is first wanted, which depends on
// conditions.
type mention struct {
	*collected
	part   *part
	cond   clause
	unless cond // conditions of the mentions before
}

func (b *builder) newSite(parent *site, via *slot, types []*federation.Type) *site {
	s := &site{parent: parent, via: via, types: types, layout: &layout{}, byField: map[string][]*slot{}, byKey: map[slotKey][]*slot{}}
	if parent != nil {
		s.depth = parent.depth + 1
	}
	b.sites = append(b.sites, s)
	return s
}

// collectSite merges the client's selections at a site, expanded by concrete type, and fixes how the
// site is printed. Types that select alike are treated as one, so that an interface without
// conditions costs no more than an object.
func (b *builder) collectSite(s *site, subs []subset) error {
	if err := b.step(1); err != nil {
		return err
	}
	conditions := b.typeConditions(subs)
	bySignature := map[string]*group{}
	for _, t := range s.types {
		sig := b.signature(t, conditions) + b.deniedOf(t)
		g := bySignature[sig]
		if g == nil {
			g = &group{}
			bySignature[sig] = g
			s.groups = append(s.groups, g)
		}
		g.types = append(g.types, t)
	}
	for _, sub := range subs {
		s.outputFor(sub.part)
	}
	given := len(s.outputs)
	for _, g := range s.groups {
		if err := b.collectGroup(s, g, subs, given); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) typeConditions(subs []subset) []*federation.Type {
	var found []*federation.Type
	var walk func(set ast.SelectionSet)
	add := func(name string) {
		if t := b.sg.Type(name); t != nil && !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.InlineFragment:
				add(sel.TypeCondition)
				walk(sel.SelectionSet)
			case *ast.FragmentSpread:
				if sel.Definition != nil {
					add(sel.Definition.TypeCondition)
					walk(sel.Definition.SelectionSet)
				}
			}
		}
	}
	for _, sub := range subs {
		walk(sub.set)
	}
	return found
}

func (b *builder) signature(t *federation.Type, conditions []*federation.Type) string {
	sig := make([]byte, len(conditions))
	for i, c := range conditions {
		sig[i] = '-'
		if isPossible(c, t) {
			sig[i] = '+'
		}
	}
	return string(sig)
}

func isPossible(abstract, t *federation.Type) bool {
	if abstract == t {
		return true
	}
	_, ok := slices.BinarySearchFunc(abstract.Possible, t.ID, func(p *federation.Type, id int) int { return p.ID - id })
	return ok && abstract.IsAbstract()
}

// collectGroup merges fields for one group. The first given outputs of the site belong to parts that begin above it.
func (b *builder) collectGroup(s *site, g *group, subs []subset, given int) error {
	fields, denied := map[string]*collected{}, map[string]*collected{}
	var order []mention
	var opened byPart
	var walk func(set ast.SelectionSet, on clause, in *part) error
	visit := func(sel ast.Selection, typeCondition string, ds ast.DirectiveList, set ast.SelectionSet, on clause, in *part) error {
		inner, ok := on.with(ds)
		if !ok {
			return nil
		}
		if typeCondition != "" {
			if c := b.sg.Type(typeCondition); c == nil || !isPossible(c, g.types[0]) {
				return nil
			}
		}
		if d := b.deferred(s, ds); d != nil {
			in = b.partOf(s, sel, d, in)
			opened = opened.or(in, inner)
		}
		return walk(set, inner, in)
	}
	walk = func(set ast.SelectionSet, on clause, in *part) error {
		if err := b.step(len(set)); err != nil {
			return err
		}
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				inner, ok := on.with(sel.Directives)
				if !ok {
					continue
				}
				byKey := fields
				if b.denied(g, sel) {
					byKey = denied
				}
				c := byKey[sel.Alias]
				if c == nil {
					c = &collected{key: sel.Alias, field: sel, denied: b.denied(g, sel)}
					byKey[sel.Alias] = c
				}
				before := c.in.cond(in)
				if err := b.step(len(before)); err != nil {
					return err
				}
				if !slices.ContainsFunc(before, func(have clause) bool { return inner.implies(have) }) {
					order = append(order, mention{c, in, inner, before})
				}
				c.in = c.in.or(in, inner)
				if len(sel.SelectionSet) > 0 {
					c.subs = append(c.subs, subset{sel.SelectionSet, inner, in})
				}
			case *ast.InlineFragment:
				if err := visit(sel, sel.TypeCondition, sel.Directives, sel.SelectionSet, on, in); err != nil {
					return err
				}
			case *ast.FragmentSpread:
				if sel.Definition == nil {
					continue
				}
				if err := visit(sel, sel.Definition.TypeCondition, sel.Directives, sel.Definition.SelectionSet, on, in); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, sub := range subs {
		if err := walk(sub.set, sub.on, sub.part); err != nil {
			return err
		}
	}
	order = yieldToAllowed(order, fields)
	if err := b.finishGroup(s, g, order); err != nil {
		return err
	}
	if b.acts(s) {
		b.mentions = order
	}
	b.printGroup(s, g, order, opened, given)
	return nil
}

// finishGroup gives each merged field its slot.
func (b *builder) finishGroup(s *site, g *group, order []mention) error {
	for _, c := range order {
		if c.unless != nil || c.denied {
			continue
		}
		if c.field.Name == "__typename" {
			g.typename = true
			continue
		}
		if introspects(c.field) {
			continue
		}
		if err := b.typeOf(c.collected, g); err != nil {
			return err
		}
		sl, err := b.clientSlot(s, c.collected)
		if err != nil {
			return err
		}
		w := g.want(sl, c.part)
		if w == nil {
			w = &want{slot: sl, part: c.part, subs: c.subs, field: c.field}
			g.wants = append(g.wants, w)
		}
		w.types = g.types
		w.cond = c.in.cond(c.part).bounded()
	}
	return nil
}

// typeOf finds the type of a merged field. Implementers may narrow it, each in its own way.
func (b *builder) typeOf(c *collected, g *group) error {
	for _, t := range g.types {
		f := t.Field(c.field.Name)
		if f == nil {
			return fmt.Errorf("no field %s on %s", c.field.Name, t.Name)
		}
		ft := b.sg.Type(f.Def.Type.Name())
		if ft == c.typ {
			continue
		}
		c.typ = ft
		switch {
		case !ft.IsComposite():
		case c.under == nil:
			c.under = ft.Possible
		default:
			c.under = unionTypes(c.under, ft.Possible)
		}
	}
	return nil
}

func unionTypes(a, b []*federation.Type) []*federation.Type {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y *federation.Type) int { return x.ID - y.ID })
	return slices.Compact(all)
}

func (g *group) want(sl *slot, in *part) *want {
	if len(g.wants) >= manyFields {
		return g.index()[wantKey{sl, in}]
	}
	for _, w := range g.wants {
		if w.slot == sl && w.part == in {
			return w
		}
	}
	return nil
}

type wantKey struct {
	slot *slot
	part *part
}

// index is by slot and part; it follows what was added to the wants since it was asked for last.
func (g *group) index() map[wantKey]*want {
	if g.bySlot == nil {
		g.bySlot = map[wantKey]*want{}
	}
	for _, w := range g.wants[len(g.bySlot):] {
		g.bySlot[wantKey{w.slot, w.part}] = w
	}
	return g.bySlot
}

// clientSlot finds or makes the slot of a merged field. A field with the same selections under it is the same
// slot for all types, which keeps nested interfaces from multiplying.
func (b *builder) clientSlot(s *site, c *collected) (*slot, error) {
	if sl := b.findSlot(s, c); sl != nil {
		return sl, nil
	}
	sl := b.addSlot(s, c.key, c.field.Name, c.field.Arguments, c.typ)
	b.slotSubs[sl] = c.subs
	if c.typ.IsComposite() {
		sl.child = b.newSite(s, sl, c.under)
		if err := b.collectSite(sl.child, c.subs); err != nil {
			return nil, err
		}
	}
	return sl, nil
}

func (b *builder) findSlot(s *site, c *collected) *slot {
	if c.slotKey.field == "" {
		c.slotKey = slotKey{c.key, fieldKey(c.field.Name, c.field.Arguments)}
	}
	for _, sl := range s.byKey[c.slotKey] {
		if !sameSubs(b.slotSubs[sl], c.subs) {
			continue
		}
		if sl.child == nil && c.under == nil || sl.child != nil && slices.Equal(sl.child.types, c.under) {
			return sl
		}
	}
	return nil
}

func sameSubs(a, b []subset) bool {
	return slices.EqualFunc(a, b, func(x, y subset) bool {
		return len(x.set) == len(y.set) && &x.set[0] == &y.set[0] && slices.Equal(x.on, y.on) && x.part == y.part
	})
}

func (b *builder) addSlot(s *site, key, name string, args ast.ArgumentList, t *federation.Type) *slot {
	sl := &slot{owner: s, respKey: key, name: name, args: args, field: fieldKey(name, args), typ: t, cell: &cell{}}
	s.slots = append(s.slots, sl)
	s.byField[sl.field] = append(s.byField[sl.field], sl)
	if key != "" {
		k := slotKey{key, sl.field}
		s.byKey[k] = append(s.byKey[k], sl)
	}
	s.layout.find().cells = append(s.layout.find().cells, sl.cell)
	return sl
}

// internalSlot is a slot for what the planner itself needs: the client's own where there is one.
func (b *builder) internalSlot(s *site, name string, args ast.ArgumentList, t *federation.Type) *slot {
	if sl := s.slotFor(name, args, t); sl != nil {
		return sl
	}
	sl := b.addSlot(s, "", name, args, t)
	if t.IsComposite() {
		sl.child = b.newSite(s, sl, t.Possible)
	}
	return sl
}

// slotFor is a slot that holds what the planner wants of a field; nil: there is none yet.
func (s *site) slotFor(name string, args ast.ArgumentList, t *federation.Type) *slot {
	for _, sl := range s.byField[fieldKey(name, args)] {
		if sl.typ == t && (sl.child == nil || slices.Equal(sl.child.types, t.Possible)) {
			return sl
		}
	}
	return nil
}

func fieldKey(name string, args ast.ArgumentList) string {
	if len(args) == 0 {
		return name
	}
	sorted := slices.Clone(args)
	slices.SortFunc(sorted, func(a, b *ast.Argument) int { return strings.Compare(a.Name, b.Name) })
	var k strings.Builder
	k.WriteString(name)
	for _, a := range sorted {
		k.WriteByte(',')
		k.WriteString(a.Name)
		k.WriteByte(':')
		k.WriteString(a.Value.String())
	}
	return k.String()
}
