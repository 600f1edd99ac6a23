package config_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bourse/router/config"
)

// everything has each section of the file in use, so that each of its options shapes something.
const everything = `
http: { max_batch: 3, uploads: { max_files: 2 } }
websocket: {}
subgraphs: { each: { a: { url: "http://127.0.0.1:1/", subscriptions: { protocol: graphql_ws } } } }
traffic:
  all: { retry: { attempts: 1, statuses: [502] }, breaker: { failure_ratio: 0.5 }, hedge: { delay: 1s } }
  each: { a: { max_concurrent: 7 } }
limits: {}
cost: { mode: enforce, roles: { partner: 7 } }
documents: { mode: log, manifests: [documents.json] }
rate:
  rules: [{ name: one, by: [address], operations: [A], kinds: [query], roles: [a], not_roles: [b], limit: 2, burst: 5 }]
introspection: { roles: [admin] }
errors: { all: { mask: true, codes: [A], extensions: [b] }, each: { a: { mask: true } } }
cors: { origins: ["https://a.example.com"], patterns: [a], headers: [A], expose: [B] }
identity:
  required: true
  sources: [{ header: X-Token, prefix: Bearer }]
  issuers:
    - { name: one, algorithms: [HS256], audiences: [a], required_claims: [b], secret: "a secret that is only for the tests of this file", key_id: k }
  policies: [{ name: audit, claim: groups, values: [a] }]
headers:
  forward: [A]
  all: [{ action: propagate, name: X-A, rename: X-B, default: c }, { action: insert, name: X-C, value: d }, { action: insert, name: X-D, claim: e }]
  each: { a: [{ action: remove, matching: x-z }] }
  response: [{ name: X-E, subgraphs: [a] }]
  claims: { enabled: true, secret: "another secret that is only for these tests", key_id: k, claims: [tenant] }
addresses: { trusted_proxies: [10.0.0.0/8], allow: [10.0.0.0/8], deny: [10.1.0.0/16], admin: { allow: [10.0.0.0/8], deny: [10.1.0.0/16] } }
explain: { roles: [admin], claim: a, claim_values: [b], secret: a secret of whoever explains }
`

// elsewhere are options that shape no options of the router, or nothing that can be looked at; who reads them has tests of its own.
var elsewhere = []string{
	"listen.", "health.", "supergraph.", "playground.", "telemetry.", "redis.url", "cache.", "subgraphs.each.a.connection.",
	"identity.key_sets.", // of sets behind URLs alone
	"identity.issuers[0].allow_http", "identity.issuers[0].secret_encoding",
	"documents.automatic.ttl", // in Redis alone
}

