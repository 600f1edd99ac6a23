// Package workload makes up subgraphs to measure composition, loading and planning with: those of a large company, of a shop, and of an
// interface with many implementers.
//
// What it makes of the company is a function of its Size and composes without errors. The shape follows what large graphs look like: most types belong to one
// team, entities are known to a few others that add fields to them, a handful of value types is shared by all, and here and there a
// field needs another team's.
//
// It knows neither composition nor planning.
package workload
