package engine

import (
	"bourse/engine/account"
	"bourse/engine/fault"
)

// requireRole refuses an actor of another role: UNAUTHENTICATED where nobody signed in, FORBIDDEN
// where the wrong one did.
func requireRole(actor account.Actor, want account.Role) error {
	switch actor.Role {
	case want:
		return nil
	case "":
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	return fault.New(fault.Forbidden, "this is not open to your role")
}

// requireDuty refuses an admin whose roles do not cover what is asked.
func requireDuty(actor account.Actor, duty account.Duties) error {
	if !actor.Duties.Has(duty) {
		return fault.New(fault.Forbidden, "your roles do not cover this", "duty", duty.String())
	}
	return nil
}
