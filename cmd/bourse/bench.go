package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/bench"
	"bourse/cmd/bourse/internal/bench/gateway"
	"bourse/cmd/bourse/internal/drill"
)

// benchmark is one thing to measure.
type benchmark struct {
	name, what string
	round      time.Duration // length of a round where none was asked for; 0: its rounds have no length
	take       func(context.Context, benchOptions) (measured, error)
}

// measured is what came out: itself in JSON, lines for people.
type measured interface{ Lines() []bench.Line }

type benchOptions struct {
	bench.Options
	openOrders, records int
}

func (o benchOptions) recovery() bench.RecoverOptions {
	return bench.RecoverOptions{OpenOrders: o.openOrders, Records: o.records, Rounds: o.Rounds, Progress: o.Progress}
}

// simple is a benchmark that needs no more than the common options.
func simple[M any, P interface {
	*M
	measured
}](take func(context.Context, bench.Options) (M, error)) func(context.Context, benchOptions) (measured, error) {
	return func(ctx context.Context, o benchOptions) (measured, error) {
		m, err := take(ctx, o.Options)
		return P(&m), err
	}
}

var benchmarks = []benchmark{
	{"book", "the matching book alone plays workload W1 on one core", 0, simple(bench.Book)},
	{"venue", "the whole venue plays W1 on one core; memory of an open order", 0, simple(bench.Venue)},
	{"durable", "orders at the engine's façade, each caller waits for the commit; the journal beside a bare file", 10 * time.Second, simple(bench.Durable)},
	{"sustained", "one long round of the same, with history keeping up", time.Minute, simple(bench.Sustained)},
	{"latency", "durable orders that come at 5,000 a second, from when each was due", 10 * time.Second, simple(bench.Latencies)},
	{"recover", "a start with open orders and a log behind the snapshot", 0, func(ctx context.Context, o benchOptions) (measured, error) {
		m, err := bench.Recover(ctx, o.recovery())
		return &m, err
	}},
	{"takeover", "three processes share a house: the one that decides is killed, another goes on", 0, takeTakeover},
	{"endpoint", "durable orders through /graphql over HTTP", 5 * time.Second, simple(bench.Endpoint)},
	{"overhead", "what the router adds to a query that one subgraph answers", 5 * time.Second, simple(bench.RouterOverhead)},
	{"router", "a router in a process of its own beside one that does only the HTTP work of the same queries", 5 * time.Second, simple(bench.MeasureRouting)},
	{"fanout", "one stream to 10,000 subscribers, without and with fields of other subgraphs (always one round)", 10 * time.Second, simple(bench.MeasureFanouts)},
	{"plan", "planning 60 selections over four subgraphs, cold and cached; the curve over an interface with 20 implementers", 0, simple(bench.Plan)},
	{"compose", "composition of 50 subgraphs with 2,000 types", 0, simple(bench.Compose)},
	{"load", "what a router takes to load that supergraph", 0, simple(bench.Load)},
}

// takeover is how long nobody decided after the one who did was killed.
type takeover struct {
	Kills     int   `json:"kills"`
	P50Millis int64 `json:"p50Millis"`
	MaxMillis int64 `json:"maxMillis"`
}

// Lines implements measured.
func (t *takeover) Lines() []bench.Line {
	const reach = 3000
	return []bench.Line{{
		What: "take-over, from the leader's death to the next acknowledgement", Figure: fmt.Sprintf("%d ms", t.MaxMillis), Reach: "≤ 3 s",
		Missed: t.MaxMillis > reach, Note: fmt.Sprintf("longest of %d; p50 %d ms", t.Kills, t.P50Millis),
	}}
}

// takeTakeover is a short drill: what it finds lost or doubled is an error here.
func takeTakeover(ctx context.Context, o benchOptions) (measured, error) {
	report, err := runDrill(ctx, drill.Options{Processes: 3, Kills: max(o.Rounds, 3), Seed: 1, Clients: 9, Progress: o.Progress}, "", false)
	if err != nil {
		return nil, err
	}
	if report.Lost+report.Doubled+report.Violations > 0 {
		return nil, fmt.Errorf("the drill found faults: %v", report.Findings)
	}
	return &takeover{Kills: report.Kills, P50Millis: report.TakeoverP50, MaxMillis: report.TakeoverMax}, nil
}

