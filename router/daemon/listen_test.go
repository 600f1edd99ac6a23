package daemon

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"bourse/router/config"
	"bourse/router/internal/await"
)

// certify writes a certificate of the name with its key.
func (r *running) certify(name string) {
	r.t.Helper()
	certificate, key := certificateFor(r.t, name)
	r.write("key.pem", key)
	r.write("certificate.pem", certificate)
}

func certificateFor(t testing.TB, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<35, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

// by asks over a transport and returns the protocol, the name in the certificate and the answer.
func (r *running) by(transport *http.Transport) (protocol, name, text string) {
	r.t.Helper()
	defer transport.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(r.t.Context(), "POST", r.Endpoint, strings.NewReader(`{"query":"{ a }"}`))
	req.Header.Set("Content-Type", "application/json")
	res, err := transport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	if res.TLS != nil {
		name = res.TLS.PeerCertificates[0].Subject.CommonName
	}
	_, text = answer(r.t, res)
	return res.Proto, name, text
}

func TestHTTP2InClearText(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(t, watching, graph(t, subgraph.URL, "a"))
	two := &http.Transport{Protocols: new(http.Protocols)}
	two.Protocols.SetUnencryptedHTTP2(true)
	if protocol, _, text := r.by(two); protocol != "HTTP/2.0" || text != `{"data":{"a":7}}` {
		t.Errorf("%s %s", protocol, text)
	}
	if protocol, _, text := r.by(&http.Transport{}); protocol != "HTTP/1.1" || text != `{"data":{"a":7}}` {
		t.Errorf("%s %s", protocol, text)
	}
}

// Over TLS, HTTP/2 is agreed upon, and a reload takes up another certificate.
func TestCertificatesAreTakenUp(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	first, key := certificateFor(t, "first.test")
	r := startWith(t, `
listen: {address: "127.0.0.1:0", tls: {certificate: certificate.pem, key: key.pem}}
supergraph: {file: graph.graphql, watch: false}
`, graph(t, subgraph.URL, "a"), map[string]string{"certificate.pem": first, "key.pem": key})
	transport := func() *http.Transport {
		return &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test looks at the name
	}
	if protocol, name, text := r.by(transport()); protocol != "HTTP/2.0" || name != "first.test" || text != `{"data":{"a":7}}` {
		t.Errorf("%s %s %s", protocol, name, text)
	}
	r.certify("second.test")
	r.hangup <- nil
	if e := await.One(t, r.reloaded); e.Err != nil {
		t.Fatal(e.Err)
	}
	if _, name, _ := r.by(transport()); name != "second.test" {
		t.Errorf("after the reload the certificate is of %s", name)
	}
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "https://"), "/graphql")
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // it is to be refused
	if conn, err := tls.Dial("tcp", at, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// A client that never ends its headers loses its connection, and so does one whose headers are too large.
func TestHeadersAreBounded(t *testing.T) {
	r := start(t, `
listen: {address: "127.0.0.1:0", header_timeout: 50ms, max_header: 4KiB}
supergraph: {file: graph.graphql}
`, graph(t, "http://127.0.0.1:1", "a"))
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "http://"), "/graphql")
	for name, sent := range map[string]string{
		"slow":  "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"large": "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, sent) // the other end may close before all is sent
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		text, err := io.ReadAll(conn)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		if name == "large" && err == nil && !strings.Contains(string(text), "431") {
			t.Errorf("%s: %s", name, text)
		}
		_ = conn.Close()
	}
}

// With as many connections as there may be, the next one waits until one ends.
func TestConnectionsAreBounded(t *testing.T) {
	r := start(t, `
listen: {address: "127.0.0.1:0", max_connections: 1}
supergraph: {file: graph.graphql}
`, graph(t, "http://127.0.0.1:1", "a"))
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "http://"), "/graphql")
	const probe = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	first, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(conn net.Conn) int {
		_, _ = io.WriteString(conn, probe)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if status := ask(first); status != 200 {
		t.Errorf("status %d", status)
	}
	second, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // what was wanted of it has been read
	_, _ = io.WriteString(second, probe)
	_ = second.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("a second connection is served beside the first")
	}
	_ = second.SetReadDeadline(time.Now().Add(10 * time.Second))
	_ = first.Close()
	if res, err := http.ReadResponse(bufio.NewReader(second), nil); err != nil || res.StatusCode != 200 {
		t.Errorf("after the first has ended: %v", err)
	} else {
		_ = res.Body.Close()
	}
}

