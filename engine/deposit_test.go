package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/venue"
)

func (h *house) deposit(t *testing.T, m *Member, key, amount string) account.Deposit {
	t.Helper()
	return must(m.RequestDeposit(t.Context(), RequestDeposit{Key: key, Asset: "USDT", Amount: amount}))(t)
}

func available(t *testing.T, m *Member) string {
	t.Helper()
	b, err := m.Balance(t.Context(), "USDT")
	if err != nil {
		t.Fatal(err)
	}
	return b.Available.String()
}

func (h *house) actions(t *testing.T) []string {
	t.Helper()
	var all []string
	for page := (Page{First: 200}); ; {
		p := must(h.root.Audit(t.Context(), page))(t)
		for _, r := range p.Items {
			all = append(all, r.Action+" "+r.Subject)
		}
		if !p.HasNext {
			return all
		}
		page.After = p.Next
	}
}

func countOf(all []string, want string) int {
	n := 0
	for _, s := range all {
		if s == want {
			n++
		}
	}
	return n
}

func TestRequestDeposit(t *testing.T) {
	h := openHouse(t)
	for _, c := range []struct {
		what string
		r    RequestDeposit
		want fault.Code
	}{
		{"a deposit", RequestDeposit{"k1", "USDT", "12.5"}, ""},
		{"again", RequestDeposit{"k1", "USDT", "12.50"}, ""},
		{"the same key for more", RequestDeposit{"k1", "USDT", "13"}, fault.IdempotencyConflict},
		{"no key", RequestDeposit{"", "USDT", "1"}, fault.InvalidIdempotencyKey},
		{"a long key", RequestDeposit{strings.Repeat("k", 65), "USDT", "1"}, fault.InvalidIdempotencyKey},
		{"a key that is no text", RequestDeposit{"a\x00b", "USDT", "1"}, fault.InvalidIdempotencyKey},
		{"an unknown asset", RequestDeposit{"k2", "DOGE", "1"}, fault.UnknownAsset},
		{"nothing", RequestDeposit{"k2", "USDT", "0"}, fault.InvalidAmount},
		{"less than nothing", RequestDeposit{"k2", "USDT", "-1"}, fault.InvalidAmount},
		{"no number", RequestDeposit{"k2", "USDT", "1e9"}, fault.InvalidAmount},
		{"too fine", RequestDeposit{"k2", "USDT", "0.0000001"}, fault.TooManyDecimals},
		{"too much", RequestDeposit{"k2", "USDT", "99999999999999999999"}, fault.AmountOverflow},
	} {
		d, err := h.alice.RequestDeposit(t.Context(), c.r)
		wantCode(t, c.what, err, c.want)
		if c.want == "" && (d.Asset.Format(d.Amount) != "12.500000" || d.Status != account.DepositPending || d.MemberID != h.aliceIn.Actor.ID) {
			t.Errorf("%s: %+v", c.what, d)
		}
	}
	if all := must(h.alice.Deposits(t.Context(), Page{First: 10}))(t); len(all.Items) != 1 || all.HasNext {
		t.Errorf("%+v", all)
	}
	if available(t, h.alice) != "0.000000" {
		t.Error("a request alone moves money")
	}
}

func TestPendingDepositsAreBounded(t *testing.T) {
	h := openHouse(t)
	for i := range maxPendingDeposits {
		h.deposit(t, h.alice, fmt.Sprint("k", i), "1")
	}
	_, err := h.alice.RequestDeposit(t.Context(), RequestDeposit{"more", "USDT", "1"})
	wantCode(t, "one more", err, fault.RateLimited)
	var seen []account.DepositID
	for page := (Page{First: 30}); ; {
		p := must(h.north.PendingDeposits(t.Context(), page))(t)
		for _, d := range p.Items {
			seen = append(seen, d.ID)
		}
		if !p.HasNext {
			break
		}
		page.After = p.Next
	}
	if len(seen) != maxPendingDeposits || !slices.IsSorted(seen) {
		t.Errorf("paged through %d deposits, sorted %v", len(seen), slices.IsSorted(seen))
	}
}

