package entitycache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"bourse/router/patience"
)

// markTime is for an invalidation, which is worth waiting for.
const markTime = 2 * time.Second

// RedisOptions of a Redis store. Zero fields mean the defaults.
type RedisOptions struct {
	Prefix   string             // of all keys; default "bourse:cache:"
	Patience *patience.Patience // with Redis; nil: the default
	MaxTTL   time.Duration      // how long marks are kept: as long as the entry that lives longest; default 24 h
}

// Redis is a Store that routers share. While Redis is away nothing is found and nothing is kept.
type Redis struct {
	client redis.UniversalClient
	o      RedisOptions
	now    func() time.Time
}

// NewRedis makes a store of a client, which stays the caller's. The client must heed deadlines (ContextTimeoutEnabled): requests would wait
// for a Redis that hangs.
func NewRedis(client redis.UniversalClient, o RedisOptions) (*Redis, error) {
	if err := patience.Heeded(client); err != nil {
		return nil, fmt.Errorf("entitycache: %w", err)
	}
	if o.Prefix == "" {
		o.Prefix = "bourse:cache:"
	}
	if o.Patience == nil {
		o.Patience = patience.New(patience.Options{For: 100 * time.Millisecond})
	}
	if o.MaxTTL <= 0 {
		o.MaxTTL = defaultMaxTTL
	}
	return &Redis{client: client, o: o, now: time.Now}, nil
}

// Get implements Store: one command, or one pipeline where the keys are spread over a cluster.
func (r *Redis) Get(ctx context.Context, keys, labels []string) (Found, error) {
	names := make([]string, 0, len(keys)+len(labels)+1)
	for _, key := range keys {
		names = append(names, r.o.Prefix+"e:"+key)
	}
	for _, label := range labels {
		names = append(names, r.o.Prefix+"m:"+label)
	}
	names = append(names, r.o.Prefix+"epoch")
	var values []any
	err := r.o.Patience.Ask(ctx, func(ctx context.Context) (err error) {
		values, err = r.getAll(ctx, names)
		return err
	})
	if err != nil {
		return Found{}, fmt.Errorf("look into the cache: %w", err)
	}
	f := Found{Values: make([][]byte, len(keys)), Marks: make([]uint64, len(labels))}
	for i := range keys {
		if text, ok := values[i].(string); ok {
			f.Values[i] = []byte(text)
		}
	}
	for i := range labels {
		f.Marks[i] = number(values[len(keys)+i])
	}
	f.Epoch = number(values[len(names)-1])
	return f, nil
}

func number(v any) uint64 {
	text, _ := v.(string)
	n, _ := strconv.ParseUint(text, 10, 64) // what is not there is 0
	return n
}

func (r *Redis) getAll(ctx context.Context, names []string) ([]any, error) {
	if _, spread := r.client.(*redis.ClusterClient); !spread {
		return r.client.MGet(ctx, names...).Result()
	}
	commands := make([]*redis.StringCmd, len(names))
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error { // the first error, which may be that of a key that is not there
		for i, name := range names {
			commands[i] = p.Get(ctx, name)
		}
		return nil
	})
	values := make([]any, len(names))
	for i, c := range commands {
		switch text, err := c.Result(); {
		case err == nil:
			values[i] = text
		case !errors.Is(err, redis.Nil): // a node is away: a mark that was not read is not one that is not there
			return nil, err
		}
	}
	return values, nil
}

// Set implements Store.
func (r *Redis) Set(ctx context.Context, items []Item) error {
	err := r.o.Patience.Ask(ctx, func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, item := range items {
				if item.TTL >= time.Millisecond {
					p.Set(ctx, r.o.Prefix+"e:"+item.Key, item.Value, item.TTL)
				}
			}
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return nil
}

// The epoch goes on from the time of day, so that one that Redis lost is not counted again. A mark never falls, in whatever order
// routers write it. Each script has one key, for clusters.
var (
	nextEpoch = redis.NewScript(`local n = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') + 1, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', n))
return string.format('%.0f', n)`)
	raiseMark = `local v = redis.call('GET', KEYS[1])
if not v or tonumber(v) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1`
)

// Mark implements Store. Unlike the others it asks Redis even when that was away a moment ago: an invalidation must not be lost
// quietly.
func (r *Redis) Mark(ctx context.Context, labels []string) error {
	ctx, cancel := context.WithTimeout(ctx, markTime)
	defer cancel()
	epoch, err := nextEpoch.Run(ctx, r.client, []string{r.o.Prefix + "epoch"}, r.now().UnixMilli()).Text()
	if err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	_, err = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, label := range labels {
			p.Eval(ctx, raiseMark, []string{r.o.Prefix + "m:" + label}, epoch, r.o.MaxTTL.Milliseconds())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	return nil
}
