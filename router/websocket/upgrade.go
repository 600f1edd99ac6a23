package websocket

import (
	"crypto/sha1" //nolint:gosec // what RFC 6455 asks for; nothing depends on its strength
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Refusal is why a request is not upgraded, with the HTTP status to say so.
type Refusal struct {
	Status int
	Reason string
}

func (e *Refusal) Error() string { return e.Reason }

// Upgrade answers the handshake of a WebSocket (RFC 6455, section 4.2) and takes over its connection. Of the subprotocols it picks the first
// that the client offers; Protocol is empty when it offers none of them, and then none is answered. Headers that stand in w are part
// of the answer. After a *Refusal the request can still be answered.
func Upgrade(w http.ResponseWriter, r *http.Request, subprotocols []string, limit int64) (c *Conn, protocol string, err error) {
	key, refusal := check(r)
	if refusal != nil {
		if refusal.Status == http.StatusUpgradeRequired {
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		return nil, "", refusal
	}
	for offered := range tokens(r.Header.Values("Sec-WebSocket-Protocol")) {
		if slices.Contains(subprotocols, offered) {
			protocol = offered
			break
		}
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil, "", &Refusal{http.StatusNotImplemented, "a WebSocket needs a connection of its own (HTTP/1.1)"}
	}
	if err != nil {
		return nil, "", fmt.Errorf("websocket: take over the connection: %w", err)
	}
	early, _ := buffered.Peek(buffered.Reader.Buffered()) // what is buffered can be had
	early = slices.Clone(early)
	answer := append([]byte(nil), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	answer = append(append(answer, accept(key)...), "\r\n"...)
	if protocol != "" {
		answer = append(append(append(answer, "Sec-WebSocket-Protocol: "...), protocol...), "\r\n"...)
	}
	for name, values := range w.Header() {
		for _, value := range values {
			if !strings.ContainsAny(name+value, "\r\n") {
				answer = fmt.Appendf(answer, "%s: %s\r\n", name, value)
			}
		}
	}
	answer = append(answer, "\r\n"...)
	// The HTTP server's deadlines were for a request.
	err = errors.Join(conn.SetDeadline(time.Time{}), conn.SetWriteDeadline(time.Now().Add(10*time.Second)))
	if err == nil {
		_, err = conn.Write(answer)
	}
	if err = errors.Join(err, conn.SetWriteDeadline(time.Time{})); err != nil {
		_ = conn.Close() // what went wrong is told already
		return nil, "", fmt.Errorf("websocket: answer the handshake: %w", err)
	}
	return New(conn, early, limit), protocol, nil
}

// check returns the request's key, or why it is no handshake.
func check(r *http.Request) (string, *Refusal) {
	key := r.Header.Get("Sec-WebSocket-Key")
	raw, err := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet:
		return "", &Refusal{http.StatusMethodNotAllowed, "a WebSocket begins with GET"}
	case !r.ProtoAtLeast(1, 1):
		return "", &Refusal{http.StatusHTTPVersionNotSupported, "a WebSocket needs HTTP/1.1"}
	case !contains(r.Header.Values("Connection"), "upgrade"), !contains(r.Header.Values("Upgrade"), "websocket"):
		return "", &Refusal{http.StatusUpgradeRequired, "the request does not ask for a WebSocket"}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", &Refusal{http.StatusUpgradeRequired, "the version of WebSockets is 13"}
	case err != nil, len(raw) != 16, len(r.Header.Values("Sec-WebSocket-Key")) != 1:
		return "", &Refusal{http.StatusBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64"}
	}
	return key, nil
}

func contains(values []string, token string) bool {
	for t := range tokens(values) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// tokens walks over a header's lists.
func tokens(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for token := range strings.SplitSeq(value, ",") {
				if !yield(strings.TrimSpace(token)) {
					return
				}
			}
		}
	}
}

func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}
