package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"bourse/router"
	"bourse/router/identity"
)

// Identity says how requests prove whom they speak for. Without issuers everyone is nobody.
type Identity struct {
	Required     bool           `yaml:"required" default:"false" doc:"Refuses requests without a token with UNAUTHENTICATED; otherwise they are nobody's."`
	Invalid      string         `yaml:"invalid" default:"refuse" enum:"refuse|anonymous" doc:"What becomes of a request whose token is not valid; anonymous: it is nobody's."`
	RejectDenied bool           `yaml:"reject_denied" default:"false" doc:"Refuses an operation as a whole when its client may not see one of its fields; otherwise such fields are null, with errors."`
	Sources      []TokenSource  `yaml:"sources" doc:"Where tokens are, the first that has one counts; none listed: in the header Authorization after Bearer."`
	Issuers      []TokenIssuer  `yaml:"issuers" doc:"Whose tokens are taken."`
	KeySets      TokenKeySets   `yaml:"key_sets" doc:"How key sets behind URLs are read."`
	Claims       TokenClaims    `yaml:"claims" doc:"Where claims are; a dot steps into an object where no claim has the whole name."`
	Policies     []ClaimsPolicy `yaml:"policies" doc:"Which policies (@policy) hold for whom."`
	MaxToken     Size           `yaml:"max_token" default:"8KiB" min:"256B" max:"64KiB" doc:"Size of a token; larger ones are not looked at."`
	Cache        int            `yaml:"cache" default:"10000" min:"0" doc:"Verified tokens that are remembered until they expire; 0: none."`
}

// TokenSource is a place where requests carry tokens.
type TokenSource struct {
	Header string `yaml:"header" doc:"Name of a header. WebSockets may give it as an entry of connection_init."`
	Prefix string `yaml:"prefix" doc:"What stands before the token in the header, such as Bearer."`
	Cookie string `yaml:"cookie" doc:"Name of a cookie, instead of a header."`
}

// Check implements checker.
func (s *TokenSource) Check() error {
	if (s.Header == "") == (s.Cookie == "") {
		return badKey("header", "a source is either a header or a cookie")
	}
	return nil
}

// TokenIssuer says which tokens of an issuer are taken.
type TokenIssuer struct {
	Name       string   `yaml:"name" doc:"What the claim iss must be. Empty: tokens that no other issuer is for."`
	Algorithms []string `yaml:"algorithms" required:"true" enum:"HS256|HS384|HS512|RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA" doc:"Those that are taken."`
	Audiences  []string `yaml:"audiences" doc:"One of which the claim aud must have; none listed: it is not looked at."`
	Skew       Duration `yaml:"skew" default:"30s" max:"10m" doc:"How far the issuer's clock may be off."`
	Required   []string `yaml:"required_claims" doc:"Claims that must be there, beside exp."`
	NoExpiry   bool     `yaml:"no_expiry" default:"false" doc:"Takes tokens without exp; they are good for ever."`
	JWKSURL    string   `yaml:"jwks_url" doc:"Address of its key set; https, or http on the loopback interface."`
	AllowHTTP  bool     `yaml:"allow_http" default:"false" doc:"Lets jwks_url be http elsewhere: whoever is between can then replace the keys."`
	JWKSFile   string   `yaml:"jwks_file" doc:"File with its key set."`
	PEMFile    string   `yaml:"pem_file" doc:"File with public keys or certificates."`
	Secret     string   `yaml:"secret" doc:"Shared secret of 32 bytes or more; better ${FROM_THE_ENVIRONMENT} than in the file."`
	SecretFile string   `yaml:"secret_file" doc:"File with the shared secret; line breaks at its end do not count."`
	Encoding   string   `yaml:"secret_encoding" default:"text" enum:"text|base64" doc:"How the secret is written."`
	KeyID      string   `yaml:"key_id" doc:"What tokens name the key of pem_file, secret or secret_file by (kid); empty: it stands for any."`
}

// TokenKeySets says how key sets behind URLs are read.
type TokenKeySets struct {
	Every   Duration `yaml:"every" default:"10m" min:"1s" doc:"How often a key set is read again, give or take a tenth. When that fails the last one stays."`
	AtMost  Duration `yaml:"at_most" default:"30s" min:"1s" doc:"How soon after one reading a token with an unknown key may cause the next."`
	Timeout Duration `yaml:"timeout" default:"5s" min:"1ms" doc:"Time for one reading, and how long a request waits for it."`
}

