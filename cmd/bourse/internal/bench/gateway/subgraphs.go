package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// subgraphs serves the shop's four subgraphs on one address. An answer is worked out once and then kept by the bytes of its request, so that what
// the subgraphs cost hardly matters.
type subgraphs struct {
	shop    *shop
	server  *http.Server
	address string
	kept    sync.Map // []byte by the request's body
	calls   atomic.Int64
	events  *events
}

func serveSubgraphs(every time.Duration) (*subgraphs, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for subgraphs: %w", err)
	}
	s := &subgraphs{shop: newShop(), address: l.Addr().String()}
	s.events = &events{shop: s.shop, every: every}
	mux := http.NewServeMux()
	for name := range schemas {
		mux.Handle("/"+name, s)
	}
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(l) }() // until close
	return s, nil
}

func (s *subgraphs) close() {
	s.events.stop()
	_ = s.server.Close() // it has served
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// ServeHTTP answers a request, or streams events to who accepts them.
func (s *subgraphs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.calls.Add(1)
	if r.Header.Get("Accept") == "text/event-stream" {
		s.events.serve(w, r, body.Bytes())
		return
	}
	answer, known := s.kept.Load(body.String())
	if !known {
		text, err := s.work(body.Bytes())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer = text
		s.kept.Store(body.String(), answer)
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{fmt.Sprint(len(answer.([]byte)))}
	_, _ = w.Write(answer.([]byte)) // whoever has gone is counted as an error by the load
}

func (s *subgraphs) work(body []byte) ([]byte, error) {
	var request struct {
		Query     string
		Variables map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&request); err != nil {
		return nil, err
	}
	return s.shop.answer(request.Query, whole(request.Variables).(map[string]any))
}

// whole turns numbers into integers: the shop has no others.
func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	}
	return v
}
