package telemetry

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Usage asks for a record of which operations clients send, and which fields they ask for: what bourse compose --check --operations reads.
//
// It is counted in memory and written as a whole, so that who reads the file never sees half of it. Texts are kept without what their
// literals say: numbers become 0 and strings "", which also makes one operation of many that differ in nothing else.
type Usage struct {
	File       string        // such as usage/current.jsonl; required. Its folder is made
	Every      time.Duration // between writes; default 1 min
	Rotate     time.Duration // after which a new record begins; the old one stays beside it, by its time. Default 24 h
	Keep       int           // rotated records that stay; default 30
	Operations int           // how many different operations are recorded in one file; default 10,000. More are only counted
	Clients    int           // how many clients of one operation are told apart; default 20

	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// usage is the record in the making.
type usage struct {
	o      Usage
	logger *slog.Logger
	schema atomic.Pointer[ast.Schema]
	stop   chan struct{}
	done   chan struct{}

	writing    sync.Mutex
	mu         sync.Mutex
	known      map[string]*counts // by signature
	since      time.Time
	unrecorded atomic.Int64
	failing    bool
	mine       os.FileInfo // the file as it was written last; nil: not yet
}

// counts are the figures of one operation. A known operation costs what counting here costs.
type counts struct {
	signature, name  string
	requests, errors atomic.Int64
	first, last      atomic.Int64 // Unix milliseconds
	gone             atomic.Bool  // no longer in the record: it was not used for a whole rotation
	mu               sync.Mutex
	clients          map[client]*sighting
	overflow         *sighting // of clients beyond those that are told apart
}

type sighting struct{ requests, last atomic.Int64 }

func newUsage(o *Usage, logger *slog.Logger) (*usage, error) {
	if o == nil {
		return nil, nil
	}
	if o.File == "" {
		return nil, errors.New("there is no file")
	}
	u := &usage{o: *o, logger: logger, known: map[string]*counts{}, stop: make(chan struct{}), done: make(chan struct{})}
	u.o.Every, u.o.Rotate = cmp.Or(max(o.Every, 0), time.Minute), cmp.Or(max(o.Rotate, 0), 24*time.Hour)
	u.o.Keep, u.o.Operations, u.o.Clients = cmp.Or(max(o.Keep, 0), 30), cmp.Or(max(o.Operations, 0), 10_000), cmp.Or(max(o.Clients, 0), 20)
	if u.o.Now == nil {
		u.o.Now = time.Now
	}
	if err := os.MkdirAll(filepath.Dir(o.File), 0o755); err != nil {
		return nil, err
	}
	u.since = u.o.Now()
	if info, err := os.Stat(o.File); err == nil { // of a run before
		if err := u.setAside(info.ModTime()); err != nil {
			return nil, err
		}
	}
	if err := u.write(); err != nil { // which also shows now whether it can be
		return nil, err
	}
	go u.keep()
	return u, nil
}

// keep writes the record from time to time.
func (u *usage) keep() {
	defer close(u.done)
	tick := time.NewTicker(u.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-u.stop:
			return
		case <-tick.C:
			u.flush()
		}
	}
}

func (u *usage) close() error {
	if u == nil {
		return nil
	}
	close(u.stop)
	<-u.done
	u.writing.Lock()
	defer u.writing.Unlock()
	return u.write()
}

// Flush writes the record of use now, and begins a new one when it is time to.
func (t *Telemetry) Flush() {
	if t != nil && t.usage != nil {
		t.usage.flush()
	}
}

// Schema says in which schema the fields of operations are looked up from now on.
func (t *Telemetry) Schema(s *ast.Schema) {
	if t != nil && t.usage != nil {
		t.usage.schema.Store(s)
	}
}

// counts are the figures for a document; nil when there are too many operations.
func (u *usage) counts(d *Document) *counts {
	if u == nil {
		return nil
	}
	signature, ok := signatureOf(d.Text, d.Name)
	if !ok {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if c := u.known[signature]; c != nil {
		return c
	}
	if len(u.known) >= u.o.Operations {
		return nil
	}
	c := &counts{signature: signature, name: d.Name, clients: map[client]*sighting{}, overflow: &sighting{}}
	u.known[signature] = c
	return c
}

func (u *usage) end(o *Operation, r *Record) {
	d := o.prepared.Document
	if u == nil || d == nil || r.Kind == "" {
		return
	}
	c := d.counts.Load()
	if c != nil && c.gone.Load() {
		c = u.counts(d)
		d.counts.Store(c)
	}
	if c == nil {
		u.unrecorded.Add(1)
		return
	}
	now := u.o.Now().UnixMilli()
	c.requests.Add(1)
	c.first.CompareAndSwap(0, now)
	c.last.Store(now)
	if r.Errors || r.Code != "" {
		c.errors.Add(1)
	}
	s := c.of(o.client, u.o.Clients)
	s.requests.Add(1)
	s.last.Store(now)
}

// of finds the client among those of the operation.
func (c *counts) of(who client, most int) *sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.clients[who]
	switch {
	case s != nil:
	case len(c.clients) >= most:
		s = c.overflow
	default:
		s = &sighting{}
		c.clients[client{strings.Clone(who.name), strings.Clone(who.version)}] = s
	}
	return s
}

// flush writes the record; one that is old enough is set aside.
func (u *usage) flush() {
	u.writing.Lock()
	defer u.writing.Unlock()
	err := u.write()
	if now := u.o.Now(); err == nil && now.Sub(u.since) >= u.o.Rotate {
		if err = u.setAside(now); err == nil {
			u.begin(now)
		}
	}
	if err != nil && !u.failing {
		u.logger.Warn("the record of use could not be written", "error", err)
	}
	u.failing = err != nil
}

// begin empties the record. Operations that were not used leave it, so that others find room.
func (u *usage) begin(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.since = now
	u.unrecorded.Store(0)
	for signature, c := range u.known {
		if c.requests.Load() == 0 {
			c.gone.Store(true)
			delete(u.known, signature)
			continue
		}
		c.requests.Store(0)
		c.errors.Store(0)
		c.first.Store(0)
		c.mu.Lock()
		clear(c.clients)
		c.overflow = &sighting{}
		c.mu.Unlock()
	}
}

// setAside gives the file a name by its time and lets the oldest of its kind go.
func (u *usage) setAside(when time.Time) error {
	if err := os.Rename(u.o.File, u.aside(when)); err != nil {
		return err
	}
	ext := filepath.Ext(u.o.File)
	stem := strings.TrimSuffix(u.o.File, ext)
	old, err := filepath.Glob(stem + "-[0-9]*" + ext)
	if err != nil {
		return err
	}
	slices.Sort(old)
	for _, name := range old[:max(len(old)-u.o.Keep, 0)] {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// aside is the name of a record that is not the current one any more.
func (u *usage) aside(when time.Time) string {
	ext := filepath.Ext(u.o.File)
	return fmt.Sprintf("%s-%s%s", strings.TrimSuffix(u.o.File, ext), when.UTC().Format("20060102T150405.000000"), ext)
}

// all are the figures of operations that were used, the most used first.
func (u *usage) all() []*counts {
	u.mu.Lock()
	list := slices.Collect(maps.Values(u.known))
	u.mu.Unlock()
	list = slices.DeleteFunc(list, func(c *counts) bool { return c.requests.Load() == 0 })
	slices.SortFunc(list, func(a, b *counts) int {
		return cmp.Or(cmp.Compare(b.requests.Load(), a.requests.Load()), cmp.Compare(a.signature, b.signature))
	})
	return list
}
