package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// A denied field is neither wanted nor fetched. It is printed as null with an error, where the client asked for it.

// denied says whether the client may not see a selected field of the objects of a group.
func (b *builder) denied(g *group, f *ast.Field) bool {
	if b.given.Denies == nil || strings.HasPrefix(f.Name, "__") {
		return false
	}
	return b.given.Denies(g.types[0].Name, f.Name) ||
		f.ObjectDefinition != nil && b.given.Denies(f.ObjectDefinition.Name, f.Name)
}

// deniedOf lists the fields of a type that are denied: types for which they differ are not treated alike.
func (b *builder) deniedOf(t *federation.Type) string {
	if b.given.Denies == nil {
		return ""
	}
	var names []string
	for _, f := range t.Fields {
		if b.given.Denies(t.Name, f.Name) {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// yieldToAllowed makes mentions of denied fields give way to mentions of the same key that are allowed: a field may be denied through
// an interface and allowed of the type itself.
func yieldToAllowed(order []mention, allowed map[string]*collected) []mention {
	kept := order[:0]
	for _, m := range order {
		if c := allowed[m.key]; m.denied && c != nil {
			m.unless = m.unless.union(c.in.cond(m.part))
			if m.unless.isTrue() {
				continue
			}
		}
		kept = append(kept, m)
	}
	return kept
}
