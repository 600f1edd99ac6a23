package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Job is a request for work, committed together with the change that causes it.
type Job struct {
	ID   uint64
	Kind string
	// Key is the same for the same request: a second one while the first is not done adds nothing.
	Key     string
	Payload json.RawMessage
	// Attempt counts how often the job was handed out before, from 0.
	Attempt   int
	CreatedAt time.Time
}

// NewJob is a request that is not stored yet.
type NewJob struct {
	Kind    string
	Key     string
	Payload map[string]string
	At      time.Time
}

func insertJob(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, j NewJob,
) error {
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return fmt.Errorf("postgres: encode job: %w", err)
	}
	var id uint64
	err = q.QueryRow(ctx, `
		INSERT INTO outbox (kind, dedupe_key, payload, created_at, not_before) VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (dedupe_key) DO NOTHING RETURNING id`, j.Kind, j.Key, payload, j.At).Scan(&id)
	if err != nil && !noRows(err) {
		return fmt.Errorf("postgres: insert job: %w", err)
	}
	return nil
}

// RequestJob stores a request for work on its own.
func (s *Store) RequestJob(ctx context.Context, j NewJob) error { return insertJob(ctx, s.pool, j) }

// TakeJobs hands out at most limit due jobs, oldest first, and promises each to no one else until
// lease is over. A job is gone only by FinishJob: whoever takes jobs and dies leaves them to be
// handed out again.
func (s *Store) TakeJobs(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Job, error) {
	rows, err := s.pool.Query(ctx, `
		WITH due AS (
			SELECT id FROM outbox WHERE not_before <= $1 ORDER BY not_before, id LIMIT $3 FOR UPDATE SKIP LOCKED
		)
		UPDATE outbox o SET not_before = $2, handed_at = $1, attempts = attempts + 1
		FROM due WHERE o.id = due.id
		RETURNING o.id, o.kind, o.dedupe_key, o.payload, o.attempts - 1, o.created_at`, now, now.Add(lease), limit)
	if err != nil {
		return nil, readError("outbox", err)
	}
	jobs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Job])
	slices.SortFunc(jobs, func(a, b Job) int { return cmp.Compare(a.ID, b.ID) })
	return jobs, readError("outbox", err)
}

// FinishJob removes a job that is done. Finishing twice is no error.
func (s *Store) FinishJob(ctx context.Context, id uint64) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM outbox WHERE id = $1`, id); err != nil {
		return fmt.Errorf("postgres: finish job: %w", err)
	}
	return nil
}

// ReturnJob makes a job that could not be handed on due again at an instant.
func (s *Store) ReturnJob(ctx context.Context, id uint64, notBefore time.Time) error {
	if _, err := s.pool.Exec(ctx, `UPDATE outbox SET not_before = $2, handed_at = NULL WHERE id = $1`, id, notBefore); err != nil {
		return fmt.Errorf("postgres: return job: %w", err)
	}
	return nil
}

// OutboxCounts returns how many jobs wait to be handed out and how many are handed out but not done.
func (s *Store) OutboxCounts(ctx context.Context) (waiting, handed int, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE handed_at IS NULL), count(*) FILTER (WHERE handed_at IS NOT NULL) FROM outbox`).
		Scan(&waiting, &handed)
	return waiting, handed, readError("outbox", err)
}
