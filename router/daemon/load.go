package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"bourse/router"
	"bourse/router/config"
)

// maxSupergraph bounds the file of a supergraph.
const maxSupergraph = 64 << 20

// Source is where a router's configuration and supergraph come from.
type Source struct {
	ConfigFile string                // empty: the defaults
	Adjust     func(*config.Config)  // what wins over the file, such as flags; may be nil
	Options    func(*router.Options) // the same for what no configuration says; may be nil
}

// loaded is all that is served at a time.
type loaded struct {
	config      *config.Config
	built       *config.Built
	sdl         string
	certificate *tls.Certificate // nil: no TLS
}

// Config reads the configuration with what wins over it.
func (s Source) Config() (*config.Config, error) {
	c := config.Default()
	if s.ConfigFile != "" {
		var err error
		if c, err = config.ReadFile(s.ConfigFile); err != nil {
			return nil, err
		}
	}
	if s.Adjust != nil {
		s.Adjust(c)
		if err := c.Listen.Check(); err != nil { // the file's own was found while it was read
			return nil, fmt.Errorf("listen.%w", err)
		}
	}
	if c.Supergraph.File == "" {
		return nil, errors.New("no supergraph: name its file with --supergraph or as supergraph.file of a configuration")
	}
	return c, nil
}

// build makes options of a configuration.
type build func(*config.Config) (*config.Built, error)

// load reads the files and makes options of them. The caller closes what was built. Each file is noted before it is read, so that no change is
// missed; what was noted up to an error is returned too.
func (s Source) load(build build) (*loaded, snapshot, error) {
	files := snapshot{}
	if s.ConfigFile != "" {
		files.note(s.ConfigFile)
	}
	c, err := s.Config()
	if err != nil {
		return nil, files, err
	}
	c.Reads(files.note)
	l := &loaded{config: c}
	supergraph := c.Path(c.Supergraph.File)
	files.note(supergraph)
	if l.sdl, err = readSupergraph(supergraph); err != nil {
		return nil, files, err
	}
	if t := c.Listen.TLS; t != nil {
		certificate, key := c.Path(t.Certificate), c.Path(t.Key)
		files.note(certificate)
		files.note(key)
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, files, c.At("listen.tls", err)
		}
		l.certificate = &pair
	}
	if l.built, err = build(c); err != nil {
		return nil, files, err
	}
	if s.Options != nil {
		s.Options(&l.built.Options)
	}
	return l, files, nil
}

func readSupergraph(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read the supergraph: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSupergraph+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the supergraph: %w", err)
	case len(text) > maxSupergraph:
		return "", fmt.Errorf("%s is larger than %s", name, config.Size(maxSupergraph))
	}
	return string(text), nil
}

// Check finds what is wrong with a source without serving it: everything that New or Reload of a router would find. It
// opens nothing but what it reads: no key set behind a URL, no Redis, no log.
func (s Source) Check(logger *slog.Logger) error {
	l, _, err := s.load(func(c *config.Config) (*config.Built, error) { return c.Try(logger) })
	if err != nil {
		return err
	}
	defer l.built.Close()
	if err := l.clash(); err != nil {
		return err
	}
	r, err := router.New(l.sdl, l.built.Options)
	if err != nil {
		return l.config.OfSupergraph(err)
	}
	return r.Close(context.Background()) // nothing runs
}
