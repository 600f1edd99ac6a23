package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"bourse/engine/auth"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
)

// people is what the exchange needs to know who someone is.
type people struct {
	db       *postgres.Store
	now      func() time.Time
	rand     io.Reader
	log      *slog.Logger
	hasher   *auth.Hasher
	signer   *auth.Signer
	throttle *auth.Throttle
	ended    *endedSessions
}

// newPeople takes clock, chance, log and database from an exchange that has them. An empty token
// secret is replaced by a random one: access tokens then end with the process, and refresh tokens
// bring new ones.
func newPeople(x *Exchange) (*people, error) {
	params := x.opts.Argon
	if params == (auth.Params{}) {
		params = auth.DefaultParams()
	}
	secret := x.opts.TokenSecret
	if len(secret) == 0 {
		secret = make([]byte, auth.MinSecret)
		if _, err := io.ReadFull(rand.Reader, secret); err != nil {
			return nil, fmt.Errorf("engine: read randomness: %w", err)
		}
	}
	hasher, err := auth.NewHasher(params, x.rand)
	if err != nil {
		return nil, err
	}
	signer, err := auth.NewSigner(x.now, secret)
	if err != nil {
		return nil, err
	}
	return &people{
		db: x.db, now: x.now, rand: x.rand, log: x.log,
		hasher:   hasher,
		signer:   signer,
		throttle: auth.NewThrottle(x.now),
		ended:    newEndedSessions(x.db, x.now, x.log),
	}, nil
}

// stamp is now as the database keeps it: whole microseconds, UTC.
func stamp(now func() time.Time) time.Time { return now().UTC().Truncate(time.Microsecond) }

// refusal turns what the store says into what the caller may be told. Errors that are not the
// caller's concern pass as they are; a database that does not answer is UNAVAILABLE.
func refusal(err error, known ...refusalOf) error {
	if err == nil {
		return nil
	}
	var said *fault.Error
	if errors.As(err, &said) {
		return err
	}
	for _, k := range known {
		if errors.Is(err, k.when) {
			return k.say
		}
	}
	if postgres.Unreachable(err) {
		return &unavailable{cause: err}
	}
	return err
}

// refusalOf is a row of the table from the store's errors to refusals.
type refusalOf struct {
	when error
	say  *fault.Error
}

// unavailable is the refusal UNAVAILABLE to whoever asks for its code, and its cause to the log.
type unavailable struct{ cause error }

func (u *unavailable) Error() string { return "UNAVAILABLE: " + u.cause.Error() }

func (u *unavailable) Unwrap() []error {
	return []error{fault.New(fault.Unavailable, "the database does not answer; ask again with the same key"), u.cause}
}

// hashPassword checks the rules for new passwords and hashes. Refusals: WEAK_PASSWORD, OVERLOADED.
func (p *people) hashPassword(ctx context.Context, password, username string) (string, error) {
	if err := auth.CheckPassword(password, username); err != nil {
		return "", fault.New(fault.WeakPassword, err.Error())
	}
	hash, err := p.hasher.Hash(ctx, password)
	if errors.Is(err, auth.ErrBusy) {
		return "", fault.New(fault.Overloaded, "too many sign-ins at once; try again in a moment")
	}
	return hash, err
}