func TestApproveDeposit(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "12.5")
	ask := ApproveDeposit{DepositID: d.ID, Note: "seen"}
	got, sequence, err := h.north.ApproveDeposit(t.Context(), ask)
	if err != nil || got.Status != account.DepositApproved || sequence == 0 || got.DecidedBy != h.northIn.Actor.ID || got.Note != "seen" {
		t.Fatalf("%+v at %d, %v", got, sequence, err)
	}
	again, at, err := h.north.ApproveDeposit(t.Context(), ask)
	if err != nil || again != got || at != sequence {
		t.Errorf("again: %+v at %d, %v", again, at, err)
	}
	if got := available(t, h.alice); got != "12.500000" {
		t.Errorf("alice has %s", got)
	}
	if mine := must(h.alice.Deposit(t.Context(), d.ID))(t); mine != got {
		t.Errorf("alice sees %+v\nthe agent %+v", mine, got)
	}
	if n := countOf(h.actions(t), "deposit.approve deposit:"+d.ID.String()); n != 1 {
		t.Errorf("the approval is audited %d times", n)
	}
	jobs := must(h.System().TakeJobs(t.Context(), 10, time.Minute))(t)
	if len(jobs) != 1 || jobs[0].Kind != JobReconcile || !strings.Contains(string(jobs[0].Payload), fmt.Sprintf(`"sequence": "%d"`, sequence)) {
		t.Errorf("%+v", jobs)
	}
}

func TestDecisionsAreRefused(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "12.5")
	other := h.deposit(t, h.alice, "k2", "1")
	approve := func(a *Agent, id account.DepositID, key, note string) error {
		_, _, err := a.ApproveDeposit(t.Context(), ApproveDeposit{Key: key, DepositID: id, Note: note})
		return err
	}
	reject := func(a *Agent, id account.DepositID, reason string) error {
		_, err := a.RejectDeposit(t.Context(), RejectDeposit{DepositID: id, Reason: reason})
		return err
	}
	wantCode(t, "a foreign agent approves", approve(h.south, d.ID, "", ""), fault.DepositNotFound)
	wantCode(t, "a foreign agent rejects", reject(h.south, d.ID, "no"), fault.DepositNotFound)
	_, err := h.south.Deposit(t.Context(), d.ID)
	wantCode(t, "a foreign agent looks", err, fault.DepositNotFound)
	wantCode(t, "no such deposit", approve(h.north, 4711, "", ""), fault.DepositNotFound)
	wantCode(t, "a long note", approve(h.north, d.ID, "", strings.Repeat("x", 501)), fault.InvalidArgument)
	wantCode(t, "a bad key", approve(h.north, d.ID, "a b", ""), fault.InvalidIdempotencyKey)
	wantCode(t, "no reason", reject(h.north, d.ID, ""), fault.InvalidArgument)
	_, err = h.bob.Deposit(t.Context(), d.ID)
	wantCode(t, "another member looks", err, fault.DepositNotFound)

	// A member is no agent; an actor that claims to be both is still stopped.
	self := &Agent{x: h.Exchange, actor: account.Actor{ID: h.aliceIn.Actor.ID, Role: account.RoleAgent}}
	wantCode(t, "the member as its own agent", approve(self, d.ID, "", ""), fault.DepositNotFound)
	if got := available(t, h.alice); got != "0.000000" {
		t.Fatalf("alice has %s", got)
	}

	wantCode(t, "the agent above", approve(h.top, d.ID, "key", ""), "")
	wantCode(t, "the agent, late", approve(h.north, d.ID, "", ""), fault.DepositNotPending)
	wantCode(t, "a rejection, late", reject(h.top, d.ID, "no"), fault.DepositNotPending)
	wantCode(t, "the key for another deposit", approve(h.top, other.ID, "key", ""), fault.IdempotencyConflict)
	wantCode(t, "the key with another note", approve(h.top, d.ID, "key", "x"), fault.IdempotencyConflict)
	wantCode(t, "another key", approve(h.top, d.ID, "key2", ""), fault.DepositNotPending)

	wantCode(t, "a rejection", reject(h.north, other.ID, "no"), "")
	wantCode(t, "the same again", reject(h.north, other.ID, "no"), "")
	wantCode(t, "an approval afterwards", approve(h.north, other.ID, "", ""), fault.DepositNotPending)
	if got := must(h.alice.Deposit(t.Context(), other.ID))(t); got.Status != account.DepositRejected || got.Note != "no" || got.Sequence != 0 {
		t.Errorf("%+v", got)
	}
	if got := available(t, h.alice); got != "12.500000" {
		t.Errorf("alice has %s", got)
	}
}

