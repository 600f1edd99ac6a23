package journal

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// KeepSnapshots is how many of the newest snapshots a journal keeps: one may turn out broken.
const KeepSnapshots = 3

// Memory is a journal that ends with its process: for tests, simulation and benchmarks. Its hooks
// inject what a disk does; they are set before it is used.
type Memory struct {
	// BeforeAppend may fail an append before anything is written.
	BeforeAppend func(Batch) error
	// AfterAppend may fail an append after it was written: to the caller, the outcome is unknown.
	AfterAppend func(Batch) error

	mu        sync.Mutex
	batches   []Batch
	origin    Head
	head      Head
	epoch     uint64
	leads     *memoryWriter
	snapshots []Snapshot
	sums      []uint32
}

// NewMemory returns an empty journal.
func NewMemory() *Memory { return &Memory{} }

// Lead implements Journal.
func (m *Memory) Lead(context.Context) (Writer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leads != nil && !m.leads.spent {
		return nil, ErrHeld
	}
	head, err := m.end()
	if err != nil {
		return nil, err
	}
	m.epoch++
	m.leads = &memoryWriter{journal: m, epoch: m.epoch, head: head}
	return m.leads, nil
}

// Depose takes the lead from whoever has it, as when a lease runs out behind the holder's back.
func (m *Memory) Depose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leads = nil
	m.epoch++
}

// Head implements Journal.
func (m *Memory) Head(context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.end()
}

func (m *Memory) end() (Head, error) {
	if n := len(m.batches); n > 0 {
		last := &m.batches[n-1]
		// What it follows is known to whoever reads from there; that it is whole can be seen here.
		if err := last.Verify(Head{Sequence: last.First - 1, Hash: last.Prev}); err != nil {
			return Head{}, err
		}
	}
	if n := len(m.snapshots); n > 0 && m.snapshots[n-1].Head.Sequence > m.head.Sequence {
		return Head{}, TailMissing(m.head.Sequence, m.snapshots[n-1].Head.Sequence, "a snapshot was taken")
	}
	return m.head, nil
}

// TailMissing is the error of a journal that ends before something that was derived from it.
func TailMissing(end, known uint64, what string) error {
	return &BrokenError{Sequence: end + 1, Reason: fmt.Sprintf("the journal ends before it, but %s at %d", what, known)}
}

// Origin implements Archivable.
func (m *Memory) Origin(context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.origin, nil
}

// Forget implements Archivable.
func (m *Memory) Forget(_ context.Context, from, to Head) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := slices.IndexFunc(m.batches, func(b Batch) bool { return b.Last == to.Sequence })
	switch {
	case from != m.origin:
		return fmt.Errorf("%w: the journal begins after %d", ErrForget, m.origin.Sequence)
	case n < 0 || m.batches[n].Head() != to:
		return fmt.Errorf("%w: no batch ends at %d with that hash", ErrForget, to.Sequence)
	case n == len(m.batches)-1:
		return fmt.Errorf("%w: the last one stays", ErrForget)
	case len(m.snapshots) == 0 || m.snapshots[0].Head.Sequence < to.Sequence:
		return fmt.Errorf("%w: a snapshot needs them", ErrForget)
	}
	m.batches = slices.Clone(m.batches[n+1:]) // readers hold on to the old ones
	m.origin = to
	return nil
}

// Read implements Journal.
func (m *Memory) Read(ctx context.Context, after Head) iter.Seq2[Batch, error] {
	return Verified(func(yield func(Batch, error) bool) {
		m.mu.Lock()
		if origin := m.origin.Sequence; after.Sequence < origin {
			m.mu.Unlock()
			yield(Batch{}, &ArchivedError{From: after.Sequence + 1, To: origin})
			return
		}
		from, _ := slices.BinarySearchFunc(m.batches, after.Sequence, func(b Batch, seq uint64) int {
			if b.Last <= seq {
				return -1
			}
			return 1
		})
		tail := m.batches[from:]
		m.mu.Unlock()
		for _, b := range tail {
			if err := ctx.Err(); err != nil {
				yield(Batch{}, err)
				return
			}
			b.Payload = slices.Clone(b.Payload)
			if !yield(b, nil) {
				return
			}
		}
	}, after)
}

