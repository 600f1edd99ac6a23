package router

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"bourse/router/rate"
	"bourse/router/serve"
)

// Codes of refusals by rate limits.
const (
	codeRateLimited     = "RATE_LIMITED"
	codeRateUnavailable = "RATE_LIMITS_UNAVAILABLE" // nobody knows how much the client has asked, and the operator wants that known
)

// ration asks the rate limits about a request; k is nil before its operation is known. Whoever is refused learns when to come again.
func (g *gateway) ration(ctx context.Context, req *serve.Request, k *known, spent int, stage rate.Stage) *serve.Refusal {
	if g.rate == nil {
		return nil
	}
	of := rate.Request{Address: req.Address, Identity: req.Identity, Cost: spent, Header: func(name string) string {
		if sent := req.Sent.Get(name); sent != "" {
			return sent
		}
		return req.Header.Get(name) // what a WebSocket's connection_init stands in for
	}}
	if k != nil {
		of.Operation, of.Kind = k.definition.Name, string(k.definition.Operation)
	}
	d := g.rate.Take(ctx, &of, stage)
	switch {
	case !d.Refused():
		return nil
	case d.Failed:
		return serve.Refuse(http.StatusServiceUnavailable, codeRateUnavailable, "it cannot be found out how much this client has asked: try again later")
	}
	g.telemetry.RateLimited(d.Rule)
	refusal := serve.Refuse(http.StatusTooManyRequests, codeRateLimited, "too many operations: try again later")
	refusal.Errors[0].Extensions["limit"] = d.Rule
	refusal.Header = http.Header{"Ratelimit-Limit": {strconv.Itoa(d.Limit)}, "Ratelimit-Remaining": {strconv.Itoa(d.Remaining)}}
	if d.RetryAfter == rate.Never {
		refusal.Errors[0].Message = "the operation costs more than the rate limit ever lets through at once"
		return refusal
	}
	seconds := int((d.RetryAfter + time.Second - 1) / time.Second)
	refusal.Errors[0].Extensions["retryAfter"] = seconds
	refusal.Header.Set("Retry-After", strconv.Itoa(seconds))
	return refusal
}