func TestSelfApproval(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "1")
	// Even one who, by some future fault, is a member of its own downline.
	if _, err := h.opts.DB.Exec(t.Context(), `INSERT INTO agents (id) VALUES ($1)`, h.aliceIn.Actor.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.opts.DB.Exec(t.Context(), `INSERT INTO agent_tree VALUES ($1, $2, 1)`, h.aliceIn.Actor.ID, h.northIn.Actor.ID); err != nil {
		t.Fatal(err)
	}
	self := &Agent{x: h.Exchange, actor: account.Actor{ID: h.aliceIn.Actor.ID, Role: account.RoleAgent}}
	_, _, err := self.ApproveDeposit(t.Context(), ApproveDeposit{DepositID: d.ID})
	wantCode(t, "approving one's own", err, fault.SelfApproval)
	_, err = self.RejectDeposit(t.Context(), RejectDeposit{DepositID: d.ID, Reason: "no"})
	wantCode(t, "rejecting one's own", err, fault.SelfApproval)
	if available(t, h.alice) != "0.000000" {
		t.Error("alice paid herself")
	}
}

func TestApprovalRace(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "12.5")
	codes := together(20, func(i int) error {
		agent := h.north
		if i%2 == 0 {
			agent = h.top
		}
		if i%5 == 4 {
			_, err := agent.RejectDeposit(t.Context(), RejectDeposit{DepositID: d.ID, Reason: "no"})
			return err
		}
		_, _, err := agent.ApproveDeposit(t.Context(), ApproveDeposit{DepositID: d.ID})
		return err
	})
	got := must(h.alice.Deposit(t.Context(), d.ID))(t)
	want := map[account.DepositStatus]string{account.DepositApproved: "12.500000", account.DepositRejected: "0.000000"}[got.Status]
	if have := available(t, h.alice); have != want {
		t.Errorf("the deposit is %s and alice has %s: %v", got.Status, have, codes)
	}
	if codes[""]+codes[fault.DepositNotPending] != 20 || codes[""] == 0 {
		t.Errorf("%v", codes)
	}
	actions := h.actions(t)
	subject := " deposit:" + d.ID.String()
	if n := countOf(actions, "deposit.approve"+subject) + countOf(actions, "deposit.reject"+subject); n != 1 {
		t.Errorf("%d decisions are audited", n)
	}
}

func TestApprovalTwentyTimesIsOneCredit(t *testing.T) {
	h := openHouse(t)
	d := h.deposit(t, h.alice, "k", "12.5")
	codes := together(20, func(int) error {
		_, _, err := h.north.ApproveDeposit(t.Context(), ApproveDeposit{Key: "click", DepositID: d.ID})
		return err
	})
	if codes[""] != 20 {
		t.Errorf("%v", codes)
	}
	if got := available(t, h.alice); got != "12.500000" {
		t.Errorf("alice has %s", got)
	}
	if n := countOf(h.actions(t), "deposit.approve deposit:"+d.ID.String()); n != 1 {
		t.Errorf("the approval is audited %d times", n)
	}
}

