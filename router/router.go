package router

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/validator/rules"

	"bourse/router/access"
	"bourse/router/cost"
	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/headers"
	"bourse/router/limits"
	"bourse/router/persisted"
	"bourse/router/plan"
	"bourse/router/rate"
	"bourse/router/serve"
	"bourse/router/subscribe"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// Router serves one supergraph at a time. It is an http.Handler for the GraphQL endpoint.
type Router struct {
	*serve.Server
	gateway   atomic.Pointer[gateway]
	reloading sync.Mutex
}

// New loads the supergraph and makes it ready to serve. Close the Router when done.
func New(supergraphSDL string, o Options) (*Router, error) {
	g, s, err := assemble(supergraphSDL, o, nil)
	if err != nil {
		return nil, err
	}
	r := &Router{Server: serve.New(s)}
	r.take(g)
	return r, nil
}

// Close takes no more requests, ends streams with a word to the client, waits for running requests as long as ctx lasts and cuts off
// those that remain.
func (r *Router) Close(ctx context.Context) error { return r.Server.Close(ctx) }

// assemble makes what a router serves by: the gateway, which may come after another, and the options of the server in front of it.
func assemble(supergraphSDL string, o Options, before *gateway) (*gateway, serve.Options, error) {
	sg, err := federation.Load(supergraphSDL)
	if err != nil {
		return nil, serve.Options{}, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Explain != nil && o.Telemetry == nil {
		if o.Telemetry, err = telemetry.New(telemetry.Options{}); err != nil { // only the accounts, for timings: nothing to close
			return nil, serve.Options{}, err
		}
	}
	addresses := addressesOf(sg, o)
	if err := onlyKnown(addresses, o); err != nil {
		return nil, serve.Options{}, err
	}
	identifies := o.identifies()
	o = o.authenticated()
	rules, err := o.headerRules(slices.Collect(maps.Keys(addresses)))
	if err != nil {
		return nil, serve.Options{}, err
	}
	closeFetcher := func() {}
	if o.Fetcher != nil {
		o.Uploads = serve.Uploads{} // it would not know what to do with a placeholder
	} else {
		h, err := overNetwork(addresses, o)
		if err != nil {
			return nil, serve.Options{}, err
		}
		o.Fetcher, closeFetcher = h, h.Close
	}
	o.Traffic.OnState = tellState(o.Traffic.OnState, o.Telemetry)
	reach := o.Traffic.Timely(o.Fetcher)
	guard := o.Traffic.Guard(reach, addresses, before.guarded())
	if guard != nil {
		o.Fetcher = guard
		for name, state := range guard.States() {
			o.Telemetry.Breaker(name, int(state))
		}
	}
	front, closeFront := inFront(sg, o, rules)
	o.Fetcher = withTelemetry(front, o.Telemetry)
	g := newGateway(sg, o)
	g.reach, g.guard = reach, guard
	g.headerRules, g.vary = rules, o.varies(identifies, rules)
	g.close = func() { g.hub.Close(); closeFront(); closeFetcher() }
	begin, events := o.Telemetry.Begin, o.Telemetry.Events
	if o.Telemetry == nil {
		begin, events = nil, nil
	}
	return g, serve.Options{
		Gateway: g,
		Address: o.Address, Admit: o.Admit,
		ForwardHeaders: o.ForwardHeaders, ConnectionParams: o.ConnectionParams, Vary: g.vary.names,
		AllowedOrigins: o.AllowedOrigins, AllowCredentials: o.AllowCredentials, CORS: o.CORS,
		MaxBodyBytes: g.limits.BodyBytes, RequestTimeout: o.RequestTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxBatch: o.MaxBatch, Uploads: o.Uploads, CompressedBodies: o.CompressedBodies, Encodings: o.Encodings,
		KeepAlive: o.KeepAlive, InitTimeout: o.InitTimeout, MaxSockets: o.MaxSockets, MaxOperations: o.MaxOperations,
		Backlog: o.Backlog, MaxSocketsByAddress: o.MaxSocketsByAddress, MaxSocketsByIdentity: o.MaxSocketsByIdentity,
		MaxMessages: o.MaxMessages, DrainJitter: o.DrainJitter,
		Events: events, Begin: begin, Request: o.Hooks.Request, Logger: o.Logger, Observe: observer(o),
		Released: func() {
			g.close()
			if o.Released != nil {
				o.Released()
			}
		},
	}, nil
}

// take makes g the gateway that is served.
func (r *Router) take(g *gateway) {
	r.gateway.Store(g)
	g.telemetry.Watch(telemetry.Watched{Plans: g.ready.figures, Sockets: r.Sockets, Upstreams: g.hub.Len})
	g.telemetry.Schema(g.sg.API())
}

// inFront puts before the guarded fetcher what else is asked for, from the inside out; what is off is not there. The function ends what that does
// by itself.
func inFront(sg *federation.Supergraph, o Options, rules *headers.Set) (FetcherWithStream, func()) {
	end := func() {}
	f := headers.Before(o.Fetcher, rules, o.ClaimsSigner)
	f = withHooks(f, o.Hooks)
	if o.Cache != nil {
		cache := entitycache.New(f, sg, *o.Cache)
		f, end = cache, cache.Close
	}
	f = o.Traffic.Share(f)
	if o.CacheControl {
		f = entitycache.Collector{Fetcher: f}
	}
	if rules != nil && rules.Answers() {
		f = headers.Collecting(f)
	}
	return f, end
}

// addressesOf is where subgraphs are, by name.
func addressesOf(sg *federation.Supergraph, o Options) map[string]string {
	addresses := map[string]string{}
	for _, s := range sg.Subgraphs() {
		addresses[s.Name] = s.URL
		if at, ok := o.Subgraphs.URLs[s.Name]; ok && o.Fetcher == nil {
			addresses[s.Name] = at
		}
	}
	return addresses
}

// guarded is the guard of a gateway, which may be nil.
func (g *gateway) guarded() *traffic.Guard {
	if g == nil {
		return nil
	}
	return g.guard
}

// gateway is what answers behind the protocols: the path of a request from its text to an answer.
type gateway struct {
	sg            *federation.Supergraph
	planner       *plan.Planner
	executor      *execute.Executor
	reach         execute.Fetcher // with nothing in front of it
	guard         *traffic.Guard  // nil: there are no rules
	hub           *hub
	source        subscribe.Source
	stateFirst    []string
	limits        limits.Limits
	costs         *cost.Model // nil: they are not computed
	budget        Budget
	rate          *rate.Limiter        // nil: there are no rate limits
	documents     *persisted.Documents // nil: operations come as text
	rules         *rules.Rules
	ready         ready
	access        *access.Rules // nil: everything is open to all
	rights        func(ctx context.Context, header http.Header, policies []string) access.Rights
	rejectDenied  bool
	headers       http.Header
	headerRules   *headers.Set        // nil: none
	operations    *traffic.Operations // nil: equal queries are not shared
	cacheControl  bool                // clients are told how long they may keep an answer
	vary          variance            // and on what it depends
	subscribe     subscribe.Options
	introspection bool
	introspectors []string // roles
	label         func(ctx context.Context, label string) bool
	chance        func(n uint64) uint64
	hooks         Hooks
	explain       *Explain             // nil: to nobody
	telemetry     *telemetry.Telemetry // nil: nobody is told
	close         func()               // when nothing runs any more
	logger        *slog.Logger
}

func newGateway(sg *federation.Supergraph, o Options) *gateway {
	if o.PlanCacheSize <= 0 {
		o.PlanCacheSize = 1000
	}
	if o.PlanCacheBytes <= 0 {
		o.PlanCacheBytes = 128 << 20
	}
	if o.Chance == nil {
		o.Chance = rand.Uint64N
	}
	g := &gateway{
		access: access.New(sg), rights: o.Rights, rejectDenied: o.RejectDenied,
		label: o.Label, chance: o.Chance,
		sg:      sg,
		planner: plan.New(sg, o.Plan),
		executor: execute.New(sg, o.Fetcher, execute.Options{Errors: o.Errors, ErrorsOf: o.ErrorsOf, OnFetchError: func(ctx context.Context, subgraph string, err error) {
			level := slog.LevelWarn
			var refused *execute.FetchError
			if errors.Is(err, context.Canceled) || errors.As(err, &refused) && refused.Code == traffic.CodeUnavailable {
				level = slog.LevelDebug // the client left, and nothing is wrong with the subgraph; or its breaker is open, as was told once
			}
			o.Logger.Log(ctx, level, "subgraph request failed", "subgraph", subgraph, "error", err)
		}}),
		hub: subscribe.NewHub[streamKey, *serve.Event, receiver](o.SubscriptionLinger), source: o.Upstream, stateFirst: o.StateFirst,
		limits: o.Limits.WithDefaults(), rate: o.Rate, documents: o.Documents, rules: validationRules(), ready: newReady(o.PlanCacheSize, o.PlanCacheBytes),
		headers: canonical(o.SubgraphHeaders), subscribe: o.Subscriptions, introspection: o.Introspection, introspectors: o.IntrospectionRoles, hooks: o.Hooks, explain: o.Explain, telemetry: o.Telemetry, logger: o.Logger,
	}
	if o.Budget == nil && o.Rate != nil && o.Rate.Counts() {
		o.Budget = &Budget{}
	}
	if o.Budget != nil {
		g.budget, g.costs = *o.Budget, cost.New(sg, o.Budget.Model)
	}
	if g.source == nil {
		g.source = subscribe.Events(o.Fetcher, o.MaxEventBytes)
	}
	g.cacheControl = o.CacheControl
	if o.Traffic.ShareOperations {
		g.operations = traffic.NewOperations(o.Traffic.MaxFollowers)
	}
	return g
}

// canonical spells header names the way that http.Header looks them up.
func canonical(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		out[http.CanonicalHeaderKey(name)] = values
	}
	return out
}

// observer writes the access log and calls the operator's hook.
func observer(o Options) func(context.Context, Record) {
	return func(ctx context.Context, r Record) {
		level := slog.LevelInfo
		if r.Code != "" {
			level = slog.LevelWarn
		}
		if !o.Telemetry.LogsAccess() && o.Logger.Enabled(ctx, level) {
			o.Logger.LogAttrs(ctx, level, "graphql",
				slog.String("request_id", r.RequestID), slog.String("transport", r.Transport), slog.String("operation", r.Operation),
				slog.String("kind", r.Kind), slog.Int("status", r.Status), slog.String("code", r.Code), slog.Bool("errors", r.Errors),
				slog.String("client", clientOf(r)), slog.Int("bytes", r.Bytes), slog.Int("events", r.Events), slog.Duration("duration", r.Duration))
		}
		o.Telemetry.End(ctx, r)
		if o.Observe != nil {
			o.Observe(ctx, r)
		}
	}
}

func clientOf(r Record) string {
	if !r.Address.IsValid() {
		return ""
	}
	return r.Address.String()
}