// SaveSnapshot implements Journal.
func (m *Memory) SaveSnapshot(_ context.Context, s Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Payload = slices.Clone(s.Payload)
	at, found := slices.BinarySearchFunc(m.snapshots, s.Head.Sequence, func(s Snapshot, seq uint64) int {
		if s.Head.Sequence < seq {
			return -1
		}
		return int(s.Head.Sequence - seq)
	})
	if found {
		return nil
	}
	m.snapshots = slices.Insert(m.snapshots, at, s)
	m.sums = slices.Insert(m.sums, at, s.Checksum())
	if extra := len(m.snapshots) - KeepSnapshots; extra > 0 {
		m.snapshots = slices.Delete(m.snapshots, 0, extra)
		m.sums = slices.Delete(m.sums, 0, extra)
	}
	return nil
}

// LoadSnapshot implements Journal.
func (m *Memory) LoadSnapshot(_ context.Context, atMost uint64) (Snapshot, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.snapshots) - 1; i >= 0; i-- {
		s := m.snapshots[i]
		if s.Head.Sequence > atMost {
			continue
		}
		if s.Checksum() != m.sums[i] || s.Head.Sequence == 0 {
			return Snapshot{}, false, &BrokenError{Sequence: s.Head.Sequence, Snapshot: true, Reason: "checksum does not match"}
		}
		s.Payload = slices.Clone(s.Payload)
		return s, true, nil
	}
	return Snapshot{}, false, nil
}

// Tamper changes what stands in the journal, for tests of what a reader makes of it. Batches whose
// first sequence is zero are taken away, and the others put into order again, as a table has them.
func (m *Memory) Tamper(change func(batches []Batch, snapshots []Snapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches = slices.Clone(m.batches)
	change(m.batches, m.snapshots)
	m.batches = slices.DeleteFunc(m.batches, func(b Batch) bool { return b.First == 0 })
	slices.SortStableFunc(m.batches, func(a, b Batch) int { return cmp.Compare(a.First, b.First) })
	if n := len(m.batches); n > 0 {
		m.head = m.batches[n-1].Head()
	}
}

// TamperSum changes the checksum of the i-th oldest snapshot, within Tamper.
func (m *Memory) TamperSum(i int, sum uint32) { m.sums[i] = sum }

type memoryWriter struct {
	journal *Memory
	epoch   uint64
	head    Head
	spent   bool
}

func (w *memoryWriter) Epoch() uint64 { return w.epoch }
func (w *memoryWriter) Head() Head    { return w.head }

func (w *memoryWriter) Close() error {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	w.spent = true
	return nil
}

func (w *memoryWriter) Append(ctx context.Context, e Entry) (Head, error) {
	m := w.journal
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.spent {
		return Head{}, ErrSpent
	}
	if err := CheckEntry(e, w.head); err != nil {
		w.spent = len(e.Payload) <= MaxPayload
		return Head{}, err
	}
	w.spent = true // until it went well
	if m.epoch != w.epoch {
		return Head{}, ErrFenced
	}
	if err := ctx.Err(); err != nil {
		return Head{}, err
	}
	e.Payload = slices.Clone(e.Payload)
	b := Seal(e, w.epoch, w.head)
	if m.BeforeAppend != nil {
		if err := m.BeforeAppend(b); err != nil {
			return Head{}, err
		}
	}
	m.batches = append(m.batches, b)
	m.head = b.Head()
	if m.AfterAppend != nil {
		if err := m.AfterAppend(b); err != nil {
			return Head{}, err
		}
	}
	w.head, w.spent = m.head, false
	return w.head, nil
}
