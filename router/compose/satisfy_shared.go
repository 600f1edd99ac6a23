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
	var first, common, declared []string
	equal, same := true, true
	for i, st := range sources {
		field := w.m.definitionIn(st.sub, def.Name).Fields.ForName(f.Name)
		types, abstract := w.runtimeTypes(st.sub, field.Type.Name())
		if i == 0 {
			first, common = types, types
		}
		equal = equal && slices.Equal(types, first)
		common = slices.DeleteFunc(slices.Clone(common), func(t string) bool { return !slices.Contains(types, t) })
		if abstract { // who declares an object type never meant to return another
			same = same && (declared == nil || slices.Equal(types, declared))
			declared = types
		}
		said = append(said, fmt.Sprintf("subgraph %q returns %s", st.sub.name, strings.Join(types, ", ")))
		sites = append(sites, site{st.sub, field.Position})
	}
	if equal || same && len(common) > 0 {
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

// runtimeTypes lists what a value that the subgraph declares to be of the type can be, sorted; an interface object stands for every implementer.
func (w *walk) runtimeTypes(s *subgraph, typ string) (types []string, abstract bool) {
	def := s.has(typ)
	switch {
	case isInterfaceObject(def):
		types = slices.Clone(w.m.members(w.m.types[typ]))
	case def.IsAbstractType():
		for _, t := range s.schema.GetPossibleTypes(def) {
			types = append(types, t.Name)
		}
	default:
		return []string{typ}, false
	}
	slices.Sort(types)
	return types, true
}
