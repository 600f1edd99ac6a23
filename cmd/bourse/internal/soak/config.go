package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	secret = "a shared secret of the soak, which no log may have in it"
	issuer = "https://login.soak.test/"
	// limitedName is the name of the operation that is seldom allowed.
	limitedName = "Seldom"
)

// configuration is what a router in production has switched on; caches are small, so that they are full soon and their size says nothing.
// The parameter is what reloads change.
const configuration = `listen:
  address: 127.0.0.1:0
  admin: 127.0.0.1:0
  header_timeout: 1s
  drain: { timeout: 5s }
http: { read_timeout: 2s, write_timeout: 2s, keep_alive: 1s, compressed_bodies: true, max_batch: 5 }
health: { subgraphs: any }
supergraph: { file: supergraph.graphql, poll: 100ms }
subgraphs: { max_response: 1MiB }
plans: { cache: 200, cache_bytes: 16MiB }
traffic:
  share_fetches: true
  all:
    timeout: 10s
    max_concurrent: 64
    retry: { attempts: 2, min_backoff: 10ms, max_backoff: 100ms }
    breaker: { failure_ratio: 0.5, window: 2s, cooldown: 500ms }
cache: { enabled: true, ttl: 200ms, private: true, memory: 4MiB, cache_control: true }
limits: { depth: %d, aliases: 20, body: 256KiB }
cost: { mode: enforce, max: 1000000 }
documents: { automatic: { entries: 200, bytes: 1MiB } }
rate:
  accounts: 1000
  rules:
    - { name: seldom, by: [subject, address], operations: [` + limitedName + `], limit: 60, per: 1m, burst: 2 }
    - { name: all, by: [subject, address], limit: 100000, per: 1s }
identity:
  issuers:
    - { name: "` + issuer + `", secret: "${SOAK_SECRET}", algorithms: [HS256], audiences: [soak], skew: 0s }
  cache: 200
telemetry:
  metrics: { operation_names: 20 }
  access_log: { output: access.log }
  slow_log: { threshold: 2s, output: slow.log }
  usage: { file: usage/current.jsonl, every: 1s, operations: 100 }
`

// files are those of the router: its configuration and its supergraph.
type files struct {
	dir         string
	supergraphs [2]string
	written     int
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

// next writes a supergraph and a configuration that differ from the ones before.
func (f *files) next() error {
	f.written++
	if err := os.WriteFile(f.path("supergraph.graphql"), []byte(f.supergraphs[f.written%2]), 0o600); err != nil {
		return err
	}
	return os.WriteFile(f.path("router.yaml"), fmt.Appendf(nil, configuration, 20+f.written%10), 0o600)
}

// spoil writes a configuration that is to be refused; next mends it.
func (f *files) spoil() error {
	return os.WriteFile(f.path("router.yaml"), []byte("listen: { adress: 127.0.0.1:0 }\n"), 0o600)
}

// token is that of a user, for a time.
func token(user string, d time.Duration) (string, error) {
	claims := jwt.MapClaims{"iss": issuer, "aud": "soak", "sub": user, "exp": time.Now().Add(d).Unix()}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
}

// spoiled is a token that nobody has signed.
func spoiled(good string) string {
	return good[:strings.LastIndexByte(good, '.')+1] + strings.Repeat("A", 43)
}
