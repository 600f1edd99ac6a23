package engine

import (
	"fmt"
	"testing"
	"time"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// What a member had is told for every sequence and stamp there was, and the lines of a statement add
// up from its opening to its closing whatever the page.
func TestStatementsTellEveryBalanceThereWas(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1), f.rich(2)
	ctx := t.Context()

	type moment struct {
		sequence Sequence
		balance  Balance
	}
	var moments []moment
	note := func(sequence Sequence) {
		t.Helper()
		balance, err := alice.Balance(WithMinSequence(ctx, sequence), "USD")
		if err != nil {
			t.Fatal(err)
		}
		moments = append(moments, moment{sequence, balance})
	}
	var last Sequence
	for i := range 12 {
		_, sequence := place(t, alice, limit(fmt.Sprint("a", i), market.Buy, fmt.Sprintf("%d", 100+i), "0.5"))
		note(sequence)
		_, sequence = place(t, bob, limit(fmt.Sprint("b", i), market.Sell, "100", "0.3"))
		note(sequence)
		last = sequence
	}
	ctx = WithMinSequence(ctx, last)
	for _, m := range moments {
		got, err := alice.BalanceAt(ctx, "USD", m.sequence)
		if err != nil || got != m.balance {
			t.Errorf("at %d: %+v, %v; want %+v", m.sequence, got, err, m.balance)
		}
	}

	whole, err := alice.Statement(ctx, StatementQuery{Asset: "USD"}, Page{First: MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	if whole.HasNext || len(whole.Items) != 1+12+12 || whole.Opening.Sign() != 0 || whole.Closing != moments[len(moments)-1].balance.Total {
		t.Fatalf("%d lines from %v to %v", len(whole.Items), whole.Opening, whole.Closing)
	}
	var items []StatementLine
	for page := (Page{First: 4}); ; {
		part, err := alice.Statement(ctx, StatementQuery{Asset: "USD"}, page)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, part.Items...)
		if page.After = part.Next; !part.HasNext {
			break
		}
	}
	if fmt.Sprint(items) != fmt.Sprint(whole.Items) {
		t.Errorf("in pages:\n%v\nat once:\n%v", items, whole.Items)
	}
	sum := whole.Opening.Coefficient()
	for _, line := range items {
		sum += line.Available.Coefficient() + line.Held.Coefficient()
		if line.Balance != money.NewDecimal(sum, 2) {
			t.Errorf("%+v: want a balance of %d cents", line, sum)
		}
		asOf, err := alice.BalanceAsOf(ctx, "USD", line.At)
		if err != nil || asOf.Total != line.Balance {
			t.Errorf("as of %v: %+v, %v; the line says %v", line.At, asOf, err, line.Balance)
		}
	}

	middle := StatementQuery{Asset: "USD", From: items[5].At, To: items[9].At}
	part, err := alice.Statement(ctx, middle, Page{First: MaxPage})
	if err != nil || len(part.Items) != 4 || part.Opening != items[4].Balance || part.Closing != items[8].Balance {
		t.Errorf("from the sixth line to before the tenth: %+v, %v", part, err)
	}
	before, err := alice.BalanceAsOf(ctx, "USD", items[0].At.Add(-time.Nanosecond))
	if err != nil || before.Total.Sign() != 0 {
		t.Errorf("before the first line: %+v, %v", before, err)
	}
	if never, err := alice.Statement(ctx, StatementQuery{Asset: "USD", To: time.Unix(1, 0)}, Page{First: 1}); err != nil || len(never.Items) != 0 || never.Closing.Sign() != 0 {
		t.Errorf("long ago: %+v, %v", never, err)
	}
}

func TestRefusalsOfStatements(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1)
	for _, c := range []struct {
		name string
		ask  StatementQuery
		page Page
		want fault.Code
	}{
		{"unknown asset", StatementQuery{Asset: "XYZ"}, Page{First: 1}, fault.UnknownAsset},
		{"no page", StatementQuery{Asset: "USD"}, Page{}, fault.InvalidArgument},
		{"another list's cursor", StatementQuery{Asset: "USD"}, Page{First: 1, After: encodeCursor('o', 1)}, fault.InvalidArgument},
		{"backwards", StatementQuery{Asset: "USD", From: time.Unix(2, 0), To: time.Unix(1, 0)}, Page{First: 1}, fault.InvalidArgument},
	} {
		if _, err := alice.Statement(t.Context(), c.ask, c.page); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
