package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	embedded "bourse/cmd/embedded/postgres"
	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// outage is how long a test keeps something from working: seconds, or what BOURSE_OUTAGE says (60s in
// the soak).
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BOURSE_OUTAGE")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("BOURSE_OUTAGE=%q: write a duration as 60s", text)
	}
	return d
}

// server is a PostgreSQL of the test's own, to be maltreated.
type server struct {
	t    *testing.T
	dir  string
	runs *embedded.Server
}

func ownServer(t *testing.T, dir string) *server {
	t.Helper()
	if os.Getenv("BOURSE_TEST_DATABASE_URL") != "" {
		t.Skip("maltreats a server of its own, which a given database does not allow for")
	}
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "bourse-fault-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.t.Helper()
	var err error
	if s.runs, err = embedded.Start(context.Background(), embedded.Options{DataDir: s.dir}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) stop() {
	s.t.Helper()
	if s.runs != nil {
		_ = s.runs.Stop(context.Background())
		s.runs = nil
	}
}

// signal sends a signal to every process of the server, the first one first: then it starts no other.
func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "pgdata", "postmaster.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	first, err := strconv.Atoi(line)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Kill(first, signal); err != nil {
		s.t.Fatal(err)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // state, parent, ...
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == line {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				_ = syscall.Kill(pid, signal)
			}
		}
	}
}

// askFor asks until the time is over, each time with a deadline. It counts what was accepted and what
// was refused, and fails unless every refusal says what to do: nothing happened, or ask again.
func askFor(t *testing.T, d time.Duration, ask func(ctx context.Context, n int) error) (accepted, refused int) {
	t.Helper()
	for until := time.Now().Add(d); time.Now().Before(until); {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		err := ask(ctx, accepted+refused)
		cancel()
		switch code := fault.CodeOf(err); {
		case err == nil:
			accepted++
		case code == fault.Unavailable || code == fault.OutcomeUnknown || code == fault.Overloaded:
			refused++
		default:
			t.Fatalf("while nothing can be written: %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("the answer took %v", took)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return accepted, refused
}

// untilAccepted asks again until it works.
func untilAccepted[T any](t *testing.T, ask func(context.Context) (T, error)) T {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		v, err := ask(ctx)
		cancel()
		if err == nil {
			return v
		}
		if code := fault.CodeOf(err); code != fault.Unavailable && code != fault.OutcomeUnknown || time.Now().After(until) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// pairs lets a member cancel an order and place another, both under way at once, over and over, and
// holds the log against it afterwards.
//
// What is promised of two commands of one member, the second given before the first was answered: they
// are decided in that order; when the exchange refuses the first for want of a journal, it refuses the
// second, too, unless that was given after the answer.
type pairs struct {
	f      *floor
	member *Member
	orders []market.OrderID
	stop   chan struct{}
	done   sync.WaitGroup
	asked  int
}

func (f *floor) startPairs(member *Member, n int) *pairs {
	f.t.Helper()
	p := &pairs{f: f, member: member, stop: make(chan struct{}), orders: make([]market.OrderID, n)}
	atOnce(n, func(i int) {
		order, _, err := member.PlaceOrder(context.Background(), limit(fmt.Sprint("pair-", i), market.Buy, "10.00", "0.1"))
		if err != nil {
			f.t.Error(err)
		}
		p.orders[i] = order.ID
	})
	p.done.Go(p.run)
	return p
}

func (p *pairs) run() {
	orders := p.orders
	for len(orders) > 0 {
		select {
		case <-p.stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		var answers sync.WaitGroup
		var out error
		offer := func(cmd venue.Command, outcome *error) {
			answers.Add(1)
			err := p.f.seq.(*sequencer.Sequencer).Offer(cmd, func(_ venue.Receipt, err error) {
				*outcome = err
				answers.Done()
			})
			if err != nil {
				*outcome = err
				answers.Done()
			}
		}
		offer(&venue.CancelOrder{Actor: p.member.actor.ID, Key: fmt.Sprint("out-", p.asked), Order: orders[0]}, &out)
		offer(&venue.PlaceOrder{
			Actor: p.member.actor.ID, Key: fmt.Sprint("in-", p.asked), Symbol: btcUSD, Side: market.Buy, Type: market.Limit,
			TimeInForce: market.GTC, Price: 90, Quantity: 1,
		}, new(error))
		answers.Wait()
		p.asked++
		if fault.CodeOf(out) != fault.Unavailable { // what surely did not happen is tried again, under another key
			orders = orders[1:]
		}
	}
}

// inOrder ends the pairs and fails when a second is in the log without its first, or before it.
func (p *pairs) inOrder() {
	p.f.t.Helper()
	close(p.stop)
	p.done.Wait()
	at := map[string]venue.Sequence{}
	for b, err := range p.f.db.Journal().Read(context.Background(), journal.Head{}) {
		if err != nil {
			p.f.t.Fatal(err)
		}
		decoder := venue.NewDecoder(b.Payload)
		var ev venue.Event
		for more, err := decoder.Next(&ev); more; more, err = decoder.Next(&ev) {
			if err != nil {
				p.f.t.Fatal(err)
			}
			if ev.First {
				at[ev.Key] = ev.Sequence
			}
		}
	}
	both := 0
	for i := range p.asked {
		out, in := at[fmt.Sprint("out-", i)], at[fmt.Sprint("in-", i)]
		if in != 0 && (out == 0 || out > in) {
			p.f.t.Errorf("pair %d: placed at %d, the cancel before it at %d", i, in, out)
		}
		if in != 0 {
			both++
		}
	}
	p.f.t.Logf("%d pairs were given, %d are in the log", p.asked, both)
}

// survives runs a fault that keeps the journal from being written between break and mend. Reads of
// what is live go on, writes are refused, and when it is mended everything goes on by itself: what was
// acknowledged is there, what was in doubt is there once. With silent the database answers nothing at
// all: then no order is accepted, and history is refused, too, in time.
func survives(t *testing.T, f *floor, silent bool, breaks, mends func()) {
	t.Helper()
	alice, bob := f.rich(1001), f.rich(1002)
	place(t, alice, limit("before", market.Buy, "100.00", "1.0"))
	trading := f.startPairs(bob, 500)

	breaks()
	broke := time.Now()
	d := outage(t)
	var reads sync.WaitGroup
	mended := make(chan struct{})
	reads.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-mended:
				t.Logf("%d times the live state was read meanwhile", n)
				return
			case <-time.After(5 * time.Millisecond):
			}
			began := time.Now()
			open, err := alice.Orders(t.Context(), OrderFilter{OpenOnly: true}, Page{First: 10})
			if err != nil || len(open.Items) == 0 {
				t.Errorf("open orders: %d, %v", len(open.Items), err)
				return
			}
			if depth, err := f.Visitor().Depth(t.Context(), btcUSD, 5); err != nil || len(depth.Bids) == 0 {
				t.Errorf("depth: %+v, %v", depth, err)
				return
			}
			if b, err := alice.Balance(t.Context(), "USD"); err != nil || b.Held.Sign() <= 0 {
				t.Errorf("balance: %+v, %v", b, err)
				return
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("live reads took %v", took)
			}
		}
	})
	during := limit("during", market.Buy, "101.00", "1.0")
	accepted, refused := askFor(t, d, func(ctx context.Context, n int) error {
		ask := during
		if !silent { // what still fits is written, and then stands
			ask = limit(fmt.Sprint("during-", n), market.Sell, "900.00", "0.1")
			ask.TimeInForce = market.IOC
		}
		_, _, err := alice.PlaceOrder(ctx, ask)
		return err
	})
	t.Logf("%d orders were accepted meanwhile, %d refused", accepted, refused)
	if refused == 0 || silent && accepted > 0 {
		t.Errorf("%d orders were accepted while nothing can be written, %d refused", accepted, refused)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	if _, err := alice.Fills(ctx, FillFilter{}, Page{First: 10}); silent && fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("history meanwhile: %v", err)
	}
	cancel()
	t.Logf("nothing could be written for %v", time.Since(broke).Round(time.Millisecond))
	mends()

	first := untilAccepted(t, func(ctx context.Context) (Order, error) {
		o, _, err := alice.PlaceOrder(ctx, during)
		return o, err
	})
	close(mended)
	reads.Wait()
	again, _ := place(t, alice, during)
	if again.ID != first.ID {
		t.Fatalf("the order in doubt exists twice: %d and %d", first.ID, again.ID)
	}
	trading.inOrder()
	open, err := alice.Orders(t.Context(), OrderFilter{OpenOnly: true}, Page{First: 10})
	if err != nil || len(open.Items) != 2 {
		t.Fatalf("alice has %d open orders, %v", len(open.Items), err)
	}
	untilAccepted(t, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, refusal(f.AwaitProjected(ctx, f.seq.View().Sequence()))
	})
	f.sound()
	if h := f.Health(t.Context()); !h.OK {
		t.Fatalf("health afterwards: %+v", h)
	}
}

