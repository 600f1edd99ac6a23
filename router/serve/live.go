package serve

import (
	"compress/gzip"
	"net/http"
	"time"
)

// liveWriter sends a response piece by piece, each at once. After the first error it does nothing.
type liveWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	packer  *gzip.Writer // nil: sent as it is
	buf     []byte
	bytes   int // before compression
	err     error
}

func (x *exchange) live() *liveWriter {
	return &liveWriter{w: x.w, rc: http.NewResponseController(x.w), timeout: x.s.o.WriteTimeout}
}

// endLive finishes the exchange of a liveWriter.
func (x *exchange) endLive(l *liveWriter) {
	if l.packer != nil {
		if l.err == nil {
			l.err = l.packer.Close()
		}
		packers.Put(l.packer)
	}
	_ = l.rc.SetWriteDeadline(time.Time{}) // the connection may serve other requests
	x.record.Bytes = l.bytes
	x.finish()
}

// compress packs what follows.
func (l *liveWriter) compress() {
	l.packer = packers.Get().(*gzip.Writer)
	l.packer.Reset(l.w)
}

// flush sends what is in the buffer.
func (l *liveWriter) flush() {
	if l.err != nil {
		return
	}
	// Servers that cannot set a deadline still end the write when the client is gone.
	_ = l.rc.SetWriteDeadline(time.Now().Add(l.timeout))
	l.bytes += len(l.buf)
	if l.packer == nil {
		_, l.err = l.w.Write(l.buf)
	} else if _, l.err = l.packer.Write(l.buf); l.err == nil {
		l.err = l.packer.Flush() // or the part would wait for the next one
	}
	if l.err == nil {
		l.err = l.rc.Flush()
	}
}
