package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bourse/engine/account"
)

// AccessTokenLife is how long an access token is good for. A revoked session is refused earlier,
// see Revocations.
const AccessTokenLife = 10 * time.Minute

const (
	issuer   = "bourse"
	audience = "bourse-api"
	// skew is how far the clock of another process of the house may be behind.
	skew = 5 * time.Second
	// MinSecret is the least length of a signing secret in bytes: that of the HMAC's output
	// (RFC 7518, 3.2).
	MinSecret = 32
	// maxToken bounds what is parsed at all.
	maxToken = 4096
	// cachedTokens bounds each of the two generations of the cache of verified tokens.
	cachedTokens = 16_384
)

// Why an access token is refused.
var (
	ErrTokenInvalid = errors.New("auth: the access token is not valid")
	ErrTokenExpired = errors.New("auth: the access token has expired")
)

// Signer makes and checks access tokens: JWTs signed with HMAC-SHA-256. The first secret signs;
// tokens of all secrets are accepted, so that a secret can be replaced without signing anyone out.
// It is safe for concurrent use.
type Signer struct {
	keys    map[string][]byte
	current string
	clock   func() time.Time
	parser  *jwt.Parser
	cache   *generations[[sha256.Size]byte, verified]
}

type verified struct {
	actor     account.Actor
	expiresAt time.Time
	notBefore time.Time
}

// NewSigner returns a signer that signs with the first of the secrets.
func NewSigner(clock func() time.Time, secrets ...[]byte) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("auth: a signing secret is needed")
	}
	s := &Signer{keys: make(map[string][]byte, len(secrets)), clock: clock}
	for _, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("auth: a signing secret needs at least %d bytes", MinSecret)
		}
		id := keyID(secret)
		if s.current == "" {
			s.current = id
		}
		s.keys[id] = secret
	}
	s.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithTimeFunc(clock),
		jwt.WithStrictDecoding(),
	)
	s.cache = newGenerations[[sha256.Size]byte, verified](cachedTokens)
	return s, nil
}

// keyID names a secret without giving it away.
func keyID(secret []byte) string {
	sum := sha256.Sum256(append([]byte("bourse key id:"), secret...))
	return hex.EncodeToString(sum[:6])
}

type claims struct {
	jwt.RegisteredClaims
	Session string              `json:"sid"`
	Role    account.Role        `json:"role"`
	Name    string              `json:"name"`
	Agent   account.ID          `json:"agent,omitempty"`
	Roles   []account.AdminRole `json:"roles,omitempty"`
	Methods []Method            `json:"amr"`
}

// Grant is what an access token says.
type Grant struct {
	Actor   account.Actor
	Roles   []account.AdminRole
	Methods []Method
}

// Sign returns an access token for the grant and the instant at which it ends.
func (s *Signer) Sign(g Grant) (token string, expiresAt time.Time, err error) {
	now := s.clock()
	expiresAt = now.Add(AccessTokenLife).Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{audience},
			Subject:   g.Actor.ID.String(),
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now.Add(-skew)),
			ExpiresAt: jwt.NewNumericDate(expiresAt),
		},
		Session: g.Actor.SessionID,
		Role:    g.Actor.Role,
		Name:    g.Actor.Username,
		Agent:   g.Actor.AgentID,
		Roles:   g.Roles,
		Methods: g.Methods,
	})
	t.Header["kid"] = s.current
	token, err = t.SignedString(s.keys[s.current])
	if err != nil {
		return "", time.Time{}, fmt.Errorf("auth: sign access token: %w", err)
	}
	return token, expiresAt, nil
}

// Verify returns the actor of an access token: ErrTokenExpired when only its time is over,
// ErrTokenInvalid for anything else. A token once verified is remembered until it ends, so that
// the usual request costs one SHA-256.
func (s *Signer) Verify(token string) (account.Actor, error) {
	if len(token) > maxToken {
		return account.Actor{}, ErrTokenInvalid
	}
	now := s.clock()
	key := sha256.Sum256([]byte(token))
	if v, ok := s.cache.get(key); ok {
		switch {
		case !now.Before(v.expiresAt):
			return account.Actor{}, ErrTokenExpired
		case now.Before(v.notBefore):
			return account.Actor{}, ErrTokenInvalid
		}
		return v.actor, nil
	}
	var c claims
	if _, err := s.parser.ParseWithClaims(token, &c, s.secretOf); err != nil {
		// An expiry counts only where the signature is right: the parser checks that first.
		if errors.Is(err, jwt.ErrTokenExpired) {
			return account.Actor{}, ErrTokenExpired
		}
		return account.Actor{}, ErrTokenInvalid
	}
	actor, ok := c.actor()
	if !ok {
		return account.Actor{}, ErrTokenInvalid
	}
	s.cache.put(key, verified{actor: actor, expiresAt: c.ExpiresAt.Time, notBefore: c.NotBefore.Time})
	return actor, nil
}

func (s *Signer) secretOf(t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	secret, ok := s.keys[id]
	if !ok {
		return nil, ErrTokenInvalid
	}
	return secret, nil
}

func (c claims) actor() (account.Actor, bool) {
	id, err := strconv.ParseUint(c.Subject, 10, 64)
	if err != nil || id == 0 || !c.Role.Valid() || c.Session == "" {
		return account.Actor{}, false
	}
	actor := account.Actor{
		ID: account.ID(id), Role: c.Role, Username: c.Name, AgentID: c.Agent, SessionID: c.Session,
	}
	if c.Role == account.RoleAdmin {
		actor.Duties = account.DutiesOf(c.Roles)
	}
	return actor, true
}
