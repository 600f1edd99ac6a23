package config

import (
	"context"
	"fmt"

	"bourse/router/entitycache"
	"bourse/router/patience"
)

// Cache says what is kept of subgraphs' answers.
type Cache struct {
	Enabled bool     `yaml:"enabled" default:"false" doc:"Keeps what subgraphs answered to queries, as long as their Cache-Control, or @cacheControl of the schema, allows."`
	TTL     Duration `yaml:"ttl" default:"0s" min:"0s" doc:"For answers of which neither of them says anything; 0s: those are not kept."`
	MaxTTL  Duration `yaml:"max_ttl" default:"24h" min:"1s" doc:"The longest that anything is kept, whatever a subgraph says."`
	Private bool     `yaml:"private" default:"false" doc:"Keeps what is private to a client as well, apart for each."`
	Memory  Size     `yaml:"memory" default:"64MiB" min:"1MiB" doc:"What may be kept in this process; not used with Redis."`

	StaleWhileRevalidate Duration `yaml:"stale_while_revalidate" default:"0s" min:"0s" doc:"How long an answer whose time is over is still given while it is asked for anew in the background; a subgraph that says stale-while-revalidate in its header may have less. 0s: not at all."`
	StaleIfError         Duration `yaml:"stale_if_error" default:"0s" min:"0s" doc:"How long it stands in where its subgraph does not answer; a subgraph that says stale-if-error may have less. 0s: not at all."`

	Redis        CacheRedis               `yaml:"redis" doc:"A Redis that keeps it instead, for all routers together."`
	Each         map[string]CacheSubgraph `yaml:"each" doc:"What is special about one subgraph, by its name in the supergraph."`
	CacheControl bool                     `yaml:"cache_control" default:"false" doc:"Tells clients, in the header Cache-Control, how long they may keep an answer; otherwise every answer is no-store."`
	Invalidation CacheInvalidation        `yaml:"invalidation" doc:"Who may let go of what is kept."`
}

// CacheRedis is the Redis of a cache.
type CacheRedis struct {
	URL     string   `yaml:"url" doc:"As redis.url, whose Redis may be the same. Empty: answers are kept in this process."`
	Prefix  string   `yaml:"prefix" default:"bourse:cache:" doc:"Begin of all keys."`
	Timeout Duration `yaml:"timeout" default:"100ms" min:"1ms" doc:"Time for one command. While Redis does not answer, subgraphs are asked as if there were no cache."`
}

// Check implements checker.
func (r *CacheRedis) Check() error { return checkRedisURL("url", r.URL) }

// CacheSubgraph is what is special about one subgraph.
type CacheSubgraph struct {
	Enabled bool      `yaml:"enabled" default:"true" doc:"Whether its answers are kept."`
	TTL     *Duration `yaml:"ttl" min:"0s" doc:"Instead of cache.ttl."`

	StaleWhileRevalidate *Duration `yaml:"stale_while_revalidate" min:"0s" doc:"Instead of cache.stale_while_revalidate."`
	StaleIfError         *Duration `yaml:"stale_if_error" min:"0s" doc:"Instead of cache.stale_if_error."`
}

// CacheInvalidation says who may invalidate.
type CacheInvalidation struct {
	Secret string `yaml:"secret" doc:"What a request to /cache/invalidate on the admin listener must bring in the header Authorization, 16 characters or more; empty: there is no such address."`
}

// Check implements checker.
func (i *CacheInvalidation) Check() error {
	if i.Secret != "" && len(i.Secret) < minSecret {
		return badKey("secret", "a secret has at least %d characters", minSecret)
	}
	return nil
}

func (c *Cache) apply(b *Built) error {
	b.Options.CacheControl = c.CacheControl
	if !c.Enabled {
		return nil
	}
	logger := b.Options.Logger
	o := &entitycache.Options{
		TTL: c.TTL.Std(), MaxTTL: c.MaxTTL.Std(), Private: c.Private, Subgraphs: map[string]entitycache.SubgraphOptions{},
		Stale: entitycache.Stale{WhileRevalidate: c.StaleWhileRevalidate.Std(), IfError: c.StaleIfError.Std()},
		OnLost: func(ctx context.Context, err error) {
			logger.WarnContext(ctx, "an invalidation was lost", "error", fmt.Sprint(err))
		},
		OnStale: func(ctx context.Context, subgraph string, err error) {
			logger.WarnContext(ctx, "subgraph request failed; what was kept stands in", "subgraph", subgraph, "error", err)
		},
	}
	for name, one := range c.Each {
		o.Subgraphs[name] = entitycache.SubgraphOptions{
			Off: !one.Enabled, TTL: one.TTL.maybe(), WhileRevalidate: one.StaleWhileRevalidate.maybe(), IfError: one.StaleIfError.maybe(),
		}
	}
	if c.Redis.URL == "" {
		var err error
		o.Store, err = last(b, *c, func() (*entitycache.Memory, func(), error) { return entitycache.NewMemory(int64(c.Memory)), nil, nil })
		if err != nil {
			return err
		}
	} else {
		client, err := openRedis(c.Redis.URL)
		if err != nil {
			return err
		}
		b.OnClose(func() { _ = client.Close() })
		wait := b.waitsBy(patience.Options{For: c.Redis.Timeout.Std()}, "the cache")
		if o.Store, err = entitycache.NewRedis(client, entitycache.RedisOptions{Prefix: c.Redis.Prefix, Patience: wait, MaxTTL: c.MaxTTL.Std() + o.Longest()}); err != nil {
			return err
		}
	}
	b.Options.Cache = o
	if c.Invalidation.Secret != "" {
		b.Admin["/cache/invalidate"] = entitycache.Handler(o.Store, c.Invalidation.Secret)
	}
	return nil
}
