package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Plan is a program for the executor. It is immutable and safe for concurrent use.
//
// An answer in the making is a tree of records. A record is a row of slots; which slots a kind of
// record has, and what each fetch writes into them, is fixed here, so that at run time nothing is
// looked up by name. The client's aliases live only in Output.
type Plan struct {
	// Stages run one after another; the fetches of one stage run in parallel. They bring the primary answer.
	Stages [][]*Fetch
	// Deferred are the parts of the answer that are delivered later, parents before what is deferred inside them.
	Deferred []*Deferred
	// Root is the selection type of the record that root fetches fill.
	Root *Layout
	// Output prints data out of the root record.
	Output *Object
	// Conditions that selections refer to by index; see CondID.
	Conditions []Condition
	// RootType is the concrete type of the root record.
	RootType *federation.Type

	operation ast.Operation
	name      string
	types     []*federation.Type // by concrete type ID
	labels    []string           // that were on
	denied    []DeniedField
	stopped   bool
}

// Deferred is what a deferred fragment brings to the objects at which it stands. It is ready when its fetches are
// done and its parent has been delivered; every object is then delivered by itself.
type Deferred struct {
	Parent int // index into Plan.Deferred; -1: the primary answer
	Label  *string
	// Path leads from the root to the objects at which the fragment stands.
	Path Path
	// Output prints what is delivered of one object.
	Output *Object
	// Stages are the fetches of this part alone. Each may start once those that it comes After are done.
	Stages [][]*Fetch
	// Depends are the fetches outside of this part that it builds on; it is not ready before they are done.
	Depends []*Fetch
}

// DeferredFragment stands at objects of a Variant.
type DeferredFragment struct {
	Part int // index into Plan.Deferred
	Cond CondID
}

// CondID is an index into Plan.Conditions, or Always.
type CondID int

// Always is the condition that holds.
const Always CondID = -1

// Condition holds when all literals of one of its clauses hold. It comes from @skip and @include.
type Condition [][]Literal

// Literal asks that a Boolean variable has a value.
type Literal struct {
	Variable string
	Want     bool
}

// Layout is one kind of record.
type Layout struct {
	Slots int
}

// Fetch is one request to one subgraph.
type Fetch struct {
	Subgraph  string
	Operation ast.Operation
	// Query is the operation for the subgraph, static but for its variables.
	Query string
	// Prefix is the JSON request body up to and including `"variables":{`.
	Prefix []byte
	// Variables of the client that the operation uses.
	Variables []string
	// Cond says whether the fetch is needed at all.
	Cond CondID
	// Index counts the fetches of a plan.
	Index int
	// After are the fetches whose answers this one needs; only set where parts are deferred, and not for the primary answer of
	// a mutation, which goes by its stages.
	After []*Fetch
	// Part is the index into Plan.Deferred of the part that the fetch is for; -1: the primary answer.
	Part int
	// Entries are a selection on the root (one, with no representations) or one or more selections on entities, each under
	// an alias of its own.
	Entries []*Entry

	graph federation.GraphID
	stage int
	name  string            // of the operation
	defs  map[string]string // definitions of the client's variables
}

// Entry is one selection in a fetch and the places in the answer that it completes.
type Entry struct {
	// Alias is the response key of the entities; empty for the root selection.
	Alias string
	// Variable is the name of the variable with the representations; empty for the root selection.
	Variable string
	// Paths lead from the root record to the records to complete; lists on the way are flattened. There is none for the
	// root record itself. A root selection with a path completes records that are the root of queries again.
	Paths []Path
	// Representations of the entities, by concrete type. A record of another type is not asked for.
	Representations []*Representation
	Selection       *Selection
	Cond            CondID
	// Contexts are variables that are filled from objects above. Entities for which their values differ need the entry
	// once for each; see Fetch.Repeat.
	Contexts []Context

	vars   map[string]bool // variables of the client in the selection
	text   string          // the selection; a contextMark follows names of context variables
	suffix string          // in place of the mark
}

