package identity

import (
	"encoding/json"
	"strings"
)

// ClaimPaths say where claims are that mean something here. A path is a claim's name; where no claim has the whole name, its
// dots step into objects, as in realm_access.roles. The first path with a value counts.
type ClaimPaths struct {
	Scopes []string // a list, or words in a string; default scope, scp
	Roles  []string // likewise; default roles
}

func (p ClaimPaths) withDefaults() ClaimPaths {
	if p.Scopes == nil {
		p.Scopes = []string{"scope", "scp"}
	}
	if p.Roles == nil {
		p.Roles = []string{"roles"}
	}
	return p
}

// Claim finds a claim by its path; see ClaimPaths.
func (i *Identity) Claim(path string) (any, bool) {
	if i == nil {
		return nil, false
	}
	return claimAt(i.Claims, path)
}

func claimAt(claims map[string]any, path string) (any, bool) {
	if v, ok := claims[path]; ok {
		return v, v != nil
	}
	// The longest first part that is a claim: names may have dots themselves.
	for end := strings.LastIndexByte(path, '.'); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if under, ok := claims[path[:end]].(map[string]any); ok {
			return claimAt(under, path[end+1:])
		}
	}
	return nil, false
}

// wordsAt are the strings of the first path that has a value.
func wordsAt(claims map[string]any, paths []string) []string {
	for _, path := range paths {
		if v, ok := claimAt(claims, path); ok {
			return words(v)
		}
	}
	return nil
}

// words reads a list of strings, or a string of words. What is neither is no word.
func words(v any) []string {
	switch v := v.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var found []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				found = append(found, s)
			}
		}
		return found
	}
	return nil
}

// Text is a claim that can stand in a header or be compared with a configured value: a string, number or truth value as it is, a
// list of them joined by commas.
func Text(claim any) (string, bool) {
	switch v := claim.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case []any:
		var parts []string
		for _, e := range v {
			if _, nested := e.([]any); nested {
				return "", false
			}
			s, ok := Text(e)
			if !ok {
				return "", false
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}

// Policy says for which identities a policy of the graph (@policy) holds: those whose claim is, or lists, one of the values.
// Without values: those that have the claim, and not as false.
type Policy struct {
	Name   string
	Claim  string // a path; see ClaimPaths
	Values []string
}

// Policies hold for an identity when one of the entries of their name does.
type Policies []Policy

// Hold says which of the policies hold.
func (p Policies) Hold(i *Identity, names []string) map[string]bool {
	if i == nil {
		return nil
	}
	holds := make(map[string]bool, len(names))
	for _, name := range names {
		for _, policy := range p {
			if policy.Name == name && policy.holds(i) {
				holds[name] = true
			}
		}
	}
	return holds
}

func (p Policy) holds(i *Identity) bool {
	claim, ok := i.Claim(p.Claim)
	if !ok {
		return false
	}
	if len(p.Values) == 0 {
		return claim != false
	}
	list, ok := claim.([]any)
	if !ok {
		list = []any{claim}
	}
	for _, e := range list {
		text, ok := Text(e)
		if !ok {
			continue
		}
		for _, want := range p.Values {
			if text == want {
				return true
			}
		}
	}
	return false
}
