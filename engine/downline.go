package engine

import (
	"context"
	"errors"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// DownlineFilter narrows a list of members; the zero filter is all of them.
type DownlineFilter struct {
	// Search is part of a username or display name, in any case.
	Search string
}

// Downline returns the members of this agent and of every agent below, newest first.
func (a *Agent) Downline(ctx context.Context, filter DownlineFilter, page Page) (MemberPage, error) {
	return a.x.members(ctx, a.actor.ID, filter.Search, page)
}

// Member returns a member of the downline; NOT_FOUND for anyone else.
func (a *Agent) Member(ctx context.Context, id account.ID) (account.Member, error) {
	return a.x.member(ctx, a.actor.ID, id)
}

// MembersByID returns those of the ids that are of the downline, in no order.
func (a *Agent) MembersByID(ctx context.Context, ids []account.ID) ([]account.Member, error) {
	return a.x.membersByID(ctx, a.actor.ID, ids)
}

// MemberBalances returns what a member of the downline has; NOT_FOUND for anyone else.
func (a *Agent) MemberBalances(ctx context.Context, id account.ID) ([]Balance, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.x.asMember(m).Balances(ctx)
}

// MembersBalances returns what members of the downline have, by member; others are left out.
func (a *Agent) MembersBalances(ctx context.Context, ids []account.ID) (map[account.ID][]Balance, error) {
	members, err := a.MembersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	return a.x.balancesOf(ctx, members)
}

// MemberOrders returns the orders of a member of the downline; NOT_FOUND for anyone else.
func (a *Agent) MemberOrders(ctx context.Context, id account.ID, filter OrderFilter, page Page) (OrderPage, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return OrderPage{}, err
	}
	return a.x.asMember(m).Orders(ctx, filter, page)
}

// MemberOrdersByID returns those of the ids that are orders of a member of the downline; NOT_FOUND for
// anyone else.
func (a *Agent) MemberOrdersByID(ctx context.Context, id account.ID, ids []market.OrderID) ([]Order, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.x.asMember(m).OrdersByID(ctx, ids)
}

// MemberFills returns the fills of a member of the downline; NOT_FOUND for anyone else.
func (a *Agent) MemberFills(ctx context.Context, id account.ID, filter FillFilter, page Page) (FillPage, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return FillPage{}, err
	}
	return a.x.asMember(m).Fills(ctx, filter, page)
}

// MemberDeposits returns the deposits of a member of the downline; none of anyone else.
func (a *Agent) MemberDeposits(ctx context.Context, id account.ID, page Page) (DepositPage, error) {
	return a.x.depositsOf(ctx, a.actor.ID, id, page)
}

// Order returns an order of the downline; ORDER_NOT_FOUND for any other.
func (a *Agent) Order(ctx context.Context, id market.OrderID) (Order, error) {
	o, err := a.x.order(ctx, a.actor.ID, id)
	if err != nil {
		return Order{}, err
	}
	if _, err := a.Member(ctx, o.MemberID); err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return Order{}, fault.New(fault.OrderNotFound, "there is no such order in your downline")
		}
		return Order{}, err
	}
	return o, nil
}

// DownlineVolume returns what the downline traded in a market in the last 24 hours, in quote, each
// member's side counted on its own. It is counted in whole hours: the one that began 24 to 25 hours
// ago is the first. Refusals: UNKNOWN_MARKET.
func (a *Agent) DownlineVolume(ctx context.Context, symbol market.Symbol) (money.Decimal, error) {
	var m venue.Market
	var known bool
	a.x.read(func(state *venue.State) { m, known = state.Market(symbol) })
	if !known {
		return money.Decimal{}, fault.New(fault.UnknownMarket, "the exchange has no such market", "market", string(symbol))
	}
	if err := a.x.reachProjected(ctx); err != nil {
		return money.Decimal{}, err
	}
	since := a.x.now().Add(-24 * time.Hour).Truncate(time.Hour)
	volume, err := a.x.db.DownlineVolume(ctx, a.actor.ID, m.ID, since.Unix())
	return money.NewDecimal(int64(volume), m.Definition.Quote.Scale), refusal(err)
}

// The lists of members as they are read for an agent, or for the house as viewer 0.

func (x *Exchange) member(ctx context.Context, viewer, id account.ID) (account.Member, error) {
	m, err := x.db.Member(ctx, viewer, id)
	return m, refusal(err, refusalOf{postgres.ErrNotFound, errNoMember})
}

func (x *Exchange) membersByID(ctx context.Context, viewer account.ID, ids []account.ID) ([]account.Member, error) {
	if err := checkIDs(ids); err != nil {
		return nil, err
	}
	found, err := x.db.MembersByID(ctx, viewer, ids)
	return found, refusal(err)
}

// balancesOf returns the balances of members whom the caller may see, from the live view.
func (x *Exchange) balancesOf(ctx context.Context, members []account.Member) (map[account.ID][]Balance, error) {
	all := make(map[account.ID][]Balance, len(members))
	for _, m := range members {
		balances, err := x.asMember(m).Balances(ctx)
		if err != nil {
			return nil, err
		}
		all[m.ID] = balances
	}
	return all, nil
}

// agentsByID looks ids up one by one, each once: an operation names few agents.
func (x *Exchange) agentsByID(ctx context.Context, viewer account.ID, ids []account.ID) ([]account.Agent, error) {
	if err := checkIDs(ids); err != nil {
		return nil, err
	}
	var found []account.Agent
	seen := make(map[account.ID]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		g, err := x.db.Agent(ctx, viewer, id)
		switch {
		case err == nil:
			found = append(found, g)
		case !errors.Is(err, postgres.ErrNotFound):
			return nil, refusal(err)
		}
	}
	return found, nil
}

func (x *Exchange) members(ctx context.Context, viewer account.ID, search string, page Page) (MemberPage, error) {
	before, err := page.after(listMembers)
	if err != nil {
		return MemberPage{}, err
	}
	if err := checkSearch(search); err != nil {
		return MemberPage{}, err
	}
	rows, err := x.db.Members(ctx, postgres.MemberQuery{Viewer: viewer, Search: search, Before: account.ID(before), Limit: page.First + 1})
	if err != nil {
		return MemberPage{}, refusal(err)
	}
	var out MemberPage
	out.Items, out.Next, out.HasNext = cut(rows, page, func(m account.Member) string { return MemberCursor(m.ID) })
	return out, nil
}
