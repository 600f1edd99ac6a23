package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/market"
)

// BenchmarkDurable is orders through the façade, each acknowledged after its commit with fsync, from
// clients who wait for one answer before they ask again. Most orders cross. CPU is that of this
// process alone, the database's comes on top.
func BenchmarkDurable(b *testing.B) {
	for _, clients := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) { benchmarkDurable(b, clients) })
	}
}

func benchmarkDurable(b *testing.B, clients int) {
	f := openFloor(b, nil)
	members := make([][2]*Member, clients) // one to buy, one to sell: nobody trades with themselves
	for i := range members {
		members[i] = [2]*Member{f.rich(account.ID(1001 + 2*i)), f.rich(account.ID(1002 + 2*i))}
	}
	took := make([][]time.Duration, clients)
	prices := []string{"100.00", "100.10", "100.20"}
	var next atomic.Int64
	var wait sync.WaitGroup
	b.ReportAllocs()
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ResetTimer()
	for i, m := range members {
		wait.Go(func() {
			took[i] = make([]time.Duration, 0, b.N/clients+1)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				side := market.Side(1 + n%2)
				price := prices[n%7%3]
				start := time.Now()
				_, _, err := m[n%2].PlaceOrder(context.Background(), limit(fmt.Sprint(n), side, price, "0.1"))
				if err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "orders/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/float64(len(all))/1000, "cpu-µs/order")
	behind := f.seq.View().Sequence() - Sequence(f.projector.Sequence())
	b.ReportMetric(float64(behind), "unprojected")
}

// BenchmarkRebuild is commands projected from the journal, with nothing else going on.
func BenchmarkRebuild(b *testing.B) {
	f := openFloor(b, nil)
	members := make([]*Member, 200)
	for i := range members {
		members[i] = f.rich(account.ID(1001 + i))
	}
	var wait sync.WaitGroup
	for i, m := range members {
		wait.Go(func() {
			for n := range b.N/len(members) + 1 {
				place(b, m, limit(fmt.Sprint(n), market.Side(1+(i+n)%2), "100.00", "0.1"))
			}
		})
	}
	wait.Wait()
	last := f.seq.View().Sequence()
	if err := f.projector.Await(context.Background(), uint64(last)); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := f.Rebuild(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(last)/b.Elapsed().Seconds(), "commands/s")
}
