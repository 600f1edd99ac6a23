package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a command was given is told apart from what it found.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config := func(name, sdl string) string {
		return file(name, `subgraphs: { a: { schema: { sdl: "`+sdl+`" } } }`)
	}
	good, bad := config("good.yaml", "type Query { a: Int }"), config("bad.yaml", "type Query { a: Nobody }")
	more := file("more.graphql", "type Query { a: Int b: Int }")
	supergraph := filepath.Join(dir, "supergraph.graphql")
	for _, c := range []struct {
		args string
		want int
	}{
		{"compose --config " + good + " -o " + supergraph, 0},
		{"compose --config " + bad, 1},
		{"compose --config nowhere.yaml", 2},
		{"compose --config " + good + " --nonsense", 2},
		{"compose --config " + good + " --hints loud", 2},
		{"compose --config " + good + " --check " + supergraph, 0},
		{"compose --config " + good + " --check " + more, 1},
		{"compose --config " + good + " --check " + more + " --fail-on used", 0},
		{"compose --config " + good + " --check nowhere.graphql", 2},
		{"plan --supergraph " + supergraph + " --operation " + file("op.graphql", "{ a }"), 0},
		{"plan --supergraph " + supergraph + " --operation " + file("wrong.graphql", "{ b }"), 1},
		{"plan --supergraph " + more, 2},
		{"router --supergraph " + more, 2},
	} {
		cmd := newRoot()
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		cmd.SetArgs(strings.Fields(c.args))
		if got := exitCode(cmd.ExecuteContext(t.Context())); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.args, got, c.want)
		}
	}
	if exitCode(errors.New("any")) != 1 {
		t.Error("an error that says nothing of codes is 1")
	}
}
