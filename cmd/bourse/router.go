package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bourse/router"
	"bourse/router/config"
	"bourse/router/daemon"
)

// routing is one run of bourse router.
type routing struct {
	config, supergraph, listen, admin, level string
	forward, labels, subgraphs               []string
	introspection, mask, explain             bool
	playground                               string
	secret                                   string // of --explain

	flags *pflag.FlagSet
}

func newRouter() *cobra.Command {
	r := &routing{}
	cmd := &cobra.Command{
		Use:     "router",
		GroupID: "run",
		Short:   "Run the router alone, for any supergraph",
		Long: `The router serves any supergraph SDL of the join specification at /graphql, over HTTP
(POST, GET, multipart for @defer), WebSocket and server-sent events. It needs no database
and no Redis; each subgraph is called at the address that the supergraph gives it, or
where --subgraph says. A configuration (--config) has all the rest: docs/router.md
explains it, "bourse router schema" prints its JSON schema, and "bourse router validate"
checks one. Flags win over it.

The supergraph and the configuration are taken up anew when they change, and on SIGHUP:
no request is lost and no subscription is dropped. What is wrong is refused with a line
in the log, and the router goes on as before.

/healthz says that it is alive, /readyz that it should be sent requests. It ends on
SIGINT and SIGTERM: it says that it is not ready, streams are told, and running requests
have ten seconds, or what listen.drain says.

Environment: BOURSE_SUBGRAPHS has addresses as --subgraph does, separated by commas;
flags win. BOURSE_ROUTER_SECRET, when set, goes to every subgraph in the header
Bourse-Router-Secret: Bourse's own answer nobody else.`,
		Example: `  bourse router --supergraph supergraph.graphql --listen 127.0.0.1:4000
  bourse router --config router.yaml
  bourse router --config router.yaml --listen :4000 --subgraph products=http://10.0.0.7/graphql
  BOURSE_SUBGRAPHS=products=http://127.0.0.1:4001,reviews=http://127.0.0.1:4002 bourse router --supergraph supergraph.graphql`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	r.register(cmd)
	cmd.AddCommand(newRouterValidate(), newRouterSchema())
	return cmd
}

// register adds the flags that say what is served; they are the same for serving and for checking.
func (r *routing) register(cmd *cobra.Command) {
	r.flags = cmd.Flags()
	r.flags.StringVar(&r.config, "config", "", "configuration file; flags win over it")
	r.flags.StringVar(&r.supergraph, "supergraph", "", "supergraph SDL file")
	r.flags.StringSliceVar(&r.subgraphs, "subgraph", nil, "NAME=URL: call a subgraph there instead; may be repeated")
	r.flags.StringSliceVar(&r.labels, "label", nil, "label of a progressive override that is on for every request; may be repeated")
	r.flags.StringSliceVar(&r.forward, "forward-header", []string{"Authorization"}, "client header to pass on to subgraphs; may be repeated; with --config only when given")
	r.flags.BoolVar(&r.introspection, "introspection", true, "let clients ask for the schema; with --config only when given")
	r.flags.StringVar(&r.playground, "playground", "/", "path of the playground; empty for none")
	r.flags.BoolVar(&r.mask, "mask-errors", false, "hide messages of subgraph errors that have no code")
	r.flags.StringVar(&r.listen, "listen", "127.0.0.1:4000", "address to listen on; port 0 is any that is free")
	r.flags.StringVar(&r.admin, "admin", "", "address of a second listener, for metrics and health; empty: they are where clients are")
	r.flags.BoolVar(&r.explain, "explain", false, "make a secret for this run that opens query plans and timings, and print the playground's address with it")
	r.flags.StringVar(&r.level, "log-level", "info", strings.Join(logLevels, ", "))
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkFlagFilename("supergraph", "graphql", "graphqls")
	completeWith(cmd, "log-level", logLevels...)
	_ = cmd.RegisterFlagCompletionFunc("subgraph", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		sg, err := loadSupergraph(r.supergraph)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, s := range sg.Subgraphs() {
			names = append(names, s.Name+"="+s.URL)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

var logLevels = []string{"debug", "info", "warn", "error"}

func newRouterValidate() *cobra.Command {
	r := &routing{}
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check a configuration and its supergraph without serving",
		Long: `Validate reads the configuration and the supergraph as the router would, with the same
flags, and tells everything that is wrong, with line and column. It opens no listener.
It exits with 2 when something is wrong.`,
		Example: `  bourse router validate --config router.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := r.source()
			if err != nil {
				return err
			}
			logger, err := newLogger(cmd.ErrOrStderr(), "error")
			if err != nil {
				return err
			}
			if err := source.Check(logger); err != nil {
				return &exit{exitUsage, err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), "valid")
			return nil
		},
	}
	r.register(cmd)
	return cmd
}

func newRouterSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the router's configuration",
		Long: `Schema prints the JSON schema of the router's configuration file. Editors complete and
check a file that begins with: # yaml-language-server: $schema=router.schema.json`,
		Example: `  bourse router schema > router.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
}

func (r *routing) run(cmd *cobra.Command) error {
	logger, err := newLogger(cmd.ErrOrStderr(), r.level)
	if err != nil {
		return &exit{exitUsage, err}
	}
	source, err := r.source()
	if err != nil {
		return err
	}
	config.Version = version
	logging.Disable() // go-redis writes a line of its own for each connection that fails; the router tells when Redis goes and comes
	secret := r.explainSecret()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	err = daemon.Run(cmd.Context(), daemon.Options{
		Source: source, Logger: logger, Hangup: hangup, Playground: playgroundPage,
		Started: func(s daemon.Started) {
			fmt.Fprintf(cmd.ErrOrStderr(), "router on %s\n", s.Endpoint)
			if s.Playground != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "playground on %s%s\n", s.Playground, secret)
			}
			if s.Admin != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "admin on %s\n", s.Admin)
			}
		},
	})
	var wrong *daemon.SourceError
	if errors.As(err, &wrong) {
		return &exit{exitUsage, err}
	}
	return err
}

// source is the configuration with the flags over it.
func (r *routing) source() (daemon.Source, error) {
	urls, err := subgraphURLs(os.Getenv("BOURSE_SUBGRAPHS"), r.subgraphs)
	if err != nil {
		return daemon.Source{}, &exit{exitUsage, err}
	}
	return daemon.Source{
		ConfigFile: r.config,
		Adjust: func(c *config.Config) {
			if r.supergraph != "" {
				c.Supergraph.File = r.here(r.supergraph)
			}
			if r.says("listen") {
				c.Listen.Address = r.listen
			}
			if r.says("admin") {
				c.Listen.Admin = r.admin
			}
			if r.says("playground") {
				c.Playground = config.Playground{Enabled: r.playground != "", Path: r.playground}
			}
			for name, address := range urls {
				one := c.Subgraphs.Each[name]
				one.URL = address
				if c.Subgraphs.Each == nil {
					c.Subgraphs.Each = map[string]config.Subgraph{}
				}
				c.Subgraphs.Each[name] = one
			}
		},
		Options: r.options,
	}, nil
}

// here is a file that a flag names: files in a configuration are beside it, those of flags where the command runs.
func (r *routing) here(name string) string {
	if r.config == "" {
		return name
	}
	if absolute, err := filepath.Abs(name); err == nil {
		return absolute
	}
	return name
}

// says tells whether a flag speaks: its default does where there is no configuration.
func (r *routing) says(flag string) bool { return r.config == "" || r.flags.Changed(flag) }

func (r *routing) options(o *router.Options) {
	if r.says("forward-header") {
		o.ForwardHeaders = r.forward
	}
	if r.says("introspection") {
		o.Introspection = r.introspection
	}
	r.explainTo(o)
	if r.says("mask-errors") {
		o.Errors.Mask = r.mask
	}
	if r.says("label") {
		o.Label = router.LabelsOn(r.labels)
	}
	if secret := os.Getenv("BOURSE_ROUTER_SECRET"); secret != "" {
		if o.SubgraphHeaders == nil {
			o.SubgraphHeaders = http.Header{}
		}
		o.SubgraphHeaders.Set("Bourse-Router-Secret", secret)
	}
}

// subgraphURLs reads NAME=URL from the environment and from flags, which win.
func subgraphURLs(environment string, flags []string) (map[string]string, error) {
	urls := map[string]string{}
	for _, one := range append(strings.Split(environment, ","), flags...) {
		name, address, ok := strings.Cut(strings.TrimSpace(one), "=")
		if one == "" {
			continue
		}
		if u, err := url.Parse(address); !ok || name == "" || err != nil || u.Host == "" {
			return nil, fmt.Errorf("%q does not say where a subgraph is: it must be NAME=URL", one)
		}
		urls[name] = address
	}
	return urls, nil
}

// serveOn serves until ctx ends, then lets requests finish: first closing gives streams their last message, then the server waits for the
// rest, at most ten seconds; closed is called when the last request has ended.
func serveOn(ctx context.Context, open *net.TCPListener, handler http.Handler, closing, closed func(context.Context) error) error {
	listener, server := daemon.Bounded(open, handler, config.Default().Listen)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, closed(context.WithoutCancel(ctx)))
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(closing(ending), server.Shutdown(ending), ignoreClosed(<-failed), closed(ending))
}
