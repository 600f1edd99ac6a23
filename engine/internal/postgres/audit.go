package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/audit"
)

// appendAudit seals an entry onto the chain within a transaction. Call it last: from here to the
// commit no other transaction can append. An entry whose command stands there already is left out.
func appendAudit(ctx context.Context, tx pgx.Tx, e audit.Entry) error {
	var head audit.Head
	var hash []byte
	if err := tx.QueryRow(ctx, `SELECT id, hash FROM audit_head FOR UPDATE`).Scan(&head.ID, &hash); err != nil {
		return fmt.Errorf("postgres: lock audit head: %w", err)
	}
	copy(head.Hash[:], hash)
	r, err := audit.Seal(head, e)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO audit (id, at, actor_id, actor_role, actor_name, action, subject, details, command, prev_hash, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10, $11)
		ON CONFLICT (actor_id, action, subject, command) WHERE command IS NOT NULL DO NOTHING`,
		r.ID, r.At, r.ActorID, r.ActorRole, r.ActorName, r.Action, r.Subject, r.Details, r.Command, r.Prev[:], r.Hash[:])
	if err != nil {
		return fmt.Errorf("postgres: append audit: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE audit_head SET id = $1, hash = $2`, r.ID, r.Hash[:]); err != nil {
		return fmt.Errorf("postgres: move audit head: %w", err)
	}
	return nil
}

// AppendAudit seals an entry onto the chain in a transaction of its own.
func (s *Store) AppendAudit(ctx context.Context, e audit.Entry) error {
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return appendAudit(ctx, tx, e) })
}

// AuditedAttempts returns how many rows of an actor, an action and a subject have a command that is an
// attempt at key: key, "#" and a number.
func (s *Store) AuditedAttempts(ctx context.Context, actor account.ID, action, subject, key string) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `
		SELECT count(*) FROM audit
		WHERE actor_id = $1 AND action = $2 AND subject = $3
		  AND starts_with(command, $4::text || '#') AND strpos(substr(command, length($4::text) + 2), '#') = 0`,
		actor, action, subject, key).Scan(&n)
	return n, readError("audit", err)
}

const selectAudit = `
	SELECT id, at, actor_id, actor_role, actor_name, action, subject, details, coalesce(command, ''), prev_hash, hash FROM audit`

func scanAudit(row pgx.CollectableRow) (audit.Record, error) {
	var r audit.Record
	var prev, hash []byte
	err := row.Scan(&r.ID, &r.At, &r.ActorID, &r.ActorRole, &r.ActorName, &r.Action, &r.Subject, &r.Details, &r.Command, &prev, &hash)
	r.At = r.At.UTC()
	copy(r.Prev[:], prev)
	copy(r.Hash[:], hash)
	return r, err
}

// AuditBefore returns at most limit rows, newest first, those before the given id; 0 begins.
func (s *Store) AuditBefore(ctx context.Context, before uint64, limit int) ([]audit.Record, error) {
	rows, err := s.pool.Query(ctx, selectAudit+` WHERE $1::bigint = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, readError("audit", err)
	}
	found, err := pgx.CollectRows(rows, scanAudit)
	return found, readError("audit", err)
}

// AuditOf returns at most limit rows about a subject, oldest first.
func (s *Store) AuditOf(ctx context.Context, subject string, limit int) ([]audit.Record, error) {
	rows, err := s.pool.Query(ctx, `SELECT * FROM (`+selectAudit+` WHERE subject = $1 ORDER BY id DESC LIMIT $2) newest ORDER BY id`, subject, limit)
	if err != nil {
		return nil, readError("audit", err)
	}
	found, err := pgx.CollectRows(rows, scanAudit)
	return found, readError("audit", err)
}

// AuditHead returns the newest link of the chain.
func (s *Store) AuditHead(ctx context.Context) (audit.Head, error) {
	var head audit.Head
	var hash []byte
	if err := s.pool.QueryRow(ctx, `SELECT id, hash FROM audit_head`).Scan(&head.ID, &hash); err != nil {
		return audit.Head{}, readError("audit head", err)
	}
	copy(head.Hash[:], hash)
	return head, nil
}

// auditBatch bounds how many rows a walk of the audit holds at a time.
const auditBatch = 1000

// AuditAfter walks the rows after the given id up to the last one named, oldest first.
func (s *Store) AuditAfter(ctx context.Context, after, last uint64) iter.Seq2[audit.Record, error] {
	return func(yield func(audit.Record, error) bool) {
		for after < last {
			rows, err := s.pool.Query(ctx, selectAudit+` WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`, after, last, auditBatch)
			if err != nil {
				yield(audit.Record{}, readError("audit", err))
				return
			}
			batch, err := pgx.CollectRows(rows, scanAudit)
			if err != nil {
				yield(audit.Record{}, readError("audit", err))
				return
			}
			for _, r := range batch {
				if !yield(r, nil) {
					return
				}
				after = r.ID
			}
			if len(batch) == 0 {
				return
			}
		}
	}
}
