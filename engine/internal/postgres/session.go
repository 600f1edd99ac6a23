package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/auth"
)

// Why a refresh token is not exchanged.
var (
	ErrRefreshUnknown = errors.New("postgres: no such refresh token")
	ErrRefreshExpired = errors.New("postgres: the refresh token or its session has expired")
	ErrRefreshReused  = errors.New("postgres: the refresh token was used before; its session is revoked")
	ErrSessionEnded   = errors.New("postgres: the session has ended")
)

// Why a session ended, as its row says it.
const (
	RevokedSignOut = "SIGN_OUT"
	RevokedReuse   = "REFRESH_REUSED"
	RevokedByHouse = "HOUSE"
)

// NewSession is a session to be opened with its first refresh token.
type NewSession struct {
	ID               string
	AccountID        account.ID
	Methods          []auth.Method
	RemoteAddress    string
	CreatedAt        time.Time
	ExpiresAt        time.Time
	Refresh          auth.RefreshHash
	RefreshExpiresAt time.Time
}

// OpenSession stores a session, notes the sign-in and, where newHash is not empty, renews the
// password's hash.
func (s *Store) OpenSession(ctx context.Context, n NewSession, newHash string, entry audit.Entry) error {
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if newHash != "" {
			_, err := tx.Exec(ctx, `UPDATE credentials SET password_hash = $2 WHERE account_id = $1`, n.AccountID, newHash)
			if err != nil {
				return fmt.Errorf("postgres: renew password hash: %w", err)
			}
		}
		if err := insertSession(ctx, tx, n); err != nil {
			return err
		}
		return appendAudit(ctx, tx, entry)
	})
}

func insertSession(ctx context.Context, tx pgx.Tx, n NewSession) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO sessions (id, account_id, methods, remote_address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		n.ID, n.AccountID, n.Methods, n.RemoteAddress, n.CreatedAt, n.ExpiresAt)
	if err != nil {
		return fmt.Errorf("postgres: insert session: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE accounts SET last_sign_in_at = $2 WHERE id = $1`, n.AccountID, n.CreatedAt); err != nil {
		return fmt.Errorf("postgres: note sign-in: %w", err)
	}
	return insertRefresh(ctx, tx, n.Refresh, n.ID, n.CreatedAt, n.RefreshExpiresAt)
}

