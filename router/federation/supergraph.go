package federation

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// Supergraph is the immutable model of one composed schema. It is safe for
// concurrent use; callers must not modify what its methods hand out.
type Supergraph struct {
	api       *ast.Schema
	apiSDL    string
	subgraphs []Subgraph
	types     map[string]*Type
	order     []*Type // in document order
	objects   []*Type // concrete types by ID
	roots     map[ast.Operation]*Type
	costs     Costs
}

// Subgraph is one service of the supergraph.
type Subgraph struct {
	Name string // as in @join__graph(name:)
	URL  string // as in @join__graph(url:); may be empty
}

// GraphID is the index of a subgraph in Subgraphs.
type GraphID int

// Type is one type of the supergraph, @inaccessible ones included.
type Type struct {
	Name         string
	Kind         ast.DefinitionKind
	Def          *ast.Definition // as in the supergraph SDL
	Inaccessible bool
	ID           int         // index in Objects for object types, else -1
	Fields       []*Field    // of objects and interfaces
	In           []*TypeJoin // by GraphID; nil where the subgraph does not have the type
	Possible     []*Type     // concrete types in the order of their IDs; an object is its own
	Access       *Access     // what a request needs in order to see values of the type; nil: nothing
	Contexts     []string    // contexts that objects of the type set for the fields below them
	fields       map[string]*Field
}

// TypeJoin is what one subgraph says of a type.
type TypeJoin struct {
	Keys            []*Key
	Extension       bool
	InterfaceObject bool // the subgraph has the interface as an object type
	// NameIn is the type's name in that subgraph. It differs from Type.Name for an implementer that the
	// subgraph only knows through its interface object.
	NameIn   string
	Possible []*Type // concrete types of an abstract type in that subgraph
}

// Key is one @key of a type in a subgraph.
type Key struct {
	Text       string
	Fields     ast.SelectionSet
	Resolvable bool
}

// Field is a field of an object or interface type.
type Field struct {
	Name         string
	Parent       *Type
	Def          *ast.FieldDefinition
	Inaccessible bool
	Access       *Access      // what a request needs in order to see the field, beside that of its type; nil: nothing
	In           []*FieldJoin // by GraphID; nil where the subgraph does not have the field
}

// FieldJoin is what one subgraph says of a field.
type FieldJoin struct {
	Type         *ast.Type // in that subgraph
	RequiresText string
	Requires     ast.SelectionSet
	Provides     ast.SelectionSet
	External     bool
	// Local says that the subgraph resolves the field wherever it has the type: neither external (key
	// fields of a type extension count as local) nor overridden by another subgraph. A local field may
	// still have Requires. Where an override has a label both sides are local; see LocalFor.
	Local bool
	// Label of the override that the subgraph is a side of; empty: none. The subgraph resolves the field only for
	// requests for which the label's state is LabelOn.
	Label   string
	LabelOn bool
	// Contexts are arguments of the field in the subgraph that clients do not see: their values come from objects above.
	Contexts []ContextArgument
}

// LocalFor says whether the subgraph resolves the field for a request with these labels on.
func (j *FieldJoin) LocalFor(labels map[string]bool) bool {
	return j.Local && (j.Label == "" || labels[j.Label] == j.LabelOn)
}

// ContextArgument is an argument that is filled with what an object further up has.
type ContextArgument struct {
	Name    string    // of the argument in the subgraph
	Type    *ast.Type // of the argument in the subgraph
	Context string    // as in Type.Contexts of the nearest type above that sets it
	// Selection, on the object that sets the context, of one leaf. Under type conditions there is one for each
	// type that may set it.
	Selection ast.SelectionSet
}

// Access is what a request must bring: every part holds (@authenticated, @requiresScopes, @policy).
type Access struct {
	Authenticated bool
	Scopes        [][]string // one of these sets, all of its scopes; nil: no scopes are needed
	Policies      [][]string // one of these sets, all of its policies; nil: no policies are needed
}

// API is the schema that clients see: without the machinery of the join and
// link specifications and without anything @inaccessible.
func (s *Supergraph) API() *ast.Schema { return s.api }

// APISDL is the canonical print of API.
func (s *Supergraph) APISDL() string { return s.apiSDL }

// Subgraphs lists the services in the order of the join__Graph enum.
func (s *Supergraph) Subgraphs() []Subgraph { return s.subgraphs }

// Type finds a type by name; nil when there is none.
func (s *Supergraph) Type(name string) *Type { return s.types[name] }

// Objects lists the concrete types; Type.ID is the index.
func (s *Supergraph) Objects() []*Type { return s.objects }

// Root is the root type of an operation; nil when the schema has none.
func (s *Supergraph) Root(op ast.Operation) *Type { return s.roots[op] }

// Field finds a field by name; nil when there is none.
func (t *Type) Field(name string) *Field { return t.fields[name] }

// IsAbstract says whether t is an interface or a union.
func (t *Type) IsAbstract() bool { return t.Kind == ast.Interface || t.Kind == ast.Union }

// IsComposite says whether values of t have fields.
func (t *Type) IsComposite() bool { return t.IsAbstract() || t.Kind == ast.Object }

// Definitions lists the types of the supergraph in document order, without the machinery of linked
// specifications.
func (s *Supergraph) Definitions() []*ast.Definition {
	out := make([]*ast.Definition, len(s.order))
	for i, t := range s.order {
		out[i] = t.Def
	}
	return out
}
