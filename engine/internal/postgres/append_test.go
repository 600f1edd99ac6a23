package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"bourse/engine/internal/postgres"
	"bourse/engine/journal"
)

// An order with half a trade takes about this many bytes in the journal.
const orderBytes = 120

// BenchmarkAppend is the floor under the durable figures: batches of that many orders made durable
// one after another, in the journal and, for comparison, in a bare file with fsync.
func BenchmarkAppend(b *testing.B) {
	for _, orders := range []int{1, 100, 1000} {
		payload := make([]byte, orders*orderBytes)
		b.Run(fmt.Sprint("journal/orders=", orders), func(b *testing.B) {
			w, err := postgres.NewStore(open(b)).Journal().Lead(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			for i := 0; b.Loop(); i++ {
				first := uint64(i*orders + 1)
				if _, err := w.Append(b.Context(), journal.Entry{First: first, Last: first + uint64(orders) - 1, Payload: payload}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*orders)/b.Elapsed().Seconds(), "orders/s")
		})
		b.Run(fmt.Sprint("file/orders=", orders), func(b *testing.B) {
			file, err := os.Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			for b.Loop() {
				if _, err := file.Write(payload); err != nil {
					b.Fatal(err)
				}
				if err := file.Sync(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*orders)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}
