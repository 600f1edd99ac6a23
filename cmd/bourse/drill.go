package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/drill"
	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/bourse/internal/simulate"
)

func newDrill() *cobra.Command {
	var o drill.Options
	var asJSON, keep bool
	var data string
	cmd := &cobra.Command{
		Use:     "drill",
		GroupID: "prove",
		Short:   "Kill the exchange under load and prove that nothing is lost",
		Long: `Drill starts a house of its own in a temporary directory, lets members trade through
the public endpoint and kills the process with SIGKILL at moments that the seed chooses,
every second time together with its database. Then it starts the house again and
compares: every acknowledged command must stand once, every unanswered one must have one
effect when it is sent again, and every invariant of the ledger and the books must hold.

With --processes N, N processes serve one house on one database and one Redis, and each
time the one that decides commands is killed while clients trade through all of them.
The clients go on through the others; the report also says how long it took until
another process acknowledged a command.`,
		Example: `  bourse drill --kills 20 --seed 7
  bourse drill --processes 3 --kills 20 --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), "  ·", step) }
			report, err := runDrill(cmd.Context(), o, data, keep)
			if err != nil {
				return notCancelled(cmd.Context(), err)
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				printDrill(cmd, report)
			}
			if err == nil && report.Lost+report.Doubled+report.Violations > 0 {
				err = errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Kills, "kills", 20, "how many times to kill")
	flags.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "seed of the load and of the moments")
	flags.IntVar(&o.Processes, "processes", 1, "how many processes serve the house at once")
	flags.IntVar(&o.Clients, "clients", 16, "how many members trade at once")
	flags.StringVar(&data, "data", "", "directory for the house, which must be empty (default: a temporary one)")
	flags.BoolVar(&keep, "keep", false, "keep the temporary directory")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runDrill(ctx context.Context, o drill.Options, data string, keep bool) (drill.Report, error) {
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return drill.Report{}, fmt.Errorf("find this program: %w", err)
	}
	if data == "" {
		if data, err = os.MkdirTemp("", "bourse-drill-"); err != nil {
			return drill.Report{}, err
		}
		if err := os.Chmod(data, 0o755); err != nil { // the database may run as another user
			return drill.Report{}, err
		}
		if !keep {
			defer os.RemoveAll(data)
		}
	}
	agent := house.DemoAgent()
	o.DataDir = data
	o.Prices = house.DemoPrices()
	o.Enrolment = simulate.Enrolment{AgentUsername: agent.Username, AgentPassword: agent.Password, Funds: house.DemoFunds()}
	o.Verify = func(ctx context.Context, dir string) ([]string, error) {
		v, err := house.Verify(ctx, house.Config{DataDir: filepath.Join(dir, "house")})
		return v.Violations, err
	}
	o.VerifyAt = func(ctx context.Context, url string) ([]string, error) {
		v, err := house.Verify(ctx, house.Config{DatabaseURL: url})
		return v.Violations, err
	}
	return drill.Run(ctx, o)
}

func printDrill(cmd *cobra.Command, r drill.Report) {
	fmt.Fprintf(cmd.OutOrStdout(), "seed %d: %d kills, %d commands acknowledged, %d settled by sending them again\n",
		r.Seed, r.Kills, r.Acked, r.Settled)
	fmt.Fprintf(cmd.OutOrStdout(), "lost %d, doubled %d, violations %d; restart p50 %d ms, longest %d ms\n",
		r.Lost, r.Doubled, r.Violations, r.RestartP50, r.RestartMax)
	if r.Processes > 1 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d processes; taken over p50 %d ms, longest %d ms\n", r.Processes, r.TakeoverP50, r.TakeoverMax)
	}
	for _, finding := range r.Findings {
		fmt.Fprintln(cmd.OutOrStdout(), "  !", finding)
	}
}
