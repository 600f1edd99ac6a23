package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of failed sign-ins within a window. A pair of username and address is throttled early; an
// address that tries many usernames later.
const (
	throttleWindow   = 15 * time.Minute
	failuresPerPair  = 5
	failuresPerHost  = 50
	throttledEntries = 32_768
)

// Throttle slows down the guessing of passwords. It counts failures per username and address and
// per address alone, never per username alone: else anyone could lock anyone out. It remembers a
// bounded number of them in memory, so that a restart forgives. It is safe for concurrent use.
type Throttle struct {
	clock func() time.Time
	mu    sync.Mutex
	pairs *generations[throttleKey, failures]
	hosts *generations[string, failures]
}

type throttleKey struct{ username, host string }

type failures struct {
	count int
	since time.Time
}

// NewThrottle returns a throttle without any failures.
func NewThrottle(clock func() time.Time) *Throttle {
	return &Throttle{
		clock: clock,
		pairs: newGenerations[throttleKey, failures](throttledEntries),
		hosts: newGenerations[string, failures](throttledEntries),
	}
}

// Begin asks whether a sign-in may be tried, and counts it as failed until Succeeded says
// otherwise, so that attempts in parallel cannot slip past the limit. Where it may not, wait says
// after how long to try again.
func (t *Throttle) Begin(username, address string) (wait time.Duration, ok bool) {
	host := hostOf(address)
	key := throttleKey{username, host}
	now := t.clock()
	t.mu.Lock()
	defer t.mu.Unlock()
	pair, _ := t.pairs.get(key)
	all, _ := t.hosts.get(host)
	pair, all = pair.fresh(now), all.fresh(now)
	if pair.count >= failuresPerPair {
		return pair.since.Add(throttleWindow).Sub(now), false
	}
	if all.count >= failuresPerHost {
		return all.since.Add(throttleWindow).Sub(now), false
	}
	pair.count++
	all.count++
	t.pairs.put(key, pair)
	t.hosts.put(host, all)
	return 0, true
}

// Succeeded takes the attempt back: the password was right. The failures of the pair are forgotten,
// those of the address only by this one, so that an own account does not launder guesses at others.
func (t *Throttle) Succeeded(username, address string) {
	host := hostOf(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs.remove(throttleKey{username, host})
	t.takeBackHost(host)
}

// Abandoned takes the attempt back: the password was never checked.
func (t *Throttle) Abandoned(username, address string) {
	host := hostOf(address)
	key := throttleKey{username, host}
	t.mu.Lock()
	defer t.mu.Unlock()
	if pair, ok := t.pairs.get(key); ok && pair.count > 0 {
		pair.count--
		t.pairs.put(key, pair)
	}
	t.takeBackHost(host)
}

func (t *Throttle) takeBackHost(host string) {
	if all, ok := t.hosts.get(host); ok && all.count > 0 {
		all.count--
		t.hosts.put(host, all)
	}
}

func (f failures) fresh(now time.Time) failures {
	if f.count == 0 || now.Sub(f.since) >= throttleWindow {
		return failures{since: now}
	}
	return f
}

// hostOf returns what one party is likely to hold: an IPv4 address, a /64 of IPv6. Anything that is
// no address counts as one and the same host.
func hostOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		port, err := netip.ParseAddrPort(address)
		if err != nil {
			return "unknown"
		}
		addr = port.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
