package engine

import (
	"context"
	"sync"
	"time"

	"bourse/engine/internal/redis"
	"bourse/engine/internal/remote"
)

// mail sends a peer's messages in order and holds nobody up: what does not fit while Redis is slow or
// away is dropped, which the protocol stands.
type mail struct {
	link        *redis.Link
	undelivered func(remote.Ask)

	mu      sync.Mutex
	waiting []letter
	closed  bool
	wake    chan struct{} // of one
}

type letter struct {
	to      redis.Stream
	message remote.Message
}

const (
	// mailMost is how many messages wait to be sent, and mailAtOnce how many go in one round trip.
	mailMost   = 8192
	mailAtOnce = 256
	// mailPause is the pause after Redis did not take something.
	mailPause = 50 * time.Millisecond
)

func newMail(link *redis.Link, undelivered func(remote.Ask)) *mail {
	return &mail{link: link, undelivered: undelivered, wake: make(chan struct{}, 1)}
}

// put never waits. A question that does not fit is asked again by its sender when it is time.
func (m *mail) put(to redis.Stream, message remote.Message) {
	m.mu.Lock()
	if len(m.waiting) < mailMost && !m.closed {
		m.waiting = append(m.waiting, letter{to, message})
	}
	m.mu.Unlock()
	m.signal()
}

func (m *mail) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// close lets run end after what waits was tried once.
func (m *mail) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.signal()
}

// run sends until close.
func (m *mail) run() {
	for {
		m.mu.Lock()
		n := min(len(m.waiting), mailAtOnce)
		letters := m.waiting[:n:n]
		m.waiting = m.waiting[n:]
		closed := m.closed
		m.mu.Unlock()
		if n == 0 {
			if closed {
				return
			}
			<-m.wake
			continue
		}
		if !m.send(letters) {
			if closed {
				return
			}
			time.Sleep(mailPause)
		}
	}
}

// send reports whether Redis took everything.
func (m *mail) send(letters []letter) bool {
	parcels := make([]redis.Parcel, 0, len(letters))
	sent := letters[:0:0]
	for _, l := range letters {
		if data, err := remote.Encode(l.message); err == nil {
			parcels = append(parcels, redis.Parcel{To: l.to, Data: data})
			sent = append(sent, l)
		}
	}
	well := true
	for i, err := range m.link.Send(context.Background(), parcels) {
		if err == nil {
			continue
		}
		well = false
		if ask, ok := sent[i].message.(remote.Ask); ok && redis.Undelivered(err) {
			m.undelivered(ask)
		}
	}
	return well
}
