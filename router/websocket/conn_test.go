package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stream is a connection from which a client's bytes are read, as many at a time as it says, and into which nothing need be written.
type stream struct {
	net.Conn
	from io.Reader
	most int
}

func (s *stream) Read(p []byte) (int, error) {
	if s.most > 0 && len(p) > s.most {
		p = p[:s.most]
	}
	return s.from.Read(p)
}

// sent is a frame of a client; bits replaces the first byte's upper half (final, reserved) when it is not 0.
func sent(final bool, opcode Opcode, payload string) []byte {
	frame := AppendHeader(nil, opcode, len(payload))
	if !final {
		frame[0] &^= 0x80
	}
	frame[1] |= 0x80
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	frame = append(frame, mask[:]...)
	masked := []byte(payload)
	for i := range masked {
		masked[i] ^= mask[i%4]
	}
	return append(frame, masked...)
}

func over(limit int64, most int, frames ...[]byte) *Conn {
	return New(&stream{from: bytes.NewReader(bytes.Join(frames, nil)), most: most}, nil, limit)
}

// read reads to the end.
func read(c *Conn) (messages []string, err error) {
	for {
		opcode, payload, err := c.ReadMessage()
		if err != nil {
			return messages, err
		}
		messages = append(messages, fmt.Sprintf("%d %s", opcode, payload))
	}
}

func TestWhatClientsMaySend(t *testing.T) {
	long, longer := strings.Repeat("x", 300), strings.Repeat("é", 40_000)
	for name, c := range map[string]struct {
		frames [][]byte
		want   []string
	}{
		"text":                    {[][]byte{sent(true, Text, "hello")}, []string{"1 hello"}},
		"empty":                   {[][]byte{sent(true, Text, ""), sent(true, Binary, "")}, []string{"1 ", "2 "}},
		"binary need not be text": {[][]byte{sent(true, Binary, "\xff\xfe")}, []string{"2 \xff\xfe"}},
		"16 bits of length":       {[][]byte{sent(true, Text, long)}, []string{"1 " + long}},
		"64 bits of length":       {[][]byte{sent(true, Text, longer)}, []string{"1 " + longer}},
		"fragments":               {[][]byte{sent(false, Text, "a"), sent(false, Continuation, ""), sent(true, Continuation, "b")}, []string{"1 ab"}},
		"a character in pieces":   {[][]byte{sent(false, Text, "\xc3"), sent(true, Continuation, "\xa9")}, []string{"1 é"}},
		"control in between":      {[][]byte{sent(false, Text, "a"), sent(true, Ping, "p"), sent(true, Continuation, "b"), sent(true, Pong, "")}, []string{"9 p", "1 ab", "10 "}},
		"one after the other":     {[][]byte{sent(true, Text, "a"), sent(true, Text, "b"), sent(false, Binary, "c"), sent(true, Continuation, "d")}, []string{"1 a", "1 b", "2 cd"}},
		"largest control":         {[][]byte{sent(true, Ping, long[:125])}, []string{"9 " + long[:125]}},
	} {
		for _, most := range []int{0, 1, 7} {
			got, err := read(over(1<<20, most, c.frames...))
			if !errors.Is(err, io.EOF) || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s, %d bytes at a time: got %.100q, %v", name, most, got, err)
			}
		}
	}
}