func insertRefresh(ctx context.Context, tx pgx.Tx, hash auth.RefreshHash, session string, issued, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO refresh_tokens (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)`,
		hash[:], session, issued, expires)
	if err != nil {
		return fmt.Errorf("postgres: insert refresh token: %w", err)
	}
	return nil
}

// SessionRow is a session as a refresh token leads to it.
type SessionRow struct {
	ID        string
	AccountID account.ID
	Methods   []auth.Method
	ExpiresAt time.Time
	// Login is the account as it is now, roles included; set by RotateRefresh only.
	Login     Login
	revoked   bool
	used      bool
	tokenEnds time.Time
}

func lockSession(ctx context.Context, tx pgx.Tx, hash auth.RefreshHash) (SessionRow, error) {
	var r SessionRow
	err := tx.QueryRow(ctx, `
		SELECT s.id, s.account_id, s.methods, s.expires_at, s.revoked_at IS NOT NULL, t.used_at IS NOT NULL, t.expires_at
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
		WHERE t.hash = $1 FOR UPDATE`, hash[:]).
		Scan(&r.ID, &r.AccountID, &r.Methods, &r.ExpiresAt, &r.revoked, &r.used, &r.tokenEnds)
	if noRows(err) {
		return SessionRow{}, ErrRefreshUnknown
	}
	if err != nil {
		return SessionRow{}, fmt.Errorf("postgres: lock session: %w", err)
	}
	return r, nil
}

// Rotation is the exchange of a refresh token for the next.
type Rotation struct {
	Old, New auth.RefreshHash
	Now      time.Time
	// ExpiresAt is the end of the new token; the session's own end comes first where it is earlier.
	ExpiresAt time.Time
	// Reused is written to the audit when the old token was used before; its actor and subject are
	// filled in here.
	Reused audit.Entry
}

// RotateRefresh ends the old token and stores the new one. A token that was used before shows that
// two hold it, one of them a thief, and no one can tell which: the session is revoked for both, with
// ErrRefreshReused, and returned. Other errors: ErrRefreshUnknown, ErrRefreshExpired, ErrSessionEnded.
func (s *Store) RotateRefresh(ctx context.Context, r Rotation) (SessionRow, time.Time, error) {
	var session SessionRow
	var refusal error
	expires := r.ExpiresAt
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		var err error
		session, err = lockSession(ctx, tx, r.Old)
		switch {
		case errors.Is(err, ErrRefreshUnknown):
			refusal = err
			return nil
		case err != nil:
			return err
		case session.revoked:
			refusal = ErrSessionEnded
			return nil
		case session.used:
			refusal = ErrRefreshReused
			return revokeReused(ctx, tx, session, r)
		case !r.Now.Before(session.tokenEnds) || !r.Now.Before(session.ExpiresAt):
			refusal = ErrRefreshExpired
			return nil
		}
		if session.ExpiresAt.Before(expires) {
			expires = session.ExpiresAt
		}
		if _, err := tx.Exec(ctx, `UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1`, r.Old[:], r.Now); err != nil {
			return fmt.Errorf("postgres: end refresh token: %w", err)
		}
		if err := insertRefresh(ctx, tx, r.New, session.ID, r.Now, expires); err != nil {
			return err
		}
		session.Login, err = scanLogin(tx.QueryRow(ctx, selectLogin+` WHERE a.id = $1`, session.AccountID))
		session.Login.Actor.SessionID = session.ID
		return err
	})
	if err == nil {
		err = refusal
	}
	return session, expires, err
}

func revokeReused(ctx context.Context, tx pgx.Tx, session SessionRow, r Rotation) error {
	if _, err := tx.Exec(ctx, `UPDATE sessions SET revoked_at = $2, revoked_for = $3 WHERE id = $1`, session.ID, r.Now, RevokedReuse); err != nil {
		return fmt.Errorf("postgres: revoke session: %w", err)
	}
	entry := r.Reused
	entry.Subject = "account:" + session.AccountID.String()
	return appendAudit(ctx, tx, entry)
}

// EndSession revokes the session of a refresh token, used or not, and returns its id. One that has
// ended is left as it is, with ErrSessionEnded; ErrRefreshUnknown otherwise.
func (s *Store) EndSession(ctx context.Context, hash auth.RefreshHash, now time.Time, entry audit.Entry) (string, error) {
	var id string
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		session, err := lockSession(ctx, tx, hash)
		if err != nil {
			return err
		}
		if session.revoked {
			return ErrSessionEnded
		}
		id = session.ID
		if _, err := tx.Exec(ctx, `UPDATE sessions SET revoked_at = $2, revoked_for = $3 WHERE id = $1`, id, now, RevokedSignOut); err != nil {
			return fmt.Errorf("postgres: revoke session: %w", err)
		}
		err = tx.QueryRow(ctx, `SELECT id, role, username FROM accounts WHERE id = $1`, session.AccountID).
			Scan(&entry.Actor.ID, &entry.Actor.Role, &entry.Actor.Username)
		if err != nil {
			return fmt.Errorf("postgres: read account of session: %w", err)
		}
		entry.Subject = "account:" + session.AccountID.String()
		return appendAudit(ctx, tx, entry)
	})
	return id, err
}

// Revoked is a session that ended before its time.
type Revoked struct {
	SessionID string
	At        time.Time
}

// RevokedSince returns the sessions that were revoked at or after an instant, at most limit, newest
// first.
func (s *Store) RevokedSince(ctx context.Context, since time.Time, limit int) ([]Revoked, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, revoked_at FROM sessions WHERE revoked_at >= $1 ORDER BY revoked_at DESC LIMIT $2`, since, limit)
	if err != nil {
		return nil, readError("revoked sessions", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Revoked])
	return found, readError("revoked sessions", err)
}

// PurgeSessions deletes at most limit sessions, with their refresh tokens, that ended before an
// instant, and returns how many.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
		DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)`, before, limit)
	if err != nil {
		return 0, fmt.Errorf("postgres: purge sessions: %w", err)
	}
	return tag.RowsAffected(), nil
}
