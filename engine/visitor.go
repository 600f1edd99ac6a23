package engine

// Visitor is anyone: what needs no sign-in, and the ways to sign in.
type Visitor struct {
	x *Exchange
}

// Visitor returns the view of the exchange that is open to anyone.
func (x *Exchange) Visitor() *Visitor { return &Visitor{x: x} }
