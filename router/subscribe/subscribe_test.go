package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bourse/router/execute"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source answers with the events that stand in what it gives.
type source func(ctx context.Context) (io.ReadCloser, error)

func (f source) Open(ctx context.Context, req *execute.Request) (Stream, error) {
	return Events(f, 1000).Open(ctx, req)
}

func (f source) Stream(ctx context.Context, _ *execute.Request) (io.ReadCloser, error) { return f(ctx) }

func text(s string) source {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

func open(t *testing.T, src Source, o Options) *Subscription {
	t.Helper()
	s, err := Open(t.Context(), src, &execute.Request{Subgraph: "member"}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// drain reads to the end.
func drain(t *testing.T, s *Subscription) ([]string, error) {
	t.Helper()
	var got []string
	for {
		raw, missed, err := s.Next(t.Context())
		if missed > 0 {
			got = append(got, fmt.Sprintf("%d missed", missed))
		}
		if err != nil {
			return got, err
		}
		got = append(got, string(raw))
	}
}

func TestEventsInOrderThenEOF(t *testing.T) {
	for _, newline := range []string{"\n", "\r\n", "\r"} {
		stream := "\xef\xbb\xbf: hello\n\nevent: next\ndata: {\"a\":\ndata: 1}\nid: 7\n\n:\n\nevent:next\ndata:{}\n\nevent: other\ndata: x\n\nevent: complete\ndata:\n\n"
		got, err := drain(t, open(t, text(strings.ReplaceAll(stream, "\n", newline)), Options{}))
		if !errors.Is(err, io.EOF) || fmt.Sprint(got) != fmt.Sprint([]string{"{\"a\":\n1}", "{}"}) {
			t.Errorf("line end %q: got %q, %v", newline, got, err)
		}
	}
}

func TestEndWithoutCompleteIsDropped(t *testing.T) {
	got, err := drain(t, open(t, text("event: next\ndata: {}\n\nevent: next\ndata: {cut"), Options{}))
	var dropped *DroppedError
	if !errors.As(err, &dropped) || dropped.Subgraph != "member" || len(got) != 1 {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestRefusedStreamIsDropped(t *testing.T) {
	down := errors.New("down")
	_, err := Open(t.Context(), source(func(context.Context) (io.ReadCloser, error) { return nil, down }), &execute.Request{}, Options{})
	if !errors.Is(err, down) {
		t.Fatalf("got %v", err)
	}
}

func TestHugeEventEndsTheStream(t *testing.T) {
	_, err := drain(t, open(t, text("data: "+strings.Repeat("x", 5000)+"\n\n"), Options{}))
	if !errors.Is(err, errEventTooLarge) {
		t.Fatalf("got %v", err)
	}
	_, err = drain(t, open(t, text(strings.Repeat("data: xxxxxxxxxx\n", 500)+"\n"), Options{}))
	if !errors.Is(err, errEventTooLarge) {
		t.Fatalf("many lines: got %v", err)
	}
}

func TestSlowConsumerIsToldThatItLags(t *testing.T) {
	r, w := io.Pipe()
	s := open(t, source(func(context.Context) (io.ReadCloser, error) { return r, nil }), Options{MaxEvents: 3})
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(w, "event: next\ndata: %d\n\n", i); err != nil {
			break // the subscription closed the stream
		}
	}
	got, err := drain(t, s)
	if !errors.Is(err, ErrLagged) || fmt.Sprint(got) != "[0 1 2]" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestOldestAreDroppedAndCounted(t *testing.T) {
	stream := ""
	for i := range 6 {
		stream += fmt.Sprintf("data: %d\n\n", i)
	}
	s := open(t, text(stream+"event: complete\n\n"), Options{MaxEvents: 2, DropOldest: true})
	<-s.done
	got, err := drain(t, s)
	if !errors.Is(err, io.EOF) || fmt.Sprint(got) != "[4 missed 4 5]" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestBytesAreBoundedToo(t *testing.T) {
	stream := strings.Repeat("data: "+strings.Repeat("x", 600)+"\n\n", 3) + "event: complete\n\n"
	s := open(t, text(stream), Options{MaxBytes: 1000})
	<-s.done
	got, err := drain(t, s)
	if !errors.Is(err, ErrLagged) || len(got) != 1 {
		t.Fatalf("got %d events, %v", len(got), err)
	}
}

// One event may always wait, however large it is.
func TestALargeEventMayWait(t *testing.T) {
	for _, drop := range []bool{true, false} {
		s := open(t, text("data: "+strings.Repeat("x", 900)+"\n\nevent: complete\n\n"), Options{MaxBytes: 100, DropOldest: drop})
		<-s.done
		if got, err := drain(t, s); !errors.Is(err, io.EOF) || len(got) != 1 || len(got[0]) != 900 {
			t.Errorf("dropping %v: %d events, %v", drop, len(got), err)
		}
	}
}

// Only what waits counts against the bound, not what was taken long ago.
func TestTakenEventsNoLongerCount(t *testing.T) {
	s := &Subscription{o: Options{MaxBytes: 1000, MaxEvents: 3}, signal: make(chan struct{}, 1)}
	for i := range 50 {
		if !s.put(make([]byte, 300)) {
			t.Fatalf("event %d does not fit", i)
		}
		if raw, _, err := s.take(); i > 0 && (len(raw) != 300 || err != nil) {
			t.Fatalf("event %d: %d bytes, %v", i, len(raw), err)
		}
		if i == 0 {
			s.put(make([]byte, 300)) // from now on one always waits
		}
	}
}

func TestCloseEndsASilentStream(t *testing.T) {
	r, w := io.Pipe()
	s := open(t, source(func(context.Context) (io.ReadCloser, error) { return r, nil }), Options{})
	s.Close()
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("the subgraph's stream is still open")
	}
	if _, _, err := s.Next(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNextGivesUpWithItsContext(t *testing.T) {
	r, _ := io.Pipe()
	s := open(t, source(func(context.Context) (io.ReadCloser, error) { return r, nil }), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// oneByOne hands out single bytes, so that nothing is ever buffered ahead.
type oneByOne struct{ rest string }

func (o *oneByOne) Read(p []byte) (int, error) {
	if o.rest == "" {
		return 0, io.EOF
	}
	p[0] = o.rest[0]
	o.rest = o.rest[1:]
	return 1, nil
}

// Whatever bytes come, in whatever pieces, decoding ends, stays within its bound and does not depend on the pieces.
func TestDecoderOnAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"data", "event", ":", " ", "\n", "\r", "\r\n", "next", "complete", "{}", "\x00", "\xef\xbb\xbf"}), 0, 40).Draw(t, "parts")
		stream := strings.Join(parts, "")
		read := func(r io.Reader) (all []string) {
			d := newDecoder(r, 64)
			for {
				e, err := d.next()
				if err != nil {
					return all
				}
				if len(e.data) > 64 {
					t.Fatalf("event of %d bytes", len(e.data))
				}
				all = append(all, e.name+"|"+string(e.data))
			}
		}
		whole, again := read(strings.NewReader(stream)), read(&oneByOne{stream})
		if fmt.Sprint(whole) != fmt.Sprint(again) {
			t.Fatalf("%q then %q", whole, again)
		}
	})
}
