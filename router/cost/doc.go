// Package cost estimates what an operation costs before it runs, by the @cost and @listSize of the supergraph (IBM's GraphQL cost
// specification, as Federation 2.9 carries it).
//
//	cost of an operation   base of its kind + its fields
//	cost of a field        its arguments + size × (weight + its selections), never below 0
//
//	weight     @cost of the field, else of its type, else 1 for objects, interfaces and unions and 0 for scalars and enums. On an
//	           interface or union, the highest of the types that an object may have.
//	size       1 of what is no list. Of a list: what the sizedFields of the field above say, else its own @listSize, else the default.
//	@listSize  the highest of its slicing arguments, else assumedSize, else the default.
//	argument   of a leaf type: its @cost, else its type's, else 0, once, also for a list. Of an input object: its @cost, else 1, and its
//	           fields likewise, for each object in a list. What is absent or null costs nothing.
//
// Selections count as they are written, fragments where they are spread, all of them whatever the types of objects turn out to be: the
// estimate is an upper bound as far as the sizes hold. Fields that @skip and @include leave out cost nothing. Introspection is free.
//
// A Meter counts what the answer costs, by the same weights and what stands in it.
//
// A Formula is made once for an operation and evaluated with each request's variables; what does not depend on them is a number by then.
// The package decides nothing: what may be spent is its caller's business.
package cost
