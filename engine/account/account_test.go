package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"bourse/engine/account"
)

func TestParseUsername(t *testing.T) {
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{"alice", "alice", nil},
		{"  Alice ", "alice", nil},
		{"a-1", "a-1", nil},
		{"a.b_c-d9", "a.b_c-d9", nil},
		{strings.Repeat("a", 32), strings.Repeat("a", 32), nil},
		{strings.Repeat("a", 33), "", account.ErrUsername},
		{"ab", "", account.ErrUsername},
		{"", "", account.ErrUsername},
		{"1alice", "", account.ErrUsername},
		{"alice-", "", account.ErrUsername},
		{".alice", "", account.ErrUsername},
		{"al ice", "", account.ErrUsername},
		{"alíce", "", account.ErrUsername},
		{"аlice", "", account.ErrUsername}, // a Cyrillic а
		{"alice\x00", "", account.ErrUsername},
	} {
		got, err := account.ParseUsername(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseUsername(%q) = %q, %v; want %q, %v", c.in, got, err, c.want, c.err)
		}
	}
	if _, err := account.ParseMemberUsername("Support"); !errors.Is(err, account.ErrReserved) {
		t.Errorf("a member may be called Support: %v", err)
	}
	if _, err := account.ParseUsername("admin"); err != nil {
		t.Errorf("an admin may not be called admin: %v", err)
	}
}

func TestParseDisplayName(t *testing.T) {
	for in, want := range map[string]string{
		" Alice Adams ": "Alice Adams", "李小龙": "李小龙", "O'Neill": "O'Neill",
		"": "", "   ": "", "a\u202eb": "", "a\nb": "", "a\x00b": "", strings.Repeat("x", 65): "", "bad\xff": "",
	} {
		got, err := account.ParseDisplayName(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseDisplayName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestDuties(t *testing.T) {
	markets := account.DutiesOf([]account.AdminRole{account.AdminMarkets})
	if !markets.Has(account.DutyMarkets) || markets.Has(account.DutyPeople) || markets.Has(account.DutyMarkets|account.DutyAudit) {
		t.Errorf("the duties of MARKETS are %s", markets)
	}
	both := account.DutiesOf([]account.AdminRole{account.AdminMarkets, account.AdminAuditor, "JANITOR"})
	if got := both.String(); got != "markets,people,audit,health" {
		t.Errorf("the duties of MARKETS and AUDITOR are %s", got)
	}
	if account.DutiesOf([]account.AdminRole{account.AdminSupervisor}).String() != "markets,people,appoint,audit,health,risk,money" {
		t.Error("a supervisor may not do everything")
	}
	if account.AdminRole("JANITOR").Valid() || account.RoleSystem.Valid() {
		t.Error("an unknown role is valid")
	}
}

func TestInviteUsable(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	i := account.Invite{MaxUses: 2, Uses: 1, ExpiresAt: now.Add(time.Second)}
	if !i.Usable(now) || i.Usable(now.Add(time.Second)) {
		t.Error("an invite is good before its end, and only then")
	}
	i.Uses = 2
	if i.Usable(now) {
		t.Error("a used up invite is usable")
	}
}
