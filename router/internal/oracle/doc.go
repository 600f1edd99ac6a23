// Package oracle is what federated answers are judged by: it serves one set of data both as one schema and
// as the subgraphs of a supergraph.
//
//	             ┌─ One: the API schema over all data ─────────────► expected answer
//	data, types ─┤
//	             └─ Handler per subgraph: only what it owns ─ router ► answer to judge
//
// A subgraph here knows what its schema says and no more. A field that it does not resolve (external, overridden)
// it answers wrongly on purpose unless @provides covers it, a @requires field it computes from the
// representation alone, and an operation that its schema does not allow it refuses: a plan that goes astray
// shows.
//
// It is for tests; it knows nothing of plans. It stands above router/federation and below the tests of
// router/execute.
package oracle
