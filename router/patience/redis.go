package patience

import (
	"errors"

	"github.com/redis/go-redis/v9"
)

// Heeded says what is wrong with a Redis client that does not heed deadlines: whoever asks by it waits for as long as Redis hangs.
func Heeded(client redis.UniversalClient) error {
	heeds := true
	switch c := client.(type) {
	case *redis.Client:
		heeds = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		heeds = c.Options().ContextTimeoutEnabled
	}
	if !heeds {
		return errors.New("the Redis client needs ContextTimeoutEnabled")
	}
	return nil
}
