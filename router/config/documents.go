package config

import (
	"fmt"
	"os"

	"bourse/router/persisted"
)

// Documents are operations that clients name instead of sending their text.
type Documents struct {
	Mode      string   `yaml:"mode" default:"off" enum:"off|log|enforce" doc:"What becomes of operations that are no trusted documents: they run, they run and are logged, or they are refused."`
	Manifests []string `yaml:"manifests" doc:"Files of trusted documents: Apollo's persisted query manifest, version 1, or an object of texts by id. They are read again with the configuration."`
	ByID      bool     `yaml:"by_id" default:"false" doc:"With enforce: refuses the text of a trusted document as well; only its id will do."`
	Automatic Keeping  `yaml:"automatic" doc:"Automatic persisted queries: clients send a hash, and the text only when it is not known."`
}

// Keeping says how texts of automatic persisted queries are kept.
type Keeping struct {
	Enabled bool     `yaml:"enabled" default:"true" doc:"Whether they are supported. With mode enforce they save nothing: unknown texts are refused."`
	Entries int      `yaml:"entries" default:"10000" min:"1" doc:"Texts in memory."`
	Bytes   Size     `yaml:"bytes" default:"16MiB" min:"64KiB" doc:"Their size together; a text may have a hundredth of it."`
	TTL     Duration `yaml:"ttl" default:"24h" min:"1s" doc:"How long Redis keeps a text that nobody asks for. Without redis.url each router has its own."`
}

// Check implements checker.
func (d *Documents) Check() error {
	if d.Mode != "off" && len(d.Manifests) == 0 {
		return badKey("manifests", "with mode %s there must be trusted documents", d.Mode)
	}
	return nil
}

// automatic is what texts are kept for: those of one Redis are not those of another.
type automatic struct {
	Keeping
	from Redis
}

func (d *Documents) apply(b *Built) error {
	if len(d.Manifests) == 0 && !d.Automatic.Enabled {
		return nil
	}
	o := persisted.Options{ByID: d.ByID, Logger: b.Options.Logger}
	o.Mode = map[string]persisted.Mode{"off": persisted.Off, "log": persisted.Log, "enforce": persisted.Enforce}[d.Mode]
	var all []*persisted.Manifest
	for _, name := range d.Manifests {
		text, err := os.ReadFile(b.path(name))
		if err != nil {
			return fmt.Errorf("read the manifest: %w", err)
		}
		m, err := persisted.ReadManifest(text)
		if err != nil {
			return fmt.Errorf("manifest %s: %w", name, err)
		}
		all = append(all, m)
	}
	var err error
	if o.Manifest, err = persisted.Merge(all...); err != nil {
		return err
	}
	if d.Automatic.Enabled {
		o.Cache, err = last(b, automatic{d.Automatic, b.from}, func() (*persisted.Automatic, func(), error) {
			return persisted.NewAutomatic(persisted.AutomaticOptions{
				Entries: d.Automatic.Entries, Bytes: int(d.Automatic.Bytes), TTL: d.Automatic.TTL.Std(), Redis: b.redis, Patience: b.waits("persisted queries"),
			}), nil, nil
		})
		if err != nil {
			return err
		}
	}
	b.Options.Documents = persisted.New(o)
	return nil
}
