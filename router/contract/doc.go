// Package contract filters a supergraph by the tags of its elements: a contract is what some of the clients see of a graph.
//
//	supergraph SDL ─ tags ─▶ hide by filter ─▶ hide what is empty ─▶ hide what is unreachable ─▶ check ─▶ supergraph SDL
//
// Nothing is taken out: what the contract hides becomes @inaccessible, so that the router still plans through it. Keys and
// required fields work as before, and the API schema holds only what the filter lets through.
//
// The rules are those that Apollo documents for contract variants:
//
//   - An excluded tag hides the element that has it: a type, field, argument, enum value or input field.
//   - Where tags are included, fields of objects and interfaces and whole unions are hidden unless one of theirs is among them.
//     Arguments, enums, input types and scalars stay unless a tag excludes them.
//   - The tags of an object or interface count for its fields. Exclusion wins over inclusion.
//   - An interface's field goes when a visible implementer's goes; a type goes when nothing in it is left, a union with its last member.
//   - What no visible root field leads to can go as well.
//
// What is left must be a schema. Where it is not (a visible field of a hidden type, a required argument that is hidden) every fault is
// reported with composition's code for hidden elements and the coordinate.
//
// The package knows nothing of files and of how supergraphs come about.
package contract