// AppendSignature appends what, beside representations and the values of variables, the answer to an entry of the fetch depends on: the
// selection, and what the operation says of the client's variables in it. Entries of other operations with the same signature ask the same.
func (f *Fetch) AppendSignature(dst []byte, e *Entry) []byte {
	dst = append(dst, e.text...)
	for _, v := range f.Variables {
		if e.vars[v] {
			dst = append(append(dst, "\x00$"...), f.defs[v]...)
		}
	}
	return dst
}

// Uses says whether a variable of the client stands in the selection.
func (e *Entry) Uses(variable string) bool { return e.vars[variable] }

// Path is a sequence of slots.
type Path []Step

// Step is one slot on a path.
type Step struct {
	Slot  int
	Field string // the client's response key, or the field's name where the client did not ask
	Lists int    // how many lists deep the objects are
}

// Representation is how one concrete type is shown to a subgraph.
type Representation struct {
	Type     *federation.Type // nil: objects whose type is not known yet, shown under an interface's name
	TypeName string           // JSON-safe; what the subgraph calls the type
	Fields   []*RepField
	Cond     CondID // whether anything is asked of objects of this type
}

// RepField is one field of a representation.
type RepField struct {
	Name  string
	Slot  int
	Key   bool        // part of the key: a representation whose key is null throughout is not sent
	Child []*RepField // nil for leaves
	// Types for which the field is there, where the parent is abstract; nil: all.
	Types []*federation.Type
	// Abstract says that __typename goes with the children.
	Abstract bool
}

// Selection is what to expect in an object of a subgraph's answer and where it goes.
type Selection struct {
	Layout *Layout
	// Type is the concrete type when only one is possible; else __typename tells.
	Type *federation.Type
	// TypeIDs are the concrete types that __typename may name; nil when it is not asked for or tells nothing new.
	TypeIDs map[string]int
	Fields  []*SelectionField
}

// SelectionField is one response key of a subgraph's answer.
type SelectionField struct {
	Key      string // response key in the subgraph's answer
	Quoted   string // `"key":`, as it stands there as a rule
	Client   string // response key for the client; empty when it did not ask for the field
	Slot     int    // TypenameSlot for __typename
	Child    *Selection
	TypeName bool
	Cond     CondID
	Types    []*federation.Type // concrete types that are asked for it
}

// Object says how to print records at one place of the client's response.
type Object struct {
	// Only is set when all types print alike.
	Only *Variant
	// ByType holds the ways to print by concrete type ID.
	ByType map[int]*Variant
	// Untyped objects are in order: a subgraph does not know their types and nothing depends on them.
	Untyped bool
}

// Variant is how records of some concrete types are printed.
type Variant struct {
	Fields   []*OutputField
	Deferred []DeferredFragment
}

// OutputField is one response key of the client's response.
type OutputField struct {
	Name  string
	Key   []byte // `,"name":`
	Slot  int
	Type  *ast.Type
	Child *Object         // nil for leaves
	Enum  map[string]bool // JSON strings that the API's enum allows; nil when not an enum
	Leaf  Leaf            // what JSON a leaf may be
	Plain bool            // always printed, and a leaf of which Leaf says all: no list, no enum
	Cond  CondID
	// Unless holds when an earlier mention of the same response key was printed; Always: there is none.
	Unless   CondID
	TypeName bool // print the record's type
	Denied   bool // null, because the client may not see it; without a slot
	// Introspection is a __schema or __type field with its selections, answered from the API schema; without a slot.
	Introspection *ast.Field
	Parent        string // name of a type with the field, for messages
	Field         string
}

// SearchStopped says that the search for a cheaper plan ended at its bound. The plan is right all the same.
func (p *Plan) SearchStopped() bool { return p.stopped }

// Operation is query, mutation or subscription.
func (p *Plan) Operation() ast.Operation { return p.operation }

// Name is the name of the client's operation; it may be empty.
func (p *Plan) Name() string { return p.name }
