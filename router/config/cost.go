package config

import (
	"maps"
	"slices"

	"bourse/router"
	"bourse/router/cost"
)

// Cost bounds what one operation may cost by the @cost and @listSize of the supergraph.
type Cost struct {
	Mode     string         `yaml:"mode" default:"off" enum:"off|warn|enforce" doc:"Whether costs are computed at all, and whether what is over budget runs and is logged, or is refused."`
	Max      int            `yaml:"max" default:"0" doc:"What anyone's operation may cost; 0: no bound."`
	Roles    map[string]int `yaml:"roles" doc:"Budgets of identities with a role, instead of max; of several the highest holds. 0: no bound."`
	ListSize int            `yaml:"list_size" default:"10" min:"1" doc:"Size that a list is assumed to have of which the schema says nothing."`
	Actual   bool           `yaml:"actual" default:"false" doc:"Counts also what whole answers cost by what stands in them, which reads each of them once more: for the metric, the logs and Bourse-Explain: cost."`
	Mutation int            `yaml:"mutation" default:"10" doc:"What a mutation costs beside its fields."`
}

// Check implements checker.
func (c *Cost) Check() error {
	if c.Mode == "enforce" && c.Max == 0 && slices.Max(append(slices.Collect(maps.Values(c.Roles)), 0)) == 0 {
		return badKey("mode", "there is no budget to enforce: give max, or one of roles, or say warn, which computes costs and refuses nothing")
	}
	return nil
}

func (c *Cost) apply(b *Built) error {
	if c.Mode == "off" {
		return nil
	}
	model := cost.Options{ListSize: c.ListSize, Mutation: c.Mutation}
	if c.Mutation == 0 {
		model.Mutation = -1
	}
	b.Options.Budget = &router.Budget{Max: c.Max, Roles: c.Roles, Warn: c.Mode == "warn", Model: model, Actual: c.Actual}
	return nil
}
