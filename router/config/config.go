package config

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"

	"github.com/redis/go-redis/v9"

	"bourse/router"
	"bourse/router/identity"
	"bourse/router/patience"
)

// Config is a whole configuration file. Default has the values that hold where the file says nothing.
type Config struct {
	Listen     Listen     `yaml:"listen" doc:"Where clients are served."`
	Health     Health     `yaml:"health" doc:"What load balancers and supervisors are told."`
	HTTP       HTTP       `yaml:"http" doc:"How answers are sent, and how long clients may take."`
	WebSocket  WebSocket  `yaml:"websocket" doc:"How many WebSockets clients may open, and what they may do on them."`
	Supergraph Supergraph `yaml:"supergraph" doc:"The graph that is served."`
	Subgraphs  Subgraphs  `yaml:"subgraphs" doc:"How subgraphs are reached."`
	Streams    Streams    `yaml:"subscriptions" doc:"How events of subscriptions reach clients."`
	Plans      Plans      `yaml:"plans" doc:"Query plans and how many of them are kept."`
	Traffic    Traffic    `yaml:"traffic" doc:"What is asked of subgraphs only once, and how they are spared."`
	Cache      Cache      `yaml:"cache" doc:"What is kept of subgraphs' answers."`

	Redis         Redis         `yaml:"redis" doc:"What several routers share."`
	Limits        Limits        `yaml:"limits" doc:"What one operation may be."`
	Cost          Cost          `yaml:"cost" doc:"What one operation may cost."`
	Documents     Documents     `yaml:"documents" doc:"Operations that clients name instead of sending them."`
	Rate          Rate          `yaml:"rate" doc:"How often clients may ask."`
	Introspection Introspection `yaml:"introspection" doc:"Who may ask for the schema."`
	Errors        Errors        `yaml:"errors" doc:"What clients see of the errors of subgraphs."`
	CORS          CORS          `yaml:"cors" doc:"Which web pages of other sites may use the endpoint."`

	Identity  Identity  `yaml:"identity" doc:"How requests prove whom they speak for."`
	Headers   Headers   `yaml:"headers" doc:"Which headers subgraphs see, and which of theirs clients do."`
	Addresses Addresses `yaml:"addresses" doc:"Where requests may come from."`

	Telemetry  Telemetry  `yaml:"telemetry" doc:"What the router tells of itself."`
	Explain    Explain    `yaml:"explain" doc:"Who may see query plans and timings."`
	Playground Playground `yaml:"playground" doc:"The page on which people try operations."`

	dir   string            // that files are relative to; empty: the process's own
	reads func(path string) // may be nil

	file   string // that it was read from; empty: none
	places places
}

// section is a part of the configuration that changes the router's options; all fields of Config that are one are asked in their order.
type section interface{ apply(b *Built) error }

// Built is what a Config becomes: options for router.New or Reload, and what goes with them.
type Built struct {
	Options router.Options
	// Admin are handlers for the admin listener, by pattern of http.ServeMux.
	Admin map[string]http.Handler
	// AdminAddresses are the rules for that listener.
	AdminAddresses *identity.Addresses
	dir            string
	reads          func(path string) // may be nil
	closers        []func()
	lasting        *lasting
	trial          bool // nothing is opened but what is read

	redis    redis.UniversalClient // nil: there is none
	from     Redis                 // its section
	patience patience.Options      // with it
}

// path is where a file is that the configuration names and that is read; a change of it counts as one of the configuration.
func (b *Built) path(name string) string {
	at := beside(b.dir, name)
	if b.reads != nil {
		b.reads(at)
	}
	return at
}

// Reads has Build tell of each file before a section reads it.
func (c *Config) Reads(f func(path string)) { c.reads = f }

// Path is where a file is that the configuration names.
func (c *Config) Path(name string) string { return beside(c.dir, name) }

func beside(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// OnClose is called by sections that opened something that lives as long as the options are in use.
func (b *Built) OnClose(f func()) { b.closers = append(b.closers, f) }

// Close gives back what sections opened, the last first. Call it when no request uses the options any more.
func (b *Built) Close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		b.closers[i]()
	}
	b.closers = nil
}

// Default is the configuration of an empty file.
func Default() *Config {
	c := &Config{}
	setDefaults(reflect.ValueOf(c).Elem())
	return c
}

// Build makes the router's options. The caller closes what it gets.
func (c *Config) Build(logger *slog.Logger) (*Built, error) {
	return c.build(logger, &Built{lasting: &lasting{}})
}

// Try is Build for looking at the result alone: files are read, but nothing is written and nobody is called. Tokens have no verifier.
func (c *Config) Try(logger *slog.Logger) (*Built, error) {
	return c.build(logger, &Built{lasting: &lasting{}, trial: true})
}

// BuildAfter is Build for a reload: what counts or remembers goes on, where its section says the same as before. before is still in use, and
// closed by whoever has it when it no longer is.
func (c *Config) BuildAfter(before *Built, logger *slog.Logger) (*Built, error) {
	return c.build(logger, &Built{lasting: before.lasting})
}

func (c *Config) build(logger *slog.Logger, b *Built) (*Built, error) {
	b.Options, b.Admin, b.dir, b.reads = router.Options{Logger: logger}, map[string]http.Handler{}, c.dir, c.reads
	var errs []error
	for i := range reflect.TypeFor[Config]().NumField() {
		if !reflect.TypeFor[Config]().Field(i).IsExported() {
			continue
		}
		s, ok := reflect.ValueOf(c).Elem().Field(i).Addr().Interface().(section)
		if !ok {
			continue
		}
		if err := s.apply(b); err != nil {
			errs = append(errs, c.At(keyOf(reflect.TypeFor[Config]().Field(i)), err))
		}
	}
	if len(errs) > 0 {
		b.Close()
		return nil, errors.Join(errs...)
	}
	return b, nil
}
