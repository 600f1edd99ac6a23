// Package redis carries messages between the processes of a house over Redis streams.
//
//	Send ──XADD, trimmed──▶ {house}:commands, {house}:events, {house}:answers:<node> ──XREAD──▶ Follow
//
// It promises nothing: streams are short, Redis may forget them, and a reader that was away goes on
// with what is still there. What a sender learns is whether a message certainly did not leave. It
// deliberately does not know what messages mean.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// timeout bounds every call, blocking ones aside; dialTimeout a new connection.
	timeout     = time.Second
	dialTimeout = 500 * time.Millisecond
	// blockFor is how long one read waits for something new.
	blockFor = 200 * time.Millisecond
	// readMost is how many messages of a stream one read returns.
	readMost = 256
	// retryFirst and retryMost are the pauses between attempts to read while Redis is away.
	retryFirst = 50 * time.Millisecond
	retryMost  = 500 * time.Millisecond
)

// Stream is one of a house's streams.
type Stream struct {
	name string
	// most is about how many messages are kept; expires, when not zero, when a stream that nothing
	// is sent to any more goes away.
	most    int64
	expires time.Duration
}

// Parcel is a message for a stream.
type Parcel struct {
	To   Stream
	Data []byte
}

// Link is a house's streams. It is safe for concurrent use.
type Link struct {
	client goredis.UniversalClient
	own    bool
	house  string
	up     atomic.Bool
}

// New returns the streams of a house: processes that name the same house on the same Redis hear each
// other. It opens connections of its own to the client's server where it can, because it must know
// of each attempt whether it was made.
func New(client goredis.UniversalClient, house string) *Link {
	l := &Link{client: client, house: "{" + house + "}"}
	if plain, ok := client.(*goredis.Client); ok {
		o := *plain.Options()
		o.MaxRetries = -1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, timeout, timeout
		o.DialerRetries = 1
		o.PoolSize, o.MinIdleConns = 8, 0
		o.ContextTimeoutEnabled = true
		o.PushNotificationProcessor = nil // it is the other client's
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		l.client, l.own = goredis.NewClient(&o), true
	}
	return l
}

// Close ends the link's own connections; a Follow under way ends with them.
func (l *Link) Close() error {
	if !l.own {
		return nil
	}
	return l.client.Close()
}

// Up reports whether the last call went well.
func (l *Link) Up() bool { return l.up.Load() }

// Commands is what followers ask, Events what leaders tell everyone, and Answers what they tell one.
func (l *Link) Commands() Stream { return Stream{name: l.house + ":commands", most: 16_384} }

// Events is what leaders tell everyone.
func (l *Link) Events() Stream { return Stream{name: l.house + ":events", most: 1024} }

// Answers is what leaders tell one node.
func (l *Link) Answers(node string) Stream {
	return Stream{name: l.house + ":answers:" + node, most: 4096, expires: time.Minute}
}

// Send adds parcels to their streams, in order, in one round trip. For each it returns nil, or why it
// may not have arrived; Undelivered tells those that certainly did not.
func (l *Link) Send(ctx context.Context, parcels []Parcel) []error {
	ctx, cancel := context.WithTimeout(ctx, timeout+dialTimeout)
	defer cancel()
	pipeline := l.client.Pipeline()
	added := make([]*goredis.StringCmd, len(parcels))
	expiring := map[string]time.Duration{}
	for i, p := range parcels {
		added[i] = pipeline.XAdd(ctx, &goredis.XAddArgs{Stream: p.To.name, MaxLen: p.To.most, Approx: true, Values: []any{"m", p.Data}})
		if p.To.expires > 0 {
			expiring[p.To.name] = p.To.expires
		}
	}
	for name, after := range expiring {
		pipeline.Expire(ctx, name, after)
	}
	_, err := pipeline.Exec(ctx)
	l.up.Store(err == nil)
	errs := make([]error, len(parcels))
	for i, a := range added {
		errs[i] = a.Err()
	}
	return errs
}

// Undelivered reports whether an error of Send says that the message was not sent, as against that
// nobody knows.
func Undelivered(err error) bool {
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Op == "dial"
	}
	var answer goredis.Error
	return errors.As(err, &answer) || errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrClosed)
}

// Follow reads streams from their present ends on and hands each message to take, until ctx ends. It
// calls begin once, when it knows where the ends are. While Redis is away it tries on; what was sent
// meanwhile and is still kept, is read then. A message may be handed over twice.
func (l *Link) Follow(ctx context.Context, begin func(), take func(s Stream, data []byte), streams ...Stream) {
	r := &reader{Link: l, take: take, streams: streams, at: make([]place, len(streams))}
	pause := retryFirst
	begun := false
	for ctx.Err() == nil {
		err := r.position(ctx)
		if err == nil {
			if !begun {
				begun = true
				begin()
			}
			for err == nil && ctx.Err() == nil {
				if err = r.read(ctx); err == nil {
					pause = retryFirst
				}
			}
		}
		if ctx.Err() != nil {
			return
		}
		l.up.Store(false)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, retryMost)
	}
}

type reader struct {
	*Link
	take    func(Stream, []byte)
	streams []Stream
	at      []place
}

// place is the last message that was read of a stream; its id is "" before the first look and
// beginning where there was none.
type place struct{ id, data string }

const beginning = "0-0"

// position finds the ends of the streams, or, when it has read before, whether the message it read
// last is still there. If not, Redis forgot everything, or so much that all there is is new: then it
// begins again with the first. The id alone does not tell: a Redis that begins anew may give it again.
func (r *reader) position(ctx context.Context) error {
	for i, s := range r.streams {
		call, cancel := context.WithTimeout(ctx, timeout)
		var found []goredis.XMessage
		var err error
		if last := r.at[i].id; last == "" {
			found, err = r.client.XRevRangeN(call, s.name, "+", "-", 1).Result()
		} else {
			found, err = r.client.XRangeN(call, s.name, last, last, 1).Result()
		}
		cancel()
		if err != nil {
			return err
		}
		switch {
		case len(found) == 0:
			r.at[i] = place{id: beginning}
		case r.at[i].id == "":
			r.at[i] = placeOf(found[0])
		case r.at[i] != placeOf(found[0]):
			r.at[i] = place{id: beginning}
		}
	}
	return nil
}

func placeOf(m goredis.XMessage) place {
	data, _ := m.Values["m"].(string)
	return place{m.ID, data}
}

func (r *reader) read(ctx context.Context) error {
	args := make([]string, 0, 2*len(r.streams))
	for _, s := range r.streams {
		args = append(args, s.name)
	}
	for _, at := range r.at {
		args = append(args, at.id)
	}
	call, cancel := context.WithTimeout(ctx, blockFor+timeout)
	defer cancel()
	found, err := r.client.XRead(call, &goredis.XReadArgs{Streams: args, Count: readMost, Block: blockFor}).Result()
	if errors.Is(err, goredis.Nil) {
		err = nil
	}
	if err != nil {
		return err
	}
	r.up.Store(true)
	for _, f := range found {
		i := r.index(f.Stream)
		if i < 0 {
			return fmt.Errorf("redis: an answer from a stream %q that was not asked for", f.Stream)
		}
		for _, m := range f.Messages {
			if ctx.Err() != nil {
				return nil
			}
			r.at[i] = placeOf(m)
			if data, ok := m.Values["m"].(string); ok {
				r.take(r.streams[i], []byte(data))
			}
		}
	}
	return nil
}

func (r *reader) index(name string) int {
	for i, s := range r.streams {
		if s.name == name {
			return i
		}
	}
	return -1
}
