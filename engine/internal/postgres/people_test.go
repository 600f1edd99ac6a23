package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/auth"
	"bourse/engine/internal/postgres"
	"bourse/engine/money"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is a store with a small tree:
//
//	top ── north ── alice
//	 │       └──── deep ── dora
//	 └──── south ── bob
type house struct {
	*postgres.Store
	pool                    *pgxpool.Pool
	top, north, south, deep account.ID
	alice, bob, dora        account.ID
}

func newHouse(t *testing.T) *house {
	t.Helper()
	pool := open(t)
	h := &house{Store: postgres.NewStore(pool), pool: pool}
	h.top = h.agent(t, "top", 0)
	h.north = h.agent(t, "north", h.top)
	h.south = h.agent(t, "south", h.top)
	h.deep = h.agent(t, "deep", h.north)
	h.alice = h.member(t, "alice", h.north)
	h.bob = h.member(t, "bob", h.south)
	h.dora = h.member(t, "dora", h.deep)
	return h
}

func newAccount(name string) postgres.NewAccount {
	return postgres.NewAccount{Username: name, DisplayName: "The " + name, PasswordHash: "x", CreatedAt: noon}
}

func entry(action string) audit.Entry {
	return audit.Entry{At: noon, Actor: account.House(), Action: action}
}

