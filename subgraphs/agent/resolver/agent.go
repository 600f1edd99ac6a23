package resolver

import (
	"context"
	"time"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

func (r queryResolver) Agent(ctx context.Context) (*gen.Agent, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	profile, err := view.Profile(ctx)
	if err != nil {
		return nil, err
	}
	return agentOf(&profile), nil
}

func (r queryResolver) DownlineMember(ctx context.Context, id string) (*gen.Member, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	n, ok := scalar.DecodeID(scalar.Member, id)
	if !ok {
		return nil, nil
	}
	member, err := view.Member(ctx, account.ID(n))
	if isFault(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return memberOf(&member), nil
}

func (r mutationResolver) CreateInvite(ctx context.Context, input gen.CreateInviteInput) (*gen.CreateInvitePayload, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	const mostDays = 365
	if input.ValidDays < 1 || input.ValidDays > mostDays {
		return nil, fault.New(fault.InvalidArgument, "an invite is valid for 1 to 365 days", "field", "validDays")
	}
	invite, err := view.CreateInvite(ctx, engine.CreateInvite{
		MaxUses: input.MaxUses, ExpiresAt: time.Now().AddDate(0, 0, input.ValidDays),
	})
	if err != nil {
		return nil, err
	}
	return &gen.CreateInvitePayload{Invite: inviteOf(&invite)}, nil
}

// Parent gives each agent the one above, where the viewer may see it.
func (r agentResolver) Parent(ctx context.Context, agents []*gen.Agent) ([]*gen.Agent, error) {
	return r.agentsOf(ctx, idsOf(agents, func(a *gen.Agent) account.ID { return a.ParentID }))
}

// Downline lists members for an agent above them. An admin finds members in the admin subgraph.
func (r agentResolver) Downline(ctx context.Context, obj *gen.Agent, search *string, first int, after *string) (*gen.MemberConnection, error) {
	view, err := r.own(ctx, obj)
	if err != nil {
		return nil, err
	}
	page, err := view.Downline(ctx, engine.DownlineFilter{Search: orZero(search)}, engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	out := &gen.MemberConnection{
		Edges: make([]*gen.MemberEdge, len(page.Items)), Nodes: make([]*gen.Member, len(page.Items)),
		PageInfo: pageInfo(page.HasNext, page.Next),
	}
	for i := range page.Items {
		out.Nodes[i] = memberOf(&page.Items[i])
		out.Edges[i] = &gen.MemberEdge{Cursor: engine.MemberCursor(page.Items[i].ID), Node: out.Nodes[i]}
	}
	return out, nil
}

func (r agentResolver) Invites(ctx context.Context, obj *gen.Agent) ([]*gen.Invite, error) {
	view, err := r.own(ctx, obj)
	if err != nil {
		return nil, err
	}
	invites, err := view.Invites(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Invite, len(invites))
	for i := range invites {
		out[i] = inviteOf(&invites[i])
	}
	return out, nil
}

func (r agentResolver) PendingDeposits(ctx context.Context, obj *gen.Agent, first int, after *string) (*gen.DepositConnection, error) {
	view, err := r.own(ctx, obj)
	if err != nil {
		return nil, err
	}
	page, err := view.PendingDeposits(ctx, engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	out := &gen.DepositConnection{
		Edges: make([]*gen.DepositEdge, len(page.Items)), Nodes: make([]*gen.Deposit, len(page.Items)),
		PageInfo: pageInfo(page.HasNext, page.Next),
	}
	for i := range page.Items {
		out.Nodes[i] = depositOf(&page.Items[i])
		out.Edges[i] = &gen.DepositEdge{Cursor: engine.PendingDepositCursor(page.Items[i].ID), Node: out.Nodes[i]}
	}
	return out, nil
}

// own is the view of the signed-in agent, for fields that are open to the agent itself alone: what
// lies on another agent's desk is that agent's, even where it stands below.
func (r Root) own(ctx context.Context, obj *gen.Agent) (*engine.Agent, error) {
	actor, err := viewer.Actor(ctx)
	if err != nil {
		return nil, err
	}
	view, err := r.Exchange.Agent(actor)
	if err != nil {
		return nil, err
	}
	if obj.ID != agentID(actor.ID) {
		return nil, fault.New(fault.Forbidden, "this is open to the agent itself")
	}
	return view, nil
}

// agentsOf looks up the agents of a list; null for 0 and for those that are not to be seen.
func (r Root) agentsOf(ctx context.Context, ids []account.ID) ([]*gen.Agent, error) {
	out := make([]*gen.Agent, len(ids))
	wanted := distinct(ids)
	if len(wanted) == 0 {
		return out, nil
	}
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	found, err := look.Agents(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if agent, ok := found[id]; ok {
			out[i] = agentOf(&agent)
		}
	}
	return out, nil
}

// idsOf reads an id from each item of a list; 0 for one that is nil.
func idsOf[T any](items []*T, id func(*T) account.ID) []account.ID {
	ids := make([]account.ID, len(items))
	for i, item := range items {
		if item != nil {
			ids[i] = id(item)
		}
	}
	return ids
}

// distinct leaves out zeros and repetitions.
func distinct(ids []account.ID) []account.ID {
	seen := make(map[account.ID]bool, len(ids))
	var out []account.ID
	for _, id := range ids {
		if id != 0 && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
