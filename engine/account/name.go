package account

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of names, in characters.
const (
	MinUsername    = 3
	MaxUsername    = 32
	MaxDisplayName = 64
)

// Why a name is refused. The texts are fit to be shown.
var (
	ErrUsername    = errors.New("a username has 3 to 32 of a-z, 0-9, dot, dash and underscore, begins with a letter and ends with a letter or digit")
	ErrReserved    = errors.New("this username is kept for the house")
	ErrDisplayName = errors.New("a display name has 1 to 64 printable characters")
)

// reserved usernames would let a member pass for the house.
var reserved = map[string]bool{
	"admin": true, "administrator": true, "bourse": true, "house": true, "null": true, "root": true,
	"security": true, "support": true, "system": true,
}

// ParseUsername returns the one spelling of a username: lower case. It knows ASCII only, so that no
// two names look alike; it returns ErrUsername for anything else.
func ParseUsername(s string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(s))
	if len(name) < MinUsername || len(name) > MaxUsername {
		return "", ErrUsername
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		digit := c >= '0' && c <= '9'
		mark := c == '.' || c == '-' || c == '_'
		edge := i == 0 || i == len(name)-1
		switch {
		case letter:
		case digit && i > 0:
		case mark && !edge:
		default:
			return "", ErrUsername
		}
	}
	return name, nil
}

// ParseMemberUsername is ParseUsername for those who choose their own name: it also refuses names
// that speak for the house, with ErrReserved.
func ParseMemberUsername(s string) (string, error) {
	name, err := ParseUsername(s)
	if err != nil {
		return "", err
	}
	if reserved[name] {
		return "", ErrReserved
	}
	return name, nil
}

// ParseDisplayName trims a name that people read. It refuses control and formatting characters,
// which could hide or reverse what stands beside it, with ErrDisplayName.
func ParseDisplayName(s string) (string, error) {
	name := strings.TrimSpace(s)
	length := utf8.RuneCountInString(name)
	if !utf8.ValidString(name) || length < 1 || length > MaxDisplayName {
		return "", ErrDisplayName
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "", ErrDisplayName
		}
	}
	return name, nil
}
