// Command bourse is the exchange: every part of it, and the tools to run it, in one
// binary. Each subcommand is a file of this folder; what a subcommand needs beyond
// wiring stands in internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=...".
var version = "dev"

// errReported ends a command that has already told the user what is wrong.
var errReported = errors.New("reported")

// exit ends a command with a code of its own; err may be nil when the user has been told.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return fmt.Sprint(e.err) }
func (e *exit) Unwrap() error { return e.err }

// exitUsage is the code for what a command was given: flags, configuration, files that are not there.
const exitUsage = 2

func main() { os.Exit(run()) }

// run is the whole command; it returns the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process the usual way
	err := newRoot().ExecuteContext(ctx)
	code := exitCode(err)
	var own *exit
	if errors.As(err, &own) {
		err = own.err
	}
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "bourse:", err)
	}
	return code
}

func exitCode(err error) int {
	var own *exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.code
	}
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "bourse",
		Short: "An exchange on a federated GraphQL platform, in one binary",
		Long: `Bourse is an exchange that an operator can run: members trade, agents look after
members, admins run the house. "bourse serve --demo" starts all of it with a
demonstration house; "bourse help COMMAND" explains each command.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exit{exitUsage, err} })
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "graph", Title: "Federation:"},
		&cobra.Group{ID: "operate", Title: "Operate:"},
		&cobra.Group{ID: "prove", Title: "Prove and measure:"},
	)
	root.AddCommand(
		newServe(), newRouter(), newEngine(), newSubgraph(), newWorker(),
		newCompose(), newPlan(),
		newMigrate(), newDoctor(), newReplay(), newJournal(), newProject(), newAudit(), newAdmin(),
		newSimulate(), newDrill(), newSoak(), newBench(), newBenchPart(),
	)
	return root
}

// newLogger writes records for people to a terminal's standard error, at the level named.
func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: use debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
