package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/bench"
)

// figures is everything that bench prints; a part that was not asked for is absent.
type figures struct {
	Machine   bench.Machine        `json:"machine"`
	Facade    *bench.Rate          `json:"facadeOrders,omitempty"`
	Endpoint  *bench.Rate          `json:"endpointOrders,omitempty"`
	Sustained *bench.SustainedRate `json:"sustainedOrders,omitempty"`
	Router    *bench.Overhead      `json:"routerOverhead,omitempty"`
}

func newBench() *cobra.Command {
	o := bench.Options{}
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "bench [durable|sustained|router]",
		GroupID: "prove",
		Short:   "Take the figures of BENCHMARKS.md on this machine",
		Long: `Bench starts a house of its own in a temporary directory and measures:

  durable   orders a second and their latency, answered after the commit, with fsync on:
            at the engine's façade, and through /graphql over HTTP
  sustained one long round at the façade, and how long history takes to catch up after it
  router    what the router adds to a query that one subgraph answers

Without a name it takes durable and router. The median of the rounds counts.`,
		Example: `  bourse bench durable --round 10s --waiting 1000
  bourse bench sustained --round 60s`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"durable", "sustained", "router"},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), "  ·", step) }
			tuneMemory()
			f, err := takeFigures(cmd.Context(), o, args)
			if err != nil {
				return notCancelled(cmd.Context(), err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), f)
			}
			printFigures(cmd.OutOrStdout(), f)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.Round, "round", 5*time.Second, "length of one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "how many rounds")
	flags.IntVar(&o.Members, "members", 32, "how many members trade")
	flags.IntVar(&o.Waiting, "waiting", 1000, "commands under way at once at the façade (64 at most at the endpoint)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// takeFigures measures what is named, or the two that make bench asks for.
func takeFigures(ctx context.Context, o bench.Options, names []string) (figures, error) {
	if len(names) == 0 {
		names = []string{"durable", "router"}
	}
	f := figures{Machine: bench.ThisMachine()}
	for _, name := range names {
		switch name {
		case "durable":
			facade, endpoint, err := bench.Orders(ctx, o)
			if err != nil {
				return f, err
			}
			f.Facade, f.Endpoint = &facade, &endpoint
		case "sustained":
			rate, err := bench.Sustained(ctx, o)
			if err != nil {
				return f, err
			}
			f.Sustained = &rate
		case "router":
			overhead, err := bench.RouterOverhead(ctx, o)
			if err != nil {
				return f, err
			}
			f.Router = &overhead
		}
	}
	return f, nil
}

func printFigures(out io.Writer, f figures) {
	fmt.Fprintf(out, "%s/%s, %d CPUs, %s\n\n", f.Machine.OS, f.Machine.Arch, f.Machine.CPUs, f.Machine.Go)
	line := func(what string, r *bench.Rate) {
		if r != nil {
			fmt.Fprintf(out, "%-34s %9d/s   p50 %-10s p99 %-10s refused %d\n", what, r.PerSecond, r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond), r.Refused)
		}
	}
	line("durable orders at the façade", f.Facade)
	line("durable orders through /graphql", f.Endpoint)
	if r := f.Sustained; r != nil {
		line("orders at the façade, one long round", &r.Rate)
		fmt.Fprintf(out, "%-34s %9d/s   history came %s after the last order\n", "  until history held them all", r.Projected, r.CatchUp.Round(time.Millisecond))
	}
	if r := f.Router; r != nil {
		fmt.Fprintf(out, "%-34s %9s      at the subgraph %s, the router adds %s\n", "a query through the router", r.Router, r.Subgraph, r.Added)
	}
}
