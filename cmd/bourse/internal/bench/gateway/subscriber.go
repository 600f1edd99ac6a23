package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// subscriber is one WebSocket with one subscription, by the protocol graphql-transport-ws. It does as little as a client can, because
// thousands of them share a core with the subgraphs.
type subscriber struct {
	conn net.Conn
	in   *bufio.Reader
	got  []delivered
}

// delivered is one event as it arrived.
type delivered struct{ written, took int64 } // both in nanoseconds

const handshake = "GET /graphql HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: YmVuY2htYXJraW5nLi4uLg==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

// subscribe connects and subscribes.
func subscribe(address, operation string) (*subscriber, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &subscriber{conn: conn, in: bufio.NewReaderSize(conn, 1024)}
	if err := s.open(operation); err != nil {
		_ = conn.Close() // the first error counts
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return s, nil
}

func (s *subscriber) open(operation string) error {
	if err := s.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(s.conn, handshake); err != nil {
		return err
	}
	status, err := s.in.ReadString('\n')
	if err != nil || len(status) < 12 || status[9:12] != "101" {
		return fmt.Errorf("no WebSocket: %q %w", status, err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = s.in.ReadString('\n'); err != nil {
			return err
		}
	}
	if err := s.send(opText, []byte(`{"type":"connection_init"}`)); err != nil {
		return err
	}
	if message, err := s.next(); err != nil || !bytes.Contains(message, []byte("connection_ack")) {
		return fmt.Errorf("not welcome: %q %w", message, err)
	}
	if err := s.send(opText, fmt.Appendf(nil, `{"id":"1","type":"subscribe","payload":{"query":%q}}`, operation)); err != nil {
		return err
	}
	return s.conn.SetDeadline(time.Time{})
}

// listen notes what arrives until the connection is closed. It returns why it ended.
func (s *subscriber) listen() error {
	stamp := []byte(`"body":"`)
	for {
		message, err := s.next()
		if err != nil {
			return err
		}
		now := time.Now().UnixNano()
		_, rest, ok := bytes.Cut(message, stamp)
		if !ok {
			if bytes.Contains(message, []byte(`"ping"`)) {
				err = s.send(opText, []byte(`{"type":"pong"}`))
			} else if !bytes.Contains(message, []byte(`"pong"`)) {
				err = fmt.Errorf("not an event: %.200q", message)
			}
			if err != nil {
				return err
			}
			continue
		}
		text, _, _ := bytes.Cut(rest, []byte(`"`))
		written, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return fmt.Errorf("not an event: %.200q", message)
		}
		s.got = append(s.got, delivered{written, now - written})
	}
}

// Kinds of frames (RFC 6455, section 5.2).
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// send writes one frame, masked with zeros.
func (s *subscriber) send(op byte, payload []byte) error {
	frame := []byte{0x80 | op}
	if n := len(payload); n < 126 {
		frame = append(frame, 0x80|byte(n))
	} else {
		frame = append(frame, 0x80|126, byte(n>>8), byte(n))
	}
	_, err := s.conn.Write(append(append(frame, 0, 0, 0, 0), payload...))
	return err
}

// next reads the next message and answers pings. It is valid until the next call.
func (s *subscriber) next() ([]byte, error) {
	for {
		head, err := s.in.Peek(2)
		if err != nil {
			return nil, err
		}
		op, n, skip := head[0]&15, int(head[1]&127), 2
		switch n {
		case 126:
			if head, err = s.in.Peek(4); err != nil {
				return nil, err
			}
			n, skip = int(binary.BigEndian.Uint16(head[2:])), 4
		case 127:
			return nil, errors.New("a frame of 64 kB")
		}
		_, _ = s.in.Discard(skip) // it has been peeked at
		payload, err := s.in.Peek(n)
		if err != nil {
			return nil, err
		}
		_, _ = s.in.Discard(n) // likewise
		switch op {
		case opPing:
			err = s.send(opPong, payload)
		case opPong:
		case opClose:
			err = fmt.Errorf("closed: %q", payload)
		default:
			return payload, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