func TestWhatClientsMayNotSend(t *testing.T) {
	unmasked := AppendFrame(nil, Text, []byte("x"))
	reserved := sent(true, Text, "x")
	reserved[0] |= 0x40
	overlong16 := []byte{0x81, 0x80 | 126, 0, 5}
	overlong64 := []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}
	negative := []byte{0x81, 0x80 | 127, 0xff, 0, 0, 0, 0, 0, 0, 0}
	huge := append([]byte{0x81, 0x80 | 127}, binary.BigEndian.AppendUint64(nil, 1<<62)...)
	huge = append(huge, 1, 2, 3, 4)
	code := func(c Code) string { return string(binary.BigEndian.AppendUint16(nil, uint16(c))) }
	for name, c := range map[string]struct {
		frames [][]byte
		want   Code
	}{
		"unmasked":                 {[][]byte{unmasked}, ProtocolError},
		"reserved bit":             {[][]byte{reserved}, ProtocolError},
		"unknown data opcode":      {[][]byte{sent(true, 3, "")}, ProtocolError},
		"unknown control opcode":   {[][]byte{sent(true, 0xb, "")}, ProtocolError},
		"overlong 16 bits":         {[][]byte{overlong16}, ProtocolError},
		"overlong 64 bits":         {[][]byte{overlong64}, ProtocolError},
		"negative length":          {[][]byte{negative}, ProtocolError},
		"fragmented control":       {[][]byte{sent(false, Ping, "")}, ProtocolError},
		"large control":            {[][]byte{sent(true, Ping, strings.Repeat("x", 126))}, ProtocolError},
		"nothing to continue":      {[][]byte{sent(true, Continuation, "x")}, ProtocolError},
		"nothing left to continue": {[][]byte{sent(true, Text, "x"), sent(true, Continuation, "x")}, ProtocolError},
		"message in a message":     {[][]byte{sent(false, Text, "x"), sent(true, Text, "y")}, ProtocolError},
		"not UTF-8":                {[][]byte{sent(true, Text, "\xc3\x28")}, InvalidData},
		"not UTF-8 in pieces":      {[][]byte{sent(false, Text, "\xc3"), sent(true, Continuation, "\x28")}, InvalidData},
		"cut character":            {[][]byte{sent(true, Text, "\xc3")}, InvalidData},
		"surrogate":                {[][]byte{sent(true, Text, "\xed\xa0\x80")}, InvalidData},
		"too large":                {[][]byte{sent(true, Text, strings.Repeat("x", 1001))}, TooBig},
		"too large announced":      {[][]byte{huge}, TooBig},
		"too large in pieces":      {[][]byte{sent(false, Text, strings.Repeat("x", 600)), sent(true, Continuation, strings.Repeat("x", 600))}, TooBig},
		"half a close code":        {[][]byte{sent(true, Close, "x")}, ProtocolError},
		"close code 999":           {[][]byte{sent(true, Close, code(999))}, ProtocolError},
		"close code 1005":          {[][]byte{sent(true, Close, code(1005))}, ProtocolError},
		"close code 1006":          {[][]byte{sent(true, Close, code(1006))}, ProtocolError},
		"close code 1015":          {[][]byte{sent(true, Close, code(1015))}, ProtocolError},
		"close code 5000":          {[][]byte{sent(true, Close, code(5000))}, ProtocolError},
		"close reason not UTF-8":   {[][]byte{sent(true, Close, code(1000)+"\xff")}, InvalidData},
	} {
		var breach *Error
		if got, err := read(over(1000, 3, c.frames...)); !errors.As(err, &breach) || breach.Code != c.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestClientCloses(t *testing.T) {
	for payload, want := range map[string]CloseError{"": {NoStatus, ""}, "\x03\xe8bye": {Normal, "bye"}, "\x0f\xa0": {4000, ""}} {
		var closed *CloseError
		if _, err := read(over(1000, 0, sent(true, Close, payload), sent(true, Text, "late"))); !errors.As(err, &closed) || *closed != want {
			t.Errorf("%q: got %v", payload, err)
		}
	}
	for _, cut := range [][]byte{{0x81}, {0x81, 0xfe, 1}, sent(true, Text, "hello")[:9], {0x81, 0x85, 1}} {
		if _, err := read(over(1000, 0, cut)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%x: got %v", cut, err)
		}
	}
}

// Memory is made for what has come, not for what is announced.
func TestAnnouncedLengthCostsNothing(t *testing.T) {
	announced := append([]byte{0x82, 0x80 | 127}, binary.BigEndian.AppendUint64(nil, 1<<40)...)
	announced = append(append(announced, 1, 2, 3, 4), make([]byte, 100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := read(over(1<<50, 0, announced)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 1<<20 {
		t.Errorf("%d bytes were made", made)
	}
}

// What was sent comes back, however it is cut into frames and reads.
func TestMessagesSurviveAnyCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		messages := rapid.SliceOfN(rapid.StringN(0, 300, 2000), 1, 5).Draw(t, "messages")
		var bytes []byte
		var want []string
		for _, m := range messages {
			want = append(want, "1 "+m)
			opcode := Text
			for rest := m; ; opcode = Continuation {
				n := rapid.IntRange(0, len(rest)).Draw(t, "cut")
				last := rapid.IntRange(0, 2).Draw(t, "last") == 0
				if last {
					n = len(rest)
				}
				bytes = append(bytes, sent(last, opcode, rest[:n])...)
				if rest = rest[n:]; last {
					break
				}
			}
		}
		early := rapid.IntRange(0, len(bytes)).Draw(t, "early")
		c := New(&stream{from: strings.NewReader(string(bytes[early:])), most: rapid.IntRange(1, 400).Draw(t, "most")}, bytes[:early], 1<<20)
		if got, err := read(c); !errors.Is(err, io.EOF) || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	})
}

// Whatever bytes come, reading ends, keeps within the limit and does not depend on how they are cut.
func FuzzReader(f *testing.F) {
	f.Add(sent(true, Text, "hello"))
	f.Add(append(sent(false, Text, "a"), sent(true, Close, "\x03\xe8bye")...))
	f.Add([]byte{0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, err := read(over(200, 0, data))
		pieces, again := read(over(200, 1, data))
		if fmt.Sprintf("%q %v", whole, err) != fmt.Sprintf("%q %v", pieces, again) {
			t.Fatalf("%q %v, in pieces %q %v", whole, err, pieces, again)
		}
		for _, m := range whole {
			if len(m) > 203 {
				t.Fatalf("a message of %d bytes", len(m))
			}
		}
	})
}

func TestTryWriteNeverWaits(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // test
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // test
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // test
	c := New(server, nil, 1000)
	block := make([]byte, 64<<10)
	taken := 0
	for {
		n, err := c.TryWrite(block)
		if err != nil {
			t.Fatal(err)
		}
		taken += n
		if n < len(block) {
			break
		}
	}
	if n, err := c.TryWrite(block); n == len(block) || err != nil {
		t.Fatalf("took %d more, %v", n, err)
	}
	// Nothing is lost or doubled: what was taken is what arrives.
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.CopyN(io.Discard, client, int64(taken)); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = c.TryWrite(block[:10]) }); n > 0 {
		t.Errorf("%v allocations for a write", n)
	}
	_ = client.Close()
	_ = server.Close()
	if _, err := c.TryWrite(block); err == nil {
		t.Error("wrote to what is closed")
	}
}