func (h *house) agent(t *testing.T, name string, parent account.ID) account.ID {
	t.Helper()
	g, err := h.CreateAgent(t.Context(), newAccount(name), parent, entry("agent.create"))
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

func (h *house) invite(t *testing.T, agent account.ID, uses int) string {
	t.Helper()
	code, err := auth.NewInviteCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := account.Invite{Code: code, AgentID: agent, MaxUses: uses, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	if err := h.CreateInvite(t.Context(), i, entry("invite.create")); err != nil {
		t.Fatal(err)
	}
	return code
}

func newSession(t *testing.T) (postgres.NewSession, auth.RefreshHash) {
	t.Helper()
	id, err := auth.NewSessionID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, hash, err := auth.NewRefreshToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return postgres.NewSession{
		ID: id, Methods: []auth.Method{auth.MethodPassword}, CreatedAt: noon, ExpiresAt: noon.Add(auth.SessionLife),
		Refresh: hash, RefreshExpiresAt: noon.Add(auth.RefreshTokenLife),
	}, hash
}

func (h *house) member(t *testing.T, name string, agent account.ID) account.ID {
	t.Helper()
	session, _ := newSession(t)
	login, err := h.RegisterMember(t.Context(), h.invite(t, agent, 1), newAccount(name), session, entry("member.register"))
	if err != nil {
		t.Fatal(err)
	}
	return login.Actor.ID
}

// together runs do n times at once and returns what each came to.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

func count(errs []error, want error) int {
	n := 0
	for _, err := range errs {
		if errors.Is(err, want) {
			n++
		}
	}
	return n
}

func TestInviteIsNotUsedTooOftenInARace(t *testing.T) {
	h := newHouse(t)
	code := h.invite(t, h.north, 5)
	sessions := make([]postgres.NewSession, 20)
	for i := range sessions {
		sessions[i], _ = newSession(t)
	}
	errs := together(len(sessions), func(i int) error {
		_, err := h.RegisterMember(t.Context(), code, newAccount(fmt.Sprint("racer", i)), sessions[i], entry("member.register"))
		return err
	})
	if ok, refused := count(errs, nil), count(errs, postgres.ErrInvite); ok != 5 || refused != 15 {
		t.Errorf("%d registered and %d were refused: %v", ok, refused, errs)
	}
	i, err := h.Invite(t.Context(), code)
	if err != nil || i.Uses != 5 {
		t.Errorf("the invite has %d uses, %v", i.Uses, err)
	}
	if members, err := h.Members(t.Context(), postgres.MemberQuery{Search: "racer", Limit: 100}); err != nil || len(members) != 5 {
		t.Errorf("%d members were made, %v", len(members), err)
	}
}

func TestRegistrationIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	code := h.invite(t, h.north, 2)
	session, _ := newSession(t)
	if _, err := h.RegisterMember(t.Context(), code, newAccount("alice"), session, entry("member.register")); !errors.Is(err, postgres.ErrUsernameTaken) {
		t.Fatal(err)
	}
	if i, err := h.Invite(t.Context(), code); err != nil || i.Uses != 0 {
		t.Errorf("a registration that failed used the invite: %d uses, %v", i.Uses, err)
	}
	late := newAccount("late")
	late.CreatedAt = noon.Add(time.Hour)
	for _, c := range []string{code, "no such code"} {
		if _, err := h.RegisterMember(t.Context(), c, late, session, entry("member.register")); !errors.Is(err, postgres.ErrInvite) {
			t.Errorf("invite %q at its end: %v", c, err)
		}
	}
}

func TestDownline(t *testing.T) {
	h := newHouse(t)
	names := func(viewer account.ID, search string) string {
		t.Helper()
		found, err := h.Members(t.Context(), postgres.MemberQuery{Viewer: viewer, Search: search, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, m := range found {
			all = append(all, m.Username)
		}
		return fmt.Sprint(all)
	}
	for _, c := range []struct {
		viewer account.ID
		search string
		want   string
	}{
		{0, "", "[dora bob alice]"},
		{h.top, "", "[dora bob alice]"},
		{h.north, "", "[dora alice]"},
		{h.south, "", "[bob]"},
		{h.deep, "", "[dora]"},
		{h.alice, "", "[]"},
		{h.top, "THE A", "[alice]"},
		{h.top, "o", "[dora bob]"},
		{h.top, "%", "[]"},
		{h.top, "_", "[]"},
		{h.top, `\`, "[]"},
	} {
		if got := names(c.viewer, c.search); got != c.want {
			t.Errorf("members for %d with %q: %s, want %s", c.viewer, c.search, got, c.want)
		}
	}
	if _, err := h.Member(t.Context(), h.south, h.alice); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("a foreign agent sees a member: %v", err)
	}
	if m, err := h.Member(t.Context(), h.alice, h.alice); err != nil || m.Username != "alice" || m.AgentID != h.north {
		t.Errorf("a member does not see itself: %+v, %v", m, err)
	}
	if _, err := h.Member(t.Context(), h.alice, h.bob); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("a member sees another: %v", err)
	}
	for viewer, want := range map[account.ID]bool{0: true, h.top: true, h.north: true, h.deep: true, h.south: false, h.alice: false} {
		g, err := h.Agent(t.Context(), viewer, h.deep)
		if (err == nil) != want || err == nil && (g.ParentID != h.north || g.DownlineCount != 1) {
			t.Errorf("agent deep as %d sees it: %+v, %v", viewer, g, err)
		}
	}
	if g, err := h.Agent(t.Context(), h.top, h.top); err != nil || g.DownlineCount != 3 || g.ParentID != 0 {
		t.Errorf("%+v, %v", g, err)
	}
	if some, err := h.MembersByID(t.Context(), h.north, []account.ID{h.alice, h.bob, h.dora, 99}); err != nil || len(some) != 2 {
		t.Errorf("by id: %+v, %v", some, err)
	}
	byName, err := h.Agents(t.Context(), 0, 3)
	if err != nil || len(byName) != 3 || byName[0].Username != "deep" {
		t.Fatalf("%+v, %v", byName, err)
	}
	if rest, err := h.Agents(t.Context(), byName[2].ID, 3); err != nil || len(rest) != 1 || rest[0].Username != "top" {
		t.Errorf("%+v, %v", rest, err)
	}
}

func TestTreeIsBounded(t *testing.T) {
	h := newHouse(t)
	parent := h.deep // the third
	for i := 3; i < account.MaxTreeDepth; i++ {
		parent = h.agent(t, fmt.Sprint("level", i), parent)
	}
	_, err := h.CreateAgent(t.Context(), newAccount("toodeep"), parent, entry("agent.create"))
	if !errors.Is(err, postgres.ErrTreeTooDeep) {
		t.Errorf("an agent at level %d: %v", account.MaxTreeDepth+1, err)
	}
	if _, err := h.CreateAgent(t.Context(), newAccount("orphan"), 4711, entry("agent.create")); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("an agent under nobody: %v", err)
	}
	if _, err := h.LoginByUsername(t.Context(), "orphan"); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("an agent that failed left an account: %v", err)
	}
}

func TestOnlyOneFirstAdmin(t *testing.T) {
	h := newHouse(t)
	roles := []account.AdminRole{account.AdminSupervisor}
	errs := together(8, func(i int) error {
		_, err := h.CreateAdmin(t.Context(), newAccount(fmt.Sprint("root", i)), roles, true, entry("admin.create"))
		return err
	})
	if count(errs, nil) != 1 || count(errs, postgres.ErrKeyConflict) != 7 {
		t.Errorf("%v", errs)
	}
}

func TestRefreshTokenIsExchangedOnceInARace(t *testing.T) {
	h := newHouse(t)
	session, old := newSession(t)
	session.AccountID = h.alice
	if err := h.OpenSession(t.Context(), session, "", entry("session.open")); err != nil {
		t.Fatal(err)
	}
	rotation := func(old auth.RefreshHash) (postgres.Rotation, error) {
		_, hash, err := auth.NewRefreshToken(rand.Reader)
		return postgres.Rotation{Old: old, New: hash, Now: noon, ExpiresAt: noon.Add(time.Hour), Reused: entry("session.reuse")}, err
	}
	next := make([]auth.RefreshHash, 10)
	errs := together(len(next), func(i int) error {
		r, err := rotation(old)
		if err != nil {
			return err
		}
		next[i] = r.New
		_, _, err = h.RotateRefresh(t.Context(), r)
		return err
	})
	if count(errs, nil) != 1 || count(errs, postgres.ErrRefreshReused) != 1 || count(errs, postgres.ErrSessionEnded) != 8 {
		t.Errorf("%v", errs)
	}
	for i := range next { // whichever token was given out: the family is revoked
		r, err := rotation(next[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = h.RotateRefresh(t.Context(), r)
		if errs[i] == nil && !errors.Is(err, postgres.ErrSessionEnded) || errs[i] != nil && !errors.Is(err, postgres.ErrRefreshUnknown) {
			t.Errorf("token %d afterwards: %v", i, err)
		}
	}
	revoked, err := h.RevokedSince(t.Context(), noon, 10)
	if err != nil || len(revoked) != 1 || revoked[0].SessionID != session.ID {
		t.Errorf("%+v, %v", revoked, err)
	}
}

func TestOldSessionsArePurged(t *testing.T) {
	h := newHouse(t)
	session, _ := newSession(t)
	session.AccountID, session.ExpiresAt = h.alice, noon.Add(time.Hour)
	if err := h.OpenSession(t.Context(), session, "", entry("session.open")); err != nil {
		t.Fatal(err)
	}
	if n, err := h.PurgeSessions(t.Context(), noon.Add(time.Hour), 10); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := h.PurgeSessions(t.Context(), noon.Add(2*time.Hour), 10); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// The second wall: what the program forgets to ask, the database still refuses.
func TestRowLevelSecurity(t *testing.T) {
	h := newHouse(t)
	btc := money.Asset{Code: "BTC", Scale: 8}
	for _, member := range []account.ID{h.alice, h.bob, h.dora} {
		if _, err := h.RequestDeposit(t.Context(), postgres.NewDeposit{MemberID: member, Key: "k", Asset: btc, Amount: 5, At: noon, MaxPending: 9}, entry("deposit.request")); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(actor, query string) int {
		t.Helper()
		n := -1
		err := pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL ROLE bourse_reader`); err != nil {
				return err
			}
			if actor != "unset" {
				if _, err := tx.Exec(t.Context(), `SELECT set_config('bourse.actor', $1, true)`, actor); err != nil {
					return err
				}
			}
			return tx.QueryRow(t.Context(), query).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		actor                                        string
		members, agents, accounts, deposits, invites int
	}{
		{"unset", 0, 0, 0, 0, 0},
		{"", 0, 0, 0, 0, 0},
		{"0", 0, 0, 0, 0, 0},
		{"4711", 0, 0, 0, 0, 0},
		{h.alice.String(), 1, 0, 1, 1, 0},
		{h.south.String(), 1, 1, 2, 1, 1},
		{h.north.String(), 2, 2, 4, 2, 1},
		{h.top.String(), 3, 4, 7, 3, 0},
	} {
		for table, want := range map[string]int{"members": c.members, "agents": c.agents, "accounts": c.accounts, "deposits": c.deposits, "invites": c.invites} {
			if got := seen(c.actor, `SELECT count(*) FROM `+table); got != want {
				t.Errorf("actor %q sees %d %s, want %d", c.actor, got, table, want)
			}
		}
	}
	if n := seen("unset", `SELECT count(*) FROM deposits WHERE member_id = `+h.alice.String()); n != 0 {
		t.Errorf("without an actor %d deposits are seen", n)
	}
	for _, forbidden := range []string{
		`SELECT * FROM credentials`, `SELECT * FROM sessions`, `SELECT * FROM refresh_tokens`, `SELECT * FROM audit`, `SELECT * FROM admins`,
		`UPDATE deposits SET amount = 1`, `DELETE FROM members`, `INSERT INTO invites VALUES ('x', 1, 1, 0, now(), now())`,
	} {
		err := pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL ROLE bourse_reader`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), forbidden)
			return err
		})
		var said *pgconn.PgError
		if !errors.As(err, &said) || said.Code != "42501" {
			t.Errorf("the reader may %s: %v", forbidden, err)
		}
	}
	// The role ends with the transaction: the pool's connections stay the house's own.
	var role string
	if err := h.pool.QueryRow(t.Context(), `SELECT current_user::text`).Scan(&role); err != nil || role == "bourse_reader" {
		t.Errorf("afterwards the connection is %q, %v", role, err)
	}
}

func TestAuditIsOneChain(t *testing.T) {
	h := newHouse(t)
	errs := together(20, func(i int) error {
		e := entry("test.append")
		e.Details = map[string]string{"i": fmt.Sprint(i)}
		return h.AppendAudit(t.Context(), e)
	})
	if count(errs, nil) != 20 {
		t.Fatal(errs)
	}
	once := entry("test.once")
	once.Command = "key"
	for range 3 {
		if err := h.AppendAudit(t.Context(), once); err != nil {
			t.Fatal(err)
		}
	}
	head, err := h.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Four agents, three invites, three members, twenty rows, one command.
	if head.ID != 31 {
		t.Errorf("the chain has %d rows, want 31", head.ID)
	}
	verify := func() error {
		_, err := audit.Verify(audit.Head{}, h.AuditAfter(t.Context(), 0, head.ID), head)
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{`UPDATE audit SET actor_id = 1 WHERE id = 3`, `DELETE FROM audit WHERE id = 3`, `TRUNCATE audit`} {
		if _, err := h.pool.Exec(t.Context(), change); err == nil {
			t.Errorf("%s went through", change)
		}
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	force(t, h.pool, `UPDATE audit SET details = '{"amount":"9"}' WHERE id = 7`)
	var broken *audit.Break
	if err := verify(); !errors.As(err, &broken) || broken.ID != 7 {
		t.Errorf("tampering with row 7: %v", err)
	}
}

// force changes the audit as a superuser could who switches its triggers off.
func force(t *testing.T, pool *pgxpool.Pool, change string) {
	t.Helper()
	for _, sql := range []string{`ALTER TABLE audit DISABLE TRIGGER USER`, change, `ALTER TABLE audit ENABLE TRIGGER USER`} {
		if _, err := pool.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutboxHandsOutUntilFinished(t *testing.T) {
	h := newHouse(t)
	for _, key := range []string{"a", "b", "a"} {
		if err := h.RequestJob(t.Context(), postgres.NewJob{Kind: "test", Key: key, Payload: map[string]string{"key": key}, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	take := func(at time.Time) []postgres.Job {
		t.Helper()
		jobs, err := h.TakeJobs(t.Context(), at, time.Minute, 10)
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	first := take(noon)
	if len(first) != 2 || first[0].Kind != "test" || string(first[0].Payload) != `{"key": "a"}` {
		t.Fatalf("%+v", first)
	}
	if again := take(noon.Add(time.Second)); len(again) != 0 {
		t.Errorf("handed out twice: %+v", again)
	}
	if waiting, handed, err := h.OutboxCounts(t.Context()); waiting != 0 || handed != 2 || err != nil {
		t.Errorf("%d wait, %d are handed out, %v", waiting, handed, err)
	}
	if err := h.FinishJob(t.Context(), first[0].ID); err != nil {
		t.Fatal(err)
	}
	if after := take(noon.Add(time.Minute)); len(after) != 1 || after[0].ID != first[1].ID || after[0].Attempt != 1 {
		t.Errorf("after the lease: %+v", after)
	}
	if err := h.ReturnJob(t.Context(), first[1].ID, noon.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if waiting, _, _ := h.OutboxCounts(t.Context()); waiting != 1 {
		t.Errorf("a job that was returned does not wait")
	}
	errs := together(5, func(int) error {
		jobs, err := h.TakeJobs(t.Context(), noon.Add(2*time.Minute), time.Minute, 10)
		if err == nil && len(jobs) == 1 {
			return errTaken
		}
		return err
	})
	if count(errs, errTaken) != 1 {
		t.Errorf("five took the job at once: %v", errs)
	}
}

var errTaken = errors.New("taken")

func TestReconcile(t *testing.T) {
	h := newHouse(t)
	do := func(sql string) {
		t.Helper()
		if _, err := h.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	check := func(sequence uint64, accounts, differences int) {
		t.Helper()
		r, err := h.Reconcile(t.Context(), noon)
		if err != nil || r.Sequence != sequence || r.AccountsChecked != accounts || r.Differences != differences {
			t.Errorf("%+v, %v; want sequence %d, %d accounts, %d differences", r, err, sequence, accounts, differences)
		}
	}
	if _, err := h.LastReconciliation(t.Context()); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	check(0, 0, 0)
	do(`INSERT INTO postings VALUES (1, 0, 5, 1, 1, 100, 1, 4, 0), (1, 1, 0, 4, 1, -100, 1, 4, 0)`)
	do(`INSERT INTO balances VALUES (5, 1, 1, 100), (0, 4, 1, -100)`)
	do(`UPDATE projection SET sequence = 1`)
	check(1, 2, 0)
	check(1, 2, 0) // nothing is counted twice
	do(`INSERT INTO postings VALUES (2, 0, 5, 1, 1, -30, 2, 5, 1), (2, 1, 5, 2, 1, 30, 2, 5, 1), (3, 0, 5, 1, 1, 7, 3, 4, 0)`)
	do(`UPDATE balances SET amount = 70 WHERE owner_id = 5`)
	do(`INSERT INTO balances VALUES (5, 2, 1, 30)`)
	do(`UPDATE projection SET sequence = 2`)
	check(2, 3, 0) // the posting at 3 is not projected yet
	do(`UPDATE balances SET amount = 71 WHERE owner_id = 5 AND kind = 1`)
	check(2, 3, 1)
	do(`UPDATE projection SET sequence = 3`)
	check(3, 3, 2) // 71 is not 77, and the asset no longer sums to zero
	if r, err := h.LastReconciliation(t.Context()); err != nil || r.Differences != 2 || !r.FinishedAt.Equal(noon) {
		t.Errorf("%+v, %v", r, err)
	}
}

// Reads on behalf of someone go through the second wall: without its doors they find nothing.
func TestReadsPassTheSecondWall(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	d := h.deposit(t, h.alice, "1", 1)
	found := func() map[string]int {
		t.Helper()
		counted := make(map[string]int)
		note := func(what string, n int, err error) {
			t.Helper()
			if err != nil && !errors.Is(err, postgres.ErrNotFound) {
				t.Fatal(what, err)
			}
			if err == nil {
				counted[what] = n
			}
		}
		_, err := h.Member(ctx, h.alice, h.alice)
		note("member", 1, err)
		_, err = h.Agent(ctx, h.top, h.north)
		note("agent", 1, err)
		_, err = h.Deposit(ctx, h.north, d.ID)
		note("deposit", 1, err)
		members, err := h.Members(ctx, postgres.MemberQuery{Viewer: h.north, Limit: 9})
		note("members", len(members), err)
		byID, err := h.MembersByID(ctx, h.north, []account.ID{h.alice})
		note("members by id", len(byID), err)
		own, err := h.DepositsOf(ctx, h.alice, h.alice, 0, 9)
		note("deposits", len(own), err)
		pending, err := h.PendingDeposits(ctx, h.top, 0, 9)
		note("pending", len(pending), err)
		invites, err := h.Invites(ctx, h.north, 9)
		note("invites", len(invites), err)
		return counted
	}
	if got := found(); len(got) != 8 {
		t.Fatalf("with doors: %v", got)
	}
	for _, table := range []string{"accounts", "members", "agents", "deposits", "invites"} {
		if _, err := h.pool.Exec(ctx, `DROP POLICY reader ON `+table); err != nil {
			t.Fatal(err)
		}
	}
	for what, n := range found() {
		if n != 0 {
			t.Errorf("%s: %d found beside the wall", what, n)
		}
	}
	if all, err := h.Members(ctx, postgres.MemberQuery{Limit: 9}); err != nil || len(all) != 3 {
		t.Errorf("the house itself sees %d members, %v", len(all), err)
	}
}
