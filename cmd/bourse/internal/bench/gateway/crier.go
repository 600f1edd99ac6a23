package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"bourse/router/websocket"
)

// crier is the floor of fan-out: it puts a frame around each event of one stream and writes it to one connection after the other. Nothing is
// queued, nobody is asked who he is, and whoever does not take an event at once holds up the others.
type crier struct {
	once sync.Once
	mu   sync.Mutex
	all  []net.Conn
}

// subscribe takes a WebSocket to its subscription and leaves it to the crier.
func (f *floor) subscribe(w http.ResponseWriter, r *http.Request) {
	conn, _, err := websocket.Upgrade(w, r, []string{"graphql-transport-ws"}, 1<<10)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	go f.crier.serve(conn)
	f.crier.once.Do(func() { go f.follow(context.WithoutCancel(r.Context())) }) // until the process ends
}

func (c *crier) serve(conn *websocket.Conn) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = slices.DeleteFunc(c.all, func(one net.Conn) bool { return one == conn.Net() })
		_ = conn.Net().Close() // it has ended
	}()
	for n := 0; ; n++ {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
		switch n {
		case 0: // connection_init
			if conn.Write(websocket.AppendFrame(nil, websocket.Text, []byte(`{"type":"connection_ack"}`))) != nil {
				return
			}
		case 1: // subscribe
			c.mu.Lock()
			c.all = append(c.all, conn.Net())
			c.mu.Unlock()
		}
	}
}

// follow cries what the subgraph tells.
func (f *floor) follow(ctx context.Context) {
	body := fmt.Sprintf(`{"query":%q}`, plainSubscription)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.subgraphs+"/reviews", strings.NewReader(body))
	if err != nil {
		return // nothing is delivered, which the figures show
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := (&http.Client{Transport: f.client.Transport}).Do(r) // without the time limit of the other requests
	if err != nil {
		return // likewise
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			f.crier.cry(websocket.AppendFrame(nil, websocket.Text, fmt.Appendf(nil, `{"id":"1","type":"next","payload":%s}`, data)))
		}
	}
}

func (c *crier) cry(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.all {
		_, _ = conn.Write(frame) // who has gone, goes by himself
	}
}
