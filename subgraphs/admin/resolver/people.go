package resolver

import (
	"context"
	"errors"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin/internal/gen"
)

func (r queryResolver) Admin(ctx context.Context) (*gen.Admin, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	profile, err := view.Profile(ctx)
	if err != nil {
		return nil, err
	}
	return &gen.Admin{
		ID:       scalar.EncodeID(scalar.Admin, uint64(profile.ID)),
		Username: profile.Username, DisplayName: profile.DisplayName,
	}, nil
}

func (r queryResolver) Members(ctx context.Context, search *string, first int, after *string) (*gen.MemberConnection, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	page, err := view.Members(ctx, engine.MemberFilter{Search: orZero(search)}, engine.Page{First: first, After: orZero(after)})
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

func (r queryResolver) Member(ctx context.Context, id string) (*gen.Member, error) {
	view, err := r.admin(ctx)
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

// Agents lists all agents. A house has few beside its members; the bound only keeps a broken cursor
// from going round for ever.
func (r queryResolver) Agents(ctx context.Context) ([]*gen.Agent, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	const pages = 100
	out := []*gen.Agent{}
	next := engine.Page{First: engine.MaxPage}
	for range pages {
		page, err := view.Agents(ctx, next)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			out = append(out, agentOf(&page.Items[i]))
		}
		if !page.HasNext {
			return out, nil
		}
		next.After = page.Next
	}
	return nil, errors.New("agents: more than can be listed")
}

func (r queryResolver) Audit(ctx context.Context, first int, after *string) (*gen.AuditConnection, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	page, err := view.Audit(ctx, engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	out := &gen.AuditConnection{
		Edges: make([]*gen.AuditEdge, len(page.Items)), Nodes: make([]*gen.AuditEntry, len(page.Items)),
		PageInfo: pageInfo(page.HasNext, page.Next),
	}
	for i := range page.Items {
		out.Nodes[i] = auditOf(&page.Items[i])
		out.Edges[i] = &gen.AuditEdge{Cursor: engine.AuditCursor(page.Items[i].ID), Node: out.Nodes[i]}
	}
	return out, nil
}

func isFault(err error, code fault.Code) bool {
	var refusal *fault.Error
	return errors.As(err, &refusal) && refusal.Code == code
}
