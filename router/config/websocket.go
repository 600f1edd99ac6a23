package config

// WebSocket bounds the WebSockets of clients.
type WebSocket struct {
	MaxSockets    int      `yaml:"max_sockets" default:"10000" min:"1" doc:"WebSockets and reserved streams that may be open."`
	MaxByAddress  int      `yaml:"max_by_address" default:"0" min:"0" doc:"Of one client address; 0: as many as max_sockets. Behind a proxy, see addresses first: its clients would share one."`
	MaxByIdentity int      `yaml:"max_by_identity" default:"0" min:"0" doc:"Of one identity; 0: as many as max_sockets."`
	MaxOperations int      `yaml:"max_operations" default:"100" min:"1" doc:"Operations that may run on one of them."`
	MaxMessages   int      `yaml:"max_messages" default:"100" min:"0" doc:"Messages that a client may send on one of them each second, ten seconds' worth at once; 0: any number."`
	InitTimeout   Duration `yaml:"init_timeout" default:"5s" min:"1ms" doc:"Time in which a client must send connection_init."`
	DrainJitter   Duration `yaml:"drain_jitter" default:"0s" doc:"Time over which they are closed when the router ends, so that clients do not all come back at once; give listen.drain.timeout more than this."`
}

func (w *WebSocket) apply(b *Built) error {
	o := &b.Options
	o.MaxSockets, o.MaxSocketsByAddress, o.MaxSocketsByIdentity = w.MaxSockets, w.MaxByAddress, w.MaxByIdentity
	o.MaxOperations, o.MaxMessages = w.MaxOperations, w.MaxMessages
	if w.MaxMessages == 0 {
		o.MaxMessages = -1
	}
	o.InitTimeout, o.DrainJitter = w.InitTimeout.Std(), w.DrainJitter.Std()
	return nil
}