func newBench() *cobra.Command {
	o := benchOptions{}
	var asJSON bool
	names := make([]string, len(benchmarks))
	var list strings.Builder
	for i, b := range benchmarks {
		names[i] = b.name
		fmt.Fprintf(&list, "  %-10s %s\n", b.name, b.what)
	}
	cmd := &cobra.Command{
		Use:     "bench [" + strings.Join(names, "|") + "]...",
		GroupID: "prove",
		Short:   "Take the figures of BENCHMARKS.md on this machine",
		Long: `Bench takes figures on this machine, with what they should reach beside them:

` + list.String() + `
Without a name it takes them all. The median of the rounds counts. What needs a house starts
one of its own in a temporary directory, with fsync on. plan, compose, load, router and fanout need none and
take the figures of the federation. book and venue have one core to
themselves. Figures go to the standard output, progress to the standard error.`,
		Example: `  bourse bench venue
  bourse bench durable --round 10s --waiting 1000
  bourse bench latency sustained --json`,
		ValidArgs: names,
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Rounds < 1 || o.Members < 2 || o.Waiting < 1 || o.Round < 0 || o.openOrders < 1 || o.records < 1 {
				return errors.New("--rounds, --waiting, --open-orders and --records are at least 1, --members at least 2, --round is not negative")
			}
			tuneMemory()
			figures, err := takeFigures(cmd, o, args)
			if err != nil {
				return notCancelled(cmd.Context(), err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), figures)
			}
			return figures.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.Round, "round", 0, "length of one round; 0 is the usual one of each benchmark")
	flags.IntVar(&o.Rounds, "rounds", 5, "how many rounds (sustained is always one)")
	flags.IntVar(&o.Members, "members", 32, "how many members trade")
	flags.IntVar(&o.Waiting, "waiting", 1000, "callers that wait at once at the façade (64 at most at the endpoint)")
	flags.IntVar(&o.openOrders, "open-orders", 100_000, "recover: orders that rest in the books")
	flags.IntVar(&o.records, "records", 1_000_000, "recover: records of the journal behind the snapshot")
	flags.BoolVar(&asJSON, "json", false, "print JSON: machine, and an object under the name of each benchmark")
	return cmd
}

// newBenchPart serves what bench measures from outside. It is no command for people.
func newBenchPart() *cobra.Command {
	return &cobra.Command{
		Use: bench.ServePart[0], Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return gateway.ServePart(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// figures is what was measured, in order.
type figures struct {
	machine bench.Machine
	names   []string
	taken   []measured
}

func takeFigures(cmd *cobra.Command, o benchOptions, names []string) (figures, error) {
	f := figures{machine: bench.ThisMachine()}
	for _, b := range benchmarks {
		if len(names) > 0 && !slices.Contains(names, b.name) {
			continue
		}
		mine := o
		if mine.Round == 0 {
			mine.Round = b.round
		}
		mine.Progress = func(step string) { fmt.Fprintf(cmd.ErrOrStderr(), "  · %s: %s\n", b.name, step) }
		m, err := b.take(cmd.Context(), mine)
		if err != nil {
			return f, fmt.Errorf("%s: %w", b.name, err)
		}
		f.names, f.taken = append(f.names, b.name), append(f.taken, m)
	}
	return f, nil
}

// MarshalJSON has the machine and each benchmark under its name.
func (f figures) MarshalJSON() ([]byte, error) {
	all := map[string]any{"machine": f.machine}
	for i, name := range f.names {
		all[name] = f.taken[i]
	}
	return json.Marshal(all)
}

func (f figures) print(out io.Writer) error {
	m := f.machine
	fmt.Fprintf(out, "%s/%s, %d CPUs, %s\n\n", m.OS, m.Arch, m.CPUs, m.Go)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tfigure\treach\t")
	for _, m := range f.taken {
		for _, l := range m.Lines() {
			reach := l.Reach
			if l.Missed {
				reach += " (missed)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.What, l.Figure, reach, l.Note)
		}
	}
	return table.Flush()
}
