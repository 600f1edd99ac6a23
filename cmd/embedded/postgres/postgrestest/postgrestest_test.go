//go:build unix

package postgrestest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"bourse/cmd/embedded/postgres/postgrestest"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	ctx := context.Background()
	first := connect(t, postgrestest.New(t))
	second := connect(t, postgrestest.New(t))
	if _, err := first.Exec(ctx, "CREATE TABLE only_here (id int)"); err != nil {
		t.Fatal(err)
	}
	var seen bool
	if err := second.QueryRow(ctx, "SELECT to_regclass('only_here') IS NOT NULL").Scan(&seen); err != nil {
		t.Fatal(err)
	}
	if seen {
		t.Fatal("the second database shows a table of the first")
	}
}

func TestCommitsReachTheDisk(t *testing.T) {
	conn := connect(t, postgrestest.New(t))
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(context.Background(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value != "on" {
			t.Errorf("%s is %q", name, value)
		}
	}
}

func TestADroppedDatabaseIsGone(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = postgrestest.New(t)
		connect(t, url)
	})
	if conn, err := pgx.Connect(context.Background(), url); err == nil {
		_ = conn.Close(context.Background())
		t.Fatal("the database outlived its test")
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
