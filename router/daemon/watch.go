package daemon

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"time"
)

// watched tells by their content whether files have changed. It is polled: notices of file systems do not come over networks and container
// mounts, and miss files that are replaced through links, as Kubernetes replaces them.
type watched struct {
	taken [32]byte // content that was last acted upon
	seen  [32]byte // content at the last look
	files map[string]look
}

// look is what was found at a file.
type look struct {
	info os.FileInfo
	at   time.Time
	sum  [32]byte
}

// freshness is how long after its last change a file may change again without its time or size telling: the clocks of file systems are coarse.
const freshness = 3 * time.Second

// changed says whether there is something new, and the same as at the last look: a file that is still being written is not taken up.
func (w *watched) changed(names []string, now time.Time) bool {
	sum := w.sum(names, now)
	settled := sum == w.seen
	w.seen = sum
	if sum == w.taken || !settled {
		return false
	}
	w.taken = sum
	return true
}

// take has the files as they are now count as acted upon.
func (w *watched) take(names []string, now time.Time) {
	w.seen = w.sum(names, now)
	w.taken = w.seen
}

func (w *watched) sum(names []string, now time.Time) [32]byte {
	all := sha256.New()
	next := make(map[string]look, len(names))
	for _, name := range names {
		l := w.look(name, now)
		next[name] = l
		all.Write(l.sum[:])
	}
	w.files = next
	return [32]byte(all.Sum(nil))
}

// look reads a file unless it is certain to be as it was. What cannot be read counts as a content of its own.
func (w *watched) look(name string, now time.Time) look {
	info, err := os.Stat(name)
	if err != nil {
		return look{}
	}
	before := w.files[name]
	same := before.info != nil && os.SameFile(before.info, info) && before.info.Size() == info.Size() && before.info.ModTime().Equal(info.ModTime())
	if same && before.at.Sub(info.ModTime()) > freshness {
		return before
	}
	f, err := os.Open(name)
	if err != nil {
		return look{}
	}
	defer f.Close() //nolint:errcheck // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, maxSupergraph+1)); err != nil {
		return look{}
	}
	return look{info, now, [32]byte(sum.Sum(nil))}
}

// watch reloads when files change or a signal asks for it, until ctx ends.
func (d *daemon) watch(ctx context.Context) {
	var w watched
	w.take(d.now.Load().files(d.o.ConfigFile), time.Now())
	for {
		var look <-chan time.Time
		var timer *time.Timer
		if s := d.now.Load().config.Supergraph; s.Watch {
			timer = time.NewTimer(s.Poll.Std())
			look = timer.C
		}
		select {
		case <-ctx.Done():
			stop(timer)
			return
		case <-d.o.Hangup:
			stop(timer)
			d.reload("signal")
			w.take(d.now.Load().files(d.o.ConfigFile), time.Now())
		case at := <-look:
			if w.changed(d.now.Load().files(d.o.ConfigFile), at) {
				d.reload("change")
				w.take(d.now.Load().files(d.o.ConfigFile), time.Now()) // the new configuration may name other files
			}
		}
	}
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}
