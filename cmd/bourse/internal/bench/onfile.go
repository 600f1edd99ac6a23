package bench

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/journal"
	"bourse/engine/market"
)

// fileJournal is a journal that does no more than write each batch to a bare file, with an fsync. It
// can be led once and tells only what stood in it at the beginning.
type fileJournal struct {
	file  *bareFile
	begun []journal.Batch
}

func (j *fileJournal) Lead(ctx context.Context) (journal.Writer, error) {
	head, err := j.Head(ctx)
	return &fileWriter{file: j.file, head: head}, err
}

func (j *fileJournal) Head(context.Context) (journal.Head, error) {
	if len(j.begun) == 0 {
		return journal.Head{}, nil
	}
	return j.begun[len(j.begun)-1].Head(), nil
}

func (j *fileJournal) Read(_ context.Context, after journal.Head) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		for _, b := range j.begun {
			if b.First > after.Sequence && !yield(b, nil) {
				return
			}
		}
	}
}

func (j *fileJournal) SaveSnapshot(context.Context, journal.Snapshot) error { return nil }

func (j *fileJournal) LoadSnapshot(context.Context, uint64) (journal.Snapshot, bool, error) {
	return journal.Snapshot{}, false, nil
}

type fileWriter struct {
	file *bareFile
	head journal.Head
}

func (w *fileWriter) Epoch() uint64      { return 1 }
func (w *fileWriter) Head() journal.Head { return w.head }
func (w *fileWriter) Close() error       { return nil }

func (w *fileWriter) Append(_ context.Context, e journal.Entry) (journal.Head, error) {
	b := journal.Seal(e, 1, w.head)
	if err := w.file.append(b.Payload); err != nil {
		return journal.Head{}, err
	}
	w.head = b.Head()
	return w.head, nil
}

// onFile is a second exchange whose log is a bare file and that has no history: what is left when
// PostgreSQL is taken away from the path of an order.
type onFile struct {
	db       *pgxpool.Pool
	exchange *engine.Exchange
	file     *bareFile
	members  []*engine.Member
}

func (s *stage) newOnFile(ctx context.Context, o Options) (_ *onFile, err error) {
	f := &onFile{}
	defer func() {
		if err != nil {
			f.close(ctx)
		}
	}()
	if f.file, err = newBareFile(s.dir, "log", 512<<20); err != nil {
		return nil, err
	}
	if f.db, err = s.database(ctx, "bare_house"); err != nil {
		return nil, err
	}
	log := &fileJournal{file: f.file}
	err = newPast(RecoverOptions{}).furnish(func(b journal.Batch, _ error) bool {
		log.begun = append(log.begun, b)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("furnish a venue: %w", err)
	}
	options := engine.OnJournal(engine.Options{DB: f.db, TokenSecret: make([]byte, 32)}, log)
	if f.exchange, err = engine.Open(ctx, options); err != nil {
		return nil, err
	}
	for i := range o.Members {
		m, err := f.exchange.Member(account.Actor{ID: trader(i), Role: account.RoleMember})
		if err != nil {
			return nil, fmt.Errorf("view of a member: %w", err)
		}
		f.members = append(f.members, m)
	}
	return f, nil
}

// place is what placeAtFacade is in the house.
func (f *onFile) place(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, o.Waiting, o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		return refusedOrFailed(f.members[caller%len(f.members)].PlaceOrder(ctx, engine.PlaceOrder{
			Key: fmt.Sprintf("f%d-%d-%d", round, caller, n), Symbol: pastSymbol, Side: side(caller),
			Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: "0.1",
		}))
	})
}

func (f *onFile) close(ctx context.Context) {
	if f.exchange != nil {
		_ = f.exchange.Close(ctx)
	}
	if f.db != nil {
		f.db.Close()
	}
	if f.file != nil {
		f.file.close()
	}
}
