package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/ledger"
	"bourse/engine/money"
)

// What the store answers besides the errors of the journal.
var (
	errStoreDown = errors.New("the database does not answer")
	errCut       = errors.New("the connection was lost")
	errDiskFull  = errors.New("the disk is full")
	errFailed    = errors.New("the database failed")
	errTimeout   = errors.New("the commit took too long")
)

// store is the database: a log on a disk that forgets what was not synced, the row that says who
// leads, snapshots, and the tables of the projections. It outlives processes and crashes itself.
type store struct {
	w    *world
	up   bool
	life int // how often it has crashed

	term    uint64
	holder  *session // whose session holds the lock of the living; nil when none does
	disk    []byte   // records, synced
	batches []journal.Batch
	head    journal.Head
	writing *writing // the transaction that appends; nil when none does

	snapshots *journal.Memory

	tables, synced tables
	era            int // raised when the tables go back: by a crash, or because they are emptied

	fullUntil, slowUntil int64
}

// writing is a record in memory that is on its way to the disk.
type writing struct {
	batch  journal.Batch
	record []byte
}

// tables are the projections: rows and watermark, always together.
type tables struct {
	head     journal.Head
	balances map[holding]money.Amount
	moved    uint64 // sum over balances, as oracle.mix makes it
}

type holding struct {
	ledger.Account
	asset ledger.AssetID
}

func newStore(w *world) *store {
	return &store{
		w: w, up: true, snapshots: journal.NewMemory(),
		tables: tables{balances: map[holding]money.Amount{}}, synced: tables{balances: map[holding]money.Amount{}},
	}
}

// session is a connection of a process. What it sent may arrive after the process is gone.
type session struct {
	store *store
	of    *process
	life  int  // of the process
	alive bool // for the store
	term  uint64
	head  journal.Head // after the last append that went well
	spent bool
}

func (p *process) connect() *session {
	return &session{store: p.w.store, of: p, life: p.life, alive: true}
}

// close ends a session; the store learns of it, sooner or later.
func (c *session) close() {
	c.spent = true
	w := c.store.w
	delay := w.between(0, 2*time.Millisecond)
	if c.of.cutOff || w.chance(100) {
		delay = w.between(100*time.Millisecond, 3*time.Second)
	}
	w.after(delay, func() { c.store.end(c) })
}

func (s *store) end(c *session) {
	c.alive = false
	if s.holder == c {
		s.holder = nil
		s.w.logf("store: the lead is free")
	}
}

// depose takes the lead from a session: it is gone, or it lives and does not know. PostgreSQL ends
// the session along with its lock; the journal promises as much without.
func (s *store) depose(c *session) {
	if s.holder != c {
		return
	}
	s.w.count("holders deposed")
	s.w.logf("store: %s leads no more", c.of)
	s.holder = nil
	if s.w.often(500) {
		c.alive = false
	}
}

// reach carries a question to the store, unless the way is cut: then it is lost.
func (c *session) reach(do func()) bool {
	w := c.store.w
	if c.of.cutOff || w.chance(5) {
		return false
	}
	w.after(w.latency(), do)
	return true
}

// reply carries an answer back, unless the way is cut or the process is another by now.
func (c *session) reply(do func()) {
	if c.of.cutOff || c.of.life != c.life || c.store.w.chance(5) {
		return
	}
	c.of.after(c.store.w.latency(), do)
}

// lead asks for the lead.
func (c *session) lead(done func(error)) {
	c.reach(func() { c.store.lead(c, done) })
}

func (s *store) lead(c *session, done func(error)) {
	answer := func(err error) { c.reply(func() { done(err) }) }
	switch {
	case !s.up:
		answer(errStoreDown)
	case !c.alive:
		answer(errCut)
	case s.holder != nil && s.holder != c:
		answer(journal.ErrHeld)
	case s.writing != nil: // its transaction holds the row
		s.w.after(time.Millisecond, func() { s.lead(c, done) })
	default:
		s.term++
		s.holder = c
		term, head := s.term, s.head
		s.w.logf("store: %s leads term %d from %d", c.of, term, head.Sequence)
		c.reply(func() {
			c.term, c.head = term, head
			done(nil)
		})
	}
}

// append asks for a batch to be made durable. done may never be called.
func (c *session) append(e journal.Entry, done func(journal.Batch, error)) {
	e.Payload = slices.Clone(e.Payload)
	b := journal.Seal(e, c.term, c.head)
	sent := c.reach(func() {
		c.store.write(c, b, func(err error) {
			if c.store.w.chance(10) { // it landed, or not, and the answer is lost
				err = errCut
			}
			c.reply(func() {
				if err == nil {
					c.head = b.Head()
				}
				done(b, err)
			})
		})
	})
	if !sent && c.store.w.often(500) {
		c.of.after(c.store.w.latency(), func() { done(b, errCut) })
	}
}

