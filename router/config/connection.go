package config

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"reflect"

	"bourse/router/fetch"
)

// Connection says how a subgraph is connected to.
type Connection struct {
	Protocol       string      `yaml:"protocol" default:"auto" enum:"auto|http1|h2|h2c" doc:"HTTP/1.1, HTTP/2 over TLS, or HTTP/2 without TLS; auto is HTTP/1.1, and over TLS what the subgraph prefers."`
	MaxConnections int         `yaml:"max_connections" default:"0" min:"0" doc:"Connections at the same time; 0: any number."`
	MaxIdle        int         `yaml:"max_idle" default:"512" min:"1" doc:"Connections that are kept for the next request."`
	IdleTimeout    Duration    `yaml:"idle_timeout" default:"90s" min:"1s" doc:"How long those are kept."`
	Compression    bool        `yaml:"compression" default:"false" doc:"Asks for answers in gzip: worth it over slow networks only."`
	TLS            SubgraphTLS `yaml:"tls" doc:"How the subgraph proves who it is, and the router to it."`
}

// SubgraphTLS says whom to believe and what to show.
type SubgraphTLS struct {
	CAFile      string `yaml:"ca_file" doc:"File with the certificates, in PEM, of the authorities that are believed instead of the system's."`
	Certificate string `yaml:"certificate_file" doc:"File with the certificate, in PEM, that the router shows."`
	Key         string `yaml:"key_file" doc:"File with the key of that certificate, in PEM."`
	ServerName  string `yaml:"server_name" doc:"Name that the subgraph's certificate must have, if not that of its URL."`
}

// open is nil where everything is as usual: then the router's own client fetches, which costs less.
func (c *Connection) open(b *Built) (*fetch.Connection, error) {
	usual := Connection{}
	if setDefaults(reflect.ValueOf(&usual).Elem()); *c == usual {
		return nil, nil //nolint:nilnil // nothing special is no error
	}
	out := &fetch.Connection{MaxConnections: c.MaxConnections, MaxIdle: c.MaxIdle, IdleTimeout: c.IdleTimeout.Std(), Compression: c.Compression}
	if c.Protocol != "auto" {
		out.Protocol = fetch.Protocol(c.Protocol)
	}
	if c.TLS == (SubgraphTLS{}) {
		return out, nil
	}
	out.TLS = &tls.Config{ServerName: c.TLS.ServerName, MinVersion: tls.VersionTLS12}
	if c.TLS.CAFile != "" {
		text, err := os.ReadFile(b.path(c.TLS.CAFile))
		if err != nil {
			return nil, under("tls.ca_file", err)
		}
		if out.TLS.RootCAs = x509.NewCertPool(); !out.TLS.RootCAs.AppendCertsFromPEM(text) {
			return nil, badKey("tls.ca_file", "%s has no certificate in PEM", c.TLS.CAFile)
		}
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		return nil, badKey("tls", "certificate_file and key_file go together")
	}
	if c.TLS.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(b.path(c.TLS.Certificate), b.path(c.TLS.Key))
		if err != nil {
			return nil, under("tls.certificate_file", err)
		}
		out.TLS.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
