package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/house"
)

// roleFlags are those of a process that plays one role of a house.
type roleFlags struct {
	listen, databaseURL, redisURL, level, readyFile string
	callers                                         callerFlags
	demo                                            bool
}

func (f *roleFlags) register(cmd *cobra.Command, listen string) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", listen, "address to listen on; port 0 takes a free one")
	flags.StringVar(&f.databaseURL, "database-url", "", "PostgreSQL of the house (DATABASE_URL)")
	flags.StringVar(&f.redisURL, "redis-url", "", "Redis of the house (REDIS_URL)")
	flags.StringVar(&f.level, "log-level", "info", "debug, info, warn or error")
	flags.BoolVar(&f.demo, "demo", false, "the house is a demonstration, with public sign-ins")
	f.callers.register(cmd)
	flags.StringVar(&f.readyFile, "ready-file", "", "file that gets the address once the role is played")
}

const roleEnvironment = `

/metrics answers this machine alone, unless --metrics-from says otherwise.

Environment: BOURSE_SECRET, DATABASE_URL, REDIS_URL: those of the house's other processes.`

func newEngine() *cobra.Command {
	var f roleFlags
	cmd := &cobra.Command{
		Use:     "engine",
		GroupID: "run",
		Short:   "Decide commands for other processes, or stand by to",
		Long: `Engine runs the sequencer alone, without the API: it decides the commands that other
processes of the house bring through Redis. While another process does that already it
stands by with everything in memory, and goes on at once when that one dies. It serves
/healthz, /readyz and /metrics.` + roleEnvironment,
		Example: `  bourse engine --listen 127.0.0.1:8090`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return playRole(cmd, f, house.Engine) },
	}
	f.register(cmd, "127.0.0.1:8090")
	return cmd
}

func newWorker() *cobra.Command {
	var f roleFlags
	cmd := &cobra.Command{
		Use:     "worker",
		GroupID: "run",
		Short:   "Do the house's background jobs",
		Long: `Worker hands the job requests that wait in the database to the queue in Redis and runs
what comes out of it. Several may run; each job is done by one. It serves /healthz,
/readyz and /metrics.` + roleEnvironment,
		Example: `  bourse worker --listen 127.0.0.1:8091`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return playRole(cmd, f, house.Worker) },
	}
	f.register(cmd, "127.0.0.1:8091")
	return cmd
}

func newSubgraph() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "subgraph",
		GroupID: "run",
		Short:   "Serve one subgraph of the API",
		Long: `Subgraph serves the part of the API that is for members, agents or admins, to a router
in another process. It shows what is committed and brings commands to the process that
decides them; it never does so itself.`,
	}
	for i, role := range []house.Role{house.MemberSubgraph, house.AgentSubgraph, house.AdminSubgraph} {
		var f roleFlags
		one := &cobra.Command{
			Use:   string(role),
			Short: fmt.Sprintf("Serve the %s subgraph at /graphql", role),
			Long: fmt.Sprintf(`Serve the %s subgraph at /graphql, and /healthz, /readyz and /metrics. It answers only
requests that carry the router's secret (BOURSE_ROUTER_SECRET) in the header
Bourse-Router-Secret.`, role) + roleEnvironment + "\nBOURSE_ROUTER_SECRET: what the router sends.",
			Example: fmt.Sprintf(`  bourse subgraph %s --listen 127.0.0.1:%d`, role, 4001+i),
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return playRole(cmd, f, role) },
		}
		f.register(one, fmt.Sprintf("127.0.0.1:%d", 4001+i))
		cmd.AddCommand(one)
	}
	return cmd
}

// playRole starts a role and plays it until the command is ended.
func playRole(cmd *cobra.Command, f roleFlags, role house.Role) error {
	out := cmd.ErrOrStderr()
	logger, err := newLogger(out, f.level)
	if err != nil {
		return err
	}
	proxies, metricsFrom, err := f.callers.parse()
	if err != nil {
		return err
	}
	tuneMemory()
	listener, err := listen(f.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	h, err := house.StartRole(cmd.Context(), house.Config{
		DatabaseURL: f.databaseURL, RedisURL: f.redisURL, Demo: f.demo, Logger: logger,
		Proxies: proxies, MetricsFrom: metricsFrom, Version: version,
		Secret: []byte(os.Getenv("BOURSE_SECRET")), RouterSecret: os.Getenv("BOURSE_ROUTER_SECRET"),
		Progress: func(step string) { fmt.Fprintln(out, "  ·", step) },
	}, role)
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	fmt.Fprintf(out, "%s: %s\n", role, address)
	if f.readyFile != "" {
		if err := os.WriteFile(f.readyFile, []byte(address), 0o644); err != nil {
			logger.Error("write the ready file", "error", err)
		}
	}
	return serveOn(cmd.Context(), listener, h.Handler(), func(ctx context.Context) error {
		h.Drain(ctx)
		return nil
	}, h.Stop)
}
