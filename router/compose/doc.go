// Package compose merges the schemas of subgraphs into one supergraph schema, as Apollo Federation describes it.
//
//	subgraph SDL ─ read ─ check alone ─┐
//	subgraph SDL ─ read ─ check alone ─┼─ merge ─ check merged ─ satisfiability ─ print ─ supergraph SDL
//	subgraph SDL ─ read ─ check alone ─┘                └─ hints
//
// Reading folds type extensions into their types, resolves the names that @link imports under, and gives every
// directive of federation one canonical name, so that nothing after it knows about renaming. Each stage collects all of its
// errors before composition stops; errors carry the codes that Apollo documents for them, the subgraphs concerned and the
// places in their sources.
//
// The output follows the join specification: v0.3, v0.4 where a subgraph links federation 2.7 (labelled @override), v0.5 from 2.8 (contexts).
// It depends only on the subgraphs, not on the order they come in: the same subgraphs give the same bytes. Federation's directives stand under
// their own names, whatever subgraphs import them as.
//
// Satisfiability differs from Apollo's check in three places, each time for what execution can really do: fields that @requires names may be
// collected where the value already is, before the hop; after collecting them the field's subgraph must be entered by a
// resolvable key, even when the value came from there; and every state of the labels of @override is tried. What @provides gives on one path
// never counts on another. Everything else is compared with
// Apollo's composer by `make apollo`, whose list of differences has a reason for each.
//
// The package does not fetch schemas, read files, plan or execute; contracts and schema checks stand beside it.
package compose
