package config

import (
	"fmt"
	"regexp"
)

// reference is ${NAME}, ${NAME:-otherwise}, or $${, which stands for ${ itself.
var reference = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{`)

// expand fills in variables of the environment. changed says that there were any: then the result may be a secret, and faults show the text
// as it was written.
func expand(text string, lookup func(string) (string, bool)) (expanded string, changed bool, err error) {
	expanded = reference.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$${" {
			return "${"
		}
		parts := reference.FindStringSubmatch(found)
		name, otherwise, hasOtherwise := parts[1], parts[3], parts[2] != ""
		if name == "" {
			err = fmt.Errorf(`"${" begins a variable of the environment, ${NAME} or ${NAME:-otherwise}; write "$${" for the characters themselves`)
			return found
		}
		changed = true
		value, set := lookup(name)
		switch {
		case set && (value != "" || !hasOtherwise):
			return value
		case hasOtherwise:
			return otherwise
		}
		err = fmt.Errorf("the environment has no %s; ${%s:-otherwise} would say what holds then", name, name)
		return found
	})
	return expanded, changed, err
}
