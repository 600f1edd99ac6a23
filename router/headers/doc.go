// Package headers says which headers subgraphs see, and which of theirs clients do.
//
//	client ─Select─▶ what any subgraph may see ─Outgoing─▶ what this one sees ─Signer─▶ with signed claims ─▶ subgraph
//	client ◀─Collected─ what clients may see ◀────────────────────────────────────────────────────────────── subgraph
//
// Deciding is pure: a Set is built once, and what a subgraph sees follows from the client's headers, its identity and the rules. The Fetcher
// and the Collector only carry decisions out.
//
// Headers that belong to a connection or to a message itself (RFC 9110, 7.6.1) are never passed on, in either direction. A header that is
// inserted from a claim is never the client's own: where the claim is missing, so is the header.
//
// # Sharing
//
// What Select gives is in the key of everything that equal requests share, and so is the identity, from which claims and signatures come.
package headers
