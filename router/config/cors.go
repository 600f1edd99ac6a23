package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"bourse/router/serve"
)

// CORS says which web pages of other sites may use the endpoint, by HTTP and by WebSocket.
type CORS struct {
	Origins        []string `yaml:"origins" doc:"Origins: https://app.example.com, https://*.example.com, or * for all."`
	Patterns       []string `yaml:"patterns" doc:"Regular expressions of whole origins in lower case."`
	Credentials    bool     `yaml:"credentials" default:"false" doc:"Lets those pages send cookies; never pages that * alone lets in. Cookies of a WebSocket that another page opened do not count."`
	Methods        []string `yaml:"methods" default:"GET,POST,PUT,DELETE" doc:"Methods that pages may use; PUT and DELETE are for reserved streams of server-sent events."`
	Headers        []string `yaml:"headers" doc:"Headers that pages may send; empty: whatever they ask for."`
	Expose         []string `yaml:"expose" doc:"Headers of answers that pages may read, beside X-Request-Id, Retry-After and those of rate limits."`
	MaxAge         Duration `yaml:"max_age" default:"10m" min:"1s" doc:"How long browsers remember what pages may."`
	PrivateNetwork bool     `yaml:"private_network" default:"false" doc:"Lets pages of public networks in where the router is in a private one."`
	CSRFHeaders    []string `yaml:"csrf_headers" default:"GraphQL-Require-Preflight,Apollo-Require-Preflight,X-Apollo-Operation-Name" doc:"Headers of which a GET needs one where it might come from another site's page: no page can send them unless the browser has asked."`
}

// Check implements checker.
func (c *CORS) Check() error {
	for i, origin := range c.Origins {
		u, err := url.Parse(strings.TrimSuffix(origin, "/"))
		if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != u.String()) {
			return badKey(fmt.Sprintf("origins[%d]", i), "%q is no origin: one is a scheme and a host, such as https://app.example.com or https://*.example.com, or * for all", origin)
		}
	}
	for i, p := range c.Patterns {
		if _, err := regexp.Compile(p); err != nil {
			return badKey(fmt.Sprintf("patterns[%d]", i), "%q is no regular expression: %v", p, err)
		}
	}
	if len(c.CSRFHeaders) == 0 {
		return badKey("csrf_headers", "there must be at least one")
	}
	return nil
}

func (c *CORS) apply(b *Built) error {
	o := &b.Options
	o.AllowedOrigins, o.AllowCredentials = c.Origins, c.Credentials
	o.CORS = serve.CORS{
		Methods: c.Methods, Headers: c.Headers, Expose: c.Expose, MaxAge: c.MaxAge.Std(), PrivateNetwork: c.PrivateNetwork, Preflight: c.CSRFHeaders,
	}
	for _, p := range c.Patterns {
		compiled, err := regexp.Compile(p)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
		o.CORS.Patterns = append(o.CORS.Patterns, compiled)
	}
	return nil
}
