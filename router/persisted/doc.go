// Package persisted finds the text of operations that clients name instead of sending it.
//
//	request ─┬─ id of a trusted document ─▶ Manifest ─▶ its text
//	         ├─ hash alone ───────────────▶ Automatic ─▶ the text that a client sent before, or PERSISTED_QUERY_NOT_FOUND
//	         └─ text, with or without a hash ─▶ taken, told as unknown or refused, as the Mode has it
//
// Trusted documents are operations that an operator knows of before they run; a manifest file lists them. Automatic persisted queries
// only save bytes: whatever a client sends is kept under its SHA-256 hash, in memory and, when there is one, in a Redis that all routers
// share. Both use the same fields of a request, so that a client need not know which it has to do with.
//
// A known id gives the same text each time, so what was prepared for that text is found again. Nothing here reads GraphQL.
package persisted
