package audit_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
)

func chain(t *testing.T, n int) []audit.Record {
	t.Helper()
	var rows []audit.Record
	var head audit.Head
	for i := range n {
		r, err := audit.Seal(head, audit.Entry{
			At:    time.Date(2026, 3, 1, 12, 0, i, 123456789, time.UTC),
			Actor: account.Actor{ID: 7, Role: account.RoleAgent, Username: "agnes"}, Action: "deposit.approve",
			Subject: fmt.Sprint("deposit:", i), Details: map[string]string{"note": "ok", "amount": "1.00"}, Command: fmt.Sprint("k", i),
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, head = append(rows, r), r.Head()
	}
	return rows
}

func each(rows []audit.Record) iter.Seq2[audit.Record, error] {
	return func(yield func(audit.Record, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestChainVerifies(t *testing.T) {
	rows := chain(t, 5)
	want := rows[4].Head()
	if got, err := audit.Verify(audit.Head{}, each(rows), want); err != nil || got != want {
		t.Fatalf("Verify = %+v, %v", got, err)
	}
	if got, err := audit.Verify(rows[2].Head(), each(rows[3:]), want); err != nil || got != want {
		t.Errorf("from a noted head: %+v, %v", got, err)
	}
	if rows[0].At.Nanosecond() != 123456000 {
		t.Errorf("the time is finer than what is stored: %v", rows[0].At)
	}
	if rows[0].Details != `{"amount":"1.00","note":"ok"}` {
		t.Errorf("details are not in one order: %s", rows[0].Details)
	}
}

func TestTamperingShows(t *testing.T) {
	for name, tamper := range map[string]func([]audit.Record) []audit.Record{
		"time":    func(r []audit.Record) []audit.Record { r[2].At = r[2].At.Add(time.Microsecond); return r },
		"actor":   func(r []audit.Record) []audit.Record { r[2].ActorID++; return r },
		"role":    func(r []audit.Record) []audit.Record { r[2].ActorRole = account.RoleAdmin; return r },
		"name":    func(r []audit.Record) []audit.Record { r[2].ActorName = "mallory"; return r },
		"action":  func(r []audit.Record) []audit.Record { r[2].Action = "deposit.reject"; return r },
		"subject": func(r []audit.Record) []audit.Record { r[2].Subject = "deposit:9"; return r },
		"details": func(r []audit.Record) []audit.Record { r[2].Details = "{}"; return r },
		"command": func(r []audit.Record) []audit.Record { r[2].Command = ""; return r },
		"boundary": func(r []audit.Record) []audit.Record {
			r[2].Action, r[2].Subject = "deposit.approved", "eposit:2"
			return r
		},
		"hash":     func(r []audit.Record) []audit.Record { r[2].Hash[0] ^= 1; return r },
		"prev":     func(r []audit.Record) []audit.Record { r[2].Prev[0] ^= 1; return r },
		"removed":  func(r []audit.Record) []audit.Record { return append(r[:2], r[3:]...) },
		"swapped":  func(r []audit.Record) []audit.Record { r[2], r[3] = r[3], r[2]; return r },
		"repeated": func(r []audit.Record) []audit.Record { return append(r[:3:3], r[2:]...) },
	} {
		rows := chain(t, 5)
		want := rows[4].Head()
		reached, err := audit.Verify(audit.Head{}, each(tamper(rows)), want)
		var broken *audit.Break
		if !errors.As(err, &broken) || !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if reached.ID < 2 || reached.ID > 3 || broken.ID < 3 || broken.ID > 4 {
			t.Errorf("%s: broken at %d, good up to %d", name, broken.ID, reached.ID)
		}
	}
}

func TestLostTailShows(t *testing.T) {
	rows := chain(t, 5)
	if _, err := audit.Verify(audit.Head{}, each(rows[:4]), rows[4].Head()); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("a lost last row: %v", err)
	}
	failing := func(yield func(audit.Record, error) bool) { yield(audit.Record{}, errors.New("disk")) }
	if _, err := audit.Verify(audit.Head{}, failing, audit.Head{}); err == nil || errors.Is(err, audit.ErrBroken) {
		t.Errorf("a failing read is taken for tampering: %v", err)
	}
}
