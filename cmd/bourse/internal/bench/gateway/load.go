package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bourse/router/fetch/http1"
)

// connections is how many clients ask at the same time, one request after the other.
const connections = 50

// tokens tell requests apart for good.
var tokens atomic.Int64

// asker asks one gateway the same operation again and again.
type asker struct {
	client *http1.Client
	target *http1.Target
	body   []byte
	want   []byte // every answer, byte by byte
	own    bool   // every request has a token of its own
}

func newAsker(address, operation string, own bool) (*asker, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]string{"query": operation})
	if err != nil {
		return nil, err
	}
	a := &asker{client: http1.New(http1.Options{}), body: body, own: own}
	var ok bool
	if a.target, ok = a.client.NewTarget(u, http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}); !ok {
		return nil, fmt.Errorf("cannot ask %s", address)
	}
	return a, nil
}

// learn takes the gateway's answer for the right one if it says the same as the shop.
func (a *asker) learn(ctx context.Context, right []byte) error {
	answer, err := a.target.Post(ctx, a.request())
	if err != nil {
		return err
	}
	defer answer.Release()
	if !sameJSON(answer.Body, right) {
		return fmt.Errorf("a wrong answer: %.300q", answer.Body)
	}
	a.want = bytes.Clone(answer.Body)
	return nil
}

func (a *asker) request() *http1.Request {
	r := &http1.Request{Body: a.body, Deadline: time.Now().Add(30 * time.Second)}
	if a.own {
		r.Header = http.Header{"Authorization": {fmt.Sprint("Bearer ", tokens.Add(1))}}
	}
	return r
}

// run asks for a while and returns how long each answer took, sorted. The first wrong answer ends it.
func (a *asker) run(ctx context.Context, d time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, connections)
	ends := time.Now().Add(d)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for began := time.Now(); began.Before(ends) && ctx.Err() == nil; {
				if err := a.once(ctx); err != nil {
					cancel(err)
					return
				}
				now := time.Now()
				took[i] = append(took[i], now.Sub(began))
				began = now
			}
		})
	}
	all.Wait()
	sorted := slices.Concat(took...)
	slices.Sort(sorted)
	return sorted, context.Cause(ctx)
}

func (a *asker) once(ctx context.Context) error {
	answer, err := a.target.Post(ctx, a.request())
	if err != nil {
		return err
	}
	defer answer.Release()
	if answer.Status != http.StatusOK || !bytes.Equal(answer.Body, a.want) {
		return fmt.Errorf("a wrong answer with status %d: %.300q", answer.Status, answer.Body)
	}
	return nil
}

// sameJSON says whether two texts are the same value, whatever the order of fields.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	first, err := json.Marshal(x)
	if err != nil {
		return false
	}
	second, err := json.Marshal(y)
	return err == nil && bytes.Equal(first, second)
}
