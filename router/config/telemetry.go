package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"bourse/router/telemetry"
)

// Telemetry is what the router tells of itself.
type Telemetry struct {
	ClientName    string     `yaml:"client_name_header" default:"graphql-client-name" doc:"Request header in which clients give their name."`
	ClientVersion string     `yaml:"client_version_header" default:"graphql-client-version" doc:"Request header in which clients give their version."`
	Traces        *Traces    `yaml:"traces" doc:"OpenTelemetry traces; left out: none."`
	Metrics       *Metrics   `yaml:"metrics" doc:"Prometheus metrics; left out: none."`
	AccessLog     *AccessLog `yaml:"access_log" doc:"One line for each operation; left out: the router's own log has one, with the usual fields."`
	SlowLog       *SlowLog   `yaml:"slow_log" doc:"One line for each query and mutation that took long; left out: none."`
	Usage         *Usage     `yaml:"usage" doc:"A record of which operations and fields clients use, for schema checks; left out: none."`
}

// Traces go to a collector.
type Traces struct {
	Endpoint     string            `yaml:"endpoint" default:"http://localhost:4318" doc:"Collector that takes OTLP over HTTP, as on port 4318 (not gRPC, as on 4317); /v1/traces is added where there is no path."`
	Headers      map[string]string `yaml:"headers" doc:"Headers for the collector, such as an API key."`
	Timeout      Duration          `yaml:"timeout" default:"10s" min:"1ms" doc:"Time for one message with its retries."`
	Gzip         bool              `yaml:"gzip" doc:"Whether messages are compressed."`
	ServiceName  string            `yaml:"service_name" default:"bourse-router" doc:"Name of the service in traces."`
	Attributes   map[string]string `yaml:"attributes" doc:"More attributes of the resource, such as deployment.environment.name."`
	Ratio        float64           `yaml:"ratio" default:"1" min:"0" max:"1" doc:"How many of the traces that begin here are recorded, from 0 to 1."`
	IgnoreParent bool              `yaml:"ignore_parent" doc:"Decide by the ratio alone. Otherwise a client whose traceparent is sampled is always recorded: say true where clients are not trusted."`
	Baggage      bool              `yaml:"baggage" doc:"Pass W3C baggage on to subgraphs."`
	Document     bool              `yaml:"document" doc:"Put the text of operations into spans, with what its literals say."`
	QueueSize    int               `yaml:"queue_size" default:"2048" min:"1" doc:"Spans that may wait for the collector; more are dropped."`
	BatchSize    int               `yaml:"batch_size" default:"512" min:"1" doc:"Spans in one message."`
	Every        Duration          `yaml:"every" default:"5s" min:"1ms" doc:"Time between messages."`
}

// Metrics are for Prometheus.
type Metrics struct {
	Path           string    `yaml:"path" default:"/metrics" doc:"Where they are shown, on the admin listener if there is one."`
	OperationNames int       `yaml:"operation_names" default:"100" min:"0" doc:"How many names of operations get series of their own; the rest is other."`
	Buckets        []float64 `yaml:"buckets" doc:"Upper bounds of the histograms of times, in seconds; left out: from 1 ms to 10 s."`
}

// Check implements checker.
func (m *Metrics) Check() error {
	if !validPath(m.Path) {
		return badKey("path", badPath)
	}
	return nil
}

// AccessLog has a line for each operation.
type AccessLog struct {
	Format  string   `yaml:"format" default:"json" enum:"json|text" doc:"Form of a line."`
	Output  string   `yaml:"output" default:"stderr" doc:"stderr, stdout, or a file that is appended to, relative to this one; one that was moved away is begun anew."`
	Fields  []string `yaml:"fields" doc:"Fields of a line in their order; left out: the usual ones."`
	Headers []string `yaml:"headers" doc:"Request headers that are logged too. Those whose names speak of secrets are refused."`
	Sample  float64  `yaml:"sample" default:"1" min:"0" max:"1" doc:"How many of the operations that went well are logged, from 0 to 1; what was refused or has errors always is."`
}

// SlowLog has a line for what took long.
type SlowLog struct {
	Threshold Duration `yaml:"threshold" default:"1s" min:"1ms" doc:"How long an operation may take before it is told of."`
	Format    string   `yaml:"format" default:"json" enum:"json|text" doc:"Form of a line."`
	Output    string   `yaml:"output" default:"stderr" doc:"stderr, stdout, or a file that is appended to, relative to this one; one that was moved away is begun anew."`
	Fetches   int      `yaml:"fetches" default:"5" min:"1" doc:"How many of the slowest subgraph requests are told."`
	Variables []string `yaml:"variables" doc:"Names of variables whose values may be shown; of all others only the names are."`
}

// Usage is recorded in a file.
type Usage struct {
	File       string   `yaml:"file" required:"true" doc:"File of JSON lines, such as usage/current.jsonl, relative to this one; its folder is made."`
	Every      Duration `yaml:"every" default:"1m" min:"1s" doc:"Time between writes."`
	Rotate     Duration `yaml:"rotate" default:"24h" min:"1m" doc:"After which a new record begins; the old one stays beside it, by its time."`
	Keep       int      `yaml:"keep" default:"30" min:"1" doc:"How many old records stay."`
	Operations int      `yaml:"operations" default:"10000" min:"1" doc:"How many different operations one record holds; more are only counted."`
	Clients    int      `yaml:"clients" default:"20" min:"1" doc:"How many clients of one operation are told apart."`
}

