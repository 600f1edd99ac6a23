// Package access says what a request may see of a supergraph: @authenticated, @requiresScopes and @policy.
//
//	Supergraph ─New─► Rules ─┬─ Touched: what an operation asks rights for
//	                         └─ Decide: rights of a request ─► Ruling ─ Denies(type, field)
//
// A field needs what stands on itself, on the type around it and on the type of its values, and whatever the fields need that
// are fetched for its sake (@requires, @fromContext): otherwise these would be seen through it. Everything that a field needs must hold.
//
// A Ruling goes by concrete types. The planner asks it about each field for each type that an object may have, and about the
// interface through which the field is selected, so that implementers that differ are told apart. What is denied is not fetched; it is
// null for the client, with an error.
//
// The package is pure. Who the request is and which policies hold is found out elsewhere.
package access
