package limits

import "github.com/vektah/gqlparser/v2/ast"

// size of a selection set with its fragments spread out.
type size struct {
	depth, top, fields, aliases, directives int
	fragments                               int            // that stand in one another
	repeats                                 int            // of the key that one set has most often
	keys                                    map[string]int // of the set itself, how often each
	values                                  values
}

type counter struct {
	doc          *ast.QueryDocument
	known        map[string]*size // by fragment name; empty while it is being counted, which cuts cycles
	maxFields    int
	maxFragments int
	within       int  // so many fragments
	full         bool // more fields or fragments were seen than any limit allows: what is counted from here on does not matter
}

func (c *counter) selection(set ast.SelectionSet) *size {
	total := &size{keys: make(map[string]int, len(set))}
	for _, sel := range set {
		if c.full {
			break
		}
		switch sel := sel.(type) {
		case *ast.Field:
			total.addField(c, sel)
		case *ast.InlineFragment:
			total.spread(c.inside(sel.SelectionSet), sel.Directives)
		case *ast.FragmentSpread:
			total.spread(c.fragment(sel.Name), sel.Directives)
		}
		c.full = c.full || total.fields > c.maxFields
	}
	return total
}

// inside is the size of a fragment's selection set. Each fragment around it passes its keys on: past the limit nothing is counted that would have
// to go all the way up.
func (c *counter) inside(set ast.SelectionSet) *size {
	c.within++
	defer func() { c.within-- }()
	if c.full = c.full || c.within > c.maxFragments; c.full {
		return &size{}
	}
	return c.selection(set)
}

func (s *size) addField(c *counter, f *ast.Field) {
	one := size{depth: 1, top: 1, fields: 1, directives: len(f.Directives)}
	if f.Alias != f.Name {
		one.aliases = 1
	}
	for _, a := range f.Arguments {
		one.values.count(a.Value, 1)
	}
	one.arguments(f.Directives)
	if len(f.SelectionSet) > 0 {
		below := c.selection(f.SelectionSet)
		one.depth += below.depth
		one.fields = add(one.fields, below.fields)
		one.aliases = add(one.aliases, below.aliases)
		one.directives = add(one.directives, below.directives)
		one.fragments = below.fragments
		one.repeats = below.repeats
		one.values.merge(below.values)
	}
	s.merge(&one, nil)
	s.keep(f.Alias, 1)
}

func (s *size) keep(key string, times int) {
	s.keys[key] = add(s.keys[key], times)
	s.repeats = max(s.repeats, s.keys[key])
}

// spread adds what a fragment selects.
func (s *size) spread(fragment *size, ds ast.DirectiveList) {
	s.merge(fragment, ds)
	s.fragments = max(s.fragments, fragment.fragments+1)
}

// merge adds what is selected beside the rest, under the directives of its fragment.
func (s *size) merge(o *size, ds ast.DirectiveList) {
	s.depth = max(s.depth, o.depth)
	s.top = add(s.top, o.top)
	s.fields = add(s.fields, o.fields)
	s.aliases = add(s.aliases, o.aliases)
	s.directives = add(s.directives, add(o.directives, len(ds)))
	s.fragments = max(s.fragments, o.fragments)
	s.repeats = max(s.repeats, o.repeats)
	s.values.merge(o.values)
	s.arguments(ds)
	for key, times := range o.keys {
		s.keep(key, times)
	}
}

// arguments counts the literals of directives.
func (s *size) arguments(ds ast.DirectiveList) {
	for _, d := range ds {
		for _, a := range d.Arguments {
			s.values.count(a.Value, 1)
		}
	}
}

func (c *counter) fragment(name string) *size {
	if s, ok := c.known[name]; ok {
		return s
	}
	c.known[name] = &size{}
	def := c.doc.Fragments.ForName(name)
	if def == nil {
		return c.known[name]
	}
	s := c.inside(def.SelectionSet)
	s.directives = add(s.directives, len(def.Directives))
	s.arguments(def.Directives)
	c.known[name] = s
	return s
}

// values are what stands in literals or variables.
type values struct {
	depth int // lists and objects around a value, and itself
	items int // of the longest list
	total int
}

func (v *values) merge(o values) {
	v.depth, v.items, v.total = max(v.depth, o.depth), max(v.items, o.items), add(v.total, o.total)
}

// count looks at a literal. Its size is bounded by the tokens of the text.
func (v *values) count(literal *ast.Value, depth int) {
	if literal == nil {
		return
	}
	v.total = add(v.total, 1)
	v.depth = max(v.depth, depth)
	if literal.Kind == ast.ListValue {
		v.items = max(v.items, len(literal.Children))
	}
	for _, c := range literal.Children {
		v.count(c.Value, depth+1)
	}
}

// countJSON looks at a variable. It is false when there is more than most, and then stops.
func (v *values) countJSON(value any, depth, most int) bool {
	v.total++
	v.depth = max(v.depth, depth)
	if v.total > most {
		return false
	}
	switch value := value.(type) {
	case []any:
		v.items = max(v.items, len(value))
		for _, item := range value {
			if !v.countJSON(item, depth+1, most) {
				return false
			}
		}
	case map[string]any:
		for _, field := range value {
			if !v.countJSON(field, depth+1, most) {
				return false
			}
		}
	}
	return true
}

const most = 1 << 30

// add does not overflow: fragments that double each other forty times would.
func add(a, b int) int { return min(a+b, most) }
