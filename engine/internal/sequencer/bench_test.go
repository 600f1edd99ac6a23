package sequencer_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"bourse/engine/account"
	"bourse/engine/journal"
	"bourse/engine/market"
)

// BenchmarkSubmit is the writer's own share of an order: clients who wait for one answer before they
// ask again, and a journal that costs a hash.
func BenchmarkSubmit(b *testing.B) {
	for _, clients := range []int{1, 1000} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			h := open(b, journal.NewMemory(), nil)
			h.furnish()
			var next atomic.Int64
			var wait sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range clients {
				wait.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						member := []account.ID{alice, bob}[n%2]
						if _, err := h.Submit(context.Background(), order(member, fmt.Sprint(n), market.Side(1+n%2), 100)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wait.Wait()
		})
	}
}
