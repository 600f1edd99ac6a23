package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"bourse/engine/auth"
	"bourse/engine/internal/postgres"
)

const (
	// endedFor is how long a revoked session is remembered: until its last access token has ended.
	endedFor = auth.AccessTokenLife + time.Minute
	// endedEvery is how soon a revocation by another process is noticed.
	endedEvery = time.Second
	// endedOverlap is looked at again each time: transactions commit later than they are stamped,
	// and clocks differ.
	endedOverlap = 30 * time.Second
	// endedMost bounds the set. Beyond it the oldest are let go; their tokens live minutes.
	endedMost = 100_000
	// endedTimeout bounds what a request pays when the database does not answer, endedFirst what the
	// first one does, which cannot go on without.
	endedTimeout = 500 * time.Millisecond
	endedFirst   = 5 * time.Second
)

// endedSessions knows the sessions that were revoked while an access token of theirs may still be
// good, so that checking a token needs no query. It holds the few that ended, not the many that
// live; the first check in each second brings it up to date.
//
// While the database does not answer, the set stays as it is: a session that another process
// revokes meanwhile is good until its access token ends, ten minutes at most.
type endedSessions struct {
	db  *postgres.Store
	now func() time.Time
	log *slog.Logger

	loading sync.Mutex
	mu      sync.RWMutex
	at      map[string]time.Time
	checked time.Time // zero before the first load
}

func newEndedSessions(db *postgres.Store, now func() time.Time, log *slog.Logger) *endedSessions {
	return &endedSessions{db: db, now: now, log: log, at: make(map[string]time.Time)}
}

// has reports whether a session was revoked. The error is that of the first load; later ones fail
// quietly.
func (e *endedSessions) has(ctx context.Context, session string) (bool, error) {
	e.mu.RLock()
	checked := e.checked
	_, ended := e.at[session]
	e.mu.RUnlock()
	if ended {
		return true, nil
	}
	now := e.now()
	if now.Sub(checked) < endedEvery && !now.Before(checked) {
		return false, nil
	}
	switch first := checked.IsZero(); {
	case first:
		e.loading.Lock()
	case !e.loading.TryLock():
		return false, nil // another request is loading; what we have is a second old
	}
	defer e.loading.Unlock()
	if err := e.load(ctx, now); err != nil {
		if checked.IsZero() {
			return false, err
		}
		e.log.WarnContext(ctx, "revoked sessions not refreshed", "error", err)
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ended = e.at[session]
	return ended, nil
}

// load is called by one at a time.
func (e *endedSessions) load(ctx context.Context, now time.Time) error {
	since := now.Add(-endedFor)
	if newer := e.checked.Add(-endedOverlap); newer.After(since) && !now.Before(e.checked) {
		since = newer
	}
	patience := endedTimeout
	if e.checked.IsZero() {
		patience = endedFirst
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	found, err := e.db.RevokedSince(ctx, since, endedMost)
	if errors.Is(err, context.DeadlineExceeded) {
		err = &unavailable{cause: err}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if !e.checked.IsZero() {
			e.checked = now // ask again in a second, not with every request
		}
		return err
	}
	if len(found) == endedMost {
		e.log.ErrorContext(ctx, "too many revoked sessions to remember them all", "most", endedMost)
	}
	for id, at := range e.at {
		if now.Sub(at) > endedFor || len(e.at) > endedMost {
			delete(e.at, id)
		}
	}
	for _, r := range found {
		e.at[r.SessionID] = r.At
	}
	e.checked = now
	return nil
}

// add notes a session that this process revoked, at once.
func (e *endedSessions) add(session string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[session] = e.now()
}
