package serve

import (
	"time"

	"bourse/router/websocket"
)

// outbox orders what is written to a socket. Who has something to say while nobody writes hands it to the kernel himself, without waiting; what
// the kernel does not take, and what others want to say meanwhile, a goroutine writes that ends when all is said. It is guarded by the
// socket's mutex.
//
//	idle ──▶ busy: TryWrite ──▶ all taken ──▶ idle
//	                  └──▶ the rest, and the queue: flush ──▶ idle
type outbox struct {
	busy   bool     // somebody writes
	closed bool     // the close frame is out, or waits: nothing comes after it
	gone   bool     // the socket is at its end: no goroutine may begin
	queue  []letter // waits for its turn; empty when nobody writes
	bytes  int      // of the queue's frames
}

// letter is something to be written.
type letter struct {
	frames []byte
	run    *socketRun    // instead: the next event of an operation
	sent   chan struct{} // closed when it is written, or never will be; may be nil
}

// maxUnsent bounds the frames that wait because the client does not take them, but for events and answers, which have bounds of their own.
const maxUnsent = 64 << 10

// send says something small without waiting. A client that makes us say things and does not take them is cut off.
func (k *socket) send(frames []byte) { k.post(letter{frames: frames}) }

// deliver says something and waits until it is written. The frames may be used again then.
func (k *socket) deliver(frames []byte) {
	sent := make(chan struct{})
	if k.post(letter{frames: frames, sent: sent}) {
		<-sent
	}
}

// post writes the letter, or queues it; false when nothing can be said any more.
func (k *socket) post(l letter) bool {
	k.mu.Lock()
	o := &k.outbox
	switch {
	case o.closed:
		k.mu.Unlock()
		return false
	case o.busy && l.sent == nil && o.bytes+len(l.frames) > maxUnsent:
		o.closed = true
		k.mu.Unlock()
		k.kill()
		return false
	}
	k.turn(l)
	return true
}

// turn gives the letter its turn, now or later. It is called with the mutex held, and gives it back.
func (k *socket) turn(l letter) {
	if k.outbox.busy {
		k.outbox.queue = append(k.outbox.queue, l)
		k.outbox.bytes += len(l.frames)
		k.mu.Unlock()
		return
	}
	k.outbox.busy = true
	k.mu.Unlock()
	k.write(l)
}

// write hands the kernel what it takes now; the caller has made the outbox busy.
func (k *socket) write(l letter) {
	n, err := k.conn.TryWrite(l.frames)
	k.settle(l, n, err)
}

// settle goes on after n bytes of a letter have been taken.
func (k *socket) settle(l letter, n int, err error) {
	l.frames = l.frames[n:]
	if err != nil {
		k.kill() // writing on fails as well, and ends what waits
	} else if len(l.frames) == 0 {
		k.written(l)
		k.mu.Lock()
		if len(k.outbox.queue) == 0 {
			k.outbox.busy = false
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		l = letter{}
	}
	k.later(l)
}

// later lets a goroutine write a letter and all that has been queued.
func (k *socket) later(l letter) {
	k.mu.Lock()
	if k.outbox.gone {
		k.mu.Unlock()
		k.discard(l)
		return
	}
	k.running.Add(1)
	k.mu.Unlock()
	go func() {
		defer k.running.Done()
		k.flush(l)
	}()
}

// flush writes a letter and all that is queued, each within the time for a message. A client that does not take one in time is cut off.
func (k *socket) flush(l letter) {
	for {
		if len(l.frames) > 0 {
			_ = k.conn.Net().SetWriteDeadline(time.Now().Add(k.s.now().o.WriteTimeout)) // fails with the write
			if err := k.conn.Write(l.frames); err != nil {
				k.kill()
				k.discard(l)
				return
			}
		}
		k.written(l)
		var ok bool
		if l, ok = k.following(); !ok {
			return
		}
	}
}

// following takes the next letter out of the queue; false: there is none, and the outbox is idle again.
func (k *socket) following() (letter, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o := &k.outbox
	if len(o.queue) == 0 {
		_ = k.conn.Net().SetWriteDeadline(time.Time{}) // fails only with the connection
		o.busy, o.queue = false, nil
		return letter{}, false
	}
	l := o.queue[0]
	o.queue[0] = letter{}
	o.queue = o.queue[1:]
	o.bytes -= len(l.frames)
	if l.run != nil {
		l.frames = l.run.following()
	}
	return l, true
}

// written lets those go on who wait for a letter.
func (k *socket) written(l letter) {
	if l.sent != nil {
		close(l.sent)
	}
	if l.run != nil && l.run.told() {
		l.run.over()
	}
}

// discard lets those go on who wait for what will not be written: the connection is gone. The outbox stays busy.
func (k *socket) discard(l letter) {
	k.mu.Lock()
	queue := k.outbox.queue
	k.outbox.queue, k.outbox.closed = nil, true
	k.mu.Unlock()
	for _, l := range append(queue, l) {
		if l.sent != nil {
			close(l.sent)
		}
	}
}

// shut ends the socket from this side: its operations end, and the client is told why after what waits already. What it returns is closed
// once that is written. The reading goroutine goes on until the client answers, or the sweep loses patience.
func (k *socket) shut(code websocket.Code, reason string) <-chan struct{} {
	sent := make(chan struct{})
	k.mu.Lock()
	if k.outbox.closed {
		k.mu.Unlock()
		close(sent)
		return sent
	}
	ops := k.ops
	k.ops, k.outbox.closed, k.clock.closing = nil, true, time.Now().UnixNano()
	k.turn(letter{frames: websocket.AppendClose(nil, code, reason), sent: sent})
	for _, r := range ops {
		r.over()
	}
	return sent
}

// kill cuts the connection: its reading goroutine ends the rest.
func (k *socket) kill() { _ = k.conn.Net().Close() }
