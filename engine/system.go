package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
)

// System is the view of the house itself: start-up, the command line and the worker. It is never
// reached from a request.
type System struct {
	x *Exchange
}

// System returns the view of the house itself.
func (x *Exchange) System() *System { return &System{x: x} }

// NewAgent is an agent to be.
type NewAgent struct {
	Username    string
	Password    string `json:"-"`
	DisplayName string
	// ParentID is the agent above; 0 for the top of the tree.
	ParentID account.ID
}

// NewAdmin is an admin to be.
type NewAdmin struct {
	Username    string
	Password    string `json:"-"`
	DisplayName string
	// Roles are at least one.
	Roles []account.AdminRole
}

// Format, and so every print verb, leaves the password out.
func (n NewAgent) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{NewAgent %s}", strconv.QuoteToASCII(n.Username))
}

// LogValue leaves the password out of logs.
func (n NewAgent) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(n)) }

// Format, and so every print verb, leaves the password out.
func (n NewAdmin) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{NewAdmin %s}", strconv.QuoteToASCII(n.Username))
}

// LogValue leaves the password out of logs.
func (n NewAdmin) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(n)) }

// Bootstrap makes the first admin of a house that has none, as a supervisor, and reports whether it
// did: a house that has one is left as it is. Refusals as of CreateAdmin.
func (s *System) Bootstrap(ctx context.Context, n NewAdmin) (bool, error) {
	n.Roles = []account.AdminRole{account.AdminSupervisor}
	_, done, err := s.x.createAdmin(ctx, account.House(), n, true)
	return done, err
}

// CreateAdmin makes an admin. Refusals: INVALID_ARGUMENT, WEAK_PASSWORD, USERNAME_TAKEN.
func (s *System) CreateAdmin(ctx context.Context, n NewAdmin) (account.Admin, error) {
	d, _, err := s.x.createAdmin(ctx, account.House(), n, false)
	return d, err
}

// CreateAgent makes an agent. Refusals: INVALID_ARGUMENT, WEAK_PASSWORD, USERNAME_TAKEN, NOT_FOUND
// when there is no such parent.
func (s *System) CreateAgent(ctx context.Context, n NewAgent) (account.Agent, error) {
	return s.x.createAgent(ctx, account.House(), n)
}

// Find returns whom a username names, as an actor without a session, or NOT_FOUND. With it the house
// acts for a seeded account without knowing its password.
func (s *System) Find(ctx context.Context, username string) (account.Actor, error) {
	login, err := s.x.db.LoginByUsername(ctx, username)
	return login.Actor, refusal(err, refusalOf{postgres.ErrNotFound, notFound("account")})
}

// RepairDeposits finishes approvals that were claimed and not marked as done, and returns how many.
// Open does it at start; call it now and then for what a failing database left behind.
func (s *System) RepairDeposits(ctx context.Context) (int, error) { return s.x.deposits.repair(ctx) }

// PurgeSessions deletes sessions that ended more than a day ago, a bounded number at a time, and
// returns how many.
func (s *System) PurgeSessions(ctx context.Context) (int64, error) {
	const most = 10_000
	n, err := s.x.db.PurgeSessions(ctx, s.x.now().Add(-24*time.Hour), most)
	return n, refusal(err)
}

// Job is a request for work that was committed with its cause. It is handed out until it is finished,
// so whoever does it must be able to do it twice.
type Job = postgres.Job

// TakeJobs hands out at most limit due jobs, oldest first, each to no one else until lease is over.
func (s *System) TakeJobs(ctx context.Context, limit int, lease time.Duration) ([]Job, error) {
	jobs, err := s.x.db.TakeJobs(ctx, s.x.now(), lease, limit)
	return jobs, refusal(err)
}

// FinishJob removes a job that is done. Finishing twice is no error.
func (s *System) FinishJob(ctx context.Context, id uint64) error {
	return refusal(s.x.db.FinishJob(ctx, id))
}

// RetryJob makes a job due again after a while.
func (s *System) RetryJob(ctx context.Context, id uint64, after time.Duration) error {
	return refusal(s.x.db.ReturnJob(ctx, id, s.x.now().Add(after)))
}

// RequestJob asks for work; a request with a key that waits already adds nothing.
func (s *System) RequestJob(ctx context.Context, kind, key string, payload map[string]string) error {
	return refusal(s.x.db.RequestJob(ctx, postgres.NewJob{Kind: kind, Key: key, Payload: payload, At: stamp(s.x.now)}))
}

// Jobs counts the outbox.
func (s *System) Jobs(ctx context.Context) (Jobs, error) { return s.x.jobs(ctx) }

func (x *Exchange) createAgent(ctx context.Context, by account.Actor, n NewAgent) (account.Agent, error) {
	made, err := x.people.newAccount(ctx, n.Username, n.DisplayName, n.Password)
	if err != nil {
		return account.Agent{}, err
	}
	entry := audit.Entry{
		At: made.CreatedAt, Actor: by, Action: "agent.create",
		Details: map[string]string{"username": made.Username, "parent": n.ParentID.String()},
	}
	g, err := x.db.CreateAgent(ctx, made, n.ParentID, entry)
	if err == nil {
		// Whom the venue does not hear of now it is told of at the next start.
		if err := x.enrolAgent(ctx, g.ID, g.ParentID); err != nil {
			x.log.WarnContext(ctx, "an agent is not known to the venue yet", "agent", g.ID, "error", err)
		}
	}
	return g, refusal(err,
		refusalOf{postgres.ErrUsernameTaken, errUsernameTaken},
		refusalOf{postgres.ErrNotFound, errNoAgent},
		refusalOf{postgres.ErrTreeTooDeep, fault.Newf(fault.InvalidArgument, "agents stand at most %d deep", account.MaxTreeDepth)})
}

func (x *Exchange) createAdmin(ctx context.Context, by account.Actor, n NewAdmin, onlyFirst bool) (account.Admin, bool, error) {
	if len(n.Roles) == 0 {
		return account.Admin{}, false, badArgument("roles", "need at least one")
	}
	for _, role := range n.Roles {
		if !role.Valid() {
			return account.Admin{}, false, badArgument("roles", "hold one that the house does not have")
		}
	}
	made, err := x.people.newAccount(ctx, n.Username, n.DisplayName, n.Password)
	if err != nil {
		return account.Admin{}, false, err
	}
	entry := audit.Entry{At: made.CreatedAt, Actor: by, Action: "admin.create", Details: map[string]string{
		"username": made.Username, "duties": account.DutiesOf(n.Roles).String(),
	}}
	d, err := x.db.CreateAdmin(ctx, made, n.Roles, onlyFirst, entry)
	if onlyFirst && errors.Is(err, postgres.ErrKeyConflict) {
		return account.Admin{}, false, nil
	}
	return d, err == nil, refusal(err, refusalOf{postgres.ErrUsernameTaken, errUsernameTaken})
}

// newAccount checks names and password of an account that someone else makes.
func (p *people) newAccount(ctx context.Context, username, displayName, password string) (postgres.NewAccount, error) {
	name, err := account.ParseUsername(username)
	if err != nil {
		return postgres.NewAccount{}, badArgument("username", "is refused: "+err.Error())
	}
	shown, err := account.ParseDisplayName(displayName)
	if err != nil {
		return postgres.NewAccount{}, badArgument("displayName", "is refused: "+err.Error())
	}
	hash, err := p.hashPassword(ctx, password, name)
	if err != nil {
		return postgres.NewAccount{}, err
	}
	return postgres.NewAccount{Username: name, DisplayName: shown, PasswordHash: hash, CreatedAt: stamp(p.now)}, nil
}
