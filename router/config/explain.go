package config

import "bourse/router"

// Explain says who may see query plans and timings. Left empty, nobody may.
type Explain struct {
	Roles       []string `yaml:"roles" doc:"Who has one of these roles may."`
	Claim       string   `yaml:"claim" doc:"Who has this claim in its token, as true or as one of claim_values, may."`
	ClaimValues []string `yaml:"claim_values" doc:"Values of the claim that are enough; true always is."`
	Secret      string   `yaml:"secret" doc:"Who sends this in the header Bourse-Explain-Secret may, whoever else they are; such as ${EXPLAIN_SECRET}."`
}

// minSecret is the length below which a secret can be guessed.
const minSecret = 16

// Check implements what one field cannot say.
func (e *Explain) Check() error {
	if e.Secret != "" && len(e.Secret) < minSecret {
		return badKey("secret", "a secret has at least %d characters", minSecret)
	}
	if len(e.ClaimValues) > 0 && e.Claim == "" {
		return badKey("claim_values", "they are of a claim: name it with claim")
	}
	return nil
}

func (e *Explain) apply(b *Built) error {
	if len(e.Roles) > 0 || e.Claim != "" || e.Secret != "" {
		b.Options.Explain = &router.Explain{Roles: e.Roles, Claim: e.Claim, ClaimValues: e.ClaimValues, Secret: e.Secret}
	}
	return nil
}
