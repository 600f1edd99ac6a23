package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/router/config"
	"bourse/router/serve"
	"bourse/router/subscribe/socket"
)

func TestTransportsBecomeOptions(t *testing.T) {
	c, err := config.Read("router.yaml", []byte(`
http:
  read_timeout: 3s
  compression: [br]
  compressed_bodies: true
  max_batch: 5
  uploads: {max_files: 2, max_file: 1MiB}
subgraphs:
  sockets:
    pong_timeout: 4s
    max_message: 2MiB
  each:
    prices:
      subscriptions:
        protocol: graphql_transport_ws
        url: /live
    old:
      subscriptions:
        protocol: graphql_ws
    plain:
      url: http://127.0.0.1:1/graphql
`), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o := b.Options
	if o.ReadTimeout != 3*time.Second || !slices.Equal(o.Encodings, []string{"br"}) || !o.CompressedBodies || o.MaxBatch != 5 || o.Uploads != (serve.Uploads{Files: 2, FileBytes: 1 << 20}) || o.RequestTimeout != time.Minute {
		t.Errorf("http: %v %v %v %v", o.ReadTimeout, o.Encodings, o.CompressedBodies, o.RequestTimeout)
	}
	if o.Subgraphs.MaxEventStreams != 10_000 {
		t.Errorf("streams of events: %d", o.Subgraphs.MaxEventStreams)
	}
	s := o.Subgraphs.Sockets
	if s.PongTimeout != 4*time.Second || s.MaxMessageBytes != 2<<20 || !slices.Equal(s.InitHeaders, []string{"Authorization"}) {
		t.Errorf("sockets: %+v", s)
	}
	if len(s.Subgraphs) != 2 || s.Subgraphs["prices"] != (socket.Subgraph{URL: "/live", Protocol: socket.TransportWS}) || s.Subgraphs["old"].Protocol != socket.Legacy {
		t.Errorf("subgraphs: %+v", s.Subgraphs)
	}
}

// A section that says one thing leaves the rest as it is without it, and that is allowed.
func TestSectionsWithoutTheRest(t *testing.T) {
	usual := config.Default()
	c, err := config.Read("router.yaml", []byte("http: {max_batch: 5}"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.HTTP.Compression, usual.HTTP.Compression) || !slices.Equal(usual.HTTP.Compression, []string{"zstd", "br", "gzip"}) {
		t.Errorf("compression: %q, usually %q", c.HTTP.Compression, usual.HTTP.Compression)
	}
}

func TestFaultsOfTransports(t *testing.T) {
	for text, want := range map[string]string{
		"http: {compression: [lzma]}":                                                                 "lzma",
		"http: {read_timeout: 0s}":                                                                    "read_timeout",
		"subgraphs: {each: {a: {subscriptions: {protocol: ws}}}}":                                     "graphql_transport_ws",
		"subgraphs: {each: {a: {subscriptions: {url: 'ws://x/y'}}}}":                                  "only WebSockets",
		"subgraphs: {each: {a: {subscriptions: {protocol: graphql_transport_ws, url: 'ftp://x/y'}}}}": "ws://",
		"subgraphs: {each: {a: {url: 'https://a/', connection: {protocol: h2c}}}}":                    "say h2",
		"subgraphs: {each: {a: {url: 'http://a/', connection: {protocol: h2}}}}":                      "say h2c",
	} {
		if _, err := config.Read("router.yaml", []byte(text), environment(nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
