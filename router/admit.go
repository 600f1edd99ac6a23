package router

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"bourse/router/access"
	"bourse/router/execute"
	"bourse/router/identity"
	"bourse/router/plan"
	"bourse/router/serve"
)

// codeAddressDenied refuses a client by where it comes from.
const codeAddressDenied = "ADDRESS_DENIED"

// Tokens say how requests prove whom they speak for.
type Tokens struct {
	Verifier *identity.Verifier // the caller closes it
	Sources  []identity.Source  // where tokens are; nil: identity.Bearer
	Required bool               // refuses requests without a token
	// Lenient lets a request whose token is not valid pass as nobody's. Clients then learn that their token has expired by what they may
	// no longer see.
	Lenient bool
}

// authenticated fills in what finds out who requests are, where the operator has no hooks of its own.
func (o Options) authenticated() Options {
	if o.Address == nil && o.Addresses != nil {
		o.Address = addressRules(o.Addresses, o.Logger)
	}
	if o.Tokens.Verifier != nil {
		if o.Admit == nil {
			o.Admit = o.Tokens.admit(o.Logger, o.Address)
		}
		for _, s := range o.Tokens.sources() {
			if s.Header != "" {
				o.ConnectionParams = append(o.ConnectionParams[:len(o.ConnectionParams):len(o.ConnectionParams)], s.Header)
			}
		}
	}
	if o.Rights == nil {
		policies := o.Policies
		o.Rights = func(ctx context.Context, _ http.Header, asked []string) access.Rights {
			who := identity.From(ctx)
			if who == nil {
				return access.Rights{}
			}
			return access.Rights{Authenticated: true, Scopes: who.Scopes, Policies: policies.Hold(who, asked)}
		}
	}
	return o
}

func addressRules(rules *identity.Addresses, logger *slog.Logger) func(*http.Request) (netip.Addr, *serve.Refusal) {
	return func(r *http.Request) (netip.Addr, *serve.Refusal) {
		at := rules.Client(r)
		if rules.Allows(at) {
			return at, nil
		}
		logger.InfoContext(r.Context(), "address refused", "client", at, "peer", identity.Peer(r))
		return at, serve.Refuse(http.StatusForbidden, codeAddressDenied, "requests from this address are not taken")
	}
}

func (t Tokens) sources() []identity.Source {
	if t.Sources == nil {
		return []identity.Source{identity.Bearer}
	}
	return t.Sources
}

// admit finds out by tokens whom a request speaks for. address finds out where it comes from, for the log; nil: the other end of the connection.
func (t Tokens) admit(logger *slog.Logger, address func(*http.Request) (netip.Addr, *serve.Refusal)) func(context.Context, *http.Request, http.Header) (*identity.Identity, *serve.Refusal) {
	sources := t.sources()
	client := func(r *http.Request) netip.Addr {
		if address == nil {
			return identity.Peer(r)
		}
		at, _ := address(r) // who is refused by it does not come this far
		return at
	}
	return func(ctx context.Context, r *http.Request, header http.Header) (*identity.Identity, *serve.Refusal) {
		token, err := identity.Find(sources, header)
		if token == "" && err == nil {
			if !t.Required {
				return nil, nil
			}
			return nil, unauthenticated(identity.TokenMissing)
		}
		var who *identity.Identity
		if err == nil {
			if who, err = t.Verifier.Verify(ctx, token); err == nil {
				return who, nil
			}
		}
		refused := &identity.RefusedError{Reason: identity.TokenMalformed}
		errors.As(err, &refused)
		logger.InfoContext(ctx, "token refused", "reason", string(refused.Reason), "detail", refused.Detail, "client", client(r))
		if t.Lenient && !t.Required {
			return nil, nil
		}
		return nil, unauthenticated(refused.Reason)
	}
}

// unauthenticated tells a client why it is not known (RFC 6750, section 3).
func unauthenticated(reason identity.Reason) *serve.Refusal {
	status, challenge := http.StatusUnauthorized, `Bearer error="invalid_token", error_description="`+reason.Error()+`"`
	switch reason {
	case identity.KeysUnavailable:
		refusal := serve.Refuse(http.StatusServiceUnavailable, string(reason), reason.Error())
		refusal.Header = http.Header{"Retry-After": {"5"}}
		return refusal
	case identity.TokenMissing:
		challenge = "Bearer"
	}
	refusal := serve.Refuse(status, serve.CodeUnauthenticated, reason.Error())
	refusal.Errors[0].Extensions["reason"] = string(reason)
	refusal.Header = http.Header{"Www-Authenticate": {challenge}}
	return refusal
}

// withheld tells the log what of an operation its client may not see, and refuses the whole operation where the operator wants that.
func (g *gateway) withheld(ctx context.Context, req *serve.Request, name string, p *plan.Plan, variables map[string]any) *serve.Refusal {
	fields := p.Denied(variables)
	if len(fields) == 0 {
		return nil
	}
	if g.logger.Enabled(ctx, slog.LevelInfo) {
		subject := ""
		if req.Identity != nil {
			subject = req.Identity.Subject
		}
		g.logger.InfoContext(ctx, "access denied", "operation", name, "subject", subject, "fields", pathsOf(fields), "refused", g.rejectDenied)
	}
	if !g.rejectDenied {
		return nil
	}
	refusal := &serve.Refusal{Status: http.StatusForbidden}
	if req.Identity == nil {
		refusal.Status, refusal.Header = http.StatusUnauthorized, http.Header{"Www-Authenticate": {"Bearer"}}
	}
	for _, f := range fields[:min(len(fields), maxReported)] {
		e := serve.Error{Message: execute.DeniedMessage, Extensions: map[string]any{"code": execute.CodeDenied}}
		for _, key := range f.Path {
			e.Path = append(e.Path, key)
		}
		refusal.Errors = append(refusal.Errors, e)
	}
	return refusal
}

func pathsOf(fields []plan.DeniedField) []string {
	var paths []string
	for _, f := range fields {
		paths = append(paths, f.String())
	}
	return paths
}