// TokenClaims say where claims are.
type TokenClaims struct {
	Scopes []string `yaml:"scopes" default:"scope,scp" doc:"Claims with the scopes, a list or words in a text; the first that is there counts."`
	Roles  []string `yaml:"roles" default:"roles" doc:"Claims with the roles, likewise."`
}

// ClaimsPolicy says for whom a policy holds.
type ClaimsPolicy struct {
	Name   string   `yaml:"name" required:"true" doc:"The policy's name in the graph. Several entries may have one name: one must hold."`
	Claim  string   `yaml:"claim" required:"true" doc:"The claim that decides."`
	Values []string `yaml:"values" doc:"One of which it must be, or list; none listed: it must be there, and not false."`
}

func (i *Identity) apply(b *Built) error {
	b.Options.RejectDenied = i.RejectDenied
	for _, p := range i.Policies {
		b.Options.Policies = append(b.Options.Policies, identity.Policy(p))
	}
	if len(i.Issuers) == 0 {
		if i.Required {
			return badKey("required", "tokens are required, but no issuer is named")
		}
		return nil
	}
	o := identity.Options{
		Claims: identity.ClaimPaths(i.Claims), MaxTokenBytes: int(i.MaxToken), Remembered: i.Cache, Logger: b.Options.Logger,
		Remote: identity.RemoteOptions{Every: i.KeySets.Every.Std(), AtMost: i.KeySets.AtMost.Std(), Timeout: i.KeySets.Timeout.Std()},
	}
	if i.Cache == 0 {
		o.Remembered = -1
	}
	for n, one := range i.Issuers {
		issuer, err := one.issuer(b)
		if err == nil {
			err = issuer.Check()
		}
		if err != nil {
			return under(fmt.Sprintf("issuers[%d]", n), err)
		}
		o.Issuers = append(o.Issuers, issuer)
	}
	asked := o
	asked.Logger = nil // which shapes nothing
	v, err := last(b, asked, func() (*identity.Verifier, func(), error) {
		if b.trial {
			return nil, nil, o.Check()
		}
		v, err := identity.NewVerifier(o)
		if err != nil {
			return nil, nil, err
		}
		return v, v.Close, nil
	})
	if err != nil {
		return err
	}
	b.Options.Tokens = router.Tokens{Verifier: v, Required: i.Required, Lenient: i.Invalid == "anonymous"}
	for _, s := range i.Sources {
		b.Options.Tokens.Sources = append(b.Options.Tokens.Sources, identity.Source(s))
	}
	return nil
}

func (i *TokenIssuer) issuer(b *Built) (identity.Issuer, error) {
	issuer := identity.Issuer{
		Name: i.Name, Algorithms: i.Algorithms, Audiences: i.Audiences, Skew: i.Skew.Std(), Required: i.Required,
		NoExpiry: i.NoExpiry, URL: i.JWKSURL, AllowHTTP: i.AllowHTTP,
	}
	for _, read := range []struct {
		key, file string
		keys      func(text []byte) ([]identity.Key, error)
	}{
		{"jwks_file", i.JWKSFile, identity.ReadJWKS},
		{"pem_file", i.PEMFile, func(text []byte) ([]identity.Key, error) { return identity.ReadPEM(i.KeyID, text) }},
		{"secret_file", i.SecretFile, func(text []byte) ([]identity.Key, error) {
			return i.secret(strings.TrimRight(string(text), "\r\n"))
		}},
	} {
		if read.file == "" {
			continue
		}
		text, err := os.ReadFile(b.path(read.file))
		if err != nil {
			return issuer, under(read.key, err)
		}
		keys, err := read.keys(text)
		if err != nil {
			return issuer, under(read.key, err)
		}
		issuer.Keys = append(issuer.Keys, keys...)
	}
	if i.Secret != "" {
		keys, err := i.secret(i.Secret)
		if err != nil {
			return issuer, under("secret", err)
		}
		issuer.Keys = append(issuer.Keys, keys...)
	}
	return issuer, nil
}

// secret reads a shared secret as it is written. Errors never show it.
func (i *TokenIssuer) secret(text string) ([]identity.Key, error) {
	secret := []byte(text)
	if i.Encoding == "base64" {
		var err error
		if secret, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("it is not base64")
		}
	}
	key, err := identity.Secret(i.KeyID, secret)
	return []identity.Key{key}, err
}
