package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bourse/router"
)

func newRouter() *cobra.Command {
	var supergraph, listen, level string
	var forward []string
	cmd := &cobra.Command{
		Use:     "router",
		GroupID: "run",
		Short:   "Run the router alone, for any supergraph",
		Long: `The router serves any supergraph SDL of the join specification at /graphql. It
needs no database and no Redis; each subgraph is called at the address that the
supergraph gives it. BOURSE_ROUTER_SECRET, when set, goes to every subgraph in the
header Bourse-Router-Secret: Bourse's own answer nobody else.`,
		Example: `  bourse router --supergraph supergraph.graphql --listen 127.0.0.1:4000`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := newLogger(cmd.ErrOrStderr(), level)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(supergraph)
			if err != nil {
				return fmt.Errorf("read the supergraph: %w", err)
			}
			options := router.Options{ForwardHeaders: forward, Introspection: true, Logger: logger}
			if secret := os.Getenv("BOURSE_ROUTER_SECRET"); secret != "" {
				options.SubgraphHeaders = http.Header{"Bourse-Router-Secret": {secret}}
			}
			r, err := router.New(string(text), options)
			if err != nil {
				return fmt.Errorf("%s: %w", supergraph, err)
			}
			mux := http.NewServeMux()
			mux.Handle("/graphql", r)
			mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
			fmt.Fprintf(cmd.ErrOrStderr(), "router on http://%s/graphql\n", listen)
			return serveUntilDone(cmd.Context(), listen, mux, r.Close)
		},
	}
	cmd.Flags().StringVar(&supergraph, "supergraph", "", "supergraph SDL file")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4000", "address to listen on")
	cmd.Flags().StringSliceVar(&forward, "forward-header", []string{"Authorization"}, "client header to pass on to subgraphs; may be repeated")
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	_ = cmd.MarkFlagRequired("supergraph")
	return cmd
}

// serveUntilDone serves until ctx ends, then lets requests finish: first closing gives
// streams their last message, then the server waits for the rest, at most ten seconds.
func serveUntilDone(ctx context.Context, listen string, handler http.Handler, closing func(context.Context) error) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (choose another address with --listen)", listen, err)
	}
	return serveOn(ctx, listener, handler, closing, func(context.Context) error { return nil })
}

// serveOn is serveUntilDone on a listener; closed is called when the last request has ended.
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
