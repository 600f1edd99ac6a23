package serve

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"bourse/router/identity"
	"bourse/router/websocket"
)

// sweep knows all sockets of a server, and is the one who looks at the time for them: a timer for each of ten thousand idle sockets would cost
// more than looking at all of them now and then.
type sweep struct {
	mu         sync.Mutex
	all        map[*socket]struct{}
	addresses  map[netip.Addr]int // sockets by client address
	identities map[[32]byte]int   // and by identity
	running    bool
	empty      chan struct{} // a token when the last socket has gone
}

func newSweep() sweep {
	return sweep{
		all: map[*socket]struct{}{}, addresses: map[netip.Addr]int{}, identities: map[[32]byte]int{}, empty: make(chan struct{}, 1),
	}
}

// clock is what a socket has to do with time, in Unix nanoseconds; 0: nothing. It is guarded by the socket's mutex.
type clock struct {
	opened  int64
	ping    int64 // when the next one is due
	pinged  int64
	silent  bool  // nothing was heard since
	closing int64 // since when it is being closed from here
	drain   int64 // when it must go, once the server closes
}

// admits counts a socket to its client's address; false when there are most already. 0: any number.
func (w *sweep) admits(address netip.Addr, most int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if most > 0 && w.addresses[address] >= most {
		return false
	}
	w.addresses[address]++
	return true
}

func (w *sweep) dismiss(address netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dismissLocked(address)
}

func (w *sweep) dismissLocked(address netip.Addr) {
	if w.addresses[address]--; w.addresses[address] == 0 {
		delete(w.addresses, address)
	}
}

// introduce counts a socket to an identity; false when there are most already. 0: any number. Nobody's are counted by address only.
func (w *sweep) introduce(k *socket, who *identity.Identity, most int) bool {
	if who == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if most > 0 && w.identities[who.Digest] >= most {
		return false
	}
	w.identities[who.Digest]++
	k.counted = true
	return true
}

// watch takes a socket under the sweep's eye.
func (s *edition) watch(k *socket) {
	now := time.Now().UnixNano()
	k.clock.opened, k.clock.ping = now, now+int64(s.o.KeepAlive)
	w := &s.sweep
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[k] = struct{}{}
	if !w.running {
		w.running = true
		s.releasing.Go(s.sweepAll)
	}
}

func (w *sweep) remove(k *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, k)
	w.dismissLocked(k.address)
	if k.counted {
		if w.identities[k.who.Digest]--; w.identities[k.who.Digest] == 0 {
			delete(w.identities, k.who.Digest)
		}
	}
	if len(w.all) == 0 {
		select {
		case w.empty <- struct{}{}:
		default:
		}
	}
}

// sweepAll looks at all sockets now and then, as long as there are any.
func (s *Server) sweepAll() {
	closing, aborted := s.closing.Done(), s.aborted.Done()
	var sockets []*socket
	for {
		pause := time.NewTimer(s.pause(closing == nil))
		draining, cut := false, false
		select {
		case <-pause.C:
		case <-s.sweep.empty:
		case <-closing:
			closing, draining = nil, true
		case <-aborted:
			aborted, cut = nil, true
		}
		pause.Stop()
		var more bool
		if sockets, more = s.sweep.look(sockets[:0]); !more {
			return
		}
		o, now := &s.now().o, time.Now()
		for _, k := range sockets {
			if draining {
				k.drainBy(now, o.DrainJitter)
			}
			if cut {
				k.kill()
			} else {
				k.tick(now, o)
			}
		}
	}
}

// pause is how long the sweep may look away: a quarter of the shortest time that it watches over.
func (s *Server) pause(draining bool) time.Duration {
	o := &s.now().o
	shortest := min(o.KeepAlive, o.InitTimeout, o.WriteTimeout)
	if draining && o.DrainJitter > 0 {
		shortest = min(shortest, o.DrainJitter/10)
	}
	return min(max(shortest/4, 5*time.Millisecond), time.Second)
}

// look lists the sockets; false: there are none, and the sweep is over.
func (w *sweep) look(into []*socket) ([]*socket, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.all {
		into = append(into, k)
	}
	w.running = len(w.all) > 0
	return into, w.running
}

// drainBy lets the socket go at a moment of its own, so that clients do not all come back at once.
func (k *socket) drainBy(now time.Time, jitter time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clock.drain = now.UnixNano()
	if jitter > 0 {
		k.clock.drain += rand.Int64N(int64(jitter))
	}
}

// closePatience is how long a client has to answer that it is closed.
const closePatience = 2 * time.Second

// tick does for the socket what its time has come for.
func (k *socket) tick(at time.Time, o *Options) {
	now := at.UnixNano()
	k.mu.Lock()
	c := &k.clock
	var code websocket.Code
	var reason string
	kill, ping := false, false
	switch {
	case k.outbox.closed:
		kill = c.closing != 0 && now-c.closing > int64(closePatience) // it does not answer the closing either
	case c.drain != 0 && now >= c.drain:
		code, reason = websocket.GoingAway, "the server is shutting down"
	case !k.inited && now-c.opened > int64(o.InitTimeout):
		code, reason = closeInitTimeout, "Connection initialisation timeout"
	case k.who.ExpiredAt(at):
		code, reason = closeForbidden, identity.TokenExpired.Error() // after closeUnauthorized clients of graphql-ws do not come back
	case c.silent && now-c.pinged > int64(o.WriteTimeout):
		kill = true
	case now >= c.ping:
		ping = true
		c.ping = now + int64(o.KeepAlive)
		if !c.silent {
			c.silent, c.pinged = true, now
		}
	}
	k.mu.Unlock()
	switch {
	case kill:
		k.kill()
	case code != 0:
		k.shut(code, reason)
	case ping:
		k.send(pingFrame)
		if k.speaks.keepAlive != nil && k.introduced() {
			k.send(k.speaks.keepAlive)
		}
	}
}

var pingFrame = websocket.AppendFrame(nil, websocket.Ping, nil)

func (k *socket) introduced() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.inited
}

// budget bounds the messages that a client sends on one socket. It is guarded by the socket's mutex.
type budget struct {
	spent int64 // until when, in Unix nanoseconds, what was sent is paid for
}

// burst is how many seconds' messages may come at once.
const burst = 10

// spend takes one message out of the budget of so many a second; false when it is used up. Not above 0: there is none.
func (b *budget) spend(rate int) bool {
	if rate <= 0 {
		return true
	}
	now := time.Now().UnixNano()
	b.spent = max(b.spent, now)
	if b.spent-now > int64(burst*time.Second) {
		return false
	}
	b.spent += int64(time.Second) / int64(rate)
	return true
}