// Check implements what one field cannot say.
func (a *AccessLog) Check() error {
	_, err := telemetry.New(telemetry.Options{Access: &telemetry.AccessLog{Logger: slog.New(slog.DiscardHandler), Fields: a.Fields, Headers: a.Headers}})
	return err
}

func (t *Telemetry) apply(b *Built) error {
	if t.Traces == nil && t.Metrics == nil && t.AccessLog == nil && t.SlowLog == nil && t.Usage == nil {
		return nil
	}
	var err error
	b.Options.Telemetry, err = last(b, teller{dir: b.dir, Telemetry: *t}, func() (*telemetry.Telemetry, func(), error) {
		return (&opening{section: t, dir: b.dir, trial: b.trial}).open(b.Options.Logger)
	})
	if err != nil {
		return err
	}
	if t.Metrics != nil {
		b.Admin["GET "+t.Metrics.Path] = b.Options.Telemetry.MetricsHandler()
	}
	return nil
}

// teller is what a telemetry is made for.
type teller struct {
	dir string // that its files are relative to
	Telemetry
}

// closingTime is how long the last spans may take to leave.
const closingTime = 5 * time.Second

// opening makes a telemetry with its files.
type opening struct {
	section *Telemetry
	dir     string
	trial   bool // nothing is written
	files   []io.Closer
}

func (u *opening) open(logger *slog.Logger) (*telemetry.Telemetry, func(), error) {
	o, err := u.options(logger)
	if err != nil {
		u.closeFiles()
		return nil, nil, err
	}
	t, err := telemetry.New(o)
	if err != nil {
		u.closeFiles()
		return nil, nil, err
	}
	return t, func() {
		ctx, cancel := context.WithTimeout(context.Background(), closingTime)
		defer cancel()
		_ = t.Close(ctx) // a collector that is away; there is nobody left to tell
		u.closeFiles()
	}, nil
}

func (u *opening) closeFiles() {
	for _, f := range u.files {
		_ = f.Close()
	}
}

func (u *opening) options(logger *slog.Logger) (o telemetry.Options, err error) {
	s := u.section
	o = telemetry.Options{ClientName: s.ClientName, ClientVersion: s.ClientVersion, Version: Version, Logger: logger}
	if t := s.Traces; t != nil {
		o.Traces = &telemetry.Traces{
			Exporter:    telemetry.OTLP{Endpoint: t.Endpoint, Headers: t.Headers, Timeout: t.Timeout.Std(), Gzip: t.Gzip},
			ServiceName: t.ServiceName, Attributes: t.Attributes, Ratio: t.Ratio, IgnoreParent: t.IgnoreParent, Baggage: t.Baggage,
			Document: t.Document, QueueSize: t.QueueSize, BatchSize: min(t.BatchSize, t.QueueSize), Every: t.Every.Std(),
		}
	}
	if m := s.Metrics; m != nil {
		o.Metrics = &telemetry.Metrics{OperationNames: m.OperationNames, Buckets: m.Buckets}
		if m.OperationNames == 0 {
			o.Metrics.OperationNames = -1
		}
	}
	if a := s.AccessLog; a != nil {
		o.Access = &telemetry.AccessLog{Fields: a.Fields, Headers: a.Headers, Sample: a.Sample}
		if a.Sample == 0 {
			o.Access.Sample = -1
		}
		if o.Access.Logger, err = u.logger(a.Output, a.Format); err != nil {
			return o, fmt.Errorf("access_log: %w", err)
		}
	}
	if l := s.SlowLog; l != nil {
		o.Slow = &telemetry.SlowLog{Threshold: l.Threshold.Std(), Fetches: l.Fetches, Variables: l.Variables}
		if o.Slow.Logger, err = u.logger(l.Output, l.Format); err != nil {
			return o, fmt.Errorf("slow_log: %w", err)
		}
	}
	if r := s.Usage; r != nil && !u.trial {
		o.Usage = &telemetry.Usage{File: beside(u.dir, r.File), Every: r.Every.Std(), Rotate: r.Rotate.Std(), Keep: r.Keep, Operations: r.Operations, Clients: r.Clients}
	}
	return o, nil
}

// logger writes lines to a stream or a file.
func (u *opening) logger(output, format string) (*slog.Logger, error) {
	var out io.Writer
	switch output {
	case "stderr":
		out = os.Stderr
	case "stdout":
		out = os.Stdout
	case "":
		return nil, errors.New("output is empty")
	default:
		at := beside(u.dir, output)
		if u.trial {
			_, err := os.Stat(filepath.Dir(at))
			return slog.New(slog.DiscardHandler), err
		}
		f, err := openLog(at)
		if err != nil {
			return nil, err
		}
		u.files = append(u.files, f)
		out = f
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(out, nil)), nil
	}
	return slog.New(slog.NewJSONHandler(out, nil)), nil
}

// Version of this build, for metrics and traces; the program sets it before it builds a configuration.
var Version = "dev"
