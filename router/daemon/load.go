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
	}
	if c.Supergraph.File == "" {
		return nil, errors.New("no supergraph: name its file with --supergraph or as supergraph.file of a configuration")
	}
	return c, nil
}

// load reads the files and makes options of them. The caller closes what was built.
func (s Source) load(logger *slog.Logger) (*loaded, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	l := &loaded{config: c}
	if l.sdl, err = readSupergraph(c.Path(c.Supergraph.File)); err != nil {
		return nil, err
	}
	if t := c.Listen.TLS; t != nil {
		pair, err := tls.LoadX509KeyPair(c.Path(t.Certificate), c.Path(t.Key))
		if err != nil {
			return nil, fmt.Errorf("listen.tls: %w", err)
		}
		l.certificate = &pair
	}
	if l.built, err = c.Build(logger); err != nil {
		return nil, err
	}
	if s.Options != nil {
		s.Options(&l.built.Options)
	}
	return l, nil
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

// Check finds what is wrong with a source without serving it: everything that New or Reload of a router would find.
func (s Source) Check(logger *slog.Logger) error {
	l, err := s.load(logger)
	if err != nil {
		return err
	}
	defer l.built.Close()
	r, err := router.New(l.sdl, l.built.Options)
	if err != nil {
		return fmt.Errorf("%s: %w", l.config.Supergraph.File, err)
	}
	return r.Close(context.Background()) // nothing runs
}

// files are those whose change matters.
func (l *loaded) files(configFile string) []string {
	names := []string{l.config.Path(l.config.Supergraph.File)}
	if configFile != "" {
		names = append(names, configFile)
	}
	if t := l.config.Listen.TLS; t != nil {
		names = append(names, l.config.Path(t.Certificate), l.config.Path(t.Key))
	}
	return append(names, l.built.Files()...)
}
