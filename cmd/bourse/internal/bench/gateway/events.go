package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// events streams reviews as server-sent events, one after the other to each subscription. A review's body is the time at which it was written, in
// nanoseconds since 1970.
type events struct {
	shop  *shop
	every time.Duration // between two events of a stream

	streams atomic.Int64 // that were asked for
	mu      sync.Mutex
	written []int64 // bodies of the events of every stream
	ended   chan struct{}
	once    sync.Once
}

func (e *events) end() chan struct{} {
	e.once.Do(func() { e.ended = make(chan struct{}) })
	return e.ended
}

func (e *events) stop() { close(e.end()) }

// between counts the events that were written in a time.
func (e *events) between(from, to time.Time) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, at := range e.written {
		if at >= from.UnixNano() && at < to.UnixNano() {
			n++
		}
	}
	return n
}

func (e *events) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	var request struct{ Query string }
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.streams.Add(1)
	flush := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	if flush.Flush() != nil {
		return // nobody is there
	}
	tick := time.NewTicker(e.every)
	defer tick.Stop()
	author, product := e.shop.entities["User u1"], e.shop.entities["Product p1"]
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-e.end():
			return
		}
		at := time.Now().UnixNano()
		review := object{"__typename": "Review", "id": fmt.Sprint("r", n), "body": strconv.FormatInt(at, 10), "author": author, "product": product}
		root := object{"__typename": "Subscription", "reviewed": review}
		text, err := (&shop{root: root, entities: e.shop.entities}).answer(request.Query, nil)
		if err != nil {
			return // the router sent what it should not have; that shows as nothing being delivered
		}
		e.mu.Lock()
		e.written = append(e.written, at)
		e.mu.Unlock()
		if _, err := fmt.Fprintf(w, "event: next\ndata: %s\n\n", text); err != nil || flush.Flush() != nil {
			return
		}
	}
}
