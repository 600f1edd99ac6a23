package engine

import "bourse/engine/account"

// Admin is the view of the exchange that an admin has: everything in it concerns the one who signed in.
type Admin struct {
	x     *Exchange
	actor account.Actor
}

// Admin returns the view of an admin. It is refused with FORBIDDEN when the actor has another role.
func (x *Exchange) Admin(actor account.Actor) (*Admin, error) {
	if err := requireRole(actor, account.RoleAdmin); err != nil {
		return nil, err
	}
	return &Admin{x: x, actor: actor}, nil
}
