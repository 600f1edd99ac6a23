package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bourse/engine/account"
	"bourse/engine/audit"
)

// What the caller of the account, session, invite and deposit queries may get.
var (
	ErrNotFound      = errors.New("postgres: no such row")
	ErrUsernameTaken = errors.New("postgres: the username is taken")
	ErrInvite        = errors.New("postgres: the invite is unknown, used up or expired")
	ErrTreeTooDeep   = errors.New("postgres: the agent tree would be too deep")
	ErrKeyConflict   = errors.New("postgres: the key stands for something else")
)

const uniqueViolation = "23505"

// Unreachable reports whether an error says that the database did not answer, rather than that it
// said no: the caller may ask again later. A deadline that passes is the same: a database that is frozen
// keeps its connections and is silent.
func Unreachable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch state := sqlState(err); {
	case len(state) == 5:
		// Connection exceptions, insufficient resources, operator intervention, system error.
		class := state[:2]
		return class == "08" || class == "53" || class == "57" || class == "58"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// asActor runs read-only queries with the eyes of an actor: under the role that row-level security
// binds, with the actor's id set for this transaction only.
func (s *Store) asActor(ctx context.Context, actor account.ID, do func(pgx.Tx) error) error {
	return s.inTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := becomeReader(ctx, tx, actor); err != nil {
			return err
		}
		return do(tx)
	})
}

func becomeReader(ctx context.Context, tx pgx.Tx, actor account.ID) error {
	_, err := tx.Exec(ctx,
		`SELECT set_config('role', 'bourse_reader', true), set_config('bourse.actor', $1, true)`, actor.String())
	if err != nil {
		return fmt.Errorf("postgres: become reader: %w", err)
	}
	return nil
}

// reader is what both a pool and a transaction are.
type reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// read runs do with the eyes of viewer, or with those of the house when viewer is 0.
func (s *Store) read(ctx context.Context, viewer account.ID, do func(reader) error) error {
	if viewer == 0 {
		return do(s.pool)
	}
	return s.asActor(ctx, viewer, func(tx pgx.Tx) error { return do(tx) })
}

// Login is what signing in needs to know of an account.
type Login struct {
	Actor        account.Actor // without a session
	DisplayName  string
	Status       account.Status
	Roles        []account.AdminRole
	PasswordHash string
}

const selectLogin = `
	SELECT a.id, a.role, a.username, a.display_name, a.status, c.password_hash, coalesce(m.agent_id, 0), coalesce(d.roles, '{}')
	FROM accounts a
	JOIN credentials c ON c.account_id = a.id
	LEFT JOIN members m ON m.id = a.id
	LEFT JOIN admins d ON d.id = a.id`

func scanLogin(row pgx.Row) (Login, error) {
	var l Login
	err := row.Scan(&l.Actor.ID, &l.Actor.Role, &l.Actor.Username, &l.DisplayName, &l.Status, &l.PasswordHash, &l.Actor.AgentID, &l.Roles)
	if noRows(err) {
		return Login{}, ErrNotFound
	}
	if err != nil {
		return Login{}, fmt.Errorf("postgres: read login: %w", err)
	}
	l.Actor.Duties = account.DutiesOf(l.Roles)
	return l, nil
}

// LoginByUsername returns the login of a username in its one spelling, or ErrNotFound.
func (s *Store) LoginByUsername(ctx context.Context, username string) (Login, error) {
	return scanLogin(s.pool.QueryRow(ctx, selectLogin+` WHERE a.username = $1`, username))
}

// LoginByID returns the login of an account, or ErrNotFound.
func (s *Store) LoginByID(ctx context.Context, id account.ID) (Login, error) {
	return scanLogin(s.pool.QueryRow(ctx, selectLogin+` WHERE a.id = $1`, id))
}

// NewAccount is an account to be made.
type NewAccount struct {
	Username     string
	DisplayName  string
	PasswordHash string
	CreatedAt    time.Time
}

// insertAccount returns the new id, or ErrUsernameTaken.
func insertAccount(ctx context.Context, tx pgx.Tx, role account.Role, n NewAccount) (account.ID, error) {
	var id account.ID
	err := tx.QueryRow(ctx, `
		WITH made AS (
			INSERT INTO accounts (role, username, display_name, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (username) DO NOTHING RETURNING id
		)
		INSERT INTO credentials (account_id, password_hash, changed_at) SELECT id, $5, $4 FROM made RETURNING account_id`,
		role, n.Username, n.DisplayName, n.CreatedAt, n.PasswordHash).Scan(&id)
	if noRows(err) {
		return 0, ErrUsernameTaken
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: insert account: %w", err)
	}
	return id, nil
}

