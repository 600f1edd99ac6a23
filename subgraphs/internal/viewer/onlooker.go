package viewer

import (
	"context"
	"slices"
	"time"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/graph/scalar"
)

// Onlooker is what someone who is signed in may see of people and their books: a member itself, an
// agent its downline, an admin the house. Which of them it is makes no difference to who asks; what
// is not to be seen is left out of a map and is NOT_FOUND (ORDER_NOT_FOUND, DEPOSIT_NOT_FOUND) by
// itself.
type Onlooker interface {
	Members(ctx context.Context, ids []account.ID) (map[account.ID]account.Member, error)
	Agents(ctx context.Context, ids []account.ID) (map[account.ID]account.Agent, error)
	Order(ctx context.Context, id market.OrderID) (engine.Order, error)
	Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error)

	// Balances leaves out members that are not to be seen.
	Balances(ctx context.Context, members []account.ID) (map[account.ID][]engine.Balance, error)
	Orders(ctx context.Context, member account.ID, filter engine.OrderFilter, page engine.Page) (engine.OrderPage, error)
	Fills(ctx context.Context, member account.ID, filter engine.FillFilter, page engine.Page) (engine.FillPage, error)
	Deposits(ctx context.Context, member account.ID, page engine.Page) (engine.DepositPage, error)
	Statement(ctx context.Context, member account.ID, q engine.StatementQuery, page engine.Page) (engine.Statement, error)
	BalanceAsOf(ctx context.Context, member account.ID, asset string, at time.Time) (engine.Balance, error)
}

// Look returns the eyes of whoever is signed in; visitors are UNAUTHENTICATED.
func Look(ctx context.Context, x *engine.Exchange) (Onlooker, error) {
	actor, err := Actor(ctx)
	if err != nil {
		return nil, err
	}
	switch actor.Role {
	case account.RoleAgent:
		view, err := x.Agent(actor)
		return agentLook{view}, err
	case account.RoleAdmin:
		view, err := x.Admin(actor)
		return adminLook{view}, err
	default:
		view, err := x.Member(actor)
		return memberLook{view, actor.ID}, err
	}
}

// MemberEntities answers representations of members, each in its place, as far as the caller may see
// them; for the others it leaves the zero value. An id that is malformed names nobody.
func MemberEntities[R, M any](ctx context.Context, x *engine.Exchange, reps []R, id func(R) string, show func(*account.Member) M) ([]M, error) {
	look, err := Look(ctx, x)
	if err != nil {
		return nil, err
	}
	ids := make([]account.ID, len(reps))
	for i, rep := range reps {
		n, _ := scalar.DecodeID(scalar.Member, id(rep)) // 0 is the house, which is no member
		ids[i] = account.ID(n)
	}
	found, err := look.Members(ctx, slices.Compact(slices.Sorted(slices.Values(ids))))
	if err != nil {
		return nil, err
	}
	out := make([]M, len(reps))
	for i := range ids {
		if member, ok := found[ids[i]]; ok {
			out[i] = show(&member)
		}
	}
	return out, nil
}

type agentLook struct{ *engine.Agent }

func (v agentLook) Members(ctx context.Context, ids []account.ID) (map[account.ID]account.Member, error) {
	return byID(func(m account.Member) account.ID { return m.ID })(v.MembersByID(ctx, ids))
}

func (v agentLook) Agents(ctx context.Context, ids []account.ID) (map[account.ID]account.Agent, error) {
	return byID(func(a account.Agent) account.ID { return a.ID })(v.AgentsByID(ctx, ids))
}

func (v agentLook) Balances(ctx context.Context, members []account.ID) (map[account.ID][]engine.Balance, error) {
	return v.MembersBalances(ctx, members)
}

func (v agentLook) Orders(ctx context.Context, member account.ID, filter engine.OrderFilter, page engine.Page) (engine.OrderPage, error) {
	return v.MemberOrders(ctx, member, filter, page)
}

func (v agentLook) Fills(ctx context.Context, member account.ID, filter engine.FillFilter, page engine.Page) (engine.FillPage, error) {
	return v.MemberFills(ctx, member, filter, page)
}

func (v agentLook) Deposits(ctx context.Context, member account.ID, page engine.Page) (engine.DepositPage, error) {
	return v.MemberDeposits(ctx, member, page)
}

func (v agentLook) Statement(ctx context.Context, member account.ID, q engine.StatementQuery, page engine.Page) (engine.Statement, error) {
	return v.MemberStatement(ctx, member, q, page)
}

func (v agentLook) BalanceAsOf(ctx context.Context, member account.ID, asset string, at time.Time) (engine.Balance, error) {
	return v.MemberBalanceAsOf(ctx, member, asset, at)
}

type adminLook struct{ view *engine.Admin }

