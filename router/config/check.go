package config

import (
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
)

// Check implements checker: what no section can say alone, or only knowing what the file says and what it leaves out.
func (c *Config) Check() error {
	return errors.Join(c.costsWanted(), c.cookiesShared(), c.drainTooShort(), c.switchedOn())
}

// costsWanted finds rules of rates that count costs which nobody computes.
func (c *Config) costsWanted() error {
	for i, rule := range c.Rate.Rules {
		if rule.Cost && c.Cost.Mode == "off" {
			return badKey(fmt.Sprintf("rate.rules[%d].cost", i), "costs are not computed: cost.mode must be warn or enforce")
		}
	}
	return nil
}

// cookiesShared finds a cookie of one client that another would get.
func (c *Config) cookiesShared() error {
	if !c.Traffic.ShareOperations && !c.Traffic.ShareFetches && !c.Cache.Enabled {
		return nil
	}
	for i, r := range c.Headers.Response {
		if textproto.CanonicalMIMEHeaderKey(r.Name) == "Set-Cookie" {
			return badKey(fmt.Sprintf("headers.response[%d].name", i), "clients that share an answer would get each other's cookies: "+
				"leave Set-Cookie out, or say false for traffic.share_operations, traffic.share_fetches and cache.enabled")
		}
	}
	return nil
}

// drainTooShort finds WebSockets that would be cut off before it is their turn to be closed.
func (c *Config) drainTooShort() error {
	if jitter, timeout := c.WebSocket.DrainJitter, c.Listen.Drain.Timeout; jitter > 0 && jitter >= timeout {
		return badKey("websocket.drain_jitter", "it is at least listen.drain.timeout, %v, after which everything is cut off: give that more", timeout)
	}
	return nil
}

// switches are sections that are off by default, with the key that turns them on, and keys that hold without it.
var switches = []struct {
	section, key, on string
	without          []string
}{
	{"cache", "enabled", "true", []string{"cache_control"}},
	{"cost", "mode", "warn or enforce", nil},
	{"headers.claims", "enabled", "true", nil},
}

// switchedOn finds sections that say how something is done which nobody has turned on. Where the file says itself that it is off, it
// stays so: what was in use can be turned off by one word.
func (c *Config) switchedOn() error {
	var errs []error
	for _, s := range switches {
		if c.Says(s.section + "." + s.key) {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(c.places)) {
			key, inside := strings.CutPrefix(path, s.section+".")
			if inside && !strings.ContainsAny(key, ".[") && !slices.Contains(s.without, key) {
				errs = append(errs, badKey(path, "nothing comes of it while %s.%s is not %s", s.section, s.key, s.on))
				break // one says it
			}
		}
	}
	return errors.Join(errs...)
}
