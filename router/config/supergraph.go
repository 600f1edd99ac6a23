package config

// Supergraph says which graph is served.
type Supergraph struct {
	File  string   `yaml:"file" doc:"File with the supergraph's SDL; relative to the configuration file. The flag --supergraph wins."`
	Poll  Duration `yaml:"poll" default:"1s" min:"10ms" doc:"How often files are looked at. A change is taken up once it was the same at two looks, so that no file is read half written."`
	Watch bool     `yaml:"watch" default:"true" doc:"Whether a change of the file, or of the configuration file, is taken up while the router runs; SIGHUP asks for it in any case."`
}