func (v adminLook) Members(ctx context.Context, ids []account.ID) (map[account.ID]account.Member, error) {
	return byID(func(m account.Member) account.ID { return m.ID })(v.view.MembersByID(ctx, ids))
}

func (v adminLook) Agents(ctx context.Context, ids []account.ID) (map[account.ID]account.Agent, error) {
	return byID(func(a account.Agent) account.ID { return a.ID })(v.view.AgentsByID(ctx, ids))
}

func (v adminLook) Order(ctx context.Context, id market.OrderID) (engine.Order, error) {
	return v.view.Order(ctx, id)
}

func (v adminLook) Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error) {
	return v.view.Deposit(ctx, id)
}

func (v adminLook) Balances(ctx context.Context, members []account.ID) (map[account.ID][]engine.Balance, error) {
	return v.view.MembersBalances(ctx, members)
}

func (v adminLook) Orders(ctx context.Context, member account.ID, filter engine.OrderFilter, page engine.Page) (engine.OrderPage, error) {
	return v.view.MemberOrders(ctx, member, filter, page)
}

func (v adminLook) Fills(ctx context.Context, member account.ID, filter engine.FillFilter, page engine.Page) (engine.FillPage, error) {
	return v.view.MemberFills(ctx, member, filter, page)
}

func (v adminLook) Deposits(ctx context.Context, member account.ID, page engine.Page) (engine.DepositPage, error) {
	return v.view.MemberDeposits(ctx, member, page)
}

func (v adminLook) Statement(ctx context.Context, member account.ID, q engine.StatementQuery, page engine.Page) (engine.Statement, error) {
	return v.view.MemberStatement(ctx, member, q, page)
}

func (v adminLook) BalanceAsOf(ctx context.Context, member account.ID, asset string, at time.Time) (engine.Balance, error) {
	return v.view.MemberBalanceAsOf(ctx, member, asset, at)
}

// memberLook sees one member: itself. Of agents it sees none, not even its own.
type memberLook struct {
	view *engine.Member
	self account.ID
}

var errNoMember = fault.New(fault.NotFound, "there is no such member")

func (v memberLook) Members(ctx context.Context, ids []account.ID) (map[account.ID]account.Member, error) {
	if !slices.Contains(ids, v.self) {
		return nil, nil
	}
	profile, err := v.view.Profile(ctx)
	return map[account.ID]account.Member{v.self: profile}, err
}

func (v memberLook) Agents(context.Context, []account.ID) (map[account.ID]account.Agent, error) {
	return nil, nil
}

func (v memberLook) Order(ctx context.Context, id market.OrderID) (engine.Order, error) {
	return v.view.Order(ctx, id)
}

func (v memberLook) Deposit(ctx context.Context, id account.DepositID) (account.Deposit, error) {
	return v.view.Deposit(ctx, id)
}

func (v memberLook) Balances(ctx context.Context, members []account.ID) (map[account.ID][]engine.Balance, error) {
	if !slices.Contains(members, v.self) {
		return nil, nil
	}
	balances, err := v.view.Balances(ctx)
	return map[account.ID][]engine.Balance{v.self: balances}, err
}

func (v memberLook) Orders(ctx context.Context, member account.ID, filter engine.OrderFilter, page engine.Page) (engine.OrderPage, error) {
	if member != v.self {
		return engine.OrderPage{}, errNoMember
	}
	return v.view.Orders(ctx, filter, page)
}

func (v memberLook) Fills(ctx context.Context, member account.ID, filter engine.FillFilter, page engine.Page) (engine.FillPage, error) {
	if member != v.self {
		return engine.FillPage{}, errNoMember
	}
	return v.view.Fills(ctx, filter, page)
}

func (v memberLook) Deposits(ctx context.Context, member account.ID, page engine.Page) (engine.DepositPage, error) {
	if member != v.self {
		return engine.DepositPage{}, errNoMember
	}
	return v.view.Deposits(ctx, page)
}

func (v memberLook) Statement(ctx context.Context, member account.ID, q engine.StatementQuery, page engine.Page) (engine.Statement, error) {
	if member != v.self {
		return engine.Statement{}, errNoMember
	}
	return v.view.Statement(ctx, q, page)
}

func (v memberLook) BalanceAsOf(ctx context.Context, member account.ID, asset string, at time.Time) (engine.Balance, error) {
	if member != v.self {
		return engine.Balance{}, errNoMember
	}
	return v.view.BalanceAsOf(ctx, asset, at)
}

func byID[T any](id func(T) account.ID) func([]T, error) (map[account.ID]T, error) {
	return func(items []T, err error) (map[account.ID]T, error) {
		found := make(map[account.ID]T, len(items))
		for _, item := range items {
			found[id(item)] = item
		}
		return found, err
	}
}
