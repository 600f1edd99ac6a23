package fetch

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Protocol is how connections to a subgraph speak HTTP.
type Protocol string

// The protocols. H2 needs an https URL, H2C an http one.
const (
	HTTP1 Protocol = "http1"
	H2    Protocol = "h2"
	H2C   Protocol = "h2c" // HTTP/2 without TLS, known to be spoken beforehand (RFC 9113, section 3.3)
)

// Connection is how one subgraph is connected to. The zero value is as for all others.
type Connection struct {
	Protocol       Protocol      // empty: HTTP/1.1, and over TLS what the subgraph prefers
	MaxConnections int           // at once, those of HTTP/1.1 that are idle among them; 0: any number
	MaxIdle        int           // kept for reuse; 0: 512
	IdleTimeout    time.Duration // after which those are closed; 0: 90 s
	Compression    bool          // asks for gzip; the bound of an answer is one of what comes out
	TLS            *tls.Config   // nil: the system's authorities, no client certificate
}

// transport connects by net/http.
func (c Connection) transport() *http.Transport {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:        4096,
		MaxIdleConnsPerHost: 512,
		MaxConnsPerHost:     max(0, c.MaxConnections),
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     c.TLS.Clone(), // the transport writes into it
		DisableCompression:  !c.Compression,
	}
	if c.MaxIdle > 0 {
		t.MaxIdleConnsPerHost = c.MaxIdle
	}
	if c.IdleTimeout > 0 {
		t.IdleConnTimeout = c.IdleTimeout
	}
	protocols := new(http.Protocols)
	switch c.Protocol {
	case HTTP1:
		protocols.SetHTTP1(true)
	case H2:
		protocols.SetHTTP2(true)
	case H2C:
		protocols.SetUnencryptedHTTP2(true)
	default:
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	t.Protocols = protocols
	if protocols.HTTP2() || protocols.UnencryptedHTTP2() {
		// A connection that carries many requests and has gone silent is found out before they all run out of time.
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	}
	return t
}
