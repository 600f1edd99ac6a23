package config

import (
	"fmt"

	"bourse/router/traffic"
)

// Traffic says what is asked of subgraphs only once, and how they are spared.
type Traffic struct {
	ShareOperations bool                    `yaml:"share_operations" default:"true" doc:"Equal queries that are under way at the same time are executed once: same operation, variables, forwarded headers and identity."`
	ShareFetches    bool                    `yaml:"share_fetches" default:"false" doc:"Equal requests of queries to a subgraph that are under way at the same time are sent once, those of different operations too."`
	MaxFollowers    int                     `yaml:"max_followers" default:"10000" min:"1" doc:"Requests that may wait for the answer of one other."`
	All             TrafficRules            `yaml:"all" doc:"Rules for every subgraph that each does not name."`
	Each            map[string]TrafficRules `yaml:"each" doc:"Rules for one subgraph, by its name in the supergraph, instead of those of all."`
}

// TrafficRules bound the traffic to a subgraph.
type TrafficRules struct {
	Timeout       Duration       `yaml:"timeout" default:"0s" min:"0s" doc:"Time for one attempt; 0s: that of subgraphs.timeout."`
	MaxConcurrent int            `yaml:"max_concurrent" default:"0" min:"0" doc:"Requests at the same time; 0: any number. Subscriptions do not count."`
	MaxQueue      int            `yaml:"max_queue" default:"100" min:"0" doc:"Requests that may wait for their turn; more are refused with SUBGRAPH_OVERLOADED."`
	QueueTimeout  Duration       `yaml:"queue_timeout" default:"1s" min:"1ms" doc:"How long a request waits for its turn before it is refused."`
	Retry         TrafficRetry   `yaml:"retry" doc:"When a request is made again. A mutation is only when there was no connection."`
	Breaker       TrafficBreaker `yaml:"breaker" doc:"When a subgraph is left alone: requests fail at once with SUBGRAPH_UNAVAILABLE."`
	Hedge         TrafficHedge   `yaml:"hedge" doc:"When a query without an answer is asked a second time, so that the first answer counts."`
}

// TrafficRetry says when a request is made again.
type TrafficRetry struct {
	Attempts   int      `yaml:"attempts" default:"0" min:"0" max:"10" doc:"Attempts after the first; 0: none."`
	MinBackoff Duration `yaml:"min_backoff" default:"50ms" min:"1ms" doc:"Pause before the second attempt; it doubles with each, and up to half of it is left to chance."`
	MaxBackoff Duration `yaml:"max_backoff" default:"2s" min:"1ms" doc:"The longest pause. A subgraph whose Retry-After is longer is not asked again."`
	Statuses   []int    `yaml:"statuses" default:"502,503,504" doc:"HTTP statuses after which a query is asked again."`
	Budget     float64  `yaml:"budget" default:"0.1" min:"0.001" max:"1" doc:"Share of the requests that may be attempts again, beside ten at once."`
}

// TrafficBreaker says when a subgraph is left alone.
type TrafficBreaker struct {
	FailureRatio float64  `yaml:"failure_ratio" default:"0" min:"0" max:"1" doc:"Share of failed requests that opens the breaker; 0: there is none."`
	Window       Duration `yaml:"window" default:"10s" min:"100ms" doc:"Time that is looked back on."`
	MinRequests  int      `yaml:"min_requests" default:"20" min:"1" doc:"Requests in the window before the share counts."`
	SlowCall     Duration `yaml:"slow_call" default:"0s" min:"0s" doc:"Requests that take longer count as failed; 0s: time alone does not."`
	Cooldown     Duration `yaml:"cooldown" default:"5s" min:"1ms" doc:"How long nothing is asked once it is open; then some requests are let through on trial."`
	Trials       int      `yaml:"trials" default:"3" min:"1" doc:"Requests on trial that must succeed before it closes."`
}

// TrafficHedge says when a query is asked a second time.
type TrafficHedge struct {
	Delay      Duration `yaml:"delay" default:"0s" min:"0s" doc:"After which a query is asked again; 0s: never, unless there is a percentile."`
	Percentile float64  `yaml:"percentile" default:"0" min:"0" max:"99.9" doc:"Of what the subgraph's latest answers took, after which a query is late, such as 95; 0: the delay alone counts."`
	Budget     float64  `yaml:"budget" default:"0.05" min:"0.001" max:"1" doc:"Share of the queries that may be asked twice, beside ten at once."`
}

// Check implements checker.
func (h *TrafficHedge) Check() error {
	if h.Percentile > 0 && h.Percentile < 1 {
		return badKey("percentile", "95 is the percentile that 95 of 100 answers do not exceed; below 1 nearly every query is late")
	}
	return nil
}

func (t *Traffic) apply(b *Built) error {
	o := traffic.Options{
		ShareOperations: t.ShareOperations, ShareFetches: t.ShareFetches, MaxFollowers: t.MaxFollowers,
		Rules: t.All.rules(), Subgraphs: map[string]traffic.Rules{},
	}
	for name, r := range t.Each {
		if name == "" {
			return fmt.Errorf("a subgraph has no name")
		}
		o.Subgraphs[name] = r.rules()
	}
	logger := b.Options.Logger
	o.OnState = func(subgraph string, from, to traffic.State) {
		logger.Warn("circuit breaker", "subgraph", subgraph, "from", from.String(), "to", to.String())
	}
	b.Options.Traffic = o
	return nil
}

func (r *TrafficRules) rules() traffic.Rules {
	return traffic.Rules{
		Timeout: r.Timeout.Std(), MaxConcurrent: r.MaxConcurrent, MaxQueue: r.MaxQueue, QueueTimeout: r.QueueTimeout.Std(),
		Retry: traffic.RetryOptions{
			Attempts: r.Retry.Attempts, MinBackoff: r.Retry.MinBackoff.Std(), MaxBackoff: r.Retry.MaxBackoff.Std(),
			Statuses: r.Retry.Statuses, Budget: r.Retry.Budget,
		},
		Breaker: traffic.BreakerOptions{
			FailureRatio: r.Breaker.FailureRatio, Window: r.Breaker.Window.Std(), MinRequests: r.Breaker.MinRequests,
			SlowCall: r.Breaker.SlowCall.Std(), Cooldown: r.Breaker.Cooldown.Std(), Trials: r.Breaker.Trials,
		},
		Hedge: traffic.HedgeOptions{Delay: r.Hedge.Delay.Std(), Percentile: r.Hedge.Percentile, Budget: r.Hedge.Budget},
	}
}
