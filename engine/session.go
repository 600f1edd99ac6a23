package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/auth"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
)

// Registration is what someone who holds an invite says to become a member.
type Registration struct {
	InviteCode string `json:"-"`
	// Username has 3 to 32 of a-z, 0-9, dot, dash and underscore.
	Username string
	// Password follows auth.CheckPassword.
	Password    string `json:"-"`
	DisplayName string
	RemoteAddr  string
}

// Credentials is what someone says to sign in.
type Credentials struct {
	Username string
	Password string `json:"-"`
	// RemoteAddr is the address of the client, with or without a port; it is part of what the
	// throttle counts by.
	RemoteAddr string
}

// Session is a signed-in session as its owner gets it. Both tokens are secrets.
type Session struct {
	// AccessToken is shown with each request, for minutes.
	AccessToken string `json:"-"`
	ExpiresAt   time.Time
	// RefreshToken is exchanged once for the next Session.
	RefreshToken     string `json:"-"`
	RefreshExpiresAt time.Time
	Actor            account.Actor
	DisplayName      string
}

// Format, and so every print verb, leaves the secrets out.
func (r Registration) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Registration %s}", strconv.QuoteToASCII(r.Username))
}

// LogValue leaves the secrets out of logs.
func (r Registration) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// Format, and so every print verb, leaves the secrets out.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Credentials %s from %s}", strconv.QuoteToASCII(c.Username), strconv.QuoteToASCII(c.RemoteAddr))
}

// LogValue leaves the secrets out of logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Format, and so every print verb, leaves the secrets out.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Session of %s %d until %s}", s.Actor.Role, s.Actor.ID, s.ExpiresAt.UTC().Format(time.RFC3339))
}

// LogValue leaves the secrets out of logs.
func (s Session) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// Register makes a member under the agent whose invite code is given, and signs in. Refusals:
// INVALID_ARGUMENT, WEAK_PASSWORD, INVITE_INVALID, USERNAME_TAKEN, OVERLOADED, UNAVAILABLE.
func (v *Visitor) Register(ctx context.Context, r Registration) (Session, error) {
	p := v.x.people
	username, err := account.ParseMemberUsername(r.Username)
	if err != nil {
		return Session{}, fault.New(fault.InvalidArgument, err.Error(), "field", "username")
	}
	displayName, err := account.ParseDisplayName(r.DisplayName)
	if err != nil {
		return Session{}, fault.New(fault.InvalidArgument, err.Error(), "field", "displayName")
	}
	// Before the password is hashed: without an invite nobody makes the house work.
	code := auth.ParseInviteCode(r.InviteCode)
	invite, err := p.db.Invite(ctx, code)
	if err == nil && !invite.Usable(p.now()) {
		err = postgres.ErrInvite
	}
	if err != nil {
		return Session{}, refusal(err, refusalOf{postgres.ErrNotFound, errInvite}, refusalOf{postgres.ErrInvite, errInvite})
	}
	hash, err := p.hashPassword(ctx, r.Password, username)
	if err != nil {
		return Session{}, err
	}
	open, refresh, err := p.newSession(0, r.RemoteAddr)
	if err != nil {
		return Session{}, err
	}
	account := postgres.NewAccount{Username: username, DisplayName: displayName, PasswordHash: hash, CreatedAt: open.CreatedAt}
	login, err := p.db.RegisterMember(ctx, code, account, open, audit.Entry{At: open.CreatedAt, Action: "member.register"})
	if err != nil {
		return Session{}, refusal(err,
			refusalOf{postgres.ErrInvite, errInvite},
			refusalOf{postgres.ErrUsernameTaken, errUsernameTaken})
	}
	// Who cannot be brought to the venue now is at the next start; nothing else hangs on it.
	if err := v.x.enrolMember(ctx, login.Actor.ID, login.Actor.AgentID); err != nil {
		v.x.log.WarnContext(ctx, "a member is not known to the venue yet", "member", login.Actor.ID, "error", err)
	}
	return p.session(login, open.Methods, refresh, open.RefreshExpiresAt)
}

