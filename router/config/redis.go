package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"bourse/router/patience"
)

// Redis is what several routers share: accounts of rate limits and persisted queries.
type Redis struct {
	URL     string   `yaml:"url" doc:"redis://USER:PASSWORD@HOST:PORT/DB or rediss://…, such as ${REDIS_URL}; what has a special meaning in a URL is percent-encoded in a password. Several, separated by commas, are nodes of a cluster. Empty: each router keeps its own in memory."`
	Timeout Duration `yaml:"timeout" default:"50ms" min:"1ms" doc:"How long a request waits for Redis."`
	Pause   Duration `yaml:"pause" default:"1s" min:"1ms" doc:"How long Redis is left alone after it has not answered; requests go on without it meanwhile."`
}

// Check implements checker.
func (r *Redis) Check() error { return checkRedisURL("url", r.URL) }

// checkRedisURL looks at a URL of Redis, or several; none is right. What is wrong is not told in the parser's own words: it may have a password.
func checkRedisURL(key, urls string) error {
	if urls == "" {
		return nil
	}
	for _, u := range splitURLs(urls) {
		if _, err := redis.ParseURL(u); err != nil {
			return badKey(key, "a URL is redis://USER:PASSWORD@HOST:PORT/DB or rediss://…")
		}
	}
	return nil
}

func (r *Redis) apply(b *Built) error {
	b.from, b.patience = *r, patience.Options{For: r.Timeout.Std(), Pause: r.Pause.Std()}
	if r.URL == "" {
		return nil
	}
	var err error
	b.redis, err = last(b, *r, func() (redis.UniversalClient, func(), error) {
		client, err := openRedis(r.URL)
		return client, func() { _ = client.Close() }, err // nothing of it is needed any more
	})
	return err
}

// openRedis makes a client of a URL, or of several, which are nodes of a cluster.
func openRedis(urls string) (redis.UniversalClient, error) {
	all := splitURLs(urls)
	if len(all) == 1 {
		o, err := redis.ParseURL(all[0])
		if err != nil {
			return nil, errors.New("the URL cannot be read")
		}
		o.ContextTimeoutEnabled, o.DialTimeout, o.DialerRetries = true, time.Second, 1
		o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 1, -1, -1
		o.MaintNotificationsConfig = noNotices
		return redis.NewClient(o), nil
	}
	o, err := redis.ParseClusterURL(all[0])
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	for _, u := range all[1:] {
		more, err := redis.ParseURL(u)
		if err != nil {
			return nil, errors.New("a URL cannot be read")
		}
		o.Addrs = append(o.Addrs, more.Addr)
	}
	o.ContextTimeoutEnabled, o.DialTimeout, o.DialerRetries = true, time.Second, 1
	o.MaintNotificationsConfig = noNotices
	return redis.NewClusterClient(o), nil
}

// A client tries a command once more, as its connection may have been one that Redis had closed, and a connection but once: patience says when
// to try again, and an operator wants to read that a connection was refused instead of that the time was over. It asks for no notices of
// maintenance, which only Redis' own cloud sends and every other server refuses, for each connection.
var noNotices = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

func splitURLs(urls string) []string {
	var out []string
	for u := range strings.SplitSeq(urls, ",") {
		out = append(out, strings.TrimSpace(u))
	}
	return out
}

// waits is the patience with the Redis of this section of whoever it is for.
func (b *Built) waits(whom string) *patience.Patience { return b.waitsBy(b.patience, whom) }

// waitsBy is a patience that tells the log when Redis goes and when it comes back.
func (b *Built) waitsBy(o patience.Options, whom string) *patience.Patience {
	if logger := b.Options.Logger; logger != nil {
		o.OnFailure = func(ctx context.Context, err error) {
			logger.WarnContext(ctx, "Redis does not answer", "for", whom, "error", fmt.Sprint(err))
		}
		o.OnReturn = func(ctx context.Context, away time.Duration) {
			logger.InfoContext(ctx, "Redis answers again", "for", whom, "away", away)
		}
	}
	return patience.New(o)
}
