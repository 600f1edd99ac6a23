package auth

import (
	_ "embed"
	"errors"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of a password, in characters after normalisation.
const (
	MinPassword = 10
	MaxPassword = 128
)

// Why a password is refused. The texts are fit to be shown.
var (
	ErrPasswordShort    = errors.New("the password needs at least 10 characters")
	ErrPasswordLong     = errors.New("the password may have at most 128 characters")
	ErrPasswordCommon   = errors.New("the password is among the most common ones")
	ErrPasswordPersonal = errors.New("the password contains the username")
	ErrPasswordUniform  = errors.New("the password repeats too few different characters")
	ErrPasswordText     = errors.New("the password is not valid text")
)

// CheckPassword applies the house's rules for new passwords, which follow NIST SP 800-63B: length,
// no common ones, nothing derived from the username; no rules on kinds of characters and no expiry.
func CheckPassword(password, username string) error {
	if !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) {
		return ErrPasswordText
	}
	// Bounded before normalisation: a longer text is not worth the work.
	if len(password) > 8*MaxPassword {
		return ErrPasswordLong
	}
	plain := string(normalise(password))
	length := utf8.RuneCountInString(plain)
	folded := strings.ToLower(plain)
	switch {
	case length < MinPassword:
		return ErrPasswordShort
	case length > MaxPassword:
		return ErrPasswordLong
	case username != "" && strings.Contains(folded, strings.ToLower(username)):
		return ErrPasswordPersonal
	case distinct(folded) < 4:
		return ErrPasswordUniform
	}
	if _, common := commonPasswords()[folded]; common {
		return ErrPasswordCommon
	}
	return nil
}

// normalise gives the same bytes for the same characters, however a keyboard composes them
// (NIST SP 800-63B, 5.1.1.2).
func normalise(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

func distinct(s string) int {
	seen := make(map[rune]struct{}, 16)
	for _, r := range s {
		seen[r] = struct{}{}
	}
	return len(seen)
}

//go:embed common_passwords.txt
var commonPasswordsText string

// commonPasswords holds those of at least MinPassword characters; shorter ones are refused anyway.
var commonPasswords = sync.OnceValue(func() map[string]struct{} {
	all := make(map[string]struct{})
	for line := range strings.Lines(commonPasswordsText) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			all[strings.ToLower(word)] = struct{}{}
		}
	}
	return all
})
