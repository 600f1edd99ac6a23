package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/audit"
)

// CreateInvite stores an invite of an agent.
func (s *Store) CreateInvite(ctx context.Context, i account.Invite, entry audit.Entry) error {
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO invites (code, agent_id, max_uses, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			i.Code, i.AgentID, i.MaxUses, i.CreatedAt, i.ExpiresAt)
		if err != nil {
			return fmt.Errorf("postgres: insert invite: %w", err)
		}
		return appendAudit(ctx, tx, entry)
	})
}

// Invites returns the newest invites of an agent, at most limit.
func (s *Store) Invites(ctx context.Context, agent account.ID, limit int) ([]account.Invite, error) {
	var found []account.Invite
	err := s.asActor(ctx, agent, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT code, agent_id, max_uses, uses, created_at, expires_at FROM invites
			WHERE agent_id = $1 ORDER BY created_at DESC, code LIMIT $2`, agent, limit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scanInvite)
		return err
	})
	return found, readError("invites", err)
}

// Invite returns an invite by its code, or ErrNotFound. Whoever knows the code may see it.
func (s *Store) Invite(ctx context.Context, code string) (account.Invite, error) {
	rows, err := s.pool.Query(ctx, `SELECT code, agent_id, max_uses, uses, created_at, expires_at FROM invites WHERE code = $1`, code)
	if err != nil {
		return account.Invite{}, readError("invite", err)
	}
	i, err := pgx.CollectExactlyOneRow(rows, scanInvite)
	return i, readError("invite", err)
}

func scanInvite(row pgx.CollectableRow) (account.Invite, error) {
	var i account.Invite
	err := row.Scan(&i.Code, &i.AgentID, &i.MaxUses, &i.Uses, &i.CreatedAt, &i.ExpiresAt)
	i.CreatedAt, i.ExpiresAt = i.CreatedAt.UTC(), i.ExpiresAt.UTC()
	return i, err
}

// RegisterMember uses an invite once and makes the member, its password and its first session in
// one transaction. Errors: ErrInvite, ErrUsernameTaken.
func (s *Store) RegisterMember(ctx context.Context, code string, n NewAccount, open NewSession, entry audit.Entry) (Login, error) {
	var made Login
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// The row lock of the update makes uses count exactly, however many register at once.
		agent, err := takeInvite(ctx, tx, code, n.CreatedAt)
		if err != nil {
			return err
		}
		id, err := insertAccount(ctx, tx, account.RoleMember, n)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO members (id, agent_id) VALUES ($1, $2)`, id, agent); err != nil {
			return fmt.Errorf("postgres: insert member: %w", err)
		}
		made = Login{
			Actor:       account.Actor{ID: id, Role: account.RoleMember, Username: n.Username, AgentID: agent, SessionID: open.ID},
			DisplayName: n.DisplayName, Status: account.StatusActive, PasswordHash: n.PasswordHash,
		}
		open.AccountID = id
		if err := insertSession(ctx, tx, open); err != nil {
			return err
		}
		entry.Actor, entry.Subject = made.Actor, "member:"+id.String()
		entry.Details = map[string]string{"agent": agent.String()}
		return appendAudit(ctx, tx, entry)
	})
	return made, err
}

func takeInvite(ctx context.Context, tx pgx.Tx, code string, now time.Time) (account.ID, error) {
	var agent account.ID
	err := tx.QueryRow(ctx, `
		UPDATE invites SET uses = uses + 1 WHERE code = $1 AND uses < max_uses AND expires_at > $2 RETURNING agent_id`,
		code, now).Scan(&agent)
	if noRows(err) {
		return 0, ErrInvite
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: use invite: %w", err)
	}
	return agent, nil
}
