package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"bourse/router/patience"
)

// Redis is what several routers share: accounts of rate limits and persisted queries.
type Redis struct {
	URL     string   `yaml:"url" doc:"redis://USER:PASSWORD@HOST:PORT/DB or rediss://…, such as ${REDIS_URL}. Several, separated by commas, are nodes of a cluster. Empty: each router keeps its own in memory."`
	Timeout Duration `yaml:"timeout" default:"50ms" min:"1ms" doc:"How long a request waits for Redis."`
	Pause   Duration `yaml:"pause" default:"1s" min:"1ms" doc:"How long Redis is left alone after it has not answered; requests go on without it meanwhile."`
}

// Check implements checker. What is wrong with a URL is not told in its own words: it may have a password.
func (r *Redis) Check() error {
	if r.URL == "" {
		return nil
	}
	for _, u := range splitURLs(r.URL) {
		if _, err := redis.ParseURL(u); err != nil {
			return badKey("url", "a URL is redis://USER:PASSWORD@HOST:PORT/DB or rediss://…")
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
		client, err := r.open()
		return client, func() { _ = client.Close() }, err // nothing of it is needed any more
	})
	return err
}

func (r *Redis) open() (redis.UniversalClient, error) {
	urls := splitURLs(r.URL)
	if len(urls) == 1 {
		o, err := redis.ParseURL(urls[0])
		if err != nil {
			return nil, errors.New("the URL cannot be read")
		}
		o.ContextTimeoutEnabled, o.DialTimeout = true, time.Second
		return redis.NewClient(o), nil
	}
	o, err := redis.ParseClusterURL(urls[0])
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	for _, u := range urls[1:] {
		more, err := redis.ParseURL(u)
		if err != nil {
			return nil, errors.New("a URL cannot be read")
		}
		o.Addrs = append(o.Addrs, more.Addr)
	}
	o.ContextTimeoutEnabled, o.DialTimeout = true, time.Second
	return redis.NewClusterClient(o), nil
}

func splitURLs(urls string) []string {
	var out []string
	for u := range strings.SplitSeq(urls, ",") {
		out = append(out, strings.TrimSpace(u))
	}
	return out
}

// waits is the patience with Redis of whoever it is for.
func (b *Built) waits(whom string) *patience.Patience {
	o, logger := b.patience, b.Options.Logger
	o.OnFailure = func(ctx context.Context, err error) {
		if logger != nil {
			logger.WarnContext(ctx, "Redis did not answer", "for", whom, "error", fmt.Sprint(err))
		}
	}
	return patience.New(o)
}
