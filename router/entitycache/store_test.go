package entitycache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bourse/router/patience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unhurried waits for a Redis on a machine that has much else to do.
func unhurried() RedisOptions {
	return RedisOptions{Patience: patience.New(patience.Options{For: 10 * time.Second})}
}

// stores are all implementations, each with a way to let time pass.
func stores(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("memory", func(t *testing.T) { test(t, NewMemory(0)) })
	t.Run("redis", func(t *testing.T) {
		server := miniredis.RunT(t)
		test(t, shared(t, redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true}), unhurried()))
	})
	t.Run("redis cluster", func(t *testing.T) {
		server := miniredis.RunT(t)
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, ContextTimeoutEnabled: true, ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: server.Addr()}}}}, nil
		}})
		test(t, shared(t, client, unhurried()))
	})
}

func TestAStoreFindsWhatItWasGivenAndMarks(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		get := func(keys, labels []string) Found {
			t.Helper()
			f, err := s.Get(t.Context(), keys, labels)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if f := get([]string{"a", "b"}, []string{"l"}); f.Values[0] != nil || f.Values[1] != nil || f.Marks[0] != 0 {
			t.Errorf("an empty store has %+v", f)
		}
		if err := s.Set(t.Context(), []Item{{"a", []byte("one"), time.Minute}, {"\x00\xff", []byte{0, 255}, time.Minute}, {"never", []byte("x"), 0}}); err != nil {
			t.Fatal(err)
		}
		if f := get([]string{"a", "b", "\x00\xff", "never"}, nil); string(f.Values[0]) != "one" || f.Values[1] != nil || string(f.Values[2]) != "\x00\xff" || f.Values[3] != nil {
			t.Errorf("found %q", f.Values)
		}
		if err := s.Mark(t.Context(), []string{"l", "m"}); err != nil {
			t.Fatal(err)
		}
		first := get(nil, []string{"l", "m", "n"})
		if first.Epoch == 0 || first.Marks[0] != first.Epoch || first.Marks[1] != first.Epoch || first.Marks[2] != 0 {
			t.Errorf("after a mark: %+v", first)
		}
		if err := s.Mark(t.Context(), []string{"m"}); err != nil {
			t.Fatal(err)
		}
		if second := get(nil, []string{"l", "m"}); second.Epoch <= first.Epoch || second.Marks[0] != first.Marks[0] || second.Marks[1] != second.Epoch {
			t.Errorf("after another: %+v", second)
		}
	})
}

// halfAway is a cluster of which the node is away that has the marks.
type halfAway struct{ redis.Hook }

var errNode = errors.New("the node is away")

func (halfAway) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (halfAway) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (halfAway) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		first := next(ctx, commands)
		for _, c := range commands {
			if name, ok := c.Args()[1].(string); ok && strings.Contains(name, "m:") {
				c.SetErr(errNode)
			}
			first = cmp.Or(first, c.Err())
		}
		return first
	}
}

// A mark that cannot be read is not taken for none: what was invalidated would come to life again.
func TestAMarkThatCannotBeReadIsAnError(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, ContextTimeoutEnabled: true, ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
		return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: server.Addr()}}}}, nil
	}})
	s := shared(t, client, unhurried())
	if err := s.Set(t.Context(), []Item{{"there", []byte("old"), time.Minute}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Mark(t.Context(), []string{"l"}); err != nil {
		t.Fatal(err)
	}
	client.AddHook(halfAway{})
	for _, keys := range [][]string{{"there"}, {"missing", "there"}} {
		s.o.Patience = unhurried().Patience
		if f, err := s.Get(t.Context(), keys, []string{"l"}); !errors.Is(err, errNode) {
			t.Errorf("%q: found %+v, %v", keys, f, err)
		}
	}
}

// Marks only rise, whoever writes them in whatever order: after all of them every label has the mark of its last invalidation or later.
func TestMarksNeverFall(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				last := uint64(0)
				for range 25 {
					before, err := s.Get(t.Context(), nil, []string{"l"})
					if err == nil {
						err = s.Mark(t.Context(), []string{"l"})
					}
					after, err2 := s.Get(t.Context(), nil, []string{"l"})
					if err != nil || err2 != nil {
						t.Error(err, err2)
						return
					}
					if after.Marks[0] <= before.Epoch || after.Marks[0] < last {
						t.Errorf("the mark is %d, it was %d, the epoch %d", after.Marks[0], last, before.Epoch)
					}
					last = after.Marks[0]
				}
			})
		}
		wg.Wait()
	})
}

func TestMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMemory(4000)
		m.maxMarks = 5
		marks := map[string]uint64{}
		for i := range rapid.IntRange(1, 100).Draw(t, "steps") {
			key := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "key"))
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0, 1:
				_ = m.Set(context.Background(), []Item{{key, make([]byte, rapid.IntRange(0, 1500).Draw(t, "size")), time.Minute}})
			case 2:
				_ = m.Mark(context.Background(), []string{key})
				marks[key] = m.epoch
			}
			sum := int64(0)
			for _, k := range m.lru.Keys() {
				h, _ := m.lru.Peek(k)
				sum += weigh(k, h.value)
			}
			if m.bytes != sum || sum > 4000 || len(m.marks) > 5 || len(m.order) > 5 {
				t.Fatalf("step %d: %d bytes counted, %d there, %d marks", i, m.bytes, sum, len(m.marks))
			}
		}
		for label, mark := range marks {
			if f, _ := m.Get(context.Background(), nil, []string{label}); f.Marks[0] < mark {
				t.Fatalf("the mark %d of %s was forgotten: %d", mark, label, f.Marks[0])
			}
		}
	})
}

// shared is a store in a Redis.
func shared(t *testing.T, client redis.UniversalClient, o RedisOptions) *Redis {
	t.Helper()
	t.Cleanup(func() { _ = client.Close() })
	r, err := NewRedis(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNobodyWaitsForARedisThatIsAway(t *testing.T) {
	server, told := miniredis.RunT(t), 0
	r := shared(t, redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true}), RedisOptions{
		Patience: patience.New(patience.Options{For: time.Minute, Pause: time.Hour, OnFailure: func(context.Context, error) { told++ }}),
	})
	if _, err := r.Get(t.Context(), []string{"a"}, nil); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := r.Get(t.Context(), []string{"a"}, nil); err == nil || errors.Is(err, patience.ErrAway) {
		t.Errorf("the first got %v", err)
	}
	if _, err := r.Get(t.Context(), []string{"a"}, nil); !errors.Is(err, patience.ErrAway) {
		t.Errorf("the second got %v", err)
	}
	if err := r.Set(t.Context(), []Item{{"a", nil, time.Minute}}); !errors.Is(err, patience.ErrAway) {
		t.Errorf("a write got %v", err)
	}
	if err := r.Mark(t.Context(), []string{"l"}); err == nil || errors.Is(err, patience.ErrAway) {
		t.Errorf("an invalidation got %v", err)
	}
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
}

func TestAClientThatDoesNotHeedDeadlinesIsNoStore(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close() //nolint:errcheck // it has never connected
	if _, err := NewRedis(client, RedisOptions{}); err == nil {
		t.Error("it was taken")
	}
}

// A Redis that lost everything, its epoch as well, does not bring back to life what was dead.
func TestAnEpochThatWasLostDoesNotBeginAnew(t *testing.T) {
	server := miniredis.RunT(t)
	r := shared(t, redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true}), RedisOptions{})
	for range 3 {
		if err := r.Mark(t.Context(), []string{"l"}); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := r.Get(t.Context(), nil, nil)
	server.Del("bourse:cache:epoch")
	r.now = func() time.Time { return time.Now().Add(time.Second) }
	if err := r.Mark(t.Context(), []string{"l"}); err != nil {
		t.Fatal(err)
	}
	if after, _ := r.Get(t.Context(), nil, nil); after.Epoch <= before.Epoch {
		t.Errorf("the epoch was %d and is %d", before.Epoch, after.Epoch)
	}
}

func TestKeptEntriesAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := kept{
			epoch: rapid.Uint64().Draw(t, "epoch"), expires: time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, "expires")),
			stale: Stale{time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "while")) * time.Millisecond, time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "if")) * time.Millisecond}, private: rapid.Bool().Draw(t, "private"),
			tags: rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "tags"), body: []byte(rapid.StringN(1, 20, -1).Draw(t, "body")),
		}
		got, err := readKept(k.append(nil))
		if err != nil || !reflect.DeepEqual(*got, k) {
			t.Fatalf("%+v became %+v, %v", k, got, err)
		}
		_, _ = readKept(rapid.SliceOf(rapid.Byte()).Draw(t, "noise")) // whatever it is, it does not panic
		whole := k.append(nil)
		_, _ = readKept(whole[:rapid.IntRange(0, len(whole)).Draw(t, "cut")])
	})
}
