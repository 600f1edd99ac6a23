package config

// Plans says how many operations are kept ready.
type Plans struct {
	Cache      int  `yaml:"cache" default:"1000" min:"1" doc:"Operations that are kept ready with their plans."`
	CacheBytes Size `yaml:"cache_bytes" default:"128MiB" min:"1MiB" doc:"What they may take together, about."`
}

func (p *Plans) apply(b *Built) error {
	b.Options.PlanCacheSize, b.Options.PlanCacheBytes = p.Cache, int(p.CacheBytes)
	return nil
}
