package resolver

import (
	"bourse/engine"
	"bourse/engine/account"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent/internal/gen"
)

func agentOf(a *account.Agent) *gen.Agent {
	return &gen.Agent{
		ID: agentID(a.ID), Username: a.Username, DisplayName: a.DisplayName,
		DownlineCount: a.DownlineCount, ParentID: a.ParentID,
	}
}

func agentID(id account.ID) string { return scalar.EncodeID(scalar.Agent, uint64(id)) }

func memberOf(m *account.Member) *gen.Member {
	return &gen.Member{ID: memberID(m.ID), RegisteredAt: m.RegisteredAt, AgentID: m.AgentID}
}

func memberID(id account.ID) string { return scalar.EncodeID(scalar.Member, uint64(id)) }

func balancesOf(balances []engine.Balance) []*gen.Balance {
	out := make([]*gen.Balance, len(balances))
	for i, b := range balances {
		out[i] = &gen.Balance{
			Asset:     &gen.Asset{Code: b.Asset.Code, Scale: int(b.Asset.Scale)},
			Available: b.Available, Held: b.Held, Total: b.Total,
		}
	}
	return out
}

func inviteOf(i *account.Invite) *gen.Invite {
	return &gen.Invite{Code: i.Code, Uses: i.Uses, MaxUses: i.MaxUses, ExpiresAt: i.ExpiresAt, CreatedAt: i.CreatedAt}
}

func depositOf(d *account.Deposit) *gen.Deposit {
	out := &gen.Deposit{
		ID:       scalar.EncodeID(scalar.Deposit, uint64(d.ID)),
		MemberID: d.MemberID, DecidedByID: d.DecidedBy,
	}
	if d.Note != "" {
		out.Note = &d.Note
	}
	if !d.DecidedAt.IsZero() {
		out.DecidedAt = &d.DecidedAt
	}
	return out
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
