package persisted_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"bourse/router/patience"
	"bourse/router/persisted"
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func extension(hash string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"version": 1, "sha256Hash": %q}`, hash))
}

const known, other = "{ known }", "{ other }"

func manifest(t *testing.T) *persisted.Manifest {
	t.Helper()
	m, err := persisted.ReadManifest([]byte(`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
		{"id": "doc", "name": "Known", "type": "query", "body": "{ known }"},
		{"id": "Doc-1", "body": "{ known }"},
		{"id": "` + hash(known) + `", "body": "{ known }"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFind(t *testing.T) {
	type answer struct {
		text, code    string
		trusted, keep bool
	}
	runs, trusted, kept := answer{text: other}, answer{text: known, trusted: true}, answer{text: other, keep: true}
	no := func(code string) answer { return answer{code: code} }
	modes := []string{"off", "log", "enforce", "enforce by id", "automatic alone", "nothing"}
	for _, c := range []struct {
		name string
		req  persisted.Request
		want [6]answer // by mode
	}{
		{"a document by its id", persisted.Request{ID: "doc"}, [6]answer{trusted, trusted, trusted, trusted, no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_IN_LIST")}},
		{"by its hash", persisted.Request{Extension: extension(hash(known))}, [6]answer{trusted, trusted, trusted, trusted, no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_SUPPORTED")}},
		{"by its hash in capitals", persisted.Request{Extension: extension(strings.ToUpper(hash(known)))}, [6]answer{trusted, trusted, trusted, trusted, no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_SUPPORTED")}},
		{"by an id of its own in place of a hash", persisted.Request{Extension: extension("Doc-1")}, [6]answer{trusted, trusted, trusted, trusted, no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_SUPPORTED")}},
		{"by id and text", persisted.Request{ID: "doc", Text: known}, [6]answer{trusted, trusted, trusted, trusted, {text: known}, {text: known}}},
		{"by its text", persisted.Request{Text: known}, [6]answer{{text: known}, trusted, trusted, no("PERSISTED_QUERY_ID_REQUIRED"), {text: known}, {text: known}}},
		{"an unknown id", persisted.Request{ID: "nope"}, [6]answer{
			no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_IN_LIST"),
			no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_IN_LIST"),
		}},
		{"an unknown hash", persisted.Request{Extension: extension(hash(other))}, [6]answer{
			no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_IN_LIST"),
			no("PERSISTED_QUERY_NOT_IN_LIST"), no("PERSISTED_QUERY_NOT_FOUND"), no("PERSISTED_QUERY_NOT_SUPPORTED"),
		}},
		{"another text", persisted.Request{Text: other}, [6]answer{runs, runs, no("QUERY_NOT_IN_SAFELIST"), no("QUERY_NOT_IN_SAFELIST"), runs, runs}},
		{"another text with its hash", persisted.Request{Text: other, Extension: extension(hash(other))}, [6]answer{kept, kept, no("QUERY_NOT_IN_SAFELIST"), no("QUERY_NOT_IN_SAFELIST"), kept, runs}},
		{"another text under a document's id", persisted.Request{Text: other, ID: "doc"}, [6]answer{
			no("CANNOT_SEND_PQ_ID_AND_BODY"), no("CANNOT_SEND_PQ_ID_AND_BODY"), no("CANNOT_SEND_PQ_ID_AND_BODY"), no("CANNOT_SEND_PQ_ID_AND_BODY"), runs, runs,
		}},
		{"another text under another hash", persisted.Request{Text: other, Extension: extension(hash("x"))}, [6]answer{
			no("PERSISTED_QUERY_HASH_MISMATCH"), no("PERSISTED_QUERY_HASH_MISMATCH"), no("QUERY_NOT_IN_SAFELIST"), no("QUERY_NOT_IN_SAFELIST"),
			no("PERSISTED_QUERY_HASH_MISMATCH"), runs,
		}},
		{"an extension of another version", persisted.Request{Text: other, Extension: json.RawMessage(`{"version": 2, "sha256Hash": "a"}`)}, [6]answer{
			no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"),
			no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"),
		}},
		{"a hash that no hash is as long as", persisted.Request{Text: other, Extension: extension(strings.Repeat("a", 257))}, [6]answer{
			no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"),
			no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"), no("PERSISTED_QUERY_BAD_EXTENSION"),
		}},
		{"an extension that is none", persisted.Request{Text: other, Extension: json.RawMessage(`null`)}, [6]answer{runs, runs, no("QUERY_NOT_IN_SAFELIST"), no("QUERY_NOT_IN_SAFELIST"), runs, runs}},
	} {
		for i, mode := range modes {
			o := persisted.Options{Manifest: manifest(t), Mode: persisted.Mode(min(i, 2)), ByID: i == 3, Cache: persisted.NewAutomatic(persisted.AutomaticOptions{})}
			if i > 3 {
				o = persisted.Options{Cache: o.Cache}
			}
			if i == 5 {
				o.Cache = nil
			}
			found, refused := persisted.New(o).Find(t.Context(), c.req)
			got := answer{text: found.Text, trusted: found.Trusted, keep: found.Keep != ""}
			if refused != nil {
				got.code = refused.Code
			}
			if got != c.want[i] {
				t.Errorf("%s, %s: got %+v, want %+v", c.name, mode, got, c.want[i])
			}
		}
	}
}

// Only where others are refused does a document have to come by its id.
func TestByIDIsAWordOfEnforcing(t *testing.T) {
	for _, mode := range []persisted.Mode{persisted.Off, persisted.Log} {
		d := persisted.New(persisted.Options{Manifest: manifest(t), Mode: mode, ByID: true})
		if found, refused := d.Find(t.Context(), persisted.Request{Text: known}); refused != nil || found.Text != known {
			t.Errorf("mode %d: %+v, %v", mode, found, refused)
		}
	}
}

func TestUnknownOperationsAreTold(t *testing.T) {
	var log bytes.Buffer
	d := persisted.New(persisted.Options{Manifest: manifest(t), Mode: persisted.Log, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, text := range []string{known, other} {
		if _, refused := d.Find(t.Context(), persisted.Request{Text: text}); refused != nil {
			t.Error(refused)
		}
	}
	if n := strings.Count(log.String(), "no trusted document"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

func TestManifests(t *testing.T) {
	plain, err := persisted.ReadManifest([]byte(`{"a": "{ a }", "format": "{ format }"}`))
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := plain.Text("format"); !ok || text != "{ format }" || plain.Len() != 2 {
		t.Errorf("a plain manifest: %q", text)
	}
	all, err := persisted.Merge(plain, manifest(t))
	if err != nil || all.Len() != 5 || !all.Knows("{ known }") || !all.Knows("{ a }") || all.Knows("{ b }") || len(all.Texts()) != 3 {
		t.Errorf("together: %v", err)
	}
	if _, err := persisted.Merge(plain, must(t, `{"a": "{ b }"}`)); err == nil {
		t.Error("one id may not stand for two documents")
	}
	for _, text := range []string{
		``, `[]`, `{"a": 1}`, `{"": "{ a }"}`, `{"a": ""}`,
		`{"format": "relay", "operations": []}`,
		`{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}`,
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a"}]}`,
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"body": "{ a }"}]}`,
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": 1}`,
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a", "body": "{ a }"}, {"id": "a", "body": "{ b }"}]}`,
	} {
		if _, err := persisted.ReadManifest([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func must(t *testing.T, text string) *persisted.Manifest {
	t.Helper()
	m, err := persisted.ReadManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Each router has its own memory; the text that one has kept is found by the others.
func TestRoutersShareTextsByRedis(t *testing.T) {
	server := miniredis.RunT(t)
	router := func() *persisted.Documents {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = client.Close() })
		return persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{Redis: client, TTL: time.Hour})})
	}
	one, two, three := router(), router(), router()
	full, alone := persisted.Request{Text: other, Extension: extension(hash(other))}, persisted.Request{Extension: extension(hash(other))}
	found, refused := one.Find(t.Context(), full)
	if refused != nil {
		t.Fatal(refused)
	}
	if _, refused := two.Find(t.Context(), alone); refused == nil || refused.Message != "PersistedQueryNotFound" {
		t.Errorf("before it is kept: %v", refused)
	}
	one.Keep(t.Context(), found)
	if ttl := server.TTL("bourse:apq:" + hash(other)); ttl != time.Hour {
		t.Errorf("what is kept lives for %v", ttl)
	}
	for name, router := range map[string]*persisted.Documents{"the same": one, "another": two} {
		if found, refused := router.Find(t.Context(), alone); refused != nil || found.Text != other {
			t.Errorf("%s router: %v, %+v", name, refused, found)
		}
	}
	if found, _ := one.Find(t.Context(), full); found.Keep != "" {
		t.Error("what is known is kept again")
	}
	server.FastForward(59 * time.Minute)
	if _, refused := three.Find(t.Context(), alone); refused != nil {
		t.Errorf("after 59 minutes: %v", refused)
	}
	if ttl := server.TTL("bourse:apq:" + hash(other)); ttl != time.Hour {
		t.Errorf("what is asked for lives on for %v", ttl)
	}
	server.FastForward(61 * time.Minute)
	if _, refused := router().Find(t.Context(), alone); refused == nil {
		t.Error("it outlived its time")
	}
	if found, refused := router().Find(t.Context(), persisted.Request{Extension: extension(hash(""))}); refused == nil {
		t.Errorf("no text has the hash of no text: %+v", found)
	}
	_ = server.Set("bourse:apq:"+hash(known), "{ somethingElse }")
	if found, refused := two.Find(t.Context(), persisted.Request{Extension: extension(hash(known))}); refused == nil {
		t.Errorf("Redis was believed: %+v", found)
	}
}

func TestWithoutRedisTextsAreSentAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	failures := 0
	d := persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{
		Redis:    client,
		Patience: patience.New(patience.Options{For: 10 * time.Millisecond, Pause: time.Hour, OnFailure: func(context.Context, error) { failures++ }}),
	})})
	alone := persisted.Request{Extension: extension(hash(other))}
	if _, refused := d.Find(t.Context(), alone); refused == nil || refused.Code != persisted.CodeNotFound {
		t.Errorf("got %v", refused)
	}
	if failures != 1 {
		t.Errorf("%d failures were told of the first", failures)
	}
	found, refused := d.Find(t.Context(), persisted.Request{Text: other, Extension: extension(hash(other))})
	if refused != nil {
		t.Fatal(refused)
	}
	d.Keep(t.Context(), found)
	if found, refused := d.Find(t.Context(), alone); refused != nil || found.Text != other {
		t.Errorf("its own memory has it: %v", refused)
	}
	if failures != 1 {
		t.Errorf("%d requests waited", failures)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d := persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{Entries: 100, Bytes: 20_000})})
	send := func(text string) {
		found, refused := d.Find(t.Context(), persisted.Request{Text: text, Extension: extension(hash(text))})
		if refused != nil {
			t.Fatal(refused)
		}
		d.Keep(t.Context(), found)
	}
	has := func(text string) bool {
		_, refused := d.Find(t.Context(), persisted.Request{Extension: extension(hash(text))})
		return refused == nil
	}
	text := func(i int) string { return fmt.Sprintf("{ f%d }", i) }
	for i := range 1000 {
		send(text(i))
	}
	if has(text(0)) || has(text(899)) || !has(text(900)) || !has(text(999)) {
		t.Error("a hundred texts are kept, the last ones")
	}
	if long := strings.Repeat("a", 201); func() bool { send(long); return has(long) }() {
		t.Error("a text of more than a hundredth of the whole is kept")
	}
	d = persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{Entries: 1000, Bytes: 20_000})})
	long := func(i int) string { return strings.Repeat("b", 190) + text(i) }
	for i := range 300 {
		send(long(i))
		send(long(0)) // which is kept for being used, and counts once
	}
	n := 0
	for i := range 300 {
		if has(long(i)) {
			n++
		}
	}
	if n < 95 || n > 20_000/190 || !has(long(0)) {
		t.Errorf("%d texts of 200 bytes in 20 kB", n)
	}
}

// A router with less room than the one that kept a text has it sent again: what Redis has may push out no more than a client can.
func TestWhatRedisHasMustFitAsWell(t *testing.T) {
	server := miniredis.RunT(t)
	router := func(bytes int) *persisted.Documents {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = client.Close() })
		return persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{Redis: client, Bytes: bytes, Patience: patience.New(patience.Options{For: time.Minute})})})
	}
	large, little := router(1<<20), router(20_000)
	text := "{ " + strings.Repeat("a", 300) + " }"
	found, refused := large.Find(t.Context(), persisted.Request{Text: text, Extension: extension(hash(text))})
	if refused != nil {
		t.Fatal(refused)
	}
	large.Keep(t.Context(), found)
	if _, refused := little.Find(t.Context(), persisted.Request{Extension: extension(hash(text))}); refused == nil || refused.Code != persisted.CodeNotFound {
		t.Errorf("a text of more than a hundredth of the whole was taken from Redis: %v", refused)
	}
}