var (
	errInvite        = fault.New(fault.InviteInvalid, "the invite code is unknown, used up or expired")
	errUsernameTaken = fault.New(fault.UsernameTaken, "this username is taken")
	errCredentials   = fault.New(fault.InvalidCredentials, "username or password is wrong")
	errSignIn        = fault.New(fault.Unauthenticated, "sign in again")
	errExpired       = fault.New(fault.TokenExpired, "the token has expired")
)

// SignIn opens a session for a member, an agent or an admin. What is wrong, username or password,
// shows neither in the answer nor in its time. Refusals: INVALID_CREDENTIALS, RATE_LIMITED (with
// retryAfterSeconds), OVERLOADED, UNAVAILABLE.
//
// The password proves the account (prove); a session is opened by a second step (open), between
// which a second factor is to stand.
func (v *Visitor) SignIn(ctx context.Context, c Credentials) (Session, error) {
	p := v.x.people
	login, newHash, err := p.prove(ctx, c)
	if err != nil {
		return Session{}, err
	}
	return p.open(ctx, login, newHash, c.RemoteAddr)
}

// prove checks a password. It returns a new hash where the stored one has yesterday's costs.
func (p *people) prove(ctx context.Context, c Credentials) (login postgres.Login, newHash string, err error) {
	username, nameErr := account.ParseUsername(c.Username)
	if len(c.Password) > 8*auth.MaxPassword {
		return login, "", errCredentials // longer than any password can be; nothing to hash
	}
	wait, ok := p.throttle.Begin(username, c.RemoteAddr)
	if !ok {
		seconds := int64((wait + time.Second - 1) / time.Second)
		return login, "", fault.New(fault.RateLimited, "too many failed sign-ins; wait before trying again",
			"retryAfterSeconds", strconv.FormatInt(seconds, 10))
	}
	matches := false
	if nameErr == nil {
		login, err = p.db.LoginByUsername(ctx, username)
	}
	switch {
	case nameErr != nil || errors.Is(err, postgres.ErrNotFound):
		err = p.hasher.VerifyNobody(ctx, c.Password)
	case err == nil:
		matches, err = p.hasher.Verify(ctx, c.Password, login.PasswordHash)
	}
	switch {
	case errors.Is(err, auth.ErrBusy):
		p.throttle.Abandoned(username, c.RemoteAddr)
		return login, "", fault.New(fault.Overloaded, "too many sign-ins at once; try again in a moment")
	case err != nil:
		p.throttle.Abandoned(username, c.RemoteAddr)
		return login, "", refusal(err)
	case !matches:
		p.log.InfoContext(ctx, "sign-in refused", "username", username, "address", c.RemoteAddr)
		return login, "", errCredentials
	}
	p.throttle.Succeeded(username, c.RemoteAddr)
	if p.hasher.Outdated(login.PasswordHash) {
		// Not renewing is no reason to turn someone away.
		if hash, err := p.hasher.Hash(ctx, c.Password); err == nil {
			newHash = hash
		}
	}
	return login, newHash, nil
}

func (p *people) open(ctx context.Context, login postgres.Login, newHash, address string) (Session, error) {
	open, refresh, err := p.newSession(login.Actor.ID, address)
	if err != nil {
		return Session{}, err
	}
	login.Actor.SessionID = open.ID
	entry := audit.Entry{
		At: open.CreatedAt, Actor: login.Actor, Action: "session.open", Subject: "account:" + login.Actor.ID.String(),
		Details: map[string]string{"address": open.RemoteAddress},
	}
	if err := p.db.OpenSession(ctx, open, newHash, entry); err != nil {
		return Session{}, refusal(err)
	}
	return p.session(login, open.Methods, refresh, open.RefreshExpiresAt)
}