// CreateAgent makes an agent under parent, or at the top when parent is 0. Errors: ErrUsernameTaken,
// ErrNotFound when there is no such parent, ErrTreeTooDeep.
func (s *Store) CreateAgent(ctx context.Context, n NewAccount, parent account.ID, entry audit.Entry) (account.Agent, error) {
	agent := account.Agent{Username: n.Username, DisplayName: n.DisplayName, ParentID: parent, Status: account.StatusActive, CreatedAt: n.CreatedAt}
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		id, err := insertAccount(ctx, tx, account.RoleAgent, n)
		if err != nil {
			return err
		}
		agent.ID = id
		if err := insertAgent(ctx, tx, id, parent); err != nil {
			return err
		}
		entry.Subject = "agent:" + id.String()
		return appendAudit(ctx, tx, entry)
	})
	return agent, err
}

func insertAgent(ctx context.Context, tx pgx.Tx, id, parent account.ID) error {
	if parent != 0 {
		var depth int
		// The lock keeps the parent where it is until its child stands beneath it.
		err := tx.QueryRow(ctx, `
			SELECT (SELECT max(depth) FROM agent_tree WHERE descendant_id = g.id) FROM agents g WHERE g.id = $1 FOR SHARE`,
			parent).Scan(&depth)
		switch {
		case noRows(err):
			return ErrNotFound
		case err != nil:
			return fmt.Errorf("postgres: read parent agent: %w", err)
		case depth+2 > account.MaxTreeDepth:
			return ErrTreeTooDeep
		}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO agents (id, parent_id) VALUES ($1, nullif($2::bigint, 0))`, id, parent); err != nil {
		return fmt.Errorf("postgres: insert agent: %w", err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO agent_tree (ancestor_id, descendant_id, depth)
		SELECT $1::bigint, $1::bigint, 0
		UNION ALL
		SELECT ancestor_id, $1::bigint, depth + 1 FROM agent_tree WHERE descendant_id = $2::bigint`, id, parent)
	if err != nil {
		return fmt.Errorf("postgres: insert agent into tree: %w", err)
	}
	return nil
}

