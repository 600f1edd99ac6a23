package engine

import "bourse/engine/account"

// Agent is the view of the exchange that an agent has: everything in it concerns the one who signed in.
type Agent struct {
	x     *Exchange
	actor account.Actor
}

// Agent returns the view of an agent. It is refused with FORBIDDEN when the actor has another role.
func (x *Exchange) Agent(actor account.Actor) (*Agent, error) {
	if err := requireRole(actor, account.RoleAgent); err != nil {
		return nil, err
	}
	return &Agent{x: x, actor: actor}, nil
}
