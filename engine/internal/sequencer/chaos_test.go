package sequencer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// Clients who ask again after every UNAVAILABLE and OUTCOME_UNKNOWN, a journal whose appends fail at random before and
// after they were written, a lead that is taken away, and restarts: each key has one effect, and
// everything that was acknowledged is in the journal as it was acknowledged.
func TestNothingIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		before, after := rapid.IntRange(0, 20).Draw(rt, "fail before, %"), rapid.IntRange(0, 20).Draw(rt, "fail after, %")
		restarts := rapid.IntRange(0, 2).Draw(rt, "restarts")
		chaos(t, seed, before, after, restarts)
	})
}

func chaos(t *testing.T, seed uint64, before, after, restarts int) {
	j := journal.NewMemory()
	dice := rand.New(rand.NewPCG(seed, 1)) // the journal rolls it under its lock
	fail := func(percent int) func(journal.Batch) error {
		return func(journal.Batch) error {
			if dice.IntN(100) < percent {
				return errors.New("chaos")
			}
			return nil
		}
	}
	calm := open(t, j, nil)
	calm.furnish()
	calm.close()
	j.BeforeAppend, j.AfterAppend = fail(before), fail(after)

	var mu sync.RWMutex // held by whoever restarts
	h := open(t, j, func(o *sequencer.Options) { o.SnapshotEvery = 20 })
	submit := func(cmd venue.Command) (venue.Receipt, error) {
		mu.RLock()
		defer mu.RUnlock()
		return h.Submit(context.Background(), cmd)
	}
	const clients, orders = 4, 15
	acknowledged := make([]map[string]venue.Receipt, clients)
	var wait sync.WaitGroup
	for c := range clients {
		acknowledged[c] = map[string]venue.Receipt{}
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(100+c)))
			for i := range orders {
				key := fmt.Sprint("k", i)
				cmd := order(account.ID(1001+c%2), fmt.Sprint(c, key), market.Side(1+random.IntN(2)), market.Price(100+random.IntN(5)))
				for {
					receipt, err := submit(cmd)
					if err == nil {
						acknowledged[c][cmd.Key] = receipt
						break
					}
					if !unsettled(err) {
						t.Error(err)
						return
					}
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
	}
	for range restarts {
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		h.close()
		h = open(t, j, nil)
		mu.Unlock()
	}
	wait.Wait()

	written := map[string]venue.Receipt{}
	for b, err := range j.Read(context.Background(), journal.Head{}) {
		if err != nil {
			t.Fatal(err)
		}
		decoder := venue.NewDecoder(b.Payload)
		var ev venue.Event
		for more, err := decoder.Next(&ev); more || err != nil; more, err = decoder.Next(&ev) {
			if err != nil {
				t.Fatal(err)
			}
			if !ev.First || ev.Kind != venue.OrderPlaced {
				continue
			}
			if _, twice := written[ev.Key]; twice {
				t.Fatalf("seed %d: key %s stands in the journal twice", seed, ev.Key)
			}
			written[ev.Key] = ev.Receipt
		}
	}
	if len(written) != clients*orders {
		t.Fatalf("seed %d: %d orders are in the journal, %d were placed", seed, len(written), clients*orders)
	}
	for _, receipts := range acknowledged {
		for key, receipt := range receipts {
			if again(written[key]) != again(receipt) {
				t.Fatalf("seed %d: %s was acknowledged as %+v and written as %+v", seed, key, receipt, written[key])
			}
		}
	}
	h.sound()
	h.close()
}
