package config

import (
	"fmt"
	"net"
	"strings"
)

// Listen says where clients are served. What it says is read once: a change of an address needs a restart.
type Listen struct {
	Address       string   `yaml:"address" default:"127.0.0.1:4000" doc:"Address for clients; port 0 is any that is free."`
	Path          string   `yaml:"path" default:"/graphql" doc:"Path of the GraphQL endpoint."`
	Admin         string   `yaml:"admin" doc:"Address of a second listener for health, readiness and metrics. Empty: they are on the clients' listener."`
	HeaderTimeout Duration `yaml:"header_timeout" default:"10s" min:"1ms" doc:"Time in which a client must send the headers of a request."`
	IdleTimeout   Duration `yaml:"idle_timeout" default:"2m" min:"1ms" doc:"How long a connection is kept between requests."`
	MaxHeader     Size     `yaml:"max_header" default:"64KiB" min:"4KiB" doc:"Size of a request's headers together."`
	Drain         Drain    `yaml:"drain" doc:"How the router ends."`
}

// Drain says how the router ends.
type Drain struct {
	Delay   Duration `yaml:"delay" default:"0s" doc:"How long it goes on as before after it has said at /readyz that it is not ready, so that load balancers hear of it first."`
	Timeout Duration `yaml:"timeout" default:"10s" min:"1ms" doc:"How long running requests have to finish then; what still runs is cut off."`
}

// Check implements checker.
func (l *Listen) Check() error {
	if !strings.HasPrefix(l.Path, "/") || strings.ContainsAny(l.Path, " {}") {
		return badKey("path", "a path begins with / and has no blanks or braces")
	}
	if err := checkAddress(l.Address); err != nil {
		return badKey("address", "%v", err)
	}
	if l.Admin != "" {
		if err := checkAddress(l.Admin); err != nil {
			return badKey("admin", "%v", err)
		}
	}
	return nil
}

func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("an address is HOST:PORT, such as 127.0.0.1:4000 or :4000")
	}
	return nil
}
