package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkSharedTypes compares what subgraphs can return for an abstract field that several of them answer. Whoever answers, the value is the
// same, so a type that only one of them knows is suspicious, and having none in common is a mistake.
func (w *walk) checkSharedTypes(def *ast.Definition, f *ast.FieldDefinition, sources []standing, s situation) {
	coordinate := def.Name + "." + f.Name
	if len(sources) < 2 || w.shared[coordinate] {
		return
	}
	if t := w.m.types[f.Type.Name()]; t == nil || !t.IsAbstractType() {
		return
	}
	var said []string
	var sites []site
	var common []string
	same := true
	for i, st := range sources {
		local := w.m.definitionIn(st.sub, def.Name)
		field := local.Fields.ForName(f.Name)
		types := runtimeTypes(st.sub, field.Type.Name())
		if i == 0 {
			common = types
		} else {
			same = same && slices.Equal(types, runtimeTypes(sources[0].sub, w.m.definitionIn(sources[0].sub, def.Name).Fields.ForName(f.Name).Type.Name()))
			common = slices.DeleteFunc(slices.Clone(common), func(t string) bool { return !slices.Contains(types, t) })
		}
		said = append(said, fmt.Sprintf("subgraph %q returns %s", st.sub.name, strings.Join(types, ", ")))
		sites = append(sites, site{st.sub, field.Position})
	}
	if same {
		return
	}
	w.shared[coordinate] = true
	if len(common) > 0 {
		w.m.r.hint(InconsistentRuntimeTypes, sites, "%s is shared but does not return the same types everywhere: %s", coordinate, strings.Join(said, "; "))
		return
	}
	w.m.r.fail(ShareableMismatchedTypes, sites, "in this query:\n%s\n%s is shared, but its subgraphs have no type in common to return:\n- %s",
		counterExample(&step{s.path, f.Name}, w.m.types[f.Type.Name()]), coordinate, strings.Join(said, "\n- "))
}

// runtimeTypes lists what a value that the subgraph declares to be of the type can be, sorted.
func runtimeTypes(s *subgraph, typ string) []string {
	def := s.has(typ)
	if !def.IsAbstractType() {
		return []string{typ}
	}
	var out []string
	for _, t := range s.schema.GetPossibleTypes(def) {
		out = append(out, t.Name)
	}
	slices.Sort(out)
	return out
}
