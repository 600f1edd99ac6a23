// Package scalar binds the scalars of the contract to Go, and makes the opaque ids that the API shows
// from the numbers that the exchange counts with.
//
// It knows text and numbers only: neither what an id stands for nor who may see it.
package scalar
