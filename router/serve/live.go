package serve

import (
	"net/http"
	"time"
)

// liveWriter sends a response piece by piece, each at once. After the first error it does nothing.
type liveWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	packer  packer    // nil: sent as it is
	packing *encoding // of packer
	buf     []byte
	bytes   int // before compression
	err     error
}

func (x *exchange) liveWriter() *liveWriter {
	return &liveWriter{w: x.w, rc: http.NewResponseController(x.w), timeout: x.s.o.WriteTimeout}
}

// endLive finishes the exchange of a liveWriter.
func (x *exchange) endLive(l *liveWriter) {
	l.end()
	x.record.Bytes = l.bytes
	x.finish()
}

// end completes what was sent.
func (l *liveWriter) end() {
	if l.packer != nil {
		if l.err == nil {
			l.err = l.packer.Close()
		}
		l.packing.packers.Put(l.packer)
	}
	_ = l.rc.SetWriteDeadline(time.Time{}) // the connection may serve other requests
}

// compress packs what follows.
func (l *liveWriter) compress(e *encoding) {
	l.packing, l.packer = e, e.packers.Get().(packer)
	l.packer.Reset(l.w)
}

// flush sends what is in the buffer.
func (l *liveWriter) flush() { l.send(l.buf) }

// send sends text, which it does not change.
func (l *liveWriter) send(text []byte) {
	if l.err != nil {
		return
	}
	// Servers that cannot set a deadline still end the write when the client is gone.
	_ = l.rc.SetWriteDeadline(time.Now().Add(l.timeout))
	l.bytes += len(text)
	if l.packer == nil {
		_, l.err = l.w.Write(text)
	} else if _, l.err = l.packer.Write(text); l.err == nil {
		l.err = l.packer.Flush() // or the part would wait for the next one
	}
	if l.err == nil {
		l.err = l.rc.Flush()
	}
}

func (l *liveWriter) broken() bool { return l.err != nil }
