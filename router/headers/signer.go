package headers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"bourse/router/execute"
	"bourse/router/identity"
)

// SignerOptions of claims for subgraphs. Zero fields mean the defaults; one of Secret and PrivatePEM is required.
type SignerOptions struct {
	Header     string        // default Router-Claims
	Issuer     string        // iss; default router
	Algorithm  string        // default by the key: HS256, RS256, the ES of its curve, EdDSA
	KeyID      string        // kid; may be empty
	Secret     []byte        // shared with the subgraphs
	PrivatePEM []byte        // PKCS #8, PKCS #1 or SEC 1
	Life       time.Duration // default 60 s
	Claims     []string      // paths of the client's claims that go along, beside sub, scope and roles; see identity.ClaimPaths
	Now        func() time.Time
}

// Signer tells subgraphs whom a request speaks for, in a compact JWS that no one else can have made:
//
//	iss     Issuer               sub           the client's subject
//	aud     the subgraph         scope, roles  as the router read them
//	iat     now                  client_iss    who issued the client's token
//	exp     iat + Life, but not after the client's own      claims   by path
//
// Subgraphs verify it like any token; identity.Verifier does. It is signed once for an identity and a subgraph and used for half of its
// life. It is safe for concurrent use.
type Signer struct {
	o      SignerOptions
	method jwt.SigningMethod
	key    any
	public []byte // key set
	made   *lru.Cache[signedFor, signed]
}

type signedFor struct {
	identity [sha256.Size]byte
	subgraph string
}

type signed struct {
	value []string
	fresh time.Time // until then it is used
}

const maxSigned = 10_000

// NewSigner checks the options.
func NewSigner(o SignerOptions) (*Signer, error) {
	if o.Header == "" {
		o.Header = "Router-Claims"
	}
	if o.Issuer == "" {
		o.Issuer = "router"
	}
	if o.Life <= 0 {
		o.Life = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Signer{o: o}
	var err error
	if s.o.Header, err = headerName(o.Header); err != nil {
		return nil, err
	}
	if err := s.takeKey(); err != nil {
		return nil, err
	}
	if s.made, err = lru.New[signedFor, signed](maxSigned); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Signer) takeKey() error {
	if (len(s.o.Secret) == 0) == (len(s.o.PrivatePEM) == 0) {
		return errors.New("claims are signed either with a secret or with a private key")
	}
	var check identity.Key
	var err error
	standard := "HS256"
	if len(s.o.Secret) > 0 {
		s.key = s.o.Secret
		check, err = identity.Secret(s.o.KeyID, s.o.Secret)
	} else {
		var private crypto.Signer
		if private, err = readPrivate(s.o.PrivatePEM); err != nil {
			return err
		}
		s.key, standard = private, algorithmOf(private)
		check, err = identity.PublicKey(s.o.KeyID, private.Public())
	}
	if err != nil {
		return err
	}
	if s.o.Algorithm == "" {
		s.o.Algorithm = standard
	}
	if !check.Fits(s.o.Algorithm) {
		return fmt.Errorf("the key cannot sign with %q", s.o.Algorithm)
	}
	s.method = jwt.GetSigningMethod(s.o.Algorithm)
	if private, ok := s.key.(crypto.Signer); ok {
		s.public, err = identity.WriteJWKS(s.o.KeyID, s.o.Algorithm, private.Public())
	}
	return err
}

func algorithmOf(key crypto.Signer) string {
	switch k := key.Public().(type) {
	case *rsa.PublicKey:
		return "RS256"
	case ed25519.PublicKey:
		return "EdDSA"
	case *ecdsa.PublicKey:
		return map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[k.Curve.Params().BitSize]
	}
	return ""
}

// readPrivate reads the first private key. Errors never quote from it.
func readPrivate(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, errors.New("the private key cannot be read")
		}
		return signer, nil
	}
	return nil, errors.New("no PEM block with a private key")
}

// KeySet is the JSON Web Key Set with which subgraphs verify; nil for a secret.
func (s *Signer) KeySet() []byte { return s.public }

// ServeHTTP answers with the KeySet, for an admin listener.
func (s *Signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.public == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(s.public) // a client that has gone cannot be told
}

// sign sets the header of a request, which is the caller's own. Nobody's has none, whatever the client sent.
func (s *Signer) sign(req *execute.Request) error {
	if req.Header == nil {
		req.Header = http.Header{}
	}
	delete(req.Header, s.o.Header)
	if req.Identity == nil {
		return nil
	}
	value, err := s.valueFor(req.Identity, req.Subgraph)
	if err != nil {
		return fmt.Errorf("sign claims for subgraph %s: %w", req.Subgraph, err)
	}
	req.Header[s.o.Header] = value
	return nil
}

func (s *Signer) valueFor(who *identity.Identity, subgraph string) ([]string, error) {
	key := signedFor{who.Digested().Digest, subgraph}
	now := s.o.Now()
	if have, ok := s.made.Get(key); ok && now.Before(have.fresh) {
		return have.value, nil
	}
	t := jwt.NewWithClaims(s.method, s.claims(who, subgraph, now))
	if s.o.KeyID != "" {
		t.Header["kid"] = s.o.KeyID
	}
	text, err := t.SignedString(s.key)
	if err != nil {
		return nil, err
	}
	one := signed{value: []string{text}, fresh: now.Add(s.o.Life / 2)}
	if end := who.Expires; !end.IsZero() && end.Before(one.fresh) {
		one.fresh = end
	}
	s.made.Add(key, one)
	return one.value, nil
}

func (s *Signer) claims(who *identity.Identity, subgraph string, now time.Time) jwt.MapClaims {
	end := now.Add(s.o.Life)
	if !who.Expires.IsZero() && who.Expires.Before(end) {
		end = who.Expires
	}
	c := jwt.MapClaims{"iss": s.o.Issuer, "aud": subgraph, "iat": now.Unix(), "exp": end.Unix(), "sub": who.Subject, "client_iss": who.Issuer}
	if len(who.Scopes) > 0 {
		c["scope"] = strings.Join(who.Scopes, " ")
	}
	if len(who.Roles) > 0 {
		c["roles"] = who.Roles
	}
	more := map[string]any{}
	for _, path := range s.o.Claims {
		if v, ok := who.Claim(path); ok {
			more[path] = v
		}
	}
	if len(more) > 0 {
		c["claims"] = more
	}
	return c
}