func (s *store) write(c *session, b journal.Batch, done func(error)) {
	switch {
	case !s.up:
		done(errStoreDown)
	case !c.alive:
		done(errCut)
	case s.writing != nil:
		s.w.after(time.Millisecond, func() { s.write(c, b, done) })
	case s.w.now < s.fullUntil:
		s.w.count("appends on a full disk")
		done(errDiskFull)
	case s.w.chance(10):
		done(errFailed)
	case b.Epoch != s.term || b.First != s.head.Sequence+1:
		s.w.count("appends that were fenced off")
		s.w.logf("store: %s is fenced off: %d..%d of term %d", c.of, b.First, b.Last, b.Epoch)
		done(journal.ErrFenced)
	default:
		s.writing = &writing{b, b.AppendRecord(nil)}
		life := s.life
		s.w.after(s.syncTime(), func() {
			if s.life == life {
				s.sync()
				done(nil)
			}
		})
	}
}

func (s *store) syncTime() time.Duration {
	if s.w.now < s.slowUntil {
		return s.w.between(50*time.Millisecond, 1500*time.Millisecond)
	}
	return s.w.between(200*time.Microsecond, 4*time.Millisecond)
}

// sync makes durable what is being written.
func (s *store) sync() {
	s.disk = append(s.disk, s.writing.record...)
	b := s.writing.batch
	s.writing = nil
	s.land(b)
}

func (s *store) land(b journal.Batch) {
	s.batches = append(s.batches, b)
	s.head = b.Head()
	s.w.logf("store: %d..%d of term %d are durable", b.First, b.Last, b.Epoch)
	s.w.oracle.landed(b)
}

// crash loses what was not synced: of a record that was being written a part may have reached the
// disk, or all of it without anybody being told.
func (s *store) crash() {
	s.up = false
	s.life++
	s.holder = nil
	if s.writing != nil {
		kept := s.writing.record[:s.w.dice.IntN(len(s.writing.record)+1)]
		if s.w.often(300) {
			kept = s.writing.record
		}
		s.disk = append(s.disk, kept...)
		s.writing = nil
		s.w.logf("store: %d bytes of a record reached the disk", len(kept))
	}
	lost := s.tables.head.Sequence - s.synced.head.Sequence
	s.tables = s.synced.clone()
	s.era++
	s.w.logf("store: crashed; the projections lost %d", lost)
	for _, p := range s.w.processes {
		p.sessionsCut()
	}
}

// restart reads the disk and cuts off the record that was torn.
func (s *store) restart() {
	s.up = true
	before := len(s.batches)
	reader, head, whole := bytes.NewReader(s.disk), journal.Head{}, 0
	var found []journal.Batch
	for {
		b, err := journal.ReadRecord(reader, head)
		if err != nil {
			s.w.mustf(errors.Is(err, io.EOF) || len(found) >= before, "the disk is broken at %d: %v", head.Sequence+1, err)
			break
		}
		found = append(found, b)
		head = b.Head()
		whole += b.RecordSize()
	}
	s.w.logf("store: is back, %d torn bytes are cut off", len(s.disk)-whole)
	if whole < len(s.disk) {
		s.w.count("torn records")
	}
	s.disk = s.disk[:whole]
	s.w.mustf(len(found) >= before && (before == 0 || found[before-1].Hash() == s.batches[before-1].Hash()), "the disk lost what was synced")
	for _, b := range found[before:] {
		s.land(b)
	}
}

func (t tables) clone() tables {
	t.balances = maps.Clone(t.balances)
	return t
}

// syncTables makes durable what the projections have written.
func (s *store) syncTables() {
	if s.up && s.tables.head != s.synced.head {
		s.synced = s.tables.clone()
	}
}

// reader is the journal as a process reads it, at one moment: it answers at once, or not at all.
type reader struct{ p *process }

var _ journal.Journal = reader{}

func (r reader) fails() error {
	switch w := r.p.w; {
	case r.p.cutOff || w.chance(5):
		return errCut
	case !w.store.up:
		return errStoreDown
	}
	return nil
}

func (r reader) Lead(context.Context) (journal.Writer, error) { panic("a session leads, not a reader") }

func (r reader) Head(context.Context) (journal.Head, error) {
	return r.p.w.store.head, r.fails()
}

func (r reader) Read(_ context.Context, after journal.Head) iter.Seq2[journal.Batch, error] {
	return journal.Verified(func(yield func(journal.Batch, error) bool) {
		for _, b := range r.p.w.store.batches {
			if b.Last <= after.Sequence {
				continue
			}
			if err := r.fails(); err != nil {
				yield(journal.Batch{}, err)
				return
			}
			b.Payload = slices.Clone(b.Payload)
			if !yield(b, nil) {
				return
			}
		}
	}, after)
}

func (r reader) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	if err := r.fails(); err != nil {
		return err
	}
	return r.p.w.store.snapshots.SaveSnapshot(ctx, s)
}

func (r reader) LoadSnapshot(ctx context.Context, atMost uint64) (journal.Snapshot, bool, error) {
	if err := r.fails(); err != nil {
		return journal.Snapshot{}, false, err
	}
	return r.p.w.store.snapshots.LoadSnapshot(ctx, atMost)
}

// restore rebuilds the venue as far as the journal goes now.
func (p *process) restore() (sequencer.Restored, error) {
	head, err := reader{p}.Head(context.Background())
	if err != nil {
		return sequencer.Restored{}, err
	}
	return sequencer.Restore(context.Background(), reader{p}, head.Sequence)
}
