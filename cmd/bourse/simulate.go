package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/bourse/internal/simulate"
)

func newSimulate() *cobra.Command {
	o := demoSimulation("http://127.0.0.1:8080", 20)
	var asJSON bool
	var prices, funds []string
	cmd := &cobra.Command{
		Use:     "simulate",
		GroupID: "prove",
		Short:   "Let seeded traders trade through the public endpoint",
		Long: `Simulate brings traders in through an agent of the house (invite, deposit, approval)
and lets them make and take in every market that has a price. It uses the public
GraphQL endpoint only. The agent's password is read from BOURSE_AGENT_PASSWORD; the
default is that of the demonstration house.`,
		Example: `  bourse simulate --rate 50 --seed 7 --for 30s
  bourse simulate --endpoint http://127.0.0.1:8080/graphql --traders 20 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if password := os.Getenv("BOURSE_AGENT_PASSWORD"); password != "" {
				o.AgentPassword = password
			}
			var err error
			if o.Prices, err = pairs("--price", prices, house.DemoPrices()); err != nil {
				return err
			}
			if o.Funds, err = pairs("--funds", funds, house.DemoFunds()); err != nil {
				return err
			}
			o.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), "  ·", step) }
			report, err := simulate.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), report)
			}
			printSimulation(cmd.OutOrStdout(), report)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Endpoint, "endpoint", o.Endpoint, "GraphQL endpoint")
	flags.StringVar(&o.AgentUsername, "agent", o.AgentUsername, "agent who brings the traders in")
	flags.IntVar(&o.Rate, "rate", o.Rate, "commands a second of all traders together")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "seed of the traders' names and choices")
	flags.IntVar(&o.Traders, "traders", o.Traders, "how many traders, at least 2")
	flags.DurationVar(&o.For, "for", 0, "how long; 0 is until Ctrl-C")
	flags.StringSliceVar(&prices, "price", nil, "opening price of a market without trades, such as BTC-USDT=64000 (default: the demonstration's)")
	flags.StringSliceVar(&funds, "funds", nil, "first deposit of each trader, such as USDT=1000000 (default: the demonstration's)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// pairs reads KEY=VALUE flags; without any it returns the default.
func pairs(flag string, given []string, fallback map[string]string) (map[string]string, error) {
	if len(given) == 0 {
		return fallback, nil
	}
	m := map[string]string{}
	for _, one := range given {
		key, value, ok := strings.Cut(one, "=")
		if !ok {
			return nil, fmt.Errorf("%s %q: write KEY=VALUE", flag, one)
		}
		m[key] = value
	}
	return m, nil
}

func printSimulation(out io.Writer, r simulate.Report) {
	fmt.Fprintf(out, "seed %d: %d orders placed, %d cancelled in %ds (%d commands/s), p50 %s, p99 %s\n",
		r.Seed, r.Placed, r.Cancelled, r.Seconds, r.PerSecond,
		time.Duration(r.P50)*time.Microsecond, time.Duration(r.P99)*time.Microsecond)
	for code, n := range r.Refused {
		fmt.Fprintf(out, "  refused %s: %d\n", code, n)
	}
	if r.Failed > 0 {
		fmt.Fprintf(out, "  without an answer: %d\n", r.Failed)
	}
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// notCancelled hides the error of a command that the user ended.
func notCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errReported
	}
	return err
}
