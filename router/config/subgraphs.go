package config

import (
	"fmt"
	"net/url"
	"strings"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/subscribe/socket"
)

// Subgraphs says how subgraphs are reached.
type Subgraphs struct {
	Timeout     Duration            `yaml:"timeout" default:"30s" min:"1ms" doc:"Time for one request to a subgraph; subscriptions have none."`
	MaxResponse Size                `yaml:"max_response" default:"64MiB" min:"1KiB" doc:"Size of one answer of a subgraph."`
	NetHTTP     bool                `yaml:"net_http" default:"false" doc:"Fetch through Go's net/http even by plain HTTP/1.1, where the router's own client costs several times less."`
	Sockets     Sockets             `yaml:"sockets" doc:"Bounds of WebSockets to subgraphs that are asked for subscriptions over them."`
	Each        map[string]Subgraph `yaml:"each" doc:"What is special about one subgraph, by its name in the supergraph."`
}

// Subgraph is what is special about one subgraph.
type Subgraph struct {
	URL           string        `yaml:"url" doc:"Where it is called instead of where the supergraph says."`
	Subscriptions Subscriptions `yaml:"subscriptions" doc:"How it is asked for subscriptions."`
	MaxResponse   Size          `yaml:"max_response" default:"0B" min:"0B" doc:"Size of one answer of it; 0B: that of subgraphs.max_response."`
	Connection    Connection    `yaml:"connection" doc:"How it is connected to, where that is not as usual."`
}

// Subscriptions say how a subgraph is asked for subscriptions.
type Subscriptions struct {
	Protocol string `yaml:"protocol" default:"sse" enum:"sse|graphql_transport_ws|graphql_ws" doc:"By server-sent events, or over WebSockets that speak graphql-transport-ws or the legacy protocol of subscriptions-transport-ws, graphql-ws."`
	URL      string `yaml:"url" doc:"Where WebSockets are opened, if not where the subgraph is called; a path alone is one on the same host."`
}

// Check implements checker.
func (s *Subscriptions) Check() error {
	if s.URL == "" || strings.HasPrefix(s.URL, "/") {
		return nil
	}
	if s.Protocol == "sse" {
		return badKey("url", "only WebSockets have an address of their own: server-sent events come from where the subgraph is called")
	}
	if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" && u.Scheme != "http" && u.Scheme != "https" {
		return badKey("url", "an address begins with ws://, wss:// or /")
	}
	return nil
}

// Sockets are bounds of WebSockets to subgraphs.
type Sockets struct {
	InitHeaders    []string `yaml:"init_headers" default:"Authorization" doc:"Forwarded headers that go into the payload of connection_init too; all of them are headers of the upgrade."`
	ConnectTimeout Duration `yaml:"connect_timeout" default:"10s" min:"1ms" doc:"Time to open a connection, up to the subgraph's connection_ack."`
	PingInterval   Duration `yaml:"ping_interval" default:"20s" min:"1ms" doc:"Time between pings."`
	PongTimeout    Duration `yaml:"pong_timeout" default:"10s" min:"1ms" doc:"Time for the answer to a ping, and for a message to be taken; then the connection is lost."`
	IdleTimeout    Duration `yaml:"idle_timeout" default:"10s" min:"1ms" doc:"How long a connection is kept without subscriptions."`
	MaxMessage     Size     `yaml:"max_message" default:"1MiB" min:"1KiB" doc:"Size of one message."`
	MaxUnread      Size     `yaml:"max_unread" default:"4MiB" min:"1KiB" doc:"What may wait of one subscription before it is ended."`
	MaxConnections int      `yaml:"max_connections" default:"10000" min:"1" doc:"Connections altogether; subscriptions of one subgraph with the same forwarded headers share one."`
}

func (s *Sockets) options() socket.Options {
	return socket.Options{
		Subgraphs: map[string]socket.Subgraph{}, InitHeaders: append([]string{}, s.InitHeaders...),
		ConnectTimeout: s.ConnectTimeout.Std(), PingInterval: s.PingInterval.Std(), PongTimeout: s.PongTimeout.Std(), IdleTimeout: s.IdleTimeout.Std(),
		MaxMessageBytes: int64(s.MaxMessage), MaxUnreadBytes: int(s.MaxUnread), MaxConnections: s.MaxConnections,
	}
}

var socketProtocols = map[string]socket.Protocol{"graphql_transport_ws": socket.TransportWS, "graphql_ws": socket.Legacy}

// Check implements checker.
func (s *Subgraph) Check() error {
	if s.URL == "" {
		return nil
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return badKey("url", "an address begins with http:// or https:// and has a host")
	case s.Connection.Protocol == "h2c" && u.Scheme == "https":
		return badKey("connection.protocol", "h2c is HTTP/2 without TLS, and the url begins with https://: say h2, or http://")
	case s.Connection.Protocol == "h2" && u.Scheme == "http":
		return badKey("connection.protocol", "h2 is HTTP/2 over TLS, and the url begins with http://: say h2c, or https://")
	}
	return nil
}

func (s *Subgraphs) apply(b *Built) error {
	o := router.Subgraphs{
		URLs: map[string]string{}, Sockets: s.Sockets.options(),
		HTTP: fetch.HTTPOptions{
			Timeout: s.Timeout.Std(), MaxResponseBytes: int64(s.MaxResponse), NetHTTP: s.NetHTTP,
			MaxResponseOf: map[string]int64{}, Connections: map[string]fetch.Connection{},
		},
	}
	for name, one := range s.Each {
		if name == "" {
			return fmt.Errorf("a subgraph has no name")
		}
		c, err := one.Connection.open(b)
		if err != nil {
			return under("each."+name+".connection", err)
		}
		if c != nil {
			o.HTTP.Connections[name] = *c
		}
		if one.MaxResponse > 0 {
			o.HTTP.MaxResponseOf[name] = int64(one.MaxResponse)
		}
		if one.URL != "" {
			o.URLs[name] = one.URL
		}
		if p, ok := socketProtocols[one.Subscriptions.Protocol]; ok {
			o.Sockets.Subgraphs[name] = socket.Subgraph{URL: one.Subscriptions.URL, Protocol: p}
		}
	}
	b.Options.Subgraphs = o
	return nil
}