var errPowerCut = errors.New("power cut")

// The process dies at each point of an approval; what starts next finishes it, with one credit.
func TestCrashesAreRepaired(t *testing.T) {
	h := openHouse(t)
	submit := h.deposits.credit
	crash := map[string]func(context.Context, *venue.CreditDeposit) (venue.Receipt, error){
		"before the credit": func(context.Context, *venue.CreditDeposit) (venue.Receipt, error) {
			return venue.Receipt{}, errPowerCut
		},
		"after the credit": func(ctx context.Context, c *venue.CreditDeposit) (venue.Receipt, error) {
			if _, err := submit(ctx, c); err != nil {
				t.Error(err)
			}
			return venue.Receipt{}, errPowerCut
		},
		"without an answer": func(ctx context.Context, c *venue.CreditDeposit) (venue.Receipt, error) {
			if _, err := submit(ctx, c); err != nil {
				t.Error(err)
			}
			return venue.Receipt{}, fault.New(fault.Unavailable, "the journal did not answer")
		},
	}
	var all []account.DepositID
	for name, die := range crash {
		d := h.deposit(t, h.alice, strings.ReplaceAll(name, " ", "-"), "1")
		all = append(all, d.ID)
		h.deposits.credit = die
		if _, _, err := h.north.ApproveDeposit(t.Context(), ApproveDeposit{DepositID: d.ID, Note: "seen"}); err == nil {
			t.Errorf("%s: approved all the same", name)
		}
		if now := must(h.alice.Deposit(t.Context(), d.ID))(t); now.Status != account.DepositPending || now.ApproverID != h.northIn.Actor.ID {
			t.Errorf("%s: %+v", name, now)
		}
		_, err := h.north.RejectDeposit(t.Context(), RejectDeposit{DepositID: d.ID, Reason: "changed my mind"})
		wantCode(t, name+": a rejection", err, fault.DepositNotPending)
	}

	// Start again.
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	x, err := Open(t.Context(), h.opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Exchange = x // closed at the end of the test
	alice := must(x.Member(h.aliceIn.Actor))(t)
	for _, id := range all {
		if now := must(alice.Deposit(t.Context(), id))(t); now.Status != account.DepositApproved || now.Sequence == 0 || now.DecidedBy != h.northIn.Actor.ID {
			t.Errorf("after the start: %+v", now)
		}
	}
	if got := available(t, alice); got != "3.000000" {
		t.Errorf("alice has %s", got)
	}
	if n := must(x.System().RepairDeposits(t.Context()))(t); n != 0 {
		t.Errorf("%d are left to repair", n)
	}
	report := must(x.System().VerifyAudit(t.Context()))(t)
	if report.Break != nil {
		t.Error(report.Break)
	}
}

func TestFinalRefusalGivesTheClaimBack(t *testing.T) {
	h := openHouse(t)
	submit := h.deposits.credit
	h.deposits.credit = func(context.Context, *venue.CreditDeposit) (venue.Receipt, error) {
		return venue.Receipt{}, fault.New(fault.AmountOverflow, "too much")
	}
	d := h.deposit(t, h.alice, "k", "1")
	_, _, err := h.north.ApproveDeposit(t.Context(), ApproveDeposit{DepositID: d.ID})
	wantCode(t, "a credit that is refused", err, fault.AmountOverflow)
	if now := must(h.alice.Deposit(t.Context(), d.ID))(t); now.Status != account.DepositPending || now.ApproverID != 0 {
		t.Errorf("%+v", now)
	}
	h.deposits.credit = submit
	if _, err := h.top.RejectDeposit(t.Context(), RejectDeposit{DepositID: d.ID, Reason: "no"}); err != nil {
		t.Error(err)
	}
}
