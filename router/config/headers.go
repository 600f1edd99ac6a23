package config

import (
	"os"
	"strings"

	"bourse/router/headers"
)

// Headers say which headers subgraphs see, and which of theirs clients do.
type Headers struct {
	Forward  []string                `yaml:"forward" doc:"Headers of clients that all subgraphs see."`
	All      []HeaderRule            `yaml:"all" doc:"Rules for all subgraphs, in their order."`
	Each     map[string][]HeaderRule `yaml:"each" doc:"Rules for one subgraph, by its name in the supergraph; they come after those for all."`
	Response []HeaderResponse        `yaml:"response" doc:"Headers of subgraphs' answers that clients see."`
	Claims   HeaderClaims            `yaml:"claims" doc:"A signed header that tells subgraphs whom a request speaks for."`
}

// HeaderRule is about one header, or about those whose names match.
type HeaderRule struct {
	Action   string `yaml:"action" required:"true" enum:"propagate|insert|remove" doc:"Pass a client's header on, set a header over whatever was there, or take one away."`
	Name     string `yaml:"name" doc:"Name of the header."`
	Matching string `yaml:"matching" doc:"A regular expression for whole names, whatever their case, instead of name; not for insert."`
	Rename   string `yaml:"rename" doc:"What a propagated header is called for the subgraph."`
	Default  string `yaml:"default" doc:"The value where the client sent no header, or the claim is missing."`
	Value    string `yaml:"value" doc:"The value that is inserted."`
	Claim    string `yaml:"claim" doc:"The claim whose value is inserted. Where it is missing, so is the header: the client's own never stands in for it."`
}

// HeaderResponse lets clients see a header of subgraphs' answers.
type HeaderResponse struct {
	Name      string   `yaml:"name" doc:"Name of the header. Set-Cookie only where traffic shares nothing."`
	Matching  string   `yaml:"matching" doc:"A regular expression for whole names, instead of name."`
	Merge     string   `yaml:"merge" default:"first" enum:"first|last|append" doc:"What becomes of it when several answers have it; they count in the order in which they come."`
	Subgraphs []string `yaml:"subgraphs" doc:"Whose; none listed: all subgraphs'."`
}

// HeaderClaims say how subgraphs are told whom a request speaks for.
type HeaderClaims struct {
	Enabled    bool     `yaml:"enabled" default:"false" doc:"Whether subgraphs are told."`
	Header     string   `yaml:"header" default:"Router-Claims" doc:"Name of the header."`
	Issuer     string   `yaml:"issuer" default:"router" doc:"What stands in iss."`
	Algorithm  string   `yaml:"algorithm" doc:"Empty: HS256 for a secret, RS256, EdDSA or the ES of its curve for a key."`
	KeyID      string   `yaml:"key_id" doc:"What stands in kid."`
	Secret     string   `yaml:"secret" doc:"Secret of 32 bytes or more that subgraphs share; better ${FROM_THE_ENVIRONMENT} than in the file."`
	SecretFile string   `yaml:"secret_file" doc:"File with the secret; line breaks at its end do not count."`
	KeyFile    string   `yaml:"key_file" doc:"PEM file with a private key, instead of a secret; /claims/jwks.json on the admin listener has the public one."`
	Life       Duration `yaml:"life" default:"1m" min:"2s" max:"1h" doc:"How long claims are good for; they are signed anew after half of it."`
	Claims     []string `yaml:"claims" doc:"Claims of the client's token that go along, beside sub, scope and roles; they stand in claims, by their paths."`
}

func (h *Headers) apply(b *Built) error {
	b.Options.ForwardHeaders = append(b.Options.ForwardHeaders, h.Forward...)
	b.Options.Headers.All = headerRules(h.All)
	for name, rules := range h.Each {
		if b.Options.Headers.Subgraphs == nil {
			b.Options.Headers.Subgraphs = map[string][]headers.Rule{}
		}
		b.Options.Headers.Subgraphs[name] = headerRules(rules)
	}
	for _, r := range h.Response {
		b.Options.Headers.Response = append(b.Options.Headers.Response, r.rule())
	}
	if !h.Claims.Enabled {
		return nil
	}
	signer, err := h.Claims.signer(b)
	if err != nil {
		return under("claims", err)
	}
	b.Options.ClaimsSigner = signer
	if signer.KeySet() != nil {
		b.Admin["GET /claims/jwks.json"] = signer
	}
	return nil
}

func headerRules(rules []HeaderRule) []headers.Rule {
	var out []headers.Rule
	for _, r := range rules {
		out = append(out, r.rule())
	}
	return out
}

func (r *HeaderRule) rule() headers.Rule {
	return headers.Rule{
		Action: headers.Action(r.Action), Name: r.Name, Matching: r.Matching, Rename: r.Rename, Default: r.Default, Value: r.Value, Claim: r.Claim,
	}
}

// Check implements checker.
func (r *HeaderRule) Check() error { return r.rule().Check() }

func (r *HeaderResponse) rule() headers.ResponseRule {
	return headers.ResponseRule{Name: r.Name, Matching: r.Matching, Merge: headers.Merge(r.Merge), Subgraphs: r.Subgraphs}
}

// Check implements checker.
func (r *HeaderResponse) Check() error { return r.rule().Check() }

func (c *HeaderClaims) signer(b *Built) (*headers.Signer, error) {
	o := headers.SignerOptions{
		Header: c.Header, Issuer: c.Issuer, Algorithm: c.Algorithm, KeyID: c.KeyID, Secret: []byte(c.Secret), Life: c.Life.Std(), Claims: c.Claims,
	}
	if c.SecretFile != "" {
		text, err := os.ReadFile(b.path(c.SecretFile))
		if err != nil {
			return nil, under("secret_file", err)
		}
		o.Secret = []byte(strings.TrimRight(string(text), "\r\n"))
	}
	if c.KeyFile != "" {
		var err error
		if o.PrivatePEM, err = os.ReadFile(b.path(c.KeyFile)); err != nil {
			return nil, under("key_file", err)
		}
	}
	return headers.NewSigner(o)
}
