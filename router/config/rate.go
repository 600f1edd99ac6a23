package config

import (
	"errors"
	"fmt"
	"time"

	"bourse/router/rate"
)

// Rate bounds how often clients may ask.
type Rate struct {
	Rules    []RateRule `yaml:"rules" doc:"Rules; a request must have room in all that apply to it, and is charged to all of them or to none."`
	Failure  string     `yaml:"failure" default:"open" enum:"open|closed" doc:"Whether requests pass or are refused while Redis does not answer."`
	Accounts int        `yaml:"accounts" default:"100000" min:"1" doc:"Clients that are remembered where there is no Redis, those seen last; a reload that leaves this section alone leaves them alone."`
}

// RateRule is one rule.
type RateRule struct {
	Name       string   `yaml:"name" required:"true" doc:"Tells it from other rules, in refusals, in metrics and in Redis."`
	By         []string `yaml:"by" doc:"What tells clients apart, the first of these that a request has: address (of IPv6 the /64), subject, claim:NAME, header:NAME. Clients with none of them count as one; without by all do."`
	Operations []string `yaml:"operations" doc:"Names of operations that it applies to; empty: any."`
	Kinds      []string `yaml:"kinds" enum:"query|mutation|subscription" doc:"Kinds of operations that it applies to; empty: any."`
	Roles      []string `yaml:"roles" doc:"Applies to identities with one of these roles; empty: to everyone."`
	NotRoles   []string `yaml:"not_roles" doc:"Does not apply to identities with one of these roles."`
	Limit      int      `yaml:"limit" required:"true" min:"1" doc:"Operations for each per."`
	Per        Duration `yaml:"per" default:"1m" min:"1ms" doc:"Time in which limit is gained."`
	Burst      int      `yaml:"burst" default:"0" doc:"Operations at once; 0: limit."`
	Cost       bool     `yaml:"cost" default:"false" doc:"Counts what operations cost instead of operations."`
}

// Check implements checker.
func (r *Rate) Check() error {
	named := map[string]int{}
	for i, one := range r.Rules {
		if first, ok := named[one.Name]; ok {
			return badKey(fmt.Sprintf("rules[%d].name", i), "rules[%d] is named %s already: accounts are kept by name", first, one.Name)
		}
		named[one.Name] = i
	}
	return nil
}

// Check implements checker.
func (r *RateRule) Check() error {
	var errs []error
	for i, by := range r.By {
		errs = append(errs, under(fmt.Sprintf("by[%d]", i), rate.CheckBy(by)))
	}
	if r.Name == "" {
		errs = append(errs, badKey("name", "a rule needs a name"))
	}
	return errors.Join(errs...)
}

func (r *Rate) apply(b *Built) error {
	if len(r.Rules) == 0 {
		return nil
	}
	o := rate.Options{FailClosed: r.Failure == "closed", Patience: b.waits("rate limits")}
	for _, one := range r.Rules {
		o.Rules = append(o.Rules, rate.Rule{
			Name: one.Name, By: one.By, Operations: one.Operations, Kinds: one.Kinds, Roles: one.Roles, NotRoles: one.NotRoles,
			Limit: one.Limit, Per: one.Per.Std(), Burst: one.Burst, Cost: one.Cost,
		})
	}
	var err error
	if o.Store, err = r.store(b); err != nil {
		return err
	}
	b.Options.Rate, err = rate.New(o)
	return err
}

func (r *Rate) store(b *Built) (rate.Store, error) {
	if b.redis != nil {
		return rate.NewRedis(b.redis)
	}
	return last(b, *r, func() (*rate.Memory, func(), error) { return rate.NewMemory(r.Accounts, time.Now), nil, nil })
}
