package engine

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
)

// Member is the view of the exchange that a member has: everything in it concerns the one who
// signed in.
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

// Profile returns who the member is.
func (m *Member) Profile(ctx context.Context) (account.Member, error) {
	profile, err := m.x.db.Member(ctx, m.actor.ID, m.actor.ID)
	return profile, refusal(err, refusalOf{postgres.ErrNotFound, errNoMember})
}

// RequestDeposit says that money was paid in; the member's agent decides. Refusals: UNKNOWN_ASSET,
// INVALID_AMOUNT, TOO_MANY_DECIMALS, AMOUNT_OVERFLOW, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_CONFLICT,
// RATE_LIMITED when a hundred wait already, UNAVAILABLE.
func (m *Member) RequestDeposit(ctx context.Context, r RequestDeposit) (account.Deposit, error) {
	return m.x.deposits.request(ctx, m.actor, r)
}

// Deposits returns the member's deposits, newest first.
func (m *Member) Deposits(ctx context.Context, page Page) (DepositPage, error) {
	return m.x.depositsOf(ctx, m.actor.ID, m.actor.ID, page)
}

// Deposit returns one of the member's deposits, or DEPOSIT_NOT_FOUND.
func (m *Member) Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error) {
	d, err := m.x.db.Deposit(ctx, m.actor.ID, id)
	return d, refusal(err, refusalOf{postgres.ErrNotFound, errDepositNotFound})
}

// depositsOf returns a member's deposits as viewer sees them.
func (x *Exchange) depositsOf(ctx context.Context, viewer, member account.ID, page Page) (DepositPage, error) {
	before, err := page.after(listDeposits)
	if err != nil {
		return DepositPage{}, err
	}
	rows, err := x.db.DepositsOf(ctx, viewer, member, account.DepositID(before), page.First+1)
	if err != nil {
		return DepositPage{}, refusal(err)
	}
	var out DepositPage
	out.Items, out.Next, out.HasNext = cut(rows, page, func(d account.Deposit) string { return DepositCursor(d.ID) })
	return out, nil
}

// asMember is a member's view for someone who may see it: the caller has checked that.
func (x *Exchange) asMember(m account.Member) *Member {
	return &Member{x: x, actor: account.Actor{ID: m.ID, Role: account.RoleMember, Username: m.Username, AgentID: m.AgentID}}
}
