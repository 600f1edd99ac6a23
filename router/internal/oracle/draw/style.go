package draw

import (
	"fmt"
	"strings"
)

// linked are the directives that subgraphs link.
var linked = []string{
	"key", "external", "requires", "provides", "override", "extends", "shareable", "interfaceObject", "inaccessible", "tag", "context", "fromContext",
}

// style is how a subgraph writes what it means: by which names it imports federation's directives, and how it calls its roots.
type style struct {
	fed1     bool // no link to federation 2
	prefix   string
	imported map[string]string // local names; a directive that is not in it goes under the prefix
	roots    map[string]string // Query and Mutation, where they are called otherwise
}

func (d *drawer) style() style {
	s := style{prefix: "federation", imported: map[string]string{}, roots: map[string]string{}}
	if d.one(6) {
		s.fed1 = true
		d.note("federation 1")
		return s
	}
	odd := d.one(4)
	if odd {
		d.note("directives under other names")
		s.prefix = pick(d, []string{"federation", "fed"})
	}
	for _, name := range linked {
		switch {
		case odd && d.one(4):
		case odd && d.one(4):
			s.imported[name] = "my" + strings.ToUpper(name[:1]) + name[1:]
		default:
			s.imported[name] = name
		}
	}
	if d.one(8) {
		s.roots["Query"] = "Questions"
		d.note("roots under other names")
		if d.one(2) {
			s.roots["Mutation"] = "Deeds"
		}
	}
	return s
}

// header links federation and names the roots.
func (s style) header(mutates, subscribes bool) string {
	var b strings.Builder
	if !s.fed1 {
		var imports []string
		for _, name := range linked {
			switch as, ok := s.imported[name]; {
			case ok && as == name:
				imports = append(imports, fmt.Sprintf("%q", "@"+name))
			case ok:
				imports = append(imports, fmt.Sprintf("{name: %q, as: %q}", "@"+name, "@"+as))
			}
		}
		as := ""
		if s.prefix != "federation" {
			as = fmt.Sprintf(", as: %q", s.prefix)
		}
		fmt.Fprintf(&b, "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\"%s, import: [%s])\n", as, strings.Join(imports, ", "))
	}
	if len(s.roots) > 0 {
		fmt.Fprintf(&b, "schema { query: %s", s.typ("Query"))
		if mutates {
			fmt.Fprintf(&b, " mutation: %s", s.typ("Mutation"))
		}
		if subscribes {
			b.WriteString(" subscription: Subscription")
		}
		b.WriteString(" }\n")
	}
	return b.String()
}

// mark is a directive under its local name.
func (s style) mark(text string) string {
	name, rest, _ := strings.Cut(text, "(")
	if rest != "" {
		rest = "(" + rest
	}
	canonical := strings.TrimPrefix(name, "@")
	if s.fed1 {
		return text
	}
	if as, ok := s.imported[canonical]; ok {
		return "@" + as + rest
	}
	return "@" + s.prefix + "__" + canonical + rest
}

// typ is a type with its roots under their local names.
func (s style) typ(text string) string {
	for name, as := range s.roots {
		if strings.Trim(text, "[]!") == name {
			return strings.Replace(text, name, as, 1)
		}
	}
	return text
}
