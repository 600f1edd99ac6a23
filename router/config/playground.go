package config

// Playground is the page on which people try operations. The program that carries it serves it.
type Playground struct {
	Enabled bool   `yaml:"enabled" default:"true" doc:"Whether the playground is served."`
	Path    string `yaml:"path" default:"/" doc:"Path of the page."`
}

// Check implements checker.
func (p *Playground) Check() error {
	if !validPath(p.Path) {
		return badKey("path", badPath)
	}
	return nil
}
