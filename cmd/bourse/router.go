package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bourse/router"
	"bourse/router/traffic"
)

// routing is one run of bourse router.
type routing struct {
	supergraph, listen, level string
	forward, labels           []string
	subgraphs                 []string
	introspection, mask       bool
	playground                string
	explain                   bool
}

func newRouter() *cobra.Command {
	r := &routing{}
	cmd := &cobra.Command{
		Use:     "router",
		GroupID: "run",
		Short:   "Run the router alone, for any supergraph",
		Long: `The router serves any supergraph SDL of the join specification at /graphql, over HTTP
(POST, GET, multipart for @defer), WebSocket and server-sent events, and its health at
/healthz. It needs no database and no Redis; each subgraph is called at the address that
the supergraph gives it, or where --subgraph says.

Environment: BOURSE_SUBGRAPHS has addresses as --subgraph does, separated by commas;
flags win. BOURSE_ROUTER_SECRET, when set, goes to every subgraph in the header
Bourse-Router-Secret: Bourse's own answer nobody else.

It ends on SIGINT and SIGTERM: streams are told, and running requests have ten seconds.`,
		Example: `  bourse router --supergraph supergraph.graphql --listen 127.0.0.1:4000
  bourse router --supergraph supergraph.graphql --listen :4000 --subgraph products=http://10.0.0.7/graphql
  BOURSE_SUBGRAPHS=products=http://127.0.0.1:4001,reviews=http://127.0.0.1:4002 bourse router --supergraph supergraph.graphql`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&r.supergraph, "supergraph", "", "supergraph SDL file")
	flags.StringVar(&r.listen, "listen", "127.0.0.1:4000", "address to listen on; port 0 is any that is free")
	flags.StringSliceVar(&r.subgraphs, "subgraph", nil, "NAME=URL: call a subgraph there instead; may be repeated")
	flags.StringSliceVar(&r.labels, "label", nil, "label of a progressive override that is on for every request; may be repeated")
	flags.StringSliceVar(&r.forward, "forward-header", []string{"Authorization"}, "client header to pass on to subgraphs; may be repeated")
	flags.BoolVar(&r.introspection, "introspection", true, "let clients ask for the schema")
	flags.StringVar(&r.playground, "playground", "/", "path of the playground; empty for none")
	flags.BoolVar(&r.explain, "explain", false, "make a secret for this run that opens query plans and timings, and print the playground's address with it")
	flags.BoolVar(&r.mask, "mask-errors", false, "hide messages of subgraph errors that have no code")
	flags.StringVar(&r.level, "log-level", "info", strings.Join(logLevels, ", "))
	_ = cmd.MarkFlagRequired("supergraph")
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
	return cmd
}

var logLevels = []string{"debug", "info", "warn", "error"}

func (r *routing) run(cmd *cobra.Command) error {
	logger, err := newLogger(cmd.ErrOrStderr(), r.level)
	if err != nil {
		return &exit{exitUsage, err}
	}
	text, err := os.ReadFile(r.supergraph)
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("read the supergraph: %w", err)}
	}
	options := router.Options{
		ForwardHeaders: r.forward, Introspection: r.introspection, MaskErrors: r.mask, Logger: logger,
		Traffic: traffic.Options{ShareOperations: true},
	}
	if options.SubgraphURLs, err = subgraphURLs(os.Getenv("BOURSE_SUBGRAPHS"), r.subgraphs); err != nil {
		return &exit{exitUsage, err}
	}
	options.Label = func(_ context.Context, label string) bool { return slices.Contains(r.labels, label) }
	if shared := os.Getenv("BOURSE_ROUTER_SECRET"); shared != "" {
		options.SubgraphHeaders = http.Header{"Bourse-Router-Secret": {shared}}
	}
	secret := r.explainTo(&options)
	serving, err := router.New(string(text), options)
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("%s: %w", r.supergraph, err)}
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", serving)
	r.mountPlayground(mux, "/graphql", options.Explain != nil)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	listener, err := listenOn(r.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "router on http://%s/graphql\n", listener.Addr())
	r.greetPlayground(cmd.ErrOrStderr(), listener.Addr().String(), secret)
	return serveOn(cmd.Context(), listener, mux, serving.Close, func(context.Context) error { return nil })
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

func listenOn(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w (choose another address with --listen)", address, err)
	}
	return listener, nil
}

// serveOn serves until ctx ends, then lets requests finish: first closing gives streams their last message, then the server waits for the
// rest, at most ten seconds; closed is called when the last request has ended.
func serveOn(ctx context.Context, listener net.Listener, handler http.Handler, closing, closed func(context.Context) error) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
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
