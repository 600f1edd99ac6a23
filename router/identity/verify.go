package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Issuer says which tokens of an issuer are taken.
type Issuer struct {
	Name       string        // what iss must be; empty: tokens that no other Issuer is for, whatever their iss
	Algorithms []string      // those that are taken; at least one
	Keys       []Key         // that verify its tokens
	URL        string        // of a JSON Web Key Set with more of them; https, or http on the loopback interface
	AllowHTTP  bool          // lets URL be http elsewhere
	Audiences  []string      // one of which aud must have; empty: not looked at
	Skew       time.Duration // how far its clock may be off; at most 10 min
	Required   []string      // claims that must be there (see ClaimPaths), beside exp
	NoExpiry   bool          // lets tokens be without exp
}

// Options of a Verifier. Zero fields mean the defaults; Issuers are required.
type Options struct {
	Issuers       []Issuer
	Claims        ClaimPaths
	MaxTokenBytes int              // default 8 KiB
	Remembered    int              // verified tokens that are kept; default 10,000, negative: none
	Remote        RemoteOptions    // of key sets behind URLs
	Now           func() time.Time // nil: time.Now
	Logger        *slog.Logger     // nil: discards
}

// Verifier turns tokens into identities. It is safe for concurrent use; Close it when done.
type Verifier struct {
	o       Options
	issuers map[string]*issuer
	parser  *jwt.Parser
	known   *lru.Cache[[sha256.Size]byte, known] // nil: nothing is remembered
}

// known is a verified token.
type known struct {
	identity  *Identity
	issuer    *issuer
	version   uint64    // of the issuer's keys
	notBefore time.Time // the clock may be set back
}

// issuer is an Issuer that is ready.
type issuer struct {
	Issuer
	fixed     *keySet
	remote    *remote // nil: none
	validator *jwt.Validator
}

const (
	maxSkew     = 10 * time.Minute
	maxSubject  = 1 << 10
	defaultSize = 8 << 10
)

// NewVerifier returns a verifier. Key sets behind URLs are read in the background: tokens that come before wait for them.
func NewVerifier(o Options) (*Verifier, error) {
	if o.MaxTokenBytes <= 0 {
		o.MaxTokenBytes = defaultSize
	}
	if o.Remembered == 0 {
		o.Remembered = 10_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Claims = o.Claims.withDefaults()
	if err := o.Check(); err != nil {
		return nil, err
	}
	v := &Verifier{o: o, issuers: map[string]*issuer{}}
	if o.Remembered > 0 {
		var err error
		if v.known, err = lru.New[[sha256.Size]byte, known](o.Remembered); err != nil {
			return nil, err
		}
	}
	// Algorithms and claims are held to the rules of the token's issuer.
	v.parser = jwt.NewParser(jwt.WithJSONNumber(), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	for _, config := range o.Issuers {
		v.issuers[config.Name] = v.ready(config)
	}
	return v, nil
}

// Check says what is wrong with the issuers, without reading their key sets.
func (o Options) Check() error {
	if len(o.Issuers) == 0 {
		return errors.New("no issuer of tokens is named")
	}
	named := map[string]bool{}
	for i, config := range o.Issuers {
		if err := config.Check(); err != nil {
			return fmt.Errorf("issuer %d (%q): %w", i+1, config.Name, err)
		}
		if named[config.Name] {
			return fmt.Errorf("issuer %q is named twice", config.Name)
		}
		named[config.Name] = true
	}
	return nil
}

// Check says what is wrong with an issuer, without reading its key set.
func (c *Issuer) Check() error {
	if len(c.Algorithms) == 0 {
		return errors.New("the algorithms that it signs with must be named")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(Algorithms, a) {
			return fmt.Errorf("%q is not among the algorithms %s", a, strings.Join(Algorithms, ", "))
		}
		fits := func(k Key) bool { return k.Fits(a) }
		if c.URL == "" && !slices.ContainsFunc(c.Keys, fits) {
			return fmt.Errorf("it has no key for %s", a)
		}
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		return fmt.Errorf("the clock skew must be between 0 and %s", maxSkew)
	}
	if c.URL != "" {
		return checkURL(c.URL, c.AllowHTTP)
	}
	return nil
}

func (v *Verifier) ready(config Issuer) *issuer {
	rules := []jwt.ParserOption{jwt.WithTimeFunc(v.o.Now), jwt.WithLeeway(config.Skew), jwt.WithIssuedAt()}
	if config.Name != "" {
		rules = append(rules, jwt.WithIssuer(config.Name))
	}
	if len(config.Audiences) > 0 {
		rules = append(rules, jwt.WithAudience(config.Audiences...))
	}
	if !config.NoExpiry {
		rules = append(rules, jwt.WithExpirationRequired())
	}
	i := &issuer{Issuer: config, fixed: &keySet{config.Keys}, validator: jwt.NewValidator(rules...)}
	if config.URL != "" {
		i.remote = newRemote(config.URL, v.o.Remote, v.o.Logger)
	}
	return i
}

// Close ends reading key sets.
func (v *Verifier) Close() {
	for _, i := range v.issuers {
		if i.remote != nil {
			i.remote.close()
		}
	}
}

// Verify returns the identity that a token proves, or a *RefusedError. It may wait for a key set to be read, no longer than ctx lasts.
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	if len(token) > v.o.MaxTokenBytes {
		return nil, refused(TokenTooLarge, fmt.Sprintf("%d bytes", len(token)))
	}
	digest := sha256.Sum256([]byte(token))
	if v.known != nil {
		if k, ok := v.known.Get(digest); ok {
			now := v.o.Now()
			switch {
			case k.identity.ExpiredAt(now):
				v.known.Remove(digest)
				return nil, refused(TokenExpired, "")
			case k.version == k.issuer.version() && !now.Before(k.notBefore):
				return k.identity, nil
			}
		}
	}
	k, err := v.verify(ctx, token, digest)
	if err != nil {
		if v.known != nil {
			v.known.Remove(digest) // it may have been of a key that is known no longer
		}
		return nil, err
	}
	if v.known != nil {
		v.known.Add(digest, *k)
	}
	return k.identity, nil
}

func (v *Verifier) verify(ctx context.Context, text string, digest [sha256.Size]byte) (*known, error) {
	claims := jwt.MapClaims{}
	var from *issuer
	var version uint64
	_, err := v.parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		var err error
		if from, err = v.issuerOf(t, claims); err != nil {
			return nil, err
		}
		version = from.version() // before the keys: should they change in between, the token is verified anew
		return from.keysFor(ctx, t)
	})
	if err != nil {
		return nil, reasonOf(err)
	}
	if err := from.validator.Validate(claims); err != nil {
		return nil, reasonOf(err)
	}
	for _, path := range from.Required {
		if _, ok := claimAt(claims, path); !ok {
			return nil, refused(TokenClaim, "without "+path)
		}
	}
	return from.known(claims, v.o.Claims, version, digest)
}

