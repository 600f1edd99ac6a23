package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bourse/router"
	"bourse/router/config"
)

// Options of a run.
type Options struct {
	Source
	Logger  *slog.Logger     // nil: nothing is logged
	Hangup  <-chan os.Signal // each asks for a reload; may be nil
	Started func(Started)    // hears once that requests are served; may be nil
	// Playground makes the page for an endpoint; explains says whether it may ask for query plans. nil: there is none.
	Playground func(endpoint string, explains bool) http.Handler
}

// Started says where a router is reached.
type Started struct {
	Endpoint   string // URL of the GraphQL endpoint
	Playground string // URL of the playground; empty: there is none
	Admin      string // URL of the admin listener; empty: there is none
}

// Run serves until ctx ends and what runs then has ended too. Everything wrong with the source is found before a listener is opened.
func Run(ctx context.Context, o Options) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return run(ctx, o, time.Sleep)
}

func run(ctx context.Context, o Options, pause func(time.Duration)) error {
	l, files, err := o.load(func(c *config.Config) (*config.Built, error) { return c.Build(o.Logger) })
	if err != nil {
		return &SourceError{err}
	}
	d := &daemon{o: o, pause: pause}
	public, admin, err := d.routes(l)
	if err != nil {
		l.built.Close()
		return &SourceError{err}
	}
	l.built.Options.Released = l.built.Close
	if d.router, err = router.New(l.sdl, l.built.Options); err != nil {
		l.built.Close()
		return &SourceError{l.config.OfSupergraph(err)}
	}
	d.take(l, public, admin)
	listeners, err := d.listen(l)
	if err != nil {
		return errors.Join(err, d.router.Close(context.Background()))
	}
	return d.serve(ctx, listeners, files)
}

// SourceError is what is wrong with the configuration, the supergraph or another file that was given.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// daemon is one run.
type daemon struct {
	o      Options
	router *router.Router
	now    atomic.Pointer[loaded]
	health health
	public switchboard
	admin  switchboard
	pause  func(time.Duration)
}

// logger is the one that the configuration in force has.
func (d *daemon) logger() *slog.Logger { return d.now.Load().built.Options.Logger }

// routes says who answers what on the listeners.
func (d *daemon) routes(l *loaded) (public, admin *http.ServeMux, err error) {
	if err := l.clash(); err != nil {
		return nil, nil, err
	}
	public, admin = http.NewServeMux(), http.NewServeMux()
	public.HandleFunc(l.config.Listen.Path, func(w http.ResponseWriter, r *http.Request) { d.router.ServeHTTP(w, r) })
	for _, mux := range []*http.ServeMux{public, admin} {
		mux.HandleFunc(l.config.Health.AlivePath, d.health.alive)
		mux.HandleFunc(l.config.Health.ReadyPath, d.health.ready)
	}
	inside := public
	if l.config.Listen.Admin != "" {
		inside = admin
	}
	for pattern, handler := range l.built.Admin {
		inside.Handle(pattern, handler)
	}
	if at := l.playground(); d.o.Playground != nil && at != "" {
		page := d.o.Playground(l.config.Listen.Path, l.built.Options.Explain != nil)
		public.Handle(at, http.StripPrefix(strings.TrimSuffix(at, "/"), page))
	}
	return public, admin, nil
}

// route is a path and the option that says it.
type route struct{ option, path string }

// clash says which options claim one path of a listener; a ServeMux would panic, or let one of them hide the other.
func (l *loaded) clash() error {
	c := l.config
	health := []route{{"health.alive_path", c.Health.AlivePath}, {"health.ready_path", c.Health.ReadyPath}}
	public := append([]route{{"listen.path", c.Listen.Path}}, health...)
	if at := l.playground(); at != "" {
		public = append(public, route{"playground.path", at})
	}
	admin, inside := health, &public
	if c.Listen.Admin != "" {
		inside = &admin
	}
	for _, pattern := range slices.Sorted(maps.Keys(l.built.Admin)) {
		one := route{pattern, pattern[strings.Index(pattern, "/"):]} // a method may stand before the path
		if m := c.Telemetry.Metrics; m != nil && m.Path == one.path {
			one.option = "telemetry.metrics.path"
		}
		*inside = append(*inside, one)
	}
	var errs []error
	for _, routes := range [][]route{public, admin} {
		taken := map[string]string{}
		for _, r := range routes {
			if other, ok := taken[r.path]; ok {
				errs = append(errs, bothAt(c, r.path, other, r.option))
			}
			taken[r.path] = r.option
		}
	}
	return errors.Join(errs...)
}

