package daemon

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"bourse/router/config"
)

// listeners are where a run is reached.
type listeners struct {
	clients listening
	admin   *listening // nil: there is none
}

type listening struct {
	listener net.Listener
	server   *http.Server
}

func (l listeners) all() []listening {
	if l.admin == nil {
		return []listening{l.clients}
	}
	return []listening{l.clients, *l.admin}
}

func (d *daemon) started(l listeners) Started {
	now := d.now.Load()
	base := "http://"
	if now.config.Listen.TLS != nil {
		base = "https://"
	}
	base += l.clients.listener.Addr().String()
	s := Started{Endpoint: base + now.config.Listen.Path}
	if at := now.playground(); d.o.Playground != nil && at != "" {
		s.Playground = base + at
	}
	if l.admin != nil {
		s.Admin = "http://" + l.admin.listener.Addr().String()
	}
	return s
}

// listen opens the listeners.
func (d *daemon) listen(l *loaded) (listeners, error) {
	c := l.config.Listen
	open, err := listenOn(c.Address, "--listen")
	if err != nil {
		return listeners{}, err
	}
	clients, server := Bounded(open, &d.public, c)
	if l.certificate != nil {
		config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: d.certificate, NextProtos: []string{"http/1.1"}}
		if c.HTTP2 {
			config.NextProtos = []string{"h2", "http/1.1"}
		}
		server.TLSConfig = config
		clients = tls.NewListener(clients, config)
	}
	all := listeners{clients: listening{clients, server}}
	if c.Admin != "" {
		admin, err := listenOn(c.Admin, "--admin")
		if err != nil {
			_ = clients.Close()
			return listeners{}, err
		}
		all.admin = &listening{bound(admin, maxAdminConnections, 0), newServer(&d.admin, c)}
	}
	return all, nil
}

// maxAdminConnections is for probes, scrapers and people.
const maxAdminConnections = 256

// Bounded is a listener and the server for it, within what the section says of connections.
func Bounded(l *net.TCPListener, h http.Handler, c config.Listen) (net.Listener, *http.Server) {
	return bound(l, c.MaxConnections, c.MaxConnectionsByAddress), newServer(h, c)
}

// newServer bounds what connections may take: the time of headers and between requests here, of bodies and answers for each request in serve.
func newServer(h http.Handler, c config.Listen) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: c.HeaderTimeout.Std(),
		IdleTimeout:       c.IdleTimeout.Std(),
		MaxHeaderBytes:    int(c.MaxHeader),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: c.MaxStreams, SendPingTimeout: c.IdleTimeout.Std()},
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(c.HTTP2)
	s.Protocols.SetUnencryptedHTTP2(c.HTTP2)
	return s
}

func listenOn(address, flag string) (*net.TCPListener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w (choose another address with %s)", address, err, flag)
	}
	return listener.(*net.TCPListener), nil //nolint:forcetypeassert // "tcp" opens no other
}
