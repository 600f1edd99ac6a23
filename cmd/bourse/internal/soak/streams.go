package soak

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"bourse/cmd/bourse/internal/pause"
	"github.com/coder/websocket"
)

// reviewed is a subscription to one of some streams, with fields of other subgraphs.
func (c *client) reviewed() string {
	return fmt.Sprintf(`subscription { reviewed(topic: "%d") { id body author { id name } product { upc name } } }`, c.random.IntN(3))
}

// an event, as it has to look.
func event(payload []byte) error {
	var got struct {
		Data struct {
			Reviewed struct {
				ID, Body string
				Author   struct{ Name string }
				Product  struct{ Name string }
			}
		}
		Errors json.RawMessage
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		return fmt.Errorf("an event that is not JSON: %.200s", payload)
	}
	r := got.Data.Reviewed
	if got.Errors != nil || r.ID == "" || r.Body == "" || r.Author.Name == "" || r.Product.Name == "" {
		return fmt.Errorf("a wrong event: %.300s", payload)
	}
	return nil
}

// patience bounds how long an event may take; the streams have several a second.
const patience = 20 * time.Second

// open opens a WebSocket with a token and subscribes.
func (c *client) open(ctx context.Context, token string) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.url, "http"), &websocket.DialOptions{
		HTTPClient: c.http, Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		return nil, err
	}
	init := map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + token}}
	subscribe := map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": c.reviewed()}}
	for _, message := range []map[string]any{init, subscribe} {
		text, err := json.Marshal(message)
		if err == nil {
			err = conn.Write(ctx, websocket.MessageText, text)
		}
		if err != nil {
			_ = conn.CloseNow() // the first error counts
			return nil, err
		}
	}
	return conn, nil
}

// next is the payload of the next event of a WebSocket.
func next(ctx context.Context, conn *websocket.Conn) ([]byte, error) {
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, err
		}
		switch m.Type {
		case "connection_ack", "ping", "pong":
		case "next":
			return m.Payload, nil
		default:
			return nil, fmt.Errorf("an unexpected message: %.300s", text)
		}
	}
}

func (c *client) listenBySocket(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := c.open(ctx, c.token)
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // closed already in most cases
	for range 1 + c.random.IntN(4) {
		payload, err := next(ctx, conn)
		if err != nil {
			return err
		}
		if err := event(payload); err != nil {
			return err
		}
	}
	if c.random.IntN(2) == 0 {
		return nil // without a word
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"id":"1","type":"complete"}`)); err != nil {
		return err
	}
	_ = conn.Close(websocket.StatusNormalClosure, "") // events that were on their way may be in the way of the handshake
	return nil
}

func (c *client) listenByEvents(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": c.reviewed()})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for left := 1 + c.random.IntN(4); left > 0 && lines.Scan(); {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok || len(data) == 0 {
			continue
		}
		if err := event(data); err != nil {
			return err
		}
		if left--; left == 0 {
			return nil
		}
	}
	return fmt.Errorf("the stream ended with status %d: %w", res.StatusCode, lines.Err())
}

// outlastToken listens until its token has expired, which must end the connection.
func (c *client) outlastToken(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	short, err := token(c.user, 2*time.Second)
	if err != nil {
		return err
	}
	conn, err := c.open(ctx, short)
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // closed already in most cases
	for {
		if _, _, err = conn.Read(ctx); err != nil {
			break
		}
	}
	if websocket.CloseStatus(err) != 4403 {
		return fmt.Errorf("the connection ended otherwise than by its token's end: %w", err)
	}
	return nil
}

// neverRead subscribes and reads nothing for a while.
func (c *client) neverRead(ctx context.Context) error {
	conn, err := c.open(ctx, c.token)
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // the router is to see a client that goes without a word
	return pause.For(ctx, time.Duration(500+c.random.IntN(1500))*time.Millisecond)
}

// drip sends a text a byte at a time after what goes before, and waits until the router has had enough.
func (c *client) drip(ctx context.Context, before, text string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, before); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	}()
	for i := range text {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			break // it has closed the connection
		}
		select {
		case err := <-ended:
			return stillOpen(err)
		default:
		}
		if err := pause.For(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return stillOpen(<-ended)
}

// stillOpen is an error where a read ended because time was up: the other end should have closed the connection.
func stillOpen(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("the connection of a client that sends a byte at a time stays open")
	}
	return nil
}

func (c *client) sendHeadersSlowly(ctx context.Context) error {
	return c.drip(ctx, "POST /graphql HTTP/1.1\r\nHost: soak\r\n", "X-Slow: "+strings.Repeat("x", 1000))
}

func (c *client) sendBodySlowly(ctx context.Context) error {
	return c.drip(ctx, "POST /graphql HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 900))
}
