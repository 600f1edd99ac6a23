package postgres_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
	"bourse/engine/money"
)

var usdt = money.Asset{Code: "USDT", Scale: 6}

func (h *house) deposit(t *testing.T, member account.ID, key string, amount money.Amount) account.Deposit {
	t.Helper()
	d, err := h.RequestDeposit(t.Context(), postgres.NewDeposit{MemberID: member, Key: key, Asset: usdt, Amount: amount, At: noon, MaxPending: 3}, entry("deposit.request"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func settlement(id account.DepositID, credit func() (uint64, error)) postgres.Settlement {
	return postgres.Settlement{
		ID: id, At: noon, Final: func(err error) bool { return errors.Is(err, errFinal) },
		Credit: func(account.Deposit) (uint64, error) { return credit() },
		Audit:  entry("deposit.approve"),
		Job:    postgres.NewJob{Kind: "reconcile", Key: fmt.Sprint("deposit:", id), At: noon, Payload: map[string]string{"cause": "test"}},
	}
}

var (
	errFinal = errors.New("refused for good")
	errCrash = errors.New("crash")
)

func TestRequestIsIdempotent(t *testing.T) {
	h := newHouse(t)
	request := func(member account.ID, key string, amount money.Amount) (account.Deposit, error) {
		return h.RequestDeposit(t.Context(), postgres.NewDeposit{MemberID: member, Key: key, Asset: usdt, Amount: amount, At: noon, MaxPending: 3}, entry("deposit.request"))
	}
	ids := make([]account.DepositID, 10)
	errs := together(len(ids), func(i int) error {
		d, err := request(h.alice, "k", 5)
		ids[i] = d.ID
		return err
	})
	for i := range ids {
		if errs[i] != nil || ids[i] != ids[0] {
			t.Errorf("request %d: deposit %d, %v", i, ids[i], errs[i])
		}
	}
	if _, err := request(h.alice, "k", 6); !errors.Is(err, postgres.ErrKeyConflict) {
		t.Errorf("the same key for another amount: %v", err)
	}
	if d, err := request(h.bob, "k", 6); err != nil || d.ID == ids[0] {
		t.Errorf("the same key of another member: %v", err)
	}
	errs = together(10, func(i int) error {
		_, err := request(h.alice, fmt.Sprint("more", i), 5)
		return err
	})
	if count(errs, nil) != 2 || count(errs, postgres.ErrTooManyPending) != 8 {
		t.Errorf("with one waiting and three allowed: %v", errs)
	}
}

func TestDepositsAreListed(t *testing.T) {
	h := newHouse(t)
	first, second, other := h.deposit(t, h.alice, "1", 1), h.deposit(t, h.alice, "2", 2), h.deposit(t, h.dora, "1", 3)
	h.deposit(t, h.bob, "1", 4)
	ids := func(found []account.Deposit, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []account.DepositID
		for _, d := range found {
			all = append(all, d.ID)
		}
		return fmt.Sprint(all)
	}
	list := func(all ...account.DepositID) string { return fmt.Sprint(all) }
	ctx := t.Context()
	for _, c := range []struct{ what, got, want string }{
		{"alice's own", ids(h.DepositsOf(ctx, h.alice, h.alice, 0, 9)), list(second.ID, first.ID)},
		{"the next page", ids(h.DepositsOf(ctx, h.alice, h.alice, second.ID, 9)), list(first.ID)},
		{"alice's for her agent", ids(h.DepositsOf(ctx, h.top, h.alice, 0, 9)), list(second.ID, first.ID)},
		{"alice's for bob", ids(h.DepositsOf(ctx, h.bob, h.alice, 0, 9)), "[]"},
		{"alice's for a foreign agent", ids(h.DepositsOf(ctx, h.south, h.alice, 0, 9)), "[]"},
		{"pending of north", ids(h.PendingDeposits(ctx, h.north, 0, 9)), list(first.ID, second.ID, other.ID)},
		{"pending of north, next page", ids(h.PendingDeposits(ctx, h.north, first.ID, 1)), list(second.ID)},
		{"pending of deep", ids(h.PendingDeposits(ctx, h.deep, 0, 9)), list(other.ID)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
	for viewer, want := range map[account.ID]bool{0: true, h.alice: true, h.north: true, h.top: true, h.bob: false, h.south: false, h.deep: false} {
		if _, err := h.Deposit(ctx, viewer, first.ID); (err == nil) != want {
			t.Errorf("deposit of alice for %d: %v", viewer, err)
		}
	}
}

func TestClaims(t *testing.T) {
	h := newHouse(t)
	d, e := h.deposit(t, h.alice, "1", 1), h.deposit(t, h.alice, "2", 2)
	claim := func(agent account.ID, id account.DepositID, key, note string) error {
		_, err := h.ClaimApproval(t.Context(), postgres.Decision{Agent: agent, ID: id, Key: key, Note: note, At: noon})
		return err
	}
	for _, c := range []struct {
		what  string
		agent account.ID
		id    account.DepositID
		key   string
		note  string
		want  error
	}{
		{"a foreign agent", h.south, d.ID, "k", "", postgres.ErrNotFound},
		{"an agent below", h.deep, d.ID, "k", "", postgres.ErrNotFound},
		{"the member", h.alice, d.ID, "k", "", postgres.ErrNotFound},
		{"no such deposit", h.north, 4711, "k", "", postgres.ErrNotFound},
		{"the agent", h.north, d.ID, "k", "note", nil},
		{"again", h.north, d.ID, "k", "note", nil},
		{"with another key", h.north, d.ID, "k2", "note", nil},
		{"with another note", h.north, d.ID, "k", "other", postgres.ErrKeyConflict},
		{"the agent above, late", h.top, d.ID, "k", "note", postgres.ErrNotPending},
		{"the key for another deposit", h.north, e.ID, "k", "note", postgres.ErrKeyConflict},
		{"the other deposit", h.north, e.ID, "", "", nil},
	} {
		if err := claim(c.agent, c.id, c.key, c.note); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if _, err := h.RejectDeposit(t.Context(), postgres.Decision{Agent: h.north, ID: d.ID, Note: "no", At: noon}, entry("deposit.reject")); !errors.Is(err, postgres.ErrNotPending) {
		t.Errorf("a claimed deposit is rejected: %v", err)
	}
}

func TestSelfApprovalIsRefusedByTheTable(t *testing.T) {
	h := newHouse(t)
	d := h.deposit(t, h.alice, "1", 1)
	for _, sql := range []string{
		`UPDATE deposits SET approver_id = member_id WHERE id = $1`,
		`UPDATE deposits SET status = 'REJECTED', decided_by = member_id, decided_at = now() WHERE id = $1`,
		`UPDATE deposits SET status = 'APPROVED', decided_by = member_id, approver_id = member_id, decided_at = now(), sequence = 1 WHERE id = $1`,
	} {
		if _, err := h.pool.Exec(t.Context(), sql, d.ID); err == nil {
			t.Errorf("%s went through", sql)
		}
	}
}

func TestSettlementInARace(t *testing.T) {
	h := newHouse(t)
	d := h.deposit(t, h.alice, "1", 1)
	var credits atomic.Int64
	errs := together(20, func(i int) error {
		agent := h.north
		if i%2 == 0 {
			agent = h.top
		}
		claimed, err := h.ClaimApproval(t.Context(), postgres.Decision{Agent: agent, ID: d.ID, Note: "n", At: noon})
		if err != nil {
			return err
		}
		if claimed.Status == account.DepositApproved {
			return nil
		}
		settled, err := h.SettleApproval(t.Context(), settlement(d.ID, func() (uint64, error) { return 40 + uint64(credits.Add(1)), nil }))
		if err == nil && (settled.Status != account.DepositApproved || settled.Sequence != 41) {
			return fmt.Errorf("settled as %+v", settled)
		}
		return err
	})
	if count(errs, nil) != 10 || count(errs, postgres.ErrNotPending) != 10 || credits.Load() != 1 {
		t.Errorf("%d credits: %v", credits.Load(), errs)
	}
	if waiting, _, err := h.OutboxCounts(t.Context()); waiting != 1 || err != nil {
		t.Errorf("%d jobs wait, %v", waiting, err)
	}
}

// While one sends a credit, another that would send it waits for the row.
func TestSettlementsOfOneDepositTakeTurns(t *testing.T) {
	h := newHouse(t)
	d := h.deposit(t, h.alice, "1", 1)
	if _, err := h.ClaimApproval(t.Context(), postgres.Decision{Agent: h.north, ID: d.ID, At: noon}); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	credited := make(chan struct{}, 1)
	_, err := h.SettleApproval(t.Context(), settlement(d.ID, func() (uint64, error) {
		go func() {
			_, err := h.SettleApproval(t.Context(), settlement(d.ID, func() (uint64, error) {
				credited <- struct{}{}
				return 2, nil
			}))
			second <- err
		}()
		for waiting := 0; waiting == 0; {
			select {
			case <-credited:
				t.Error("the second sent its credit while the first was on its way")
				return 1, nil
			default:
			}
			err := h.pool.QueryRow(t.Context(), `
				SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			if err != nil {
				return 0, err
			}
		}
		return 1, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
	if now, err := h.Deposit(t.Context(), 0, d.ID); err != nil || now.Sequence != 1 {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestSettlementThatFails(t *testing.T) {
	h := newHouse(t)
	d := h.deposit(t, h.alice, "1", 1)
	claim := func() error {
		_, err := h.ClaimApproval(t.Context(), postgres.Decision{Agent: h.north, ID: d.ID, At: noon})
		return err
	}
	settle := func(credit func() (uint64, error)) (account.Deposit, error) {
		return h.SettleApproval(t.Context(), settlement(d.ID, credit))
	}
	if _, err := settle(func() (uint64, error) { t.Error("credited without a claim"); return 1, nil }); !errors.Is(err, postgres.ErrNotPending) {
		t.Error(err)
	}
	if err := claim(); err != nil {
		t.Fatal(err)
	}
	if _, err := settle(func() (uint64, error) { return 0, errFinal }); !errors.Is(err, errFinal) {
		t.Errorf("a final refusal: %v", err)
	}
	if now, err := h.Deposit(t.Context(), 0, d.ID); err != nil || now.ApproverID != 0 || now.Status != account.DepositPending {
		t.Errorf("the claim was not given up: %+v, %v", now, err)
	}
	if err := claim(); err != nil {
		t.Fatal(err)
	}
	if _, err := settle(func() (uint64, error) { return 9, errCrash }); !errors.Is(err, errCrash) {
		t.Errorf("a crash: %v", err)
	}
	left, err := h.UnfinishedApprovals(t.Context(), 0, 10)
	if err != nil || len(left) != 1 || left[0].Deposit.ID != d.ID || left[0].Approver.Username != "north" {
		t.Fatalf("%+v, %v", left, err)
	}
	settled, err := settle(func() (uint64, error) { return 9, nil })
	if err != nil || settled.DecidedBy != h.north || settled.Sequence != 9 {
		t.Fatalf("%+v, %v", settled, err)
	}
	stored, err := h.Deposit(t.Context(), 0, d.ID)
	if err != nil || stored != settled {
		t.Errorf("stored %+v\nsaid   %+v, %v", stored, settled, err)
	}
	if left, err := h.UnfinishedApprovals(t.Context(), 0, 10); err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestReject(t *testing.T) {
	h := newHouse(t)
	d := h.deposit(t, h.alice, "1", 1)
	reject := func(agent account.ID, note string) error {
		_, err := h.RejectDeposit(t.Context(), postgres.Decision{Agent: agent, ID: d.ID, Key: "r", Note: note, At: noon}, entry("deposit.reject"))
		return err
	}
	for _, c := range []struct {
		what  string
		agent account.ID
		note  string
		want  error
	}{
		{"a foreign agent", h.south, "no", postgres.ErrNotFound},
		{"the agent", h.north, "no", nil},
		{"again", h.north, "no", nil},
		{"with other words", h.north, "never", postgres.ErrKeyConflict},
		{"the agent above, late", h.top, "no", postgres.ErrNotPending},
	} {
		if err := reject(c.agent, c.note); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if _, err := h.ClaimApproval(t.Context(), postgres.Decision{Agent: h.north, ID: d.ID, At: noon}); !errors.Is(err, postgres.ErrNotPending) {
		t.Errorf("a rejected deposit is approved: %v", err)
	}
}