// A database that is frozen, as by a disk that hangs or a machine that is suspended: its connections
// stay open and answer nothing.
func TestFrozenDatabase(t *testing.T) {
	s := ownServer(t, "")
	f := openFloorOn(t, s.runs.URL(), nil)
	t.Cleanup(func() { s.signal(syscall.SIGCONT) }) // before anything is closed
	survives(t, f, true, func() { s.signal(syscall.SIGSTOP) }, func() { s.signal(syscall.SIGCONT) })
}

// A database that is shut down and started again.
func TestStoppedDatabase(t *testing.T) {
	s := ownServer(t, "")
	f := openFloorOn(t, s.runs.URL(), nil)
	survives(t, f, true, s.stop, s.start)
}

// A disk that is full: the database may refuse, panic or end; once there is room, and it runs again,
// everything goes on.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	dir, err := os.MkdirTemp("", "bourse-full-")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=300m"); err != nil {
		_ = os.Remove(dir)
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		_ = os.Remove(dir)
	})
	s := ownServer(t, dir)
	f := openFloorOn(t, s.runs.URL(), nil)
	ballast := filepath.Join(dir, "ballast")
	fill := func() {
		// What is being written takes room as well: fill until nothing more goes in and the database says so.
		file, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		block := make([]byte, 1<<20)
		for until := time.Now().Add(time.Minute); ; {
			for err == nil {
				_, err = file.Write(block)
			}
			for err = nil; err == nil; {
				_, err = file.Write(block[:4096])
			}
			err = nil
			if !f.Health(context.Background()).Writable {
				return
			}
			if time.Now().After(until) {
				t.Fatal("the exchange writes on to a full disk")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	survives(t, f, false, fill, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.runs.Done(): // it gave up; an operator's init would start it again
			s.stop()
			s.start()
		default:
		}
	})
}
