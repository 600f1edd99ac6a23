package resolver

import (
	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin/internal/gen"
)

func memberOf(m *account.Member) *gen.Member {
	out := &gen.Member{
		ID:      scalar.EncodeID(scalar.Member, uint64(m.ID)),
		AgentID: m.AgentID,
	}
	if !m.LastSignInAt.IsZero() {
		out.LastSignInAt = &m.LastSignInAt
	}
	return out
}

func agentOf(a *account.Agent) *gen.Agent {
	return &gen.Agent{
		ID: scalar.EncodeID(scalar.Agent, uint64(a.ID)), MemberCount: a.DownlineCount, ParentID: a.ParentID,
	}
}

func marketOf(symbol market.Symbol) *gen.Market { return &gen.Market{Symbol: string(symbol)} }

func orderOf(id market.OrderID) *gen.Order {
	return &gen.Order{ID: scalar.EncodeID(scalar.Order, uint64(id))}
}

func auditOf(r *audit.Record) *gen.AuditEntry {
	return &gen.AuditEntry{
		ID:      scalar.EncodeID(scalar.Audit, r.ID),
		At:      r.At,
		Actor:   r.ActorName,
		Action:  r.Action,
		Subject: r.Subject,
		Details: r.Details,
	}
}

// pageInfo tells where a page ended; the cursor is null for an empty one.
func pageInfo(hasNext bool, next string) *gen.PageInfo {
	info := &gen.PageInfo{HasNextPage: hasNext}
	if next != "" {
		info.EndCursor = &next
	}
	return info
}

func orZero[T any](value *T) T {
	if value == nil {
		var zero T
		return zero
	}
	return *value
}