// CreateAdmin makes an admin. With onlyFirst it does so only where the house has none yet, and
// returns ErrKeyConflict otherwise; ErrUsernameTaken as ever.
func (s *Store) CreateAdmin(ctx context.Context, n NewAccount, roles []account.AdminRole, onlyFirst bool, entry audit.Entry) (account.Admin, error) {
	admin := account.Admin{Username: n.Username, DisplayName: n.DisplayName, Roles: roles, Status: account.StatusActive, CreatedAt: n.CreatedAt}
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if onlyFirst {
			// Two that bootstrap at once must not both find the house empty.
			if _, err := tx.Exec(ctx, `LOCK TABLE admins IN SHARE ROW EXCLUSIVE MODE`); err != nil {
				return fmt.Errorf("postgres: lock admins: %w", err)
			}
			var some bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM admins)`).Scan(&some); err != nil {
				return fmt.Errorf("postgres: look for admins: %w", err)
			}
			if some {
				return ErrKeyConflict
			}
		}
		id, err := insertAccount(ctx, tx, account.RoleAdmin, n)
		if err != nil {
			return err
		}
		admin.ID = id
		if _, err := tx.Exec(ctx, `INSERT INTO admins (id, roles) VALUES ($1, $2)`, id, roles); err != nil {
			return fmt.Errorf("postgres: insert admin: %w", err)
		}
		entry.Subject = "admin:" + id.String()
		return appendAudit(ctx, tx, entry)
	})
	return admin, err
}

const selectMember = `
	SELECT m.id, a.username, a.display_name, m.agent_id, a.status, a.created_at, coalesce(a.last_sign_in_at, '0001-01-01T00:00:00Z')
	FROM members m JOIN accounts a ON a.id = m.id`

func scanMember(row pgx.CollectableRow) (account.Member, error) {
	var m account.Member
	err := row.Scan(&m.ID, &m.Username, &m.DisplayName, &m.AgentID, &m.Status, &m.RegisteredAt, &m.LastSignInAt)
	m.RegisteredAt, m.LastSignInAt = m.RegisteredAt.UTC(), m.LastSignInAt.UTC()
	return m, err
}

// inDownline is the first wall of what an agent sees; row-level security is the second.
const inDownline = ` EXISTS (SELECT FROM agent_tree t WHERE t.ancestor_id = $1 AND t.descendant_id = m.agent_id)`

// Member returns a member as viewer sees it: itself, an agent's downline, anyone for the house
// (viewer 0). ErrNotFound for all others.
func (s *Store) Member(ctx context.Context, viewer, id account.ID) (account.Member, error) {
	var m account.Member
	err := s.read(ctx, viewer, func(q reader) error {
		rows, err := q.Query(ctx, selectMember+` WHERE m.id = $2 AND ($1::bigint IN (0, m.id) OR`+inDownline+`)`, viewer, id)
		if err != nil {
			return err
		}
		m, err = pgx.CollectExactlyOneRow(rows, scanMember)
		return err
	})
	return m, readError("member", err)
}

// MembersByID returns those of the ids that viewer may see, in no order.
func (s *Store) MembersByID(ctx context.Context, viewer account.ID, ids []account.ID) ([]account.Member, error) {
	wanted := make([]int64, len(ids))
	for i, id := range ids {
		wanted[i] = int64(id)
	}
	var found []account.Member
	err := s.read(ctx, viewer, func(q reader) error {
		rows, err := q.Query(ctx, selectMember+` WHERE m.id = ANY($2::bigint[]) AND ($1::bigint IN (0, m.id) OR`+inDownline+`)`, viewer, wanted)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scanMember)
		return err
	})
	return found, readError("members", err)
}

// MemberQuery asks for members, newest first.
type MemberQuery struct {
	// Viewer is an agent, whose downline is listed, or 0 for all.
	Viewer account.ID
	// Search is part of the username or display name; empty for all.
	Search string
	// Before is the id of the last member already seen; 0 to begin.
	Before account.ID
	Limit  int
}

// Members returns at most Limit members.
func (s *Store) Members(ctx context.Context, q MemberQuery) ([]account.Member, error) {
	var found []account.Member
	err := s.read(ctx, q.Viewer, func(db reader) error {
		rows, err := db.Query(ctx, selectMember+`
			WHERE ($1::bigint = 0 OR`+inDownline+`)
			  AND ($2::bigint = 0 OR m.id < $2)
			  AND ($3::text = '' OR a.username LIKE $3 OR lower(a.display_name) LIKE $3)
			ORDER BY m.id DESC LIMIT $4`, q.Viewer, q.Before, containing(q.Search), q.Limit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scanMember)
		return err
	})
	return found, readError("members", err)
}

// containing returns the LIKE pattern of texts that contain s, whatever s is made of.
func containing(s string) string {
	if s == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s)) + "%"
}

const selectAgent = `
	SELECT g.id, a.username, a.display_name, coalesce(g.parent_id, 0), a.status, a.created_at,
	       (SELECT count(*) FROM agent_tree d JOIN members m ON m.agent_id = d.descendant_id WHERE d.ancestor_id = g.id)
	FROM agents g JOIN accounts a ON a.id = g.id`

func scanAgent(row pgx.CollectableRow) (account.Agent, error) {
	var g account.Agent
	err := row.Scan(&g.ID, &g.Username, &g.DisplayName, &g.ParentID, &g.Status, &g.CreatedAt, &g.DownlineCount)
	g.CreatedAt = g.CreatedAt.UTC()
	return g, err
}

// Agent returns an agent as viewer sees it: itself, those below it, anyone for the house (viewer
// 0). ErrNotFound for all others.
//
// The count of its downline is taken with the house's eyes: an agent's policy shows it the tree
// from its own place only, and what is below a sub-agent is below the viewer, too.
func (s *Store) Agent(ctx context.Context, viewer, id account.ID) (account.Agent, error) {
	if viewer != 0 {
		if err := s.asActor(ctx, viewer, func(tx pgx.Tx) error {
			var one int
			return tx.QueryRow(ctx, `SELECT 1 FROM agents WHERE id = $1`, id).Scan(&one)
		}); err != nil {
			return account.Agent{}, readError("agent", err)
		}
	}
	rows, err := s.pool.Query(ctx, selectAgent+`
		WHERE g.id = $2 AND ($1::bigint = 0 OR EXISTS (SELECT FROM agent_tree t WHERE t.ancestor_id = $1 AND t.descendant_id = g.id))`, viewer, id)
	if err != nil {
		return account.Agent{}, readError("agent", err)
	}
	g, err := pgx.CollectExactlyOneRow(rows, scanAgent)
	return g, readError("agent", err)
}

// Agents returns at most limit agents by username, those after the given one; 0 begins.
func (s *Store) Agents(ctx context.Context, after account.ID, limit int) ([]account.Agent, error) {
	rows, err := s.pool.Query(ctx, selectAgent+`
		WHERE $1::bigint = 0 OR a.username > (SELECT username FROM accounts WHERE id = $1) ORDER BY a.username LIMIT $2`, after, limit)
	if err != nil {
		return nil, readError("agents", err)
	}
	found, err := pgx.CollectRows(rows, scanAgent)
	return found, readError("agents", err)
}

// Admin returns an admin, or ErrNotFound.
func (s *Store) Admin(ctx context.Context, id account.ID) (account.Admin, error) {
	var d account.Admin
	err := s.pool.QueryRow(ctx, `
		SELECT d.id, a.username, a.display_name, d.roles, a.status, a.created_at
		FROM admins d JOIN accounts a ON a.id = d.id WHERE d.id = $1`, id).
		Scan(&d.ID, &d.Username, &d.DisplayName, &d.Roles, &d.Status, &d.CreatedAt)
	d.CreatedAt = d.CreatedAt.UTC()
	return d, readError("admin", err)
}

// readError names what was read, and turns no rows into ErrNotFound.
func readError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case noRows(err):
		return ErrNotFound
	}
	return fmt.Errorf("postgres: read %s: %w", what, err)
}

// violates reports whether an error is a violation of the named unique index or constraint.
func violates(err error, constraint string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == uniqueViolation && answer.ConstraintName == constraint
}
