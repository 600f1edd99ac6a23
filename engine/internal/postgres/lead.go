package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bourse/engine/journal"
)

// leadLock is the advisory lock that the writer's session holds: it says that a writer is alive.
// That a dead one cannot write is the business of the epoch.
const leadLock = 0x626f757273650001 // "bourse", 1

const (
	// beatEvery is how often a writer that has nothing to append shows that it is alive, and finds
	// out whether it still leads.
	beatEvery = time.Second
	// hungAfter is how long a writer may show nothing before its session is ended by one that waits
	// for the lead: its process is stopped, or cut off.
	hungAfter = 5 * time.Second
	// lockWait is how long one statement waits for the lock. It ends now and then, so that no
	// snapshot of the database is held for hours.
	lockWait = time.Second
)

// Lead implements journal.Journal. The writer has a connection of its own, outside the pool, whose
// session holds the advisory lock.
func (j *Journal) Lead(ctx context.Context) (journal.Writer, error) {
	w, err := j.connect(ctx)
	if err != nil {
		return nil, err
	}
	var held bool
	err = w.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(leadLock)).Scan(&held)
	if err == nil && !held {
		err = journal.ErrHeld
	}
	return w.begin(ctx, err)
}

// AwaitLead is Lead for one who waits: the lock is handed over by the server at the moment in which
// the session of the one before ends. A session that hangs is ended.
func (j *Journal) AwaitLead(ctx context.Context) (journal.Writer, error) {
	w, err := j.connect(ctx)
	if err != nil {
		return nil, err
	}
	return w.begin(ctx, w.await(ctx))
}

func (j *Journal) connect(ctx context.Context) (*writer, error) {
	config := j.store.pool.Config().ConnConfig.Copy()
	config.RuntimeParams["application_name"] = "bourse journal"
	config.RuntimeParams["synchronous_commit"] = "on"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("journal: lead: %w", err)
	}
	return &writer{conn: conn, lost: make(chan struct{}), stop: make(chan struct{})}, nil
}

// await returns when the session holds the lock.
func (w *writer) await(ctx context.Context) error {
	if _, err := w.conn.Exec(ctx, fmt.Sprintf("SET lock_timeout = %d", lockWait.Milliseconds())); err != nil {
		return err
	}
	for {
		_, err := w.conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(leadLock))
		if err == nil {
			_, err = w.conn.Exec(ctx, "RESET lock_timeout")
			return err
		}
		const lockNotAvailable = "55P03"
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != lockNotAvailable {
			return err
		}
		if err := w.endHung(ctx); err != nil {
			return err
		}
	}
}

// endHung ends the session of a leader that has shown nothing for a while, though it should every
// second. What it still writes afterwards is refused, because the next one raises the epoch.
func (w *writer) endHung(ctx context.Context) error {
	_, err := w.conn.Exec(ctx, `
		SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND l.classid::bigint = $1 AND l.objid::bigint = $2 AND l.objsubid = 1
			AND a.state <> 'active' AND a.state_change < clock_timestamp() - make_interval(secs => $3)`,
		int64(leadLock>>32), int64(leadLock&0xffffffff), int64(hungAfter/time.Second))
	return err
}

// writer is the one connection that appends.
type writer struct {
	mu    sync.Mutex // held while the connection is used
	conn  *pgx.Conn
	epoch uint64
	head  journal.Head
	spent bool

	lost  chan struct{} // closed when the session turns out to have ended
	stop  chan struct{}
	once  sync.Once
	beats sync.WaitGroup
}

func (w *writer) Epoch() uint64 { return w.epoch }

func (w *writer) Head() journal.Head {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}

// Lost is closed when the session, and with it the lead, turns out to have ended.
func (w *writer) Lost() <-chan struct{} { return w.lost }

// begin goes on after the lock was taken, or not.
func (w *writer) begin(ctx context.Context, err error) (journal.Writer, error) {
	if err == nil {
		err = w.raise(ctx)
	}
	if err != nil {
		_ = w.Close()
		if errors.Is(err, journal.ErrHeld) {
			return nil, err
		}
		return nil, fmt.Errorf("journal: lead: %w", err)
	}
	w.beats.Go(w.beat)
	return w, nil
}

// raise begins the next epoch and reads where the journal ends. The order matters: raising the epoch
// waits for an append of the old one that is still on its way (it holds the row), so that the head
// read afterwards is final.
func (w *writer) raise(ctx context.Context) error {
	host, _ := os.Hostname()
	holder := fmt.Sprintf("%s/%d", host, os.Getpid())
	var epoch int64
	err := w.conn.QueryRow(ctx,
		`UPDATE journal_lease SET epoch = epoch + 1, holder = $1, taken_at = now() RETURNING epoch`, holder).Scan(&epoch)
	if err != nil {
		return err
	}
	w.epoch = uint64(epoch)
	w.head, err = readHead(ctx, w.conn)
	return err
}

// beat shows in each quiet second that the writer is alive, until Close or until its session is gone.
func (w *writer) beat() {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
		if !w.mu.TryLock() {
			continue // an append shows it as well
		}
		ctx, cancel := context.WithTimeout(context.Background(), hungAfter)
		err := w.conn.Ping(ctx)
		cancel()
		w.mu.Unlock()
		if err != nil {
			close(w.lost)
			return
		}
	}
}

// Close gives up the lead. Ending the session would do that too, a moment after it looks ended from
// here; whoever is next should not have to wait for that.
func (w *writer) Close() error {
	w.once.Do(func() { close(w.stop) })
	w.beats.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spent = true
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if !w.conn.IsClosed() {
		_, _ = w.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	}
	return w.conn.Close(ctx)
}
