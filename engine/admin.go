package engine

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
)

// Admin is the view of the exchange that an admin has: the whole house, within the admin's roles.
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

func (a *Admin) must(duty account.Duties) error { return requireDuty(a.actor, duty) }

// Profile returns who the admin is.
func (a *Admin) Profile(ctx context.Context) (account.Admin, error) {
	d, err := a.x.db.Admin(ctx, a.actor.ID)
	return d, refusal(err, refusalOf{postgres.ErrNotFound, notFound("admin")})
}

// MemberFilter narrows a list of members; the zero filter is all of them.
type MemberFilter struct {
	// Search is part of a username or display name, in any case.
	Search string
}

// Members returns the members of the house, newest first. Needs the duty people, as all reads of
// people below; FORBIDDEN without it.
func (a *Admin) Members(ctx context.Context, filter MemberFilter, page Page) (MemberPage, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return MemberPage{}, err
	}
	return a.x.members(ctx, 0, filter.Search, page)
}

// Member returns a member, or NOT_FOUND.
func (a *Admin) Member(ctx context.Context, id account.ID) (account.Member, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return account.Member{}, err
	}
	return a.x.member(ctx, 0, id)
}

// MembersByID returns those of the ids that are members, in no order.
func (a *Admin) MembersByID(ctx context.Context, ids []account.ID) ([]account.Member, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return nil, err
	}
	return a.x.membersByID(ctx, 0, ids)
}

// MemberBalances returns what a member has, or NOT_FOUND.
func (a *Admin) MemberBalances(ctx context.Context, id account.ID) ([]Balance, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.x.asMember(m).Balances(ctx)
}

// MembersBalances returns what members have, by member; ids of no member are left out.
func (a *Admin) MembersBalances(ctx context.Context, ids []account.ID) (map[account.ID][]Balance, error) {
	members, err := a.MembersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	return a.x.balancesOf(ctx, members)
}

// MemberOrders returns the orders of a member, or NOT_FOUND.
func (a *Admin) MemberOrders(ctx context.Context, id account.ID, filter OrderFilter, page Page) (OrderPage, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return OrderPage{}, err
	}
	return a.x.asMember(m).Orders(ctx, filter, page)
}

// MemberOrdersByID returns those of the ids that are the member's, or NOT_FOUND.
func (a *Admin) MemberOrdersByID(ctx context.Context, id account.ID, ids []market.OrderID) ([]Order, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.x.asMember(m).OrdersByID(ctx, ids)
}

// MemberFills returns the fills of a member, or NOT_FOUND.
func (a *Admin) MemberFills(ctx context.Context, id account.ID, filter FillFilter, page Page) (FillPage, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return FillPage{}, err
	}
	return a.x.asMember(m).Fills(ctx, filter, page)
}

// Deposit returns a deposit, or DEPOSIT_NOT_FOUND.
func (a *Admin) Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return account.Deposit{}, err
	}
	d, err := a.x.db.Deposit(ctx, 0, id)
	return d, refusal(err, refusalOf{postgres.ErrNotFound, errDepositNotFound})
}

// MemberDeposits returns the deposits of a member, newest first.
func (a *Admin) MemberDeposits(ctx context.Context, id account.ID, page Page) (DepositPage, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return DepositPage{}, err
	}
	return a.x.depositsOf(ctx, 0, id, page)
}

// Agents returns the agents of the house, by username.
func (a *Admin) Agents(ctx context.Context, page Page) (AgentPage, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return AgentPage{}, err
	}
	after, err := page.after(listAgents)
	if err != nil {
		return AgentPage{}, err
	}
	rows, err := a.x.db.Agents(ctx, account.ID(after), page.First+1)
	if err != nil {
		return AgentPage{}, refusal(err)
	}
	var out AgentPage
	out.Items, out.Next, out.HasNext = cut(rows, page, func(g account.Agent) string { return AgentCursor(g.ID) })
	return out, nil
}

// Agent returns an agent, or NOT_FOUND.
func (a *Admin) Agent(ctx context.Context, id account.ID) (account.Agent, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return account.Agent{}, err
	}
	g, err := a.x.db.Agent(ctx, 0, id)
	return g, refusal(err, refusalOf{postgres.ErrNotFound, errNoAgent})
}

// AgentsByID returns those of the ids that are agents, in no order.
func (a *Admin) AgentsByID(ctx context.Context, ids []account.ID) ([]account.Agent, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return nil, err
	}
	return a.x.agentsByID(ctx, 0, ids)
}

// Order returns any member's order, or ORDER_NOT_FOUND.
func (a *Admin) Order(ctx context.Context, id market.OrderID) (Order, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return Order{}, err
	}
	return a.x.anyOrder(ctx, id)
}

// Trade returns a trade with the orders on both sides, or NOT_FOUND.
func (a *Admin) Trade(ctx context.Context, id market.TradeID) (TradeSides, error) {
	if err := a.must(account.DutyPeople); err != nil {
		return TradeSides{}, err
	}
	return a.x.anyTrade(ctx, id)
}

// CreateAgent makes an agent; needs the duty appoint. Refusals as of System.CreateAgent.
func (a *Admin) CreateAgent(ctx context.Context, n NewAgent) (account.Agent, error) {
	if err := a.must(account.DutyAppoint); err != nil {
		return account.Agent{}, err
	}
	return a.x.createAgent(ctx, a.actor, n)
}

// CreateAdmin makes an admin; needs the duty appoint. Refusals as of System.CreateAdmin, and
// FORBIDDEN for roles that cover more than one's own.
func (a *Admin) CreateAdmin(ctx context.Context, n NewAdmin) (account.Admin, error) {
	if err := a.must(account.DutyAppoint); err != nil {
		return account.Admin{}, err
	}
	if !a.actor.Duties.Has(account.DutiesOf(n.Roles)) {
		return account.Admin{}, fault.New(fault.Forbidden, "nobody appoints above themselves")
	}
	d, _, err := a.x.createAdmin(ctx, a.actor, n, false)
	return d, err
}

// Health returns how journal, projections, sequencer and database are; needs the duty health.
func (a *Admin) Health(ctx context.Context) (Health, error) {
	if err := a.must(account.DutyHealth); err != nil {
		return Health{}, err
	}
	return a.x.Health(ctx), nil
}

// Jobs is how many job requests wait to be handed to the queue, and how many were handed out and are
// not done.
type Jobs struct {
	Waiting int
	Handed  int
}

// Jobs counts the outbox; needs the duty health.
func (a *Admin) Jobs(ctx context.Context) (Jobs, error) {
	if err := a.must(account.DutyHealth); err != nil {
		return Jobs{}, err
	}
	return a.x.jobs(ctx)
}

func (x *Exchange) jobs(ctx context.Context) (Jobs, error) {
	waiting, handed, err := x.db.OutboxCounts(ctx)
	return Jobs{Waiting: waiting, Handed: handed}, refusal(err)
}
