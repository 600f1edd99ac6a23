// Package entitycache keeps what subgraphs answered, as long as they allow it: the root fields of a fetch as a whole, and entities one by
// one, so that a fetch only asks for those that are missing.
//
//	fetch ─▶ keys ─▶ store ─┬─ all there ───────────────────────────────▶ answer
//	                        └─ some missing ─▶ smaller fetch ─▶ subgraph ─▶ merge ─▶ answer
//	                                                                       └─▶ store
//
// # What is kept, and for how long
//
// A subgraph's Cache-Control header says it; servers compute it from @cacheControl and from what resolvers found out. Where an
// answer has none, @cacheControl of the composed schema counts (which @composeDirective keeps), by the rules of Apollo Server; where the
// schema says nothing either, the operator's TTL. Answers with errors, mutations and subscriptions are never kept.
//
// # For whom
//
// Only what is said to be public is shared by identities: by public or s-maxage, by the schema, or because the request carried
// nothing of its client (RFC 9111, section 3.5). All else is kept for one identity, if at all. Other headers that subgraphs see
// are part of the key in any case.
//
// What is over may be good for something still, where the operator and the subgraph allow it: it is given while one request asks anew for it,
// or stands in where the subgraph fails (RFC 5861).
//
// # Invalidation
//
// Every entry carries labels: its subgraph, the types in it, its entity, the tags that the subgraph gave it. To invalidate a label is
// to mark it with a number that only grows; entries remember the number as it was before they were asked for, and one of before a mark
// on one of its labels is dead. So an answer that was on its way while its label was invalidated is never taken for fresh, and to
// invalidate a million entries costs one write.
//
// The package knows nothing of HTTP servers but for the handler that takes invalidations.
package entitycache
