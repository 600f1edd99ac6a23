package config

import (
	"bourse/router/serve"
	"bourse/router/subscribe"
)

// Streams say how events of subscriptions reach clients.
type Streams struct {
	Slow       string   `yaml:"slow" default:"close" enum:"close|drop" doc:"What happens to a client that takes events more slowly than they come, once its queue is full: the subscription ends with SUBSCRIPTION_LAGGED, or its oldest events are dropped and the next one says in extensions.gap.dropped how many."`
	Queue      int      `yaml:"queue" default:"256" min:"1" doc:"Events that may wait for one client of one subscription."`
	QueueBytes Size     `yaml:"queue_bytes" default:"4MiB" min:"1KiB" doc:"What they may take together; one may always wait."`
	Linger     Duration `yaml:"linger" default:"0s" doc:"How long a subscription at a subgraph is kept after its last client has gone, for those who come back."`
	StateFirst []string `yaml:"state_first" doc:"Fields of the subscription type whose first event is a state to which the others are changes, or *: clients that come after it do not share the stream of those before."`
	Upstream   Upstream `yaml:"upstream" doc:"Events of a subgraph that wait to be completed with fields of others. Where they do not fit, slow says what happens, to all clients of the subscription."`
}

// Upstream bounds what waits between a subgraph and the router.
type Upstream struct {
	Queue      int  `yaml:"queue" default:"256" min:"1" doc:"Events that may wait."`
	QueueBytes Size `yaml:"queue_bytes" default:"4MiB" min:"1KiB" doc:"What they may take together; one may always wait."`
	MaxEvent   Size `yaml:"max_event" default:"1MiB" min:"1KiB" doc:"Size of one event that comes as a server-sent event."`
	MaxStreams int  `yaml:"max_streams" default:"10000" min:"1" doc:"Streams of server-sent events that one subgraph sends at once, each on a connection; more subscriptions are refused with SUBGRAPH_OVERLOADED."`
}

func (s *Streams) apply(b *Built) error {
	o, drop := &b.Options, s.Slow == "drop"
	o.Backlog = serve.Backlog{Events: s.Queue, Bytes: int(s.QueueBytes), DropOldest: drop}
	o.Subscriptions = subscribe.Options{MaxEvents: s.Upstream.Queue, MaxBytes: int(s.Upstream.QueueBytes), DropOldest: drop}
	o.MaxEventBytes, o.SubscriptionLinger, o.StateFirst = int(s.Upstream.MaxEvent), s.Linger.Std(), s.StateFirst
	o.Subgraphs.MaxEventStreams = s.Upstream.MaxStreams
	return nil
}
