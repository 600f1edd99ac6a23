// Package endpoint serves an executable schema the way every subgraph does: for the router only,
// within bounds, with refusals as codes.
//
// It deliberately does not know any schema, and no WebSocket: the router holds those, and takes a
// subgraph's subscriptions over server-sent events.
package endpoint

import (
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"bourse/subgraphs/internal/present"
	"bourse/subgraphs/internal/viewer"
)

// The bounds of one operation. The router has its own, tighter ones; these hold should it fail.
const (
	maxTokens     = 20_000
	maxComplexity = 5_000
	// Parsed and validated operations. The router sends one text for each step of a plan, values
	// apart, so that a busy house needs a few hundred.
	cachedQueries = 2_000
)

// Options is what an endpoint needs besides its schema.
type Options struct {
	// RouterSecret must come with every request; see viewer.SecretHeader. It may not be empty.
	RouterSecret string
	Auth         viewer.Authenticator
	// Logger takes failures; slog.Default when nil.
	Logger *slog.Logger
	// Open names the root fields that work with a refused token too.
	Open []string
}

// New returns the handler: POST and GET for queries and mutations, POST with
// Accept: text/event-stream for subscriptions. The schema may always be asked for, since only the
// router can ask; what clients may see of it is the router's policy.
func New(schema graphql.ExecutableSchema, o Options) http.Handler {
	log := o.Logger
	if log == nil {
		log = slog.Default()
	}
	server := handler.New(schema)
	// The first transport that fits serves: SSE is the narrowest.
	server.AddTransport(transport.SSE{})
	server.AddTransport(transport.POST{})
	server.AddTransport(transport.GET{})
	presenter := present.Errors(log)
	server.SetErrorPresenter(presenter)
	server.SetRecoverFunc(present.Panics(log))
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	server.SetParserTokenLimit(maxTokens)
	server.Use(extension.Introspection{})
	server.Use(extension.FixedComplexityLimit(maxComplexity))
	server.Use(viewer.Gate{Open: o.Open, Present: presenter})
	server.Use(present.Endings{})
	return viewer.Middleware(o.RouterSecret, o.Auth, server)
}
