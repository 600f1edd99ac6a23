package house

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/hibiken/asynq"

	"bourse/engine/account"
	"bourse/graph"
	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/router/telemetry"
	"bourse/subgraphs/admin"
	"bourse/subgraphs/agent"
	"bourse/subgraphs/member"
)

// The headers that reach a subgraph beside Authorization. The first two prove that a request passed
// the router, and tell whence it came.
const (
	secretHeader  = "Bourse-Router-Secret"
	addressHeader = "Bourse-Client-Address"
	// minSequenceHeader lets a client read its own writes: answers show at least this sequence.
	minSequenceHeader = "Bourse-Min-Sequence"
)

// startRouter puts the router before the three subgraphs, which it calls without a socket, and returns it with its metrics.
//
// Equal queries under way are not joined, though the router could: subgraphs see each client's address and token, so only a client's own
// would be, and one that asks again after a command must not get the answer to what it asked before.
func (h *House) startRouter(c Config, queues *asynq.Inspector) (*router.Router, http.Handler, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, nil, fmt.Errorf("make the router's secret: %w", err)
	}
	secret := hex.EncodeToString(raw)
	subgraphs := fetch.NewLocal(map[string]http.Handler{
		"member": member.Handler(member.Options{Exchange: h.Exchange, RouterSecret: secret, Logger: c.Logger}),
		"agent":  agent.Handler(agent.Options{Exchange: h.Exchange, RouterSecret: secret, Logger: c.Logger}),
		"admin":  admin.Handler(admin.Options{Exchange: h.Exchange, RouterSecret: secret, Logger: c.Logger, Queues: queues}),
	})
	tokens, err := c.tokens()
	if err != nil {
		return nil, nil, err
	}
	told, err := telemetry.New(telemetry.Options{Metrics: &telemetry.Metrics{}, Version: c.Version, Logger: c.Logger})
	if err != nil {
		return nil, nil, fmt.Errorf("start the router's metrics: %w", err)
	}
	h.later("telemetry", told.Close)
	r, err := router.New(graph.Supergraph, router.Options{
		Fetcher:         subgraphs,
		ForwardHeaders:  []string{"Authorization", addressHeader, minSequenceHeader},
		SubgraphHeaders: http.Header{secretHeader: {secret}},
		Introspection:   true,
		StateFirst:      []string{"*"}, // every stream of ours begins with a snapshot
		Tokens:          router.Tokens{Verifier: tokens, Lenient: true},
		Addresses:       &identity.Addresses{Proxies: c.Proxies},
		Explain:         &router.Explain{Claim: "role", ClaimValues: []string{string(account.RoleAdmin)}},
		Telemetry:       told,
		Logger:          c.Logger,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("start the router: %w", err)
	}
	h.later("router", r.Close)
	return r, told.MetricsHandler(), nil
}

// tokens lets the router know until when it may speak for someone, so that streams end with the tokens that they were opened with.
// What else a token must be, and how a refusal of it is told, is the subgraphs' to say.
func (c Config) tokens() (*identity.Verifier, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	key, err := identity.Secret("", secret)
	if err != nil {
		return nil, fmt.Errorf("use the secret: %w", err)
	}
	tokens, err := identity.NewVerifier(identity.Options{
		Issuers: []identity.Issuer{{Algorithms: []string{"HS256"}, Keys: []identity.Key{key}}}, Logger: c.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("verify tokens: %w", err)
	}
	return tokens, nil
}
