package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// depose ends the session that holds the lead, as when its process dies, hangs or is cut off.
func (f *floor) depose() {
	f.t.Helper()
	ended, err := f.pool.Exec(context.Background(), `
		SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if err != nil || ended.RowsAffected() == 0 {
		f.t.Fatalf("ended %d sessions: %v", ended.RowsAffected(), err)
	}
}

func (f *floor) trader(id account.ID) *Member {
	f.t.Helper()
	m, err := f.Member(account.Actor{ID: id, Role: account.RoleMember, Username: fmt.Sprint("m", id)})
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// leads waits until an exchange leads.
func (f *floor) leads() {
	f.t.Helper()
	limit := time.Now().Add(10 * time.Second)
	for !f.Leads() {
		if time.Now().After(limit) {
			f.t.Fatal("nobody took the lead")
		}
		time.Sleep(time.Millisecond)
	}
}

// The leader dies with commands in flight, several times: whoever asks again with the same key has
// one effect, another process leads, and all show the same in the end.
func TestLeaderDiesUnderLoad(t *testing.T) {
	s := newStreet(t)
	floors := []*floor{s.open(Candidate), s.open(Candidate), s.open(Candidate)}
	floors[0].furnish()
	for id := range account.ID(3) {
		floors[0].rich(1001 + id)
	}
	// Followers must have heard of the market before anybody asks them for it.
	furnished := WithMinSequence(t.Context(), floors[0].seq.View().Sequence())
	for _, f := range floors {
		if _, err := f.Visitor().Market(furnished, btcUSD); err != nil {
			t.Fatal(err)
		}
	}
	var stop atomic.Bool
	var wait sync.WaitGroup
	var mu sync.Mutex
	owner := map[market.OrderID]string{}
	var unknown, unavailable atomic.Int32
	for c := range 6 {
		m := floors[c%3].trader(account.ID(1001 + c%3))
		wait.Go(func() {
			for n := 0; !stop.Load(); n++ {
				key := fmt.Sprintf("%d-%d", c, n)
				ask := limit(key, market.Side(1+(c+n)%2), fmt.Sprintf("%d.00", 95+n%10), "0.1")
				var order Order
				for {
					var err error
					if order, _, err = m.PlaceOrder(context.Background(), ask); err == nil {
						break
					}
					switch fault.CodeOf(err) {
					case fault.OutcomeUnknown:
						unknown.Add(1)
					case fault.Unavailable:
						unavailable.Add(1)
					default:
						t.Errorf("%s: %v", key, err)
						return
					}
				}
				mu.Lock()
				if other := owner[order.ID]; other != "" {
					t.Errorf("order %d is that of %s and of %s", order.ID, other, key)
				}
				owner[order.ID] = key
				mu.Unlock()
			}
		})
	}
	defer wait.Wait()
	defer stop.Store(true)
	for kill := range 3 {
		time.Sleep(200 * time.Millisecond) // load
		var leader *floor
		for _, f := range floors {
			if f.Leads() {
				leader = f
			}
		}
		if leader == nil {
			t.Fatal("nobody leads")
		}
		epoch := leader.Health(t.Context()).Epoch
		leader.depose()
		killed := time.Now()
		for limit := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			taken := false
			for _, f := range floors {
				taken = taken || f.Leads() && f.seq.Health().Epoch > epoch
			}
			if taken {
				t.Logf("kill %d: taken over after %s", kill, time.Since(killed))
				break
			}
			if time.Now().After(limit) {
				t.Fatal("nobody took over")
			}
		}
	}
	time.Sleep(200 * time.Millisecond) // load
	stop.Store(true)
	wait.Wait()
	t.Logf("%d orders, %d times unknown, %d times unavailable", len(owner), unknown.Load(), unavailable.Load())
	same(t, floors[0], floors[1])
	same(t, floors[0], floors[2])
	floors[0].sound()
	placed := 0
	for id := range account.ID(3) {
		m := floors[1].trader(1001 + id)
		page := Page{First: MaxPage}
		for {
			orders, err := m.Orders(WithMinSequence(t.Context(), floors[0].seq.View().Sequence()), OrderFilter{}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range orders.Items {
				placed++
				if owner[o.ID] == "" {
					t.Errorf("order %d stands, and nobody was told", o.ID)
				}
			}
			if !orders.HasNext {
				break
			}
			page.After = orders.Next
		}
	}
	if placed != len(owner) {
		t.Errorf("%d orders stand, %d were acknowledged", placed, len(owner))
	}
}

// When the process that leads ends in good order, another leads at once, and what was on its way
// through that one is answered.
func TestLeaderEndsInGoodOrder(t *testing.T) {
	s := newStreet(t)
	first := s.open(Candidate)
	first.furnish()
	first.rich(1001)
	second := s.open(Candidate)
	alice := second.trader(1001)
	place(t, alice, limit("before", market.Buy, "100.00", "0.1"))
	first.close()
	place(t, alice, limit("after", market.Buy, "100.00", "0.1"))
	if !second.Leads() {
		t.Fatal("the one that is left does not lead")
	}
	second.sound()
}

// A leader that hangs is deposed; when it wakes up, nothing that it decided meanwhile counts, and it
// follows.
func TestDeposedLeaderFollows(t *testing.T) {
	s := newStreet(t)
	first, second := s.open(Candidate), s.open(Candidate)
	first.furnish()
	alice := first.rich(1001)
	place(t, alice, limit("before", market.Buy, "100.00", "0.1"))
	first.depose()
	second.leads()
	bob := second.trader(1001)
	settle(t, bob, limit("elsewhere", market.Buy, "99.00", "0.1"))
	order, _ := settle(t, alice, limit("late", market.Buy, "98.00", "0.1"))
	if order.ID != 3 {
		t.Errorf("the order of the deposed one has number %d", order.ID)
	}
	limit := time.Now().Add(10 * time.Second)
	for first.Leads() {
		if time.Now().After(limit) {
			t.Fatal("two lead")
		}
		time.Sleep(time.Millisecond)
	}
	same(t, first, second)
}

// While Redis is away a follower's reads go on and its writes are refused with a code; the leader is
// not disturbed; when Redis is back, everything goes on by itself.
func TestRedisGoesAwayAndComesBack(t *testing.T) {
	s := newStreet(t)
	leader, follower := s.open(Candidate), s.open(Follower)
	leader.furnish()
	alice, far := leader.rich(1001), follower.trader(1001)
	same(t, leader, follower)
	settle(t, far, limit("before", market.Buy, "100.00", "0.1"))

	if err := s.server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	place(t, alice, limit("during", market.Buy, "99.00", "0.1"))
	if took := time.Since(began); took > time.Second {
		t.Errorf("the leader was held up for %s", took)
	}
	same(t, leader, follower)
	_, _, err := far.PlaceOrder(t.Context(), limit("refused", market.Buy, "98.00", "0.1"))
	if code := fault.CodeOf(err); code != fault.Unavailable && code != fault.OutcomeUnknown {
		t.Fatalf("a write without Redis: %v", err)
	}
	if h := follower.Health(t.Context()); h.OK || h.Writable || h.Redis {
		t.Errorf("health of the follower: %+v", h)
	}
	s.restartRedis()
	settle(t, far, limit("refused", market.Buy, "98.00", "0.1"))
	same(t, leader, follower)
	leader.sound()
}

// Redis forgets the batches before a follower has read them: it reads the journal.
func TestStreamIsTrimmed(t *testing.T) {
	s := newStreet(t)
	leader, follower := s.open(Candidate), s.open(Follower)
	leader.furnish()
	alice := leader.rich(1001)
	var stop atomic.Bool
	var wait sync.WaitGroup
	wait.Go(func() {
		for !stop.Load() {
			if err := leader.opts.Redis.FlushDB(context.Background()).Err(); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	for i := range 200 {
		place(t, alice, limit(fmt.Sprint(i), market.Side(1+i%2), "100.00", "0.1"))
	}
	same(t, leader, follower)
	stop.Store(true)
	wait.Wait()
	settle(t, follower.trader(1001), limit("after", market.Buy, "98.00", "0.1"))
	same(t, leader, follower)
}

// Two candidates open at once: one leads, both work.
func TestCandidatesRace(t *testing.T) {
	s := newStreet(t)
	s.open(Candidate).close() // migrated
	floors := make([]*floor, 4)
	var wait sync.WaitGroup
	for i := range floors {
		wait.Go(func() { floors[i] = s.open(Candidate) })
	}
	wait.Wait()
	leaders := 0
	for _, f := range floors {
		if f.Leads() {
			leaders++
		}
	}
	if leaders != 1 {
		t.Fatalf("%d of 4 lead", leaders)
	}
	floors[2].furnish()
	alice := floors[3].rich(1001)
	settle(t, alice, limit("a", market.Buy, "100.00", "0.1"))
	for _, f := range floors[:3] {
		same(t, f, floors[3])
	}
}