// newSession draws the secrets of a session that is not stored yet.
func (p *people) newSession(id account.ID, address string) (postgres.NewSession, string, error) {
	session, err := auth.NewSessionID(p.rand)
	if err != nil {
		return postgres.NewSession{}, "", err
	}
	refresh, hash, err := auth.NewRefreshToken(p.rand)
	if err != nil {
		return postgres.NewSession{}, "", err
	}
	const longestAddress = 64
	if len(address) > longestAddress {
		address = address[:longestAddress]
	}
	now := stamp(p.now)
	return postgres.NewSession{
		ID: session, AccountID: id, Methods: []auth.Method{auth.MethodPassword}, RemoteAddress: address,
		CreatedAt: now, ExpiresAt: now.Add(auth.SessionLife),
		Refresh: hash, RefreshExpiresAt: now.Add(auth.RefreshTokenLife),
	}, refresh, nil
}

func (p *people) session(login postgres.Login, methods []auth.Method, refresh string, refreshEnds time.Time) (Session, error) {
	token, ends, err := p.signer.Sign(auth.Grant{Actor: login.Actor, Roles: login.Roles, Methods: methods})
	if err != nil {
		return Session{}, err
	}
	return Session{
		AccessToken: token, ExpiresAt: ends, RefreshToken: refresh, RefreshExpiresAt: refreshEnds,
		Actor: login.Actor, DisplayName: login.DisplayName,
	}, nil
}

// Refresh exchanges a refresh token for a new session pair; the old token ends. A token that was
// exchanged before ends the whole session: two hold it, and one of them stole it. Refusals:
// UNAUTHENTICATED, TOKEN_EXPIRED, UNAVAILABLE.
func (v *Visitor) Refresh(ctx context.Context, refreshToken string) (Session, error) {
	p := v.x.people
	old, err := auth.HashRefreshToken(refreshToken)
	if err != nil {
		return Session{}, errSignIn
	}
	next, hash, err := auth.NewRefreshToken(p.rand)
	if err != nil {
		return Session{}, err
	}
	now := stamp(p.now)
	row, ends, err := p.db.RotateRefresh(ctx, postgres.Rotation{
		Old: old, New: hash, Now: now, ExpiresAt: now.Add(auth.RefreshTokenLife),
		Reused: audit.Entry{At: now, Actor: account.House(), Action: "session.reuse"},
	})
	if errors.Is(err, postgres.ErrRefreshReused) {
		p.ended.add(row.ID)
		p.log.WarnContext(ctx, "refresh token used twice, session revoked", "account", row.AccountID)
	}
	if err != nil {
		return Session{}, refusal(err,
			refusalOf{postgres.ErrRefreshUnknown, errSignIn},
			refusalOf{postgres.ErrRefreshReused, errSignIn},
			refusalOf{postgres.ErrSessionEnded, errSignIn},
			refusalOf{postgres.ErrRefreshExpired, errExpired})
	}
	return p.session(row.Login, row.Methods, next, ends)
}

// SignOut ends the session of a refresh token, its access tokens included. Ending what has ended,
// or never was, is no error.
func (v *Visitor) SignOut(ctx context.Context, refreshToken string) error {
	p := v.x.people
	hash, err := auth.HashRefreshToken(refreshToken)
	if err != nil {
		return nil //nolint:nilerr // what is no token has no session
	}
	now := stamp(p.now)
	session, err := p.db.EndSession(ctx, hash, now, audit.Entry{At: now, Action: "session.end"})
	switch {
	case err == nil:
		p.ended.add(session)
		return nil
	case errors.Is(err, postgres.ErrRefreshUnknown), errors.Is(err, postgres.ErrSessionEnded):
		return nil
	}
	return refusal(err)
}

// Authenticate returns the actor of an access token. It needs no query as a rule. Refusals:
// UNAUTHENTICATED, TOKEN_EXPIRED, UNAVAILABLE.
func (v *Visitor) Authenticate(ctx context.Context, accessToken string) (account.Actor, error) {
	p := v.x.people
	actor, err := p.signer.Verify(accessToken)
	switch {
	case errors.Is(err, auth.ErrTokenExpired):
		return account.Actor{}, errExpired
	case err != nil:
		return account.Actor{}, errSignIn
	}
	ended, err := p.ended.has(ctx, actor.SessionID)
	switch {
	case err != nil:
		return account.Actor{}, refusal(err)
	case ended:
		return account.Actor{}, errSignIn
	}
	return actor, nil
}
