package config

import (
	"bourse/router"
	"bourse/router/plan"
)

// Plans says how operations are planned, and how many are kept ready.
type Plans struct {
	Cache          int      `yaml:"cache" default:"1000" min:"1" doc:"Operations that are kept ready with their plans."`
	CacheBytes     Size     `yaml:"cache_bytes" default:"128MiB" min:"1MiB" doc:"What they may take together, about."`
	WarmOperations int      `yaml:"warm_operations" default:"1000" min:"0" doc:"How many of the operations that were known are made ready before a reload takes effect; 0 for none."`
	WarmTime       Duration `yaml:"warm_time" default:"10s" min:"1ms" doc:"How long that may take; the rest is made ready when it is asked for."`
	Steps          int      `yaml:"steps" default:"200000" min:"1" doc:"Work on the plan of one operation, beyond which it is refused; a step is about one field of one concrete type."`
	SearchSteps    int      `yaml:"search_steps" default:"20000" min:"1" doc:"Work on the search for a cheaper plan than the first; the best so far is taken then, and says so."`
	Labels         []string `yaml:"labels" doc:"Labels of progressive overrides that are on for every request; percent(n) is drawn and needs no entry."`
}

func (p *Plans) apply(b *Built) error {
	b.Options.Plan = plan.Options{MaxSteps: p.Steps, MaxSearch: p.SearchSteps}
	b.Options.Label = router.LabelsOn(p.Labels)
	b.Options.PlanCacheSize, b.Options.PlanCacheBytes = p.Cache, int(p.CacheBytes)
	b.Options.WarmOperations, b.Options.WarmTime = p.WarmOperations, p.WarmTime.Std()
	if p.WarmOperations == 0 {
		b.Options.WarmOperations = -1 // of the options' zero is the default
	}
	return nil
}
