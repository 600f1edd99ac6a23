package config

import "bourse/router/limits"

// Limits bound what one operation may be before anything is spent on it.
type Limits struct {
	Mode        string `yaml:"mode" default:"enforce" enum:"enforce|warn" doc:"Whether an operation beyond a limit is refused, or runs and is logged. With warn it is refused beyond ten times the limit; tokens and body always refuse."`
	Depth       int    `yaml:"depth" default:"30" min:"1" doc:"Nesting of selection sets, fragments spread out."`
	Aliases     int    `yaml:"aliases" default:"100" min:"1" doc:"Fields under another name, fragments spread out."`
	RootFields  int    `yaml:"root_fields" default:"50" min:"1" doc:"Fields of the operation's root, fragments spread out."`
	Fields      int    `yaml:"fields" default:"5000" min:"1" doc:"All fields, fragments spread out."`
	Fragments   int    `yaml:"fragments" default:"100" min:"1" doc:"Fragments that stand in one another, inline or spread."`
	Repeats     int    `yaml:"repeats" default:"100" min:"1" doc:"How often one selection set may have the same key, fragments spread out."`
	Directives  int    `yaml:"directives" default:"200" min:"1" doc:"Directives, fragments spread out."`
	Tokens      int    `yaml:"tokens" default:"10000" min:"1" doc:"Tokens of the text."`
	Operations  int    `yaml:"operations" default:"50" min:"1" doc:"Operations of one document."`
	ListItems   int    `yaml:"list_items" default:"5000" min:"1" doc:"Items of one list in a literal or a variable."`
	InputDepth  int    `yaml:"input_depth" default:"16" min:"1" doc:"Nesting of lists and objects in a literal or a variable."`
	InputValues int    `yaml:"input_values" default:"50000" min:"1" doc:"Values in all literals, or in all variables, of an operation."`
	Body        Size   `yaml:"body" default:"1MiB" min:"1KiB" doc:"Size of a request's body, inflated, or of a WebSocket message."`
}

func (l *Limits) apply(b *Built) error {
	b.Options.Limits = limits.Limits{
		Depth: l.Depth, Aliases: l.Aliases, RootFields: l.RootFields, Fields: l.Fields, Fragments: l.Fragments, Repeats: l.Repeats, Directives: l.Directives,
		Tokens: l.Tokens, Operations: l.Operations, ListItems: l.ListItems, InputDepth: l.InputDepth, InputValues: l.InputValues,
		BodyBytes: int64(l.Body), Warn: l.Mode == "warn",
	}
	return nil
}
