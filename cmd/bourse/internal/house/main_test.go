package house_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine/auth"
)

// open starts a whole demonstration house on a database of its own and returns its
// endpoint. No simulated trader disturbs the figures.
func open(t *testing.T) (*house.House, string) {
	t.Helper()
	return openWith(t, house.Config{
		DataDir: t.TempDir(), DatabaseURL: postgrestest.New(t), Demo: true, Argon: auth.Params{Time: 1, Memory: 1024, Threads: 1},
	})
}

func openWith(t *testing.T, c house.Config) (*house.House, string) {
	t.Helper()
	h, err := house.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		h.Drain(ctx)
		server.Close()
		if err := h.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return h, server.URL + "/graphql"
}

// signIn returns a client of one of the demonstration's people.
func signIn(t *testing.T, h *house.House, endpoint, username string) *client.Client {
	t.Helper()
	for _, s := range h.Demo.SignIns {
		if s.Username == username {
			c := client.New(endpoint, nil)
			must(t, c.SignIn(t.Context(), s.Username, s.Password))
			return c
		}
	}
	t.Fatalf("the demonstration has no %s", username)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask runs an operation that must succeed and returns its data.
func ask[T any](t *testing.T, c *client.Client, operation string, variables map[string]any) T {
	t.Helper()
	var data T
	if err := c.Do(t.Context(), operation, variables, &data); err != nil {
		t.Fatalf("%s\n%v", operation, err)
	}
	return data
}

// refused runs an operation that must be refused with the code.
func refused(t *testing.T, c *client.Client, code, operation string, variables map[string]any) {
	t.Helper()
	err := c.Do(t.Context(), operation, variables, nil)
	if got := client.Code(err); got != code {
		t.Errorf("%s %v\n got %q (%v), want %s", operation, variables, got, err, code)
	}
}
