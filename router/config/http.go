package config

import (
	"slices"
	"strings"

	"bourse/router/serve"
)

// HTTP says how answers are sent, and how long clients may take.
type HTTP struct {
	RequestTimeout   Duration `yaml:"request_timeout" default:"60s" min:"1ms" doc:"Time for a query or mutation; subscriptions have none."`
	ReadTimeout      Duration `yaml:"read_timeout" default:"30s" min:"1ms" doc:"Time in which a client must send the body of a request."`
	WriteTimeout     Duration `yaml:"write_timeout" default:"10s" min:"1ms" doc:"Time in which a client must take one message; a whole answer has one second more for each 64 KiB."`
	KeepAlive        Duration `yaml:"keep_alive" default:"15s" min:"1ms" doc:"Time between signs of life on streams."`
	Compression      []string `yaml:"compression" enum:"zstd|br|gzip" default:"zstd,br,gzip" doc:"Content encodings of answers from 1 KiB on, where a client's Accept-Encoding names them; an empty list turns compression off."`
	CompressedBodies bool     `yaml:"compressed_bodies" default:"false" doc:"Whether request bodies may be compressed; the bound on their size holds for what they inflate to."`
	Uploads          Uploads  `yaml:"uploads" doc:"Files that a request may bring, by the GraphQL multipart request specification."`
	MaxBatch         int      `yaml:"max_batch" default:"0" doc:"Requests that one body may have as a list; 0: lists are refused. Each request is counted by all limits as if it had come alone."`
}

// Uploads bounds the files of a request.
type Uploads struct {
	MaxFiles int  `yaml:"max_files" default:"0" doc:"Files of one request; 0: forms are refused."`
	MaxFile  Size `yaml:"max_file" default:"10MiB" min:"1KiB" doc:"Size of one file."`
}

// Check implements checker.
func (h *HTTP) Check() error {
	for _, name := range h.Compression {
		if !slices.Contains(serve.Encodings(), name) {
			return badKey("compression", "%q is none of %s", name, strings.Join(serve.Encodings(), ", "))
		}
	}
	return nil
}

func (h *HTTP) apply(b *Built) error {
	o := &b.Options
	o.RequestTimeout, o.ReadTimeout, o.WriteTimeout, o.KeepAlive = h.RequestTimeout.Std(), h.ReadTimeout.Std(), h.WriteTimeout.Std(), h.KeepAlive.Std()
	o.Encodings = append([]string{}, h.Compression...)
	o.Uploads = serve.Uploads{Files: h.Uploads.MaxFiles, FileBytes: int64(h.Uploads.MaxFile)}
	o.MaxBatch = h.MaxBatch
	o.CompressedBodies = h.CompressedBodies
	return nil
}