// Paths that cannot stand beside one another are refused, at the start and by a reload, which would else end the process.
func TestPathsThatClash(t *testing.T) {
	clash := strings.Replace(watching, `"127.0.0.1:0"`, `"127.0.0.1:0", path: /healthz`, 1)
	r := start(t, watching, graph(t, "http://127.0.0.1:1", "a"))
	r.write("router.yaml", clash)
	if e := await.One(t, r.reloaded); e.Err == nil || !strings.Contains(e.Err.Error(), "listen.path: /healthz is the path of health.alive_path already") {
		t.Errorf("got %v", e.Err)
	}
}

func TestWhatOnlyARestartChanges(t *testing.T) {
	a := config.Default().Listen
	for name, c := range map[string]struct {
		change func(*config.Listen)
		fixed  bool
	}{
		"path":    {func(l *config.Listen) { l.Path = "/api" }, false},
		"drain":   {func(l *config.Listen) { l.Drain.Delay = 1 }, false},
		"address": {func(l *config.Listen) { l.Address = ":1" }, true},
		"tls":     {func(l *config.Listen) { l.TLS = &config.TLS{} }, true},
	} {
		b := a
		c.change(&b)
		if got := fixed(a) != fixed(b); got != c.fixed {
			t.Errorf("%s: %v", name, got)
		}
	}
	one, other := a, a
	one.TLS, other.TLS = &config.TLS{Certificate: "a"}, &config.TLS{Certificate: "b"}
	if fixed(one) != fixed(other) {
		t.Error("another certificate needs a restart")
	}
}

// From one address no more connections than it may have; the room of one that ends is free again.
func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	r := start(t, `
listen: {address: "127.0.0.1:0", max_connections_by_address: 2, max_connections: 4}
supergraph: {file: graph.graphql}
`, graph(t, "http://127.0.0.1:1", "a"))
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "http://"), "/graphql")
	ask := func() (net.Conn, error) {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			_ = res.Body.Close()
		}
		return conn, err
	}
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); err != nil {
		t.Fatal(err)
	}
	for range 5 { // what is refused takes none of the room for all
		if _, err := ask(); err == nil {
			t.Fatal("a third connection is served")
		}
	}
	_ = first.Close()
	for deadline := time.Now().Add(10 * time.Second); ; { // the router learns of it a moment later
		if _, err := ask(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("none is served after one has ended")
		}
	}
}

// What is bounded stays a TCP connection: subscriptions are written without waiting, and one side can end before the other.
func TestBoundedConnectionsStayTCP(t *testing.T) {
	open, err := listenOn("127.0.0.1:0", "--listen")
	if err != nil {
		t.Fatal(err)
	}
	l := bound(open, 1, 0)
	defer l.Close() //nolint:errcheck // nothing is served through it
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // nothing was sent
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it is closed by then
	if _, ok := conn.(syscall.Conn); !ok {
		t.Error("its socket cannot be reached")
	}
	if _, ok := conn.(interface{ CloseWrite() error }); !ok {
		t.Error("one side of it cannot be closed")
	}
	_ = conn.Close()
	_ = conn.Close() // gives the room back once
	if len(l.room) != 0 {
		t.Errorf("%d hold room", len(l.room))
	}
}

// A listener that is full and is closed does not wait for room.
func TestFullListenerCloses(t *testing.T) {
	open, err := listenOn("127.0.0.1:0", "--listen")
	if err != nil {
		t.Fatal(err)
	}
	l := bound(open, 1, 0)
	l.room <- struct{}{}
	accepted := make(chan error)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	_ = l.Close()
	if err := await.One(t, accepted); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
