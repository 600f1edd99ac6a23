// Package plan turns a validated operation into an immutable query plan: which subgraph is asked for what, in which
// order, and how the answers fit together.
//
// It does no I/O, reads no variable values but those in Given (conditions and variables stay in the plan for run time) and never imports
// the executor.
//
//	operation ─collect─► sites, slots, wants ─fill, place, enter─► entries, selections ─finish─► Plan
//
// The words:
//
//	site       a place in the response where objects stand; below it are more sites
//	slot       a field of the objects at a site: response key, name, arguments; its value lives there at run time
//	group      concrete types at a site for which the client selects the same
//	want       a slot to obtain for the types of a group, under a condition
//	entry      a selection at the top of a fetch: the root, or the entities at a site, with their representations
//	source     a selection, in some entry, through which fields of objects can be had
//	arrival    a way in which objects get to a site: one source at first, more by the hops made from there
//	route      the cheapest way into a subgraph for the objects of an arrival: along keys or through the parent; no key is
//	           needed where the objects are the root of queries
//	stage      the number of fetches that must come before
//	part       what is delivered at once: the primary answer, or what a deferred fragment brings to the objects of one site
//
// A field is placed in a source at hand if one resolves it, else in the subgraph that can be entered at the lowest
// stage. What only one subgraph has goes first, so that fields with a choice find its entry at hand. Each such decision
// is noted, and a search tries whether other decisions make a cheaper plan: by number of sequential fetches, then of
// fetches, then of selected fields. A schedule says at which stage each entry is fetched: entries of one stage and
// subgraph become one request, and an entry that nothing waits for moves to a later call of its subgraph. Equal
// entries of several sites become one.
//
// Parts are planned one after another over the same sites and slots, parents first: what no part before has goes into
// entries of the part's own, keys into those that are there (defer.go).
//
// What a request decides beforehand is Given: labels of progressive overrides, and whether fragments may be deferred. Fields
// whose arguments come from contexts have entries of their own, which the executor repeats for each value (context.go).
//
// Work is bounded: Options.MaxSteps for one plan, beyond which the operation is refused with CodeTooLarge, and
// Options.MaxSearch for the search, beyond which the plan says that it stopped.
package plan
