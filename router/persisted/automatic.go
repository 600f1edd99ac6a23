package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/redis/go-redis/v9"

	"bourse/router/patience"
)

// AutomaticOptions of an Automatic. Zero fields mean the defaults.
type AutomaticOptions struct {
	Entries int // texts in memory; default 10,000
	Bytes   int // of them together; default 16 MiB; one text may have a hundredth of that

	// Redis shares texts between routers; nil: each has its own. The caller closes it. While it does not answer, clients send texts again.
	Redis    redis.UniversalClient
	TTL      time.Duration      // how long Redis keeps a text that nobody sends; default 24 h
	Patience *patience.Patience // with Redis; nil: the default
}

// Automatic keeps texts of operations by their hashes. It is safe for concurrent use.
type Automatic struct {
	o AutomaticOptions

	mu    sync.Mutex
	kept  *simplelru.LRU[string, string]
	bytes int
}

// NewAutomatic makes an empty one.
func NewAutomatic(o AutomaticOptions) *Automatic {
	if o.Entries <= 0 {
		o.Entries = 10_000
	}
	if o.Bytes <= 0 {
		o.Bytes = 16 << 20
	}
	if o.TTL <= 0 {
		o.TTL = 24 * time.Hour
	}
	if o.Patience == nil {
		o.Patience = patience.New(patience.Options{})
	}
	a := &Automatic{o: o}
	kept, err := simplelru.NewLRU(o.Entries, func(_, text string) { a.bytes -= len(text) })
	if err != nil {
		panic("persisted: a cache needs room for an entry: " + err.Error())
	}
	a.kept = kept
	return a
}

// holds says whether the text is known to be that of the hash.
func (a *Automatic) holds(hash, text string) bool {
	known, ok := a.remembered(hash)
	return ok && known == text
}

func (a *Automatic) remembered(hash string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept.Get(hash)
}

func (a *Automatic) remember(hash, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept.Remove(hash)
	a.kept.Add(hash, text)
	a.bytes += len(text)
	for a.bytes > a.o.Bytes {
		a.kept.RemoveOldest()
	}
}

// get finds a text in memory, else in Redis. What Redis says is believed only when it has that hash: others may write there.
func (a *Automatic) get(ctx context.Context, hash string) (string, bool) {
	if text, ok := a.remembered(hash); ok {
		return text, true
	}
	if a.o.Redis == nil || len(hash) != hex.EncodedLen(sha256.Size) {
		return "", false
	}
	var text string
	err := a.o.Patience.Ask(ctx, func(ctx context.Context) (err error) {
		text, err = a.o.Redis.GetEx(ctx, key(hash), a.o.TTL).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	sum := sha256.Sum256([]byte(text))
	if err != nil || text == "" || hex.EncodeToString(sum[:]) != hash || !a.fits(text) {
		return "", false
	}
	a.remember(hash, text)
	return text, true
}

// add keeps a text whose hash was checked.
func (a *Automatic) add(ctx context.Context, hash, text string) {
	if !a.fits(text) {
		return
	}
	a.remember(hash, text)
	if a.o.Redis == nil {
		return
	}
	_ = a.o.Patience.Ask(ctx, func(ctx context.Context) error { // whose failure Patience tells; the request has its text
		if err := a.o.Redis.Set(ctx, key(hash), text, a.o.TTL).Err(); err != nil {
			return fmt.Errorf("keep a persisted query in Redis: %w", err)
		}
		return nil
	})
}

// fits keeps one huge text from pushing out many others.
func (a *Automatic) fits(text string) bool { return len(text) <= a.o.Bytes/100 }

func key(hash string) string { return "bourse:apq:" + hash }
