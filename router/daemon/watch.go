package daemon

import (
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// snapshot is what was found at files, by their names.
type snapshot map[string]look

// look is what was found at a file.
type look struct {
	info os.FileInfo // nil: nothing that could be read
	at   time.Time
	sum  [32]byte
}

func (s snapshot) note(name string) { s[name] = lookAt(name, look{}, time.Now()) }

func (s snapshot) sum() [32]byte {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		sum := s[name].sum
		all.Write(sum[:])
	}
	return [32]byte(all.Sum(nil))
}

// freshness is how long after its last change a file may change again without its time or size telling: the clocks of file systems are coarse.
const freshness = 3 * time.Second

// lookAt reads a file unless it is certain to be as it was. What cannot be read counts as a content of its own.
func lookAt(name string, before look, now time.Time) look {
	info, err := os.Stat(name)
	if err != nil {
		return look{}
	}
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

// watched tells by their content whether files have changed. It is polled: notices of file systems do not come over networks and container
// mounts, and miss files that are replaced through links, as Kubernetes replaces them.
type watched struct {
	taken [32]byte // content that was last acted upon
	seen  [32]byte // content at the last look
	files snapshot
}

// take has the files count as acted upon as they were noted.
func (w *watched) take(files snapshot) {
	w.files = files
	w.taken = files.sum()
	w.seen = w.taken
}

// changed says whether there is something new, and the same as at the last look: a file that is still being written is not taken up.
func (w *watched) changed(now time.Time) bool {
	next := make(snapshot, len(w.files))
	for name, before := range w.files {
		next[name] = lookAt(name, before, now)
	}
	w.files = next
	sum := next.sum()
	settled := sum == w.seen
	w.seen = sum
	return settled && sum != w.taken
}

// watch reloads when files change or a signal asks for it, until ctx ends.
func (d *daemon) watch(ctx context.Context, files snapshot) {
	var w watched
	w.take(files)
	for {
		var look <-chan time.Time
		if s := d.now.Load().config.Supergraph; s.Watch {
			look = time.After(s.Poll.Std())
		}
		select {
		case <-ctx.Done():
			return
		case <-d.o.Hangup:
			w.take(d.reload("signal"))
		case at := <-look:
			if w.changed(at) {
				w.take(d.reload("change"))
			}
		}
	}
}