// bothAt says that two options claim a path, at the place of the one that the file has, and what to do about it.
func bothAt(c *config.Config, path, first, second string) error {
	if !c.Says(second) && c.Says(first) {
		first, second = second, first
	}
	way := "give one of them another"
	if first == "playground.path" || second == "playground.path" {
		way = "give playground.path another, such as /playground, or say false for playground.enabled"
	}
	return c.At(second, fmt.Errorf("%s is the path of %s already: %s", path, first, way))
}

// playground is the path of the page, with a slash at both ends, because its files are relative to it; empty: there is none.
func (l *loaded) playground() string {
	p := l.config.Playground
	if !p.Enabled {
		return ""
	}
	return strings.TrimSuffix("/"+strings.Trim(p.Path, "/"), "/") + "/"
}

// take has requests answered by what was loaded.
func (d *daemon) take(l *loaded, public, admin *http.ServeMux) {
	d.now.Store(l)
	d.health.configure(l.config.Health, d.router.Probe)
	d.public.set(public)
	d.admin.set(l.built.AdminAddresses.Guard(admin))
}

// reload takes the files up anew. What is wrong with them changes nothing. It returns what it found at them.
func (d *daemon) reload(why string) snapshot {
	before := d.now.Load()
	d.logger().Info("reloading", "because", why)
	l, files, err := d.o.load(func(c *config.Config) (*config.Built, error) { return c.BuildAfter(before.built, d.o.Logger) })
	var public, admin *http.ServeMux
	if err == nil {
		if public, admin, err = d.routes(l); err != nil {
			l.built.Close()
		}
	}
	if err != nil {
		d.logger().Error("reload refused; the router goes on as before", "error", err)
		before.built.Options.Telemetry.Reloaded(0, err)
		if hook := before.built.Options.Hooks.Reload; hook != nil {
			hook(router.ReloadEvent{Err: err})
		}
		return files
	}
	l.built.Options.Released = l.built.Close
	if err := d.router.Reload(l.sdl, l.built.Options); err != nil {
		l.built.Close()
		d.logger().Error("reload refused; the router goes on as before", "error", l.config.OfSupergraph(err))
		return files
	}
	d.take(l, public, admin)
	if fixed(before.config.Listen) != fixed(l.config.Listen) {
		d.logger().Warn("what listen says of addresses, times and sizes has changed: it needs a restart")
	}
	return files
}

// fixed is what of a section only a restart changes.
func fixed(l config.Listen) config.Listen {
	l.Path, l.Drain = "", config.Drain{}
	if l.TLS != nil { // the certificate may change, not whether there is one
		l.TLS = secured
	}
	return l
}

var secured = &config.TLS{}

// serve answers on the listeners until ctx ends, and then drains.
func (d *daemon) serve(ctx context.Context, l listeners, files snapshot) error {
	var running sync.WaitGroup
	failed := make(chan error, 2)
	for _, one := range l.all() {
		running.Go(func() { failed <- one.server.Serve(one.listener) })
	}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	running.Go(func() { d.watch(watching, files) })
	d.health.set(ready)
	if d.o.Started != nil {
		d.o.Started(d.started(l))
	}
	var err error
	select {
	case err = <-failed: // a listener is gone; what runs may still end
	case <-ctx.Done():
	}
	stopWatching()
	err = errors.Join(err, d.drain(l, err == nil))
	running.Wait()
	return err
}

// drain ends the run: not ready, then no new work, then the end of what runs.
func (d *daemon) drain(l listeners, patient bool) error {
	drain := d.now.Load().config.Listen.Drain
	d.health.set(draining)
	d.logger().Info("draining", "delay", drain.Delay.Std(), "timeout", drain.Timeout.Std())
	if patient && drain.Delay > 0 {
		d.pause(drain.Delay.Std()) // clients are served as before; the next signal ends the process
	}
	ending, cancel := context.WithTimeout(context.Background(), drain.Timeout.Std())
	defer cancel()
	err := d.router.Close(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		d.logger().Warn("some operations did not end in time and were cut off")
		err = nil
	}
	for _, one := range l.all() {
		if one.server.Shutdown(ending) != nil {
			_ = one.server.Close() // connections that are left wait for clients that do not come
		}
	}
	d.logger().Info("drained")
	return err
}

// switchboard is a handler that may be exchanged.
type switchboard struct{ now atomic.Pointer[http.Handler] }

func (s *switchboard) set(h http.Handler) { s.now.Store(&h) }

func (s *switchboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*s.now.Load()).ServeHTTP(w, r)
}

// certificate is the one in force.
func (d *daemon) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := d.now.Load().certificate; c != nil {
		return c, nil
	}
	return nil, errors.New("the configuration has no certificate any more")
}