// issuerOf chooses whose rules a token is held to. It is not verified yet: what it says here only chooses.
func (v *Verifier) issuerOf(t *jwt.Token, claims jwt.MapClaims) (*issuer, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, refused(TokenMalformed, "its header has extensions that must be understood (crit), and none is")
	}
	name, _ := claims["iss"].(string)
	i := v.issuers[name]
	if i == nil {
		i = v.issuers[""]
	}
	if i == nil {
		return nil, refused(TokenIssuer, fmt.Sprintf("iss %q", name))
	}
	if !slices.Contains(i.Algorithms, t.Method.Alg()) {
		return nil, refused(TokenAlgorithm, t.Method.Alg())
	}
	return i, nil
}

// keysFor are the keys that may have signed a token.
func (i *issuer) keysFor(ctx context.Context, t *jwt.Token) (jwt.VerificationKeySet, error) {
	var set jwt.VerificationKeySet
	id, ok := t.Header["kid"].(string)
	if _, there := t.Header["kid"]; there && !ok {
		return set, refused(TokenMalformed, "its kid is no string")
	}
	found := i.fixed.candidates(id, t.Method.Alg())
	if len(found) == 0 && i.remote != nil {
		var err error
		if found, err = i.remote.candidates(ctx, id, t.Method.Alg()); err != nil {
			return set, refused(KeysUnavailable, err.Error())
		}
	}
	if len(found) == 0 {
		return set, refused(TokenKey, fmt.Sprintf("kid %q for %s", id, t.Method.Alg()))
	}
	for _, k := range found {
		set.Keys = append(set.Keys, k)
	}
	return set, nil
}

func (i *issuer) version() uint64 {
	if i.remote == nil {
		return 0
	}
	return i.remote.versions.Load()
}

// known makes the identity of valid claims.
func (i *issuer) known(claims jwt.MapClaims, paths ClaimPaths, version uint64, digest [sha256.Size]byte) (*known, error) {
	subject, err := claims.GetSubject()
	if err != nil || len(subject) > maxSubject {
		return nil, refused(TokenClaim, "sub is no string of ordinary length")
	}
	name, _ := claims["iss"].(string)
	who := &Identity{
		Subject: subject, Issuer: name, Claims: claims, Digest: digest,
		Scopes: wordsAt(claims, paths.Scopes), Roles: wordsAt(claims, paths.Roles),
	}
	k := &known{identity: who, issuer: i, version: version}
	if end, err := claims.GetExpirationTime(); err == nil && end != nil {
		who.Expires = end.Add(i.Skew)
	}
	if begin, err := claims.GetNotBefore(); err == nil && begin != nil {
		k.notBefore = begin.Add(-i.Skew)
	}
	return k, nil
}

// reasonOf turns what golang-jwt says into a reason. Its words quote the values of claims at most, never the token.
func reasonOf(err error) *RefusedError {
	var own *RefusedError
	if errors.As(err, &own) {
		return own
	}
	for _, r := range []struct {
		is     error
		reason Reason
	}{
		{jwt.ErrTokenMalformed, TokenMalformed},
		{jwt.ErrTokenExpired, TokenExpired},
		{jwt.ErrTokenNotValidYet, TokenNotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, TokenNotYetValid},
		{jwt.ErrTokenInvalidAudience, TokenAudience},
		{jwt.ErrTokenInvalidIssuer, TokenIssuer},
		{jwt.ErrTokenRequiredClaimMissing, TokenClaim},
		{jwt.ErrInvalidType, TokenClaim},
		{jwt.ErrTokenUnverifiable, TokenAlgorithm},
	} {
		if errors.Is(err, r.is) {
			return refused(r.reason, err.Error())
		}
	}
	return refused(TokenSignature, "")
}
