package engine

import "bourse/engine/account"

// Member is the view of the exchange that a member has: everything in it concerns the one who signed in.
type Member struct {
	x     *Exchange
	actor account.Actor
}

// Member returns the view of a member. It is refused with FORBIDDEN when the actor has another role.
func (x *Exchange) Member(actor account.Actor) (*Member, error) {
	if err := requireRole(actor, account.RoleMember); err != nil {
		return nil, err
	}
	return &Member{x: x, actor: actor}, nil
}
