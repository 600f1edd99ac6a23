package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// maxSetBytes bounds a key set behind a URL.
const maxSetBytes = 256 << 10

// RemoteOptions of key sets behind URLs; zero fields mean the defaults.
type RemoteOptions struct {
	Every   time.Duration // how often a set is read again, give or take a tenth; default 10 min
	AtMost  time.Duration // how soon after one reading unknown keys may cause the next; default 30 s
	Timeout time.Duration // of one reading, and how long a request waits for it; default 5 s

	Transport http.RoundTripper // nil: an own one
}

func (o RemoteOptions) withDefaults() RemoteOptions {
	for _, d := range []struct {
		of       *time.Duration
		standard time.Duration
	}{{&o.Every, 10 * time.Minute}, {&o.AtMost, 30 * time.Second}, {&o.Timeout, 5 * time.Second}} {
		if *d.of <= 0 {
			*d.of = d.standard
		}
	}
	return o
}

// remote is a key set behind a URL. One goroutine reads it again from time to time; a token with an unknown kid has it read
// sooner, at most once in a while and once for all who wait. What was read last stays until something better is read.
type remote struct {
	url       string
	o         RemoteOptions
	client    *http.Client
	logger    *slog.Logger
	ctx       context.Context //nolint:containedctx // ends with close
	cancel    context.CancelFunc
	running   sync.WaitGroup
	set       atomic.Pointer[keySet] // nil: never read
	versions  atomic.Uint64          // counts what set was
	mu        sync.Mutex
	reading   chan struct{} // closed when the reading under way is over; nil: none is
	read      time.Time     // when the last one began
	succeeded bool          // whether it did
}

// checkURL wants encryption wherever someone else could answer.
func checkURL(text string, plain bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the URL of a key set must be an https URL")
	}
	if u.Scheme == "http" && !plain && !isLoopback(u.Hostname()) {
		return errors.New("a key set must be read over https, or whoever is between could replace it")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func newRemote(address string, o RemoteOptions, logger *slog.Logger) *remote {
	r := &remote{url: address, o: o.withDefaults(), logger: logger}
	transport := r.o.Transport
	if transport == nil {
		transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: r.o.Timeout}).DialContext,
			TLSHandshakeTimeout: r.o.Timeout, MaxIdleConns: 1, IdleConnTimeout: time.Minute, Proxy: http.ProxyFromEnvironment,
		}
	}
	r.client = &http.Client{
		Transport: transport,
		// Another address than the operator named may be another's, or not be encrypted.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.start(0)
	r.running.Go(r.keepFresh)
	return r
}

func (r *remote) close() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.running.Wait()
	if r.o.Transport == nil {
		r.client.CloseIdleConnections()
	}
}

// candidates are the keys that may have made a signature; an error means that none was ever read.
func (r *remote) candidates(ctx context.Context, id, algorithm string) ([]any, error) {
	if found := r.set.Load().candidates(id, algorithm); len(found) > 0 {
		return found, nil
	}
	if reading := r.start(r.o.AtMost); reading != nil {
		waiting, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		select {
		case <-reading:
		case <-waiting.Done():
		}
	}
	set := r.set.Load()
	if set == nil {
		return nil, errors.New("the key set has not been read yet")
	}
	return set.candidates(id, algorithm), nil
}

// start has the set read, unless that is under way, or began less than a while ago. The channel is closed when it is over; nil: there
// is nothing to wait for.
func (r *remote) start(after time.Duration) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading != nil {
		return r.reading
	}
	if r.ctx.Err() != nil || !r.read.IsZero() && time.Since(r.read) < after {
		return nil
	}
	r.reading, r.read = make(chan struct{}), time.Now()
	r.running.Go(func() {
		err := r.load()
		if err != nil && r.ctx.Err() == nil {
			message := "key set not read; the last one stays"
			if r.set.Load() == nil {
				message = "key set not read; its issuer's tokens are refused until it is"
			}
			r.logger.Warn(message, "url", redacted(r.url), "error", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.succeeded = err == nil
		close(r.reading)
		r.reading = nil
	})
	return r.reading
}

// redacted is a URL without what may be secret in it.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// keepFresh reads the set from time to time, sooner after a failure.
func (r *remote) keepFresh() {
	failures := 0
	timer := time.NewTimer(r.pause(failures))
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-timer.C:
		}
		if reading := r.start(0); reading != nil {
			<-reading // ends with r.ctx at the latest
		}
		r.mu.Lock()
		if failures++; r.succeeded {
			failures = 0
		}
		r.mu.Unlock()
		timer.Reset(r.pause(failures))
	}
}

// pause is jittered, so that routers that began together do not ask together.
func (r *remote) pause(failures int) time.Duration {
	d := r.o.Every
	if failures > 0 {
		d = min(d, r.o.AtMost<<min(failures-1, 10))
	}
	return d - d/10 + rand.N(d/5+1)
}

func (r *remote) load() error {
	ctx, cancel := context.WithTimeout(r.ctx, r.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }() // reading it told what there is to tell
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSetBytes+1))
	if err != nil {
		return err
	}
	if len(text) > maxSetBytes {
		return fmt.Errorf("larger than %d bytes", maxSetBytes)
	}
	keys, err := readJWKS(text, false)
	if err != nil {
		return err // also for a set without keys: more often a mishap at the issuer than the end of all its keys
	}
	if old := r.set.Load(); old == nil || !reflect.DeepEqual(old.keys, keys) {
		r.set.Store(&keySet{keys})
		r.versions.Add(1)
		r.logger.Info("key set read", "url", redacted(r.url), "keys", len(keys))
	}
	return nil
}
