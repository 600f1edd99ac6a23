package router

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"bourse/router/access"
	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/headers"
	"bourse/router/identity"
	"bourse/router/limits"
	"bourse/router/persisted"
	"bourse/router/plan"
	"bourse/router/rate"
	"bourse/router/serve"
	"bourse/router/subscribe"
	"bourse/router/subscribe/socket"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// FetcherWithStream reaches subgraphs for queries, mutations and subscriptions. fetch.HTTP and fetch.Local do.
type FetcherWithStream = traffic.Fetcher

// Record is what is known of a finished operation; see serve.Record.
type Record = serve.Record

// Subgraphs says how subgraphs are reached over the network.
type Subgraphs struct {
	URLs map[string]string // instead of where the supergraph says, by name
	// HTTP says how they are asked. What belongs to a trace is told them by Options.Telemetry, unless Propagate is set.
	HTTP fetch.HTTPOptions
	// Sockets are the subgraphs that are asked for subscriptions over WebSockets, with the protocol and, where it is not the one for queries,
	// the address or its path; the others get theirs as server-sent events.
	Sockets socket.Options
	// MaxEventStreams are the streams of server-sent events that one subgraph sends at once; default 10,000.
	MaxEventStreams int
}

// Options of a Router. The zero value serves the supergraph over HTTP with the defaults.
type Options struct {
	// Fetcher reaches the subgraphs; nil: over HTTP, at the URLs that the supergraph names. The caller closes its own.
	Fetcher FetcherWithStream

	// Subgraphs says how subgraphs are reached; not used with a Fetcher.
	Subgraphs Subgraphs

	ForwardHeaders   []string    // request headers that subgraphs see, such as Authorization; X-Request-Id always
	ConnectionParams []string    // entries of a WebSocket's connection_init that stand in for missing headers; default Authorization
	SubgraphHeaders  http.Header // set on each subgraph request, over what the client sent

	// Headers are rules for which subgraph sees what of a client's headers, beside ForwardHeaders, and what clients see of a subgraph's.
	Headers headers.Rules
	// ClaimsSigner tells subgraphs in a signed header whom requests speak for; nil: they are not told.
	ClaimsSigner *headers.Signer

	// Traffic says what is shared between equal requests and how subgraphs are spared. The zero value shares and bounds nothing.
	Traffic traffic.Options

	// Cache keeps what subgraphs answered; nil: nothing is kept. The store stays the caller's.
	Cache *entitycache.Options
	// CacheControl tells clients in the header of that name how long an answer may be kept; without it every answer is no-store.
	CacheControl bool

	Introspection      bool     // lets clients ask for the schema
	IntrospectionRoles []string // who may, where not all clients do

	Errors   execute.Errors            // what else clients see of the errors of subgraphs
	ErrorsOf map[string]execute.Errors // instead, of those of one subgraph, by name

	Limits         limits.Limits
	Budget         *Budget              // what operations may cost; nil: costs are not computed
	Rate           *rate.Limiter        // how often clients may ask; nil: as often as they like
	Documents      *persisted.Documents // trusted documents and automatic persisted queries; nil: neither
	Plan           plan.Options
	Subscriptions  subscribe.Options // of an upstream subscription's queue
	PlanCacheSize  int               // operations kept ready; default 1,000
	PlanCacheBytes int               // that they and their plans may take, about; default 128 MiB

	// Upstream opens subscriptions at subgraphs; nil: as server-sent events by way of the Fetcher, none larger than MaxEventBytes, default
	// 1 MiB. Clients that ask for the same share one: same operation, variables, headers that subgraphs see and identity. It is kept for
	// SubscriptionLinger after its last client has gone; default: not at all.
	Upstream           subscribe.Source
	MaxEventBytes      int
	SubscriptionLinger time.Duration

	// StateFirst names fields of the subscription type whose streams begin with a state, to which the events after it are changes; "*": all.
	// Who comes after the first event of such a stream does not join it but gets one of its own, with a state of its own.
	StateFirst []string

	// What Reload prepares of the operations that were known before, the last used first: how many (default 1,000; negative: none) and for how
	// long (default 10 s).
	WarmOperations int
	WarmTime       time.Duration

	// Label says for a request whether a label of a progressive @override is on: the context is the request's. nil: off. Labels
	// percent(n) are not asked about but drawn: Chance is a number below n; nil: math/rand.
	Label  func(ctx context.Context, label string) bool
	Chance func(n uint64) uint64

	// Tokens say how requests prove whom they speak for, and Addresses where they may come from; where Admit and Address are set, these
	// decide instead.
	Tokens    Tokens
	Addresses *identity.Addresses
	// Policies hold (@policy) by claims of the request's identity.
	Policies identity.Policies
	// RejectDenied refuses an operation as a whole when its client may not see one of its fields; otherwise such fields are null, with errors.
	RejectDenied bool

	// Rights says what a request may see of what the supergraph protects (@authenticated, @requiresScopes, @policy); nil: what its identity's
	// scopes and the Policies give it. It is asked only about operations that touch something protected, with the policies on which these
	// depend. The context is the request's, the header has what subgraphs see.
	Rights func(ctx context.Context, header http.Header, policies []string) access.Rights

	// Address and Admit find out where a request comes from and whom it speaks for, or refuse it; see serve.Options.
	Address func(r *http.Request) (netip.Addr, *serve.Refusal)
	Admit   func(ctx context.Context, r *http.Request, header http.Header) (*identity.Identity, *serve.Refusal)

	MaxBatch int // requests in one list; 0: no lists of requests are accepted
	// Uploads bounds the files of forms by the GraphQL multipart request specification. The zero value: there are none. Not used with a Fetcher.
	Uploads          serve.Uploads
	CompressedBodies bool     // accepts request bodies in any of serve.Encodings; their bound holds once they are decompressed
	Encodings        []string // that answers may have, where clients ask for them; nil: all of serve.Encodings

	AllowedOrigins   []string // see serve.Options
	AllowCredentials bool
	CORS             serve.CORS
	RequestTimeout   time.Duration // of a query or mutation; default 60 s
	ReadTimeout      time.Duration // of a request's body; default 30 s
	WriteTimeout     time.Duration // for one message to a client; default 10 s
	KeepAlive        time.Duration // signs of life on streams; default 15 s
	InitTimeout      time.Duration // for a WebSocket's connection_init; default 5 s
	MaxSockets       int           // WebSockets at once; default 10,000
	MaxOperations    int           // running operations on one WebSocket; default 100
	Backlog          serve.Backlog // events that may wait for one slow client

	MaxSocketsByAddress  int           // WebSockets of one client address; 0: as many as MaxSockets
	MaxSocketsByIdentity int           // and of one identity; 0: likewise
	MaxMessages          int           // on one WebSocket each second, ten seconds' worth at once; default 100; below 0: any number
	DrainJitter          time.Duration // over which WebSockets are closed by Close; default 0: at once

	// Hooks take part in requests on their way.
	Hooks Hooks

	// Telemetry takes reports of everything that the router does; nil: none. The caller closes it, after the Router.
	Telemetry *telemetry.Telemetry

	// Explain says who may see query plans and timings; nil: nobody.
	Explain *Explain

	// Logger gets one line for each operation (level Info, or Warn when it was refused or the router failed) and what clients are not told.
	// nil: nothing is logged.
	Logger *slog.Logger
	// Observe hears of each finished operation, for counters; may be nil. Called on the request's goroutine.
	Observe func(context.Context, Record)

	// Released is called once, when nothing uses these options any more: after Reload, when the last operation under them has ended, or with
	// Close. May be nil. It is not called where New or Reload fails.
	Released func()
}
