package config

// Introspection says who may ask for the schema.
type Introspection struct {
	Enabled bool     `yaml:"enabled" default:"true" doc:"Whether everyone may. Who may not is told no names that it nearly hit either."`
	Roles   []string `yaml:"roles" doc:"Identities with one of these roles may also where not everyone does."`
}

func (i *Introspection) apply(b *Built) error {
	b.Options.Introspection, b.Options.IntrospectionRoles = i.Enabled, i.Roles
	return nil
}
