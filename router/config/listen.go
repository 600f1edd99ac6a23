package config

import (
	"errors"
	"net"
	"strings"
)

// Listen says where clients are served. A reload takes up path, drain and tls; the rest needs a restart.
type Listen struct {
	Address                 string   `yaml:"address" default:"127.0.0.1:4000" doc:"Address for clients; port 0 is any that is free."`
	Path                    string   `yaml:"path" default:"/graphql" doc:"Path of the GraphQL endpoint."`
	Admin                   string   `yaml:"admin" doc:"Address of a second listener, which has metrics, invalidation of the cache and the key set of claims instead of the clients' listener, and health and readiness as well. Empty: all of them are on the clients' listener."`
	HeaderTimeout           Duration `yaml:"header_timeout" default:"10s" min:"1ms" doc:"Time in which a client must send the headers of a request."`
	IdleTimeout             Duration `yaml:"idle_timeout" default:"2m" min:"1ms" doc:"How long a connection is kept between requests."`
	MaxHeader               Size     `yaml:"max_header" default:"64KiB" min:"4KiB" doc:"Size of a request's headers together."`
	MaxConnections          int      `yaml:"max_connections" default:"16384" min:"1" doc:"Connections of clients at once; more wait until one ends."`
	MaxConnectionsByAddress int      `yaml:"max_connections_by_address" default:"0" min:"0" doc:"Connections at once from one address, counted before anything is read; more are closed at once. 0: any number, as behind a proxy all come from its address."`
	HTTP2                   bool     `yaml:"http2" default:"true" doc:"Whether HTTP/2 is spoken too: over TLS, and in clear text with clients that begin with it."`
	MaxStreams              int      `yaml:"max_streams" default:"250" min:"1" doc:"Requests at once on one HTTP/2 connection."`
	TLS                     *TLS     `yaml:"tls" doc:"The certificate for clients. Without it connections are in clear text."`
	Drain                   Drain    `yaml:"drain" doc:"How the router ends."`
}

// TLS names the files of a certificate; a change of them is taken up by a reload.
type TLS struct {
	Certificate string `yaml:"certificate" required:"true" doc:"PEM file with the certificate and those between it and the root."`
	Key         string `yaml:"key" required:"true" doc:"PEM file with its private key."`
}

// Drain says how the router ends.
type Drain struct {
	Delay   Duration `yaml:"delay" default:"0s" doc:"How long it goes on as before after it has said at /readyz that it is not ready, so that load balancers hear of it first."`
	Timeout Duration `yaml:"timeout" default:"10s" min:"1ms" doc:"How long running requests have to finish then; what still runs is cut off."`
}

// Check implements checker.
func (l *Listen) Check() error {
	if !validPath(l.Path) {
		return badKey("path", badPath)
	}
	if err := checkAddress(l.Address); err != nil {
		return badKey("address", "%v", err)
	}
	if l.Admin != "" {
		if err := checkAddress(l.Admin); err != nil {
			return badKey("admin", "%v", err)
		}
		if l.Admin == l.Address && !strings.HasSuffix(l.Admin, ":0") {
			return badKey("admin", "it is the address of the clients' listener: leave it out, or choose another")
		}
	}
	return nil
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return errors.New("an address is HOST:PORT, such as 127.0.0.1:4000 or :4000, with a port up to 65535")
	}
	return nil
}
