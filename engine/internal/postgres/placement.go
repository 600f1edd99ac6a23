package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
)

// Placement is where someone stands in the tree of agents.
type Placement struct {
	ID      account.ID
	IsAgent bool
	Above   account.ID // the agent above, 0 at the top
}

// Placements returns members and agents by id, from behind one.
func (s *Store) Placements(ctx context.Context, after account.ID, limit int) ([]Placement, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, is_agent, coalesce(above, 0) FROM (
			SELECT id, false AS is_agent, agent_id AS above FROM members WHERE id > $1
			UNION ALL SELECT id, true, parent_id FROM agents WHERE id > $1) everybody
		ORDER BY id LIMIT $2`, int64(after), limit)
	if err != nil {
		return nil, readError("placements", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Placement])
	return found, readError("placements", err)
}
