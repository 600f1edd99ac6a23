package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/bourse/internal/simulate"
	"bourse/router/config"
	"bourse/router/daemon"
	"bourse/router/identity"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	listen, data, databaseURL, redisURL, level, readyFile string
	callers                                               callerFlags
	demo                                                  bool
	simulate                                              int
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:     "serve",
		GroupID: "run",
		Short:   "Run the whole exchange in one process",
		Long: `Serve runs the engine, the three subgraphs, the router, the worker and the pages in one
process. Where no address of a PostgreSQL or a Redis is given it starts its own, with
their data under --data.

Several processes may serve one house: give all of them the same DATABASE_URL, REDIS_URL
and BOURSE_SECRET. One of them decides commands; the others bring theirs to it, show
what it commits, and one of them goes on within a second when it dies.

A production house signs its tokens with BOURSE_SECRET and does not start without it.
A demonstration (--demo) makes its own secret, seeds people and markets whose
passwords are public, and lets simulated traders trade.

Failed sign-ins are slowed down by the client's address. Behind a proxy that is the proxy's
own, for everyone, unless --trusted-proxy names it: then X-Forwarded-For counts, read from
the right over trusted proxies. /metrics answers this machine alone, unless --metrics-from
says otherwise, and nobody through a proxy that is not trusted.

Environment: BOURSE_SECRET, DATABASE_URL, REDIS_URL, PG_BIN_DIR.`,
		Example: `  bourse serve --demo
  BOURSE_SECRET=$(openssl rand -hex 32) bourse serve --listen 0.0.0.0:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), cmd.ErrOrStderr(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	flags.StringVar(&f.data, "data", ".bourse", "directory of the embedded servers' data")
	flags.StringVar(&f.databaseURL, "database-url", "", "PostgreSQL to use instead of an embedded one (DATABASE_URL)")
	flags.StringVar(&f.redisURL, "redis-url", "", "Redis to use instead of an embedded one (REDIS_URL)")
	flags.StringVar(&f.level, "log-level", "warn", "debug, info, warn or error")
	flags.BoolVar(&f.demo, "demo", false, "a demonstration house with public sign-ins and simulated traders")
	flags.IntVar(&f.simulate, "simulate", 10, "commands a second of the demonstration's simulated traders; 0 for none")
	f.callers.register(cmd)
	flags.StringVar(&f.readyFile, "ready-file", "", "file that gets the address once requests are served")
	return cmd
}

// callerFlags say who may be believed, and shown, what.
type callerFlags struct{ proxies, metricsFrom []string }

func (f *callerFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.proxies, "trusted-proxy", nil, "address or CIDR range of a proxy whose X-Forwarded-For counts; may be repeated")
	flags.StringSliceVar(&f.metricsFrom, "metrics-from", []string{"127.0.0.0/8", "::1"}, "address or CIDR range that may ask for /metrics; may be repeated")
}

func (f *callerFlags) parse() (proxies, metricsFrom []netip.Prefix, err error) {
	if proxies, err = identity.ParsePrefixes(f.proxies); err != nil {
		return nil, nil, &exit{exitUsage, fmt.Errorf("--trusted-proxy: %w", err)}
	}
	if metricsFrom, err = identity.ParsePrefixes(f.metricsFrom); err != nil {
		return nil, nil, &exit{exitUsage, fmt.Errorf("--metrics-from: %w", err)}
	}
	return proxies, metricsFrom, nil
}

// serve listens before it starts anything, so that a taken port costs no time and
// changes nothing.
func serve(ctx context.Context, out io.Writer, f serveFlags) error {
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
	progress := func(step string) { fmt.Fprintln(out, "  ·", step) }
	fmt.Fprintln(out, "Starting Bourse", version)
	h, err := house.Start(ctx, house.Config{
		DataDir: f.data, DatabaseURL: f.databaseURL, RedisURL: f.redisURL,
		Secret: []byte(os.Getenv("BOURSE_SECRET")), Demo: f.demo, Proxies: proxies, MetricsFrom: metricsFrom,
		Version: version, Logger: logger, Progress: progress,
	})
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	clients, server := daemon.Bounded(listener, h.Handler(), config.Default().Listen)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(clients) }()
	background, stopBackground := context.WithCancel(ctx)
	simulated := simulateDemo(background, out, address, f)

	greet(out, address, h.Demo)
	if f.readyFile != "" {
		if err := os.WriteFile(f.readyFile, []byte(address), 0o644); err != nil {
			logger.Error("write the ready file", "error", err)
		}
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		h.Leave() // before anything ends
		fmt.Fprintln(out, "Stopping; a second Ctrl-C stops at once")
	}
	stopBackground()
	<-simulated
	return errors.Join(ignoreClosed(err), stop(h, server))
}

// stop ends streams and requests, then the house; thirty seconds at most.
func stop(h *house.House, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	h.Drain(ctx)
	return errors.Join(server.Shutdown(ctx), h.Stop(ctx))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// listen claims the address; the error names the flag that changes it.
func listen(address string) (*net.TCPListener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program; choose another port with --listen, such as --listen 127.0.0.1:8081", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w (--listen)", address, err)
	}
	return listener.(*net.TCPListener), nil //nolint:forcetypeassert // "tcp" opens no other
}

// tuneMemory trades memory for CPU, as measured in BENCHMARKS.md, unless the operator
// has set the runtime's own variables.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(2 << 30)
	}
}

// simulateDemo lets traders trade until ctx ends; the channel closes when they have stopped.
func simulateDemo(ctx context.Context, out io.Writer, address string, f serveFlags) <-chan struct{} {
	done := make(chan struct{})
	if !f.demo || f.simulate <= 0 {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		_, err := simulate.Run(ctx, demoSimulation(address, f.simulate))
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(out, "the simulated traders stopped:", err)
		}
	}()
	return done
}

func demoSimulation(address string, rate int) simulate.Options {
	agent := house.DemoAgent()
	return simulate.Options{
		Enrolment: simulate.Enrolment{
			Endpoint: address + "/graphql", AgentUsername: agent.Username, AgentPassword: agent.Password,
			Seed: 1, Traders: 8, Funds: house.DemoFunds(),
		},
		Rate: rate, Prices: house.DemoPrices(),
	}
}

// greet tells a newcomer where to go.
func greet(out io.Writer, address string, demo *house.Demo) {
	fmt.Fprintf(out, "\nBourse is open: %s\n", address)
	if demo == nil {
		fmt.Fprintf(out, "GraphQL: %s/graphql\n", address)
		return
	}
	fmt.Fprintln(out, "\nThis is a DEMONSTRATION: its passwords are public, its money is play money.")
	for _, s := range demo.SignIns {
		fmt.Fprintf(out, "  %-7s %-6s %s\n", s.Role, s.Username, s.Password)
	}
	fmt.Fprintf(out, "  register new members with the invite code %s\n\n", demo.InviteCode)
	fmt.Fprintf(out, "GraphQL: %s/graphql    stop with Ctrl-C\n", address)
}
