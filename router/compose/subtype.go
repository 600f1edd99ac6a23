package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// isSubtype reports whether every value of sub is one of super, as output types go: non-null, lists, implementers and union members.
func (m *merger) isSubtype(sub, super *ast.Type) bool {
	if super.NonNull && !sub.NonNull {
		return false
	}
	if super.Elem != nil || sub.Elem != nil {
		return super.Elem != nil && sub.Elem != nil && m.isSubtype(sub.Elem, super.Elem)
	}
	return sub.NamedType == super.NamedType || m.isMember(sub.NamedType, super.NamedType)
}

// isMember reports whether any subgraph says that one type implements or belongs to the other.
func (m *merger) isMember(name, abstract string) bool {
	for _, s := range m.subs {
		if def := s.has(name); def != nil && slices.Contains(def.Interfaces, abstract) {
			return true
		}
		if def := s.has(abstract); def != nil && def.Kind == ast.Union && slices.Contains(def.Types, name) {
			return true
		}
	}
	return false
}

// isNonNullSubtype compares input types: they may differ only in what must not be null.
func isNonNullSubtype(sub, super *ast.Type) bool {
	if super.NonNull && !sub.NonNull {
		return false
	}
	if super.Elem != nil || sub.Elem != nil {
		return super.Elem != nil && sub.Elem != nil && isNonNullSubtype(sub.Elem, super.Elem)
	}
	return sub.NamedType == super.NamedType
}

func typesByName(fields []fieldPart) string {
	said := make([]string, len(fields))
	for i, p := range fields {
		said[i] = fmt.Sprintf("%q in subgraph %q", p.field.Type, p.sub.name)
	}
	return strings.Join(said, ", ")
}
