// Package check compares two schemas as their clients see them: what changed, whether it can break a client, and which of the operations
// that clients are known to send it does break.
//
//	older schema ─┐
//	              ├─ Compare ─▶ changes ─┐
//	newer schema ─┘                      ├─ Report: each change with the operations that it breaks
//	recorded operations ─ walked ─▶ uses ┘
//
// A change is breaking when some valid operation, or some client that reads its answers as the older schema promised, may fail; dangerous
// when operations stay valid but may meet what they did not before; safe otherwise. That is a matter of the schemas alone. Whether it
// hurts anyone is another: each change knows what in an operation it would break, and operations are walked to see whether that is there.
// Where that depends on variables that were not recorded, the answer is "perhaps".
//
// The package does no I/O. It knows nothing of subgraphs; of federation only that an older schema may be given as a supergraph.
package check
