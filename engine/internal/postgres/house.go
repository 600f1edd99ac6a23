package postgres

import (
	"context"
	"fmt"
)

// House names the database: the same to all processes that use it, and another for every other one,
// so that two houses that share a Redis by mistake do not hear each other.
func (s *Store) House(ctx context.Context) (string, error) {
	var system, database int64
	err := s.pool.QueryRow(ctx, `
		SELECT (SELECT system_identifier FROM pg_control_system()),
			(SELECT oid::bigint FROM pg_database WHERE datname = current_database())`).Scan(&system, &database)
	if err != nil {
		return "", fmt.Errorf("postgres: name the house: %w", err)
	}
	return fmt.Sprintf("bourse:%x:%x", uint64(system), database), nil
}
