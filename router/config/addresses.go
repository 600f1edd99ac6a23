package config

import (
	"bourse/router/identity"
)

// Addresses say where requests may come from, and whose word about that counts.
type Addresses struct {
	TrustedProxies []string     `yaml:"trusted_proxies" doc:"Addresses and CIDR ranges of proxies whose word about their client counts. Read from the right: the first address that is not one of them is the client's."`
	Header         string       `yaml:"header" default:"x-forwarded-for" enum:"x-forwarded-for|forwarded" doc:"Where proxies say it."`
	Allow          []string     `yaml:"allow" doc:"Addresses and CIDR ranges that clients may come from; none listed: everywhere that deny does not name."`
	Deny           []string     `yaml:"deny" doc:"Addresses and CIDR ranges that clients may not come from; wins over allow."`
	Admin          AddressRules `yaml:"admin" doc:"The same for the admin listener (listen.admin)."`
}

// AddressRules say where requests may come from.
type AddressRules struct {
	Allow []string `yaml:"allow" doc:"Addresses and CIDR ranges that requests may come from; none listed: everywhere that deny does not name."`
	Deny  []string `yaml:"deny" doc:"Addresses and CIDR ranges that requests may not come from; wins over allow."`
}

func (a *Addresses) apply(b *Built) error {
	clients, err := a.rules("", a.Allow, a.Deny)
	if err != nil {
		return err
	}
	admin, err := a.rules("admin.", a.Admin.Allow, a.Admin.Deny)
	if err != nil {
		return err
	}
	b.Options.Addresses, b.AdminAddresses = clients, admin
	return nil
}

func (a *Addresses) rules(section string, allow, deny []string) (*identity.Addresses, error) {
	rules := &identity.Addresses{UseForwarded: a.Header == "forwarded"}
	var err error
	if rules.Proxies, err = identity.ParsePrefixes(a.TrustedProxies); err != nil {
		return nil, under("trusted_proxies", err)
	}
	if rules.Allow, err = identity.ParsePrefixes(allow); err != nil {
		return nil, under(section+"allow", err)
	}
	if rules.Deny, err = identity.ParsePrefixes(deny); err != nil {
		return nil, under(section+"deny", err)
	}
	return rules, nil
}