// An option that is read from the file and then forgotten is worse than none: who sets it believes that it holds.
func TestEachOptionShapesTheRouter(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "documents.json"), []byte(`{"a": "{ a }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "router.yaml"), []byte(everything), 0o600); err != nil {
		t.Fatal(err)
	}
	shape := func(change func(*config.Config)) string {
		c, err := config.ReadFile(filepath.Join(dir, "router.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		b, err := c.Build(slog.New(slog.DiscardHandler))
		if err != nil {
			return err.Error()
		}
		defer b.Close()
		var out strings.Builder
		b.Options.Telemetry = nil
		sketch{&out, map[uintptr]bool{}}.draw(reflect.ValueOf(b.Options))
		sketch{&out, map[uintptr]bool{}}.draw(reflect.ValueOf(b.AdminAddresses))
		return out.String()
	}
	c, err := config.ReadFile(filepath.Join(dir, "router.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before := shape(func(*config.Config) {})
	if again := shape(func(*config.Config) {}); again != before {
		t.Fatal("the same file makes other options")
	}
	changed := 0
	eachOption(reflect.ValueOf(c).Elem(), "", "", func(path string, change func(root reflect.Value)) {
		if slices.ContainsFunc(elsewhere, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
			return
		}
		changed++
		if shape(func(c *config.Config) { change(reflect.ValueOf(c).Elem()) }) == before {
			t.Errorf("%s is read, and shapes nothing", path)
		}
	})
	if changed < 120 {
		t.Errorf("only %d options were looked at", changed)
	}
}

// eachOption calls f for each option below v, with what gives it another value in a configuration of the same shape.
func eachOption(v reflect.Value, path, enum string, f func(path string, change func(root reflect.Value))) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			name := strings.TrimPrefix(path+"."+field.Tag.Get("yaml"), ".")
			eachOption(v.Field(i), name, field.Tag.Get("enum"), func(path string, change func(reflect.Value)) {
				f(path, func(root reflect.Value) { change(root.Field(i)) })
			})
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachOption(v.Index(i), fmt.Sprintf("%s[%d]", path, i), enum, func(path string, change func(reflect.Value)) {
				f(path, func(root reflect.Value) { change(root.Index(i)) })
			})
		}
		if v.Len() > 0 {
			f(path, func(root reflect.Value) { root.Set(root.Slice(0, root.Len()-1)) })
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			eachOption(v.MapIndex(key), path+"."+key.String(), enum, func(path string, change func(reflect.Value)) {
				f(path, func(root reflect.Value) {
					one := reflect.New(root.Type().Elem()).Elem()
					one.Set(root.MapIndex(key))
					change(one)
					root.SetMapIndex(key, one)
				})
			})
		}
	case reflect.Pointer:
	default:
		f(path, func(root reflect.Value) { root.Set(other(root, enum)) })
	}
}

// other is another value.
func other(v reflect.Value, enum string) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	switch {
	case v.Kind() == reflect.Bool:
		to.SetBool(!v.Bool())
	case v.CanInt():
		to.SetInt(v.Int() + 1_000_000_000) // of a duration a second
	case v.CanFloat():
		to.SetFloat(v.Float() / 2)
		if v.Float() == 0 {
			to.SetFloat(50)
		}
	case enum != "":
		for one := range strings.SplitSeq(enum, "|") {
			if one != v.String() {
				to.SetString(one)
			}
		}
	default:
		to.SetString(v.String() + "z")
	}
	return to
}

// sketch writes down what can be seen of a value, in it and below it: not what runs, waits or logs.
type sketch struct {
	out  io.Writer
	seen map[uintptr]bool
}

func (s sketch) draw(v reflect.Value) {
	if !v.IsValid() {
		return
	}
	for _, elsewhere := range []string{"sync", "log/slog", "github.com/redis", "context", "regexp/syntax"} {
		if strings.HasPrefix(v.Type().PkgPath(), elsewhere) {
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || s.seen[v.Pointer()] {
			return
		}
		s.seen[v.Pointer()] = true
		_, _ = fmt.Fprint(s.out, "&")
		s.draw(v.Elem())
	case reflect.Interface:
		s.draw(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			_, _ = fmt.Fprint(s.out, v.Type().Field(i).Name, ":")
			s.draw(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		_, _ = fmt.Fprint(s.out, v.Kind() == reflect.Slice && v.IsNil(), v.Len()) // nothing is not an empty list
		for i := range v.Len() {
			s.draw(v.Index(i))
		}
	case reflect.Map:
		drawn := map[string]string{}
		for it := v.MapRange(); it.Next(); {
			var key, value strings.Builder
			sketch{&key, s.seen}.draw(it.Key())
			sketch{&value, s.seen}.draw(it.Value())
			drawn[key.String()] = value.String()
		}
		for _, key := range slices.Sorted(maps.Keys(drawn)) {
			_, _ = fmt.Fprint(s.out, key, "=", drawn[key], " ")
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		_, _ = fmt.Fprint(s.out, v.IsNil(), " ")
	default:
		_, _ = fmt.Fprintf(s.out, "%v ", v)
	}
}
