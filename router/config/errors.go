package config

import "bourse/router/execute"

// Errors says what clients see of the errors that subgraphs report.
type Errors struct {
	All  ErrorRules            `yaml:"all" doc:"Rules for every subgraph that each does not name."`
	Each map[string]ErrorRules `yaml:"each" doc:"Rules for one subgraph, by its name in the supergraph, instead of those of all."`
}

// ErrorRules are what clients see of the errors of a subgraph.
type ErrorRules struct {
	Mask          bool     `yaml:"mask" default:"false" doc:"Whether messages without a code in extensions.code are replaced by a general one, and their extensions dropped."`
	Codes         []string `yaml:"codes" doc:"Codes that are let through; errors with another are masked. Empty: all."`
	Extensions    []string `yaml:"extensions" doc:"Keys of extensions that are let through, beside code and service. Empty: all."`
	HideExtension bool     `yaml:"no_extensions" default:"false" doc:"Whether no extensions are let through but code and service."`
}

func (r *ErrorRules) policy() execute.Errors {
	p := execute.Errors{Mask: r.Mask, Codes: r.Codes, Extensions: r.Extensions}
	if r.HideExtension {
		p.Extensions = []string{}
	}
	return p
}

func (e *Errors) apply(b *Built) error {
	b.Options.Errors = e.All.policy()
	for name, r := range e.Each {
		if b.Options.ErrorsOf == nil {
			b.Options.ErrorsOf = map[string]execute.Errors{}
		}
		b.Options.ErrorsOf[name] = r.policy()
	}
	return nil
}
