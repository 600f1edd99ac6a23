package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/soak"
)

func newSoak() *cobra.Command {
	var o soak.Options
	var asJSON, keep bool
	cmd := &cobra.Command{
		Use:     "soak",
		GroupID: "prove",
		Short:   "Let a router serve for long and prove that nothing fails and nothing grows",
		Long: `Soak starts a router with all of its features on, as a process of its own, before subgraphs
that fail now and then, and lets clients of all kinds visit it: queries, mutations,
persisted queries, bad tokens, operations that are refused, subscribers that come and go,
clients that are slow or leave. Its supergraph and its configuration change every other
second. Every answer must be the right one, and goroutines, file descriptors and memory
must be no more at the end than after warming up.`,
		Example: `  bourse soak --for 30m
  bourse soak --for 20s --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.For < 5*time.Second || o.Clients < 1 {
				return &exit{exitUsage, errors.New("--for is at least 5s, --clients at least 1")}
			}
			o.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), "  ·", step) }
			report, err := runSoak(cmd.Context(), o, keep)
			if err != nil {
				return notCancelled(cmd.Context(), err)
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				printSoak(cmd, report)
			}
			if err == nil && len(report.Findings) > 0 {
				return errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.For, "for", 30*time.Minute, "how long")
	flags.IntVar(&o.Clients, "clients", 16, "how many clients visit at once")
	flags.Uint64Var(&o.Seed, "seed", 1, "what chance begins with")
	flags.BoolVar(&keep, "keep", false, "keep the temporary directory with the router's files and logs")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runSoak(ctx context.Context, o soak.Options, keep bool) (soak.Report, error) {
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return soak.Report{}, fmt.Errorf("find this program: %w", err)
	}
	if o.Dir, err = os.MkdirTemp("", "bourse-soak-"); err != nil {
		return soak.Report{}, err
	}
	if keep {
		o.Progress("files are in " + o.Dir)
	} else {
		defer os.RemoveAll(o.Dir)
	}
	return soak.Run(ctx, o)
}

func printSoak(cmd *cobra.Command, r soak.Report) {
	out := cmd.OutOrStdout()
	var visits int64
	for _, name := range slices.Sorted(maps.Keys(r.Visits)) {
		fmt.Fprintf(out, "%8d %s\n", r.Visits[name], name)
		visits += r.Visits[name]
	}
	fmt.Fprintf(out, "seed %d: %d visits, %d requests by the router's count, %d reloads and %d refused ones, %d faults of subgraphs\n",
		r.Seed, visits, r.Requests, r.Reloads, r.Refused, r.Faults)
	fmt.Fprintf(out, "at %d rests, first and last third: goroutines %d and %d, file descriptors %d and %d, heap %.1f and %.1f MB, memory %d and %d MB\n",
		r.Rests, r.First.Goroutines, r.Last.Goroutines, r.First.Descriptors, r.Last.Descriptors,
		float64(r.First.Heap)/(1<<20), float64(r.Last.Heap)/(1<<20), r.First.Resident>>20, r.Last.Resident>>20)
	for _, finding := range r.Findings {
		fmt.Fprintln(out, "  !", finding)
	}
}
