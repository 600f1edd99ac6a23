package engine

import (
	"context"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/auth"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
)

// Agent is the view of the exchange that an agent has: itself and its downline, and of anyone else
// not even that they exist.
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

// Profile returns who the agent is.
func (a *Agent) Profile(ctx context.Context) (account.Agent, error) { return a.Agent(ctx, a.actor.ID) }

// Agent returns the agent itself or one below it; NOT_FOUND for all others.
func (a *Agent) Agent(ctx context.Context, id account.ID) (account.Agent, error) {
	g, err := a.x.db.Agent(ctx, a.actor.ID, id)
	return g, refusal(err, refusalOf{postgres.ErrNotFound, errNoAgent})
}

// AgentsByID returns those of the ids that the agent may see, in no order.
func (a *Agent) AgentsByID(ctx context.Context, ids []account.ID) ([]account.Agent, error) {
	return a.x.agentsByID(ctx, a.actor.ID, ids)
}

// CreateInvite is what an invite is to be.
type CreateInvite struct {
	// MaxUses is how many members may register with it, 1 to 1000.
	MaxUses int
	// ExpiresAt lies within a year from now.
	ExpiresAt time.Time
}

const (
	maxInviteUses = 1000
	maxInviteLife = 366 * 24 * time.Hour
	maxInvites    = 200
)

// CreateInvite makes a code under which members register with this agent. Refusals:
// INVALID_ARGUMENT, UNAVAILABLE.
func (a *Agent) CreateInvite(ctx context.Context, c CreateInvite) (account.Invite, error) {
	now := stamp(a.x.now)
	if c.MaxUses < 1 || c.MaxUses > maxInviteUses {
		return account.Invite{}, fault.Newf(fault.InvalidArgument, "an invite has 1 to %d uses", maxInviteUses)
	}
	if !c.ExpiresAt.After(now) || c.ExpiresAt.After(now.Add(maxInviteLife)) {
		return account.Invite{}, fault.New(fault.InvalidArgument, "an invite expires within a year from now")
	}
	code, err := auth.NewInviteCode(a.x.rand)
	if err != nil {
		return account.Invite{}, err
	}
	invite := account.Invite{
		Code: code, AgentID: a.actor.ID, MaxUses: c.MaxUses, CreatedAt: now, ExpiresAt: c.ExpiresAt.UTC().Truncate(time.Microsecond),
	}
	// The code is a secret: it does not stand in the audit.
	entry := audit.Entry{
		At: now, Actor: a.actor, Action: "invite.create", Subject: "agent:" + a.actor.ID.String(),
		Details: map[string]string{"expires": invite.ExpiresAt.Format(time.RFC3339)},
	}
	return invite, refusal(a.x.db.CreateInvite(ctx, invite, entry))
}

// Invites returns the agent's newest invites, at most two hundred.
func (a *Agent) Invites(ctx context.Context) ([]account.Invite, error) {
	found, err := a.x.db.Invites(ctx, a.actor.ID, maxInvites)
	return found, refusal(err)
}

// PendingDeposits returns the deposits of the downline that wait for a decision, oldest first.
func (a *Agent) PendingDeposits(ctx context.Context, page Page) (DepositPage, error) {
	after, err := page.after(listPendingDeposits)
	if err != nil {
		return DepositPage{}, err
	}
	rows, err := a.x.db.PendingDeposits(ctx, a.actor.ID, account.DepositID(after), page.First+1)
	if err != nil {
		return DepositPage{}, refusal(err)
	}
	var out DepositPage
	out.Items, out.Next, out.HasNext = cut(rows, page, func(d account.Deposit) string { return PendingDepositCursor(d.ID) })
	return out, nil
}

// Deposit returns a deposit of the downline; DEPOSIT_NOT_FOUND for any other.
func (a *Agent) Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error) {
	d, err := a.x.db.Deposit(ctx, a.actor.ID, id)
	return d, refusal(err, refusalOf{postgres.ErrNotFound, errDepositNotFound})
}

// ApproveDeposit credits a deposit of the downline, once, however often it is asked; the sequence is
// where in the log the credit stands. Refusals: DEPOSIT_NOT_FOUND, DEPOSIT_NOT_PENDING,
// SELF_APPROVAL, IDEMPOTENCY_CONFLICT, INVALID_ARGUMENT, those of venue.CreditDeposit, and
// UNAVAILABLE, OUTCOME_UNKNOWN or OVERLOADED, after which asking again finishes what was begun.
func (a *Agent) ApproveDeposit(ctx context.Context, r ApproveDeposit) (account.Deposit, Sequence, error) {
	d, err := a.x.deposits.approve(ctx, a.actor, r)
	return d, Sequence(d.Sequence), err
}

// RejectDeposit refuses a deposit of the downline. Refusals as of ApproveDeposit.
func (a *Agent) RejectDeposit(ctx context.Context, r RejectDeposit) (account.Deposit, error) {
	return a.x.deposits.reject(ctx, a.actor, r)
}
