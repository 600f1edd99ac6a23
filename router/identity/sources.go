package identity

import (
	"net/http"
	"strings"
)

// Source is where requests carry tokens: in a header or in a cookie.
type Source struct {
	Header string // name of a header
	Prefix string // before the token in it, such as Bearer; empty: the value is the token
	Cookie string // name of a cookie; only without Header
}

// Bearer is the source of RFC 6750, 2.1.
var Bearer = Source{Header: "Authorization", Prefix: "Bearer"}

// Find returns the token of the first source that has one; empty: none has. A header with another prefix has none. What cannot be told
// apart, such as a header that came twice, is a *RefusedError.
func Find(sources []Source, header http.Header) (string, error) {
	for _, s := range sources {
		token, err := s.find(header)
		if token != "" || err != nil {
			return token, err
		}
	}
	return "", nil
}

func (s Source) find(header http.Header) (string, error) {
	if s.Header == "" {
		return s.cookie(header)
	}
	values := header.Values(s.Header)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", refused(TokenMalformed, s.Header+" came more than once")
	}
	value := strings.TrimSpace(values[0])
	if s.Prefix == "" {
		return value, nil
	}
	if len(value) < len(s.Prefix) || !strings.EqualFold(value[:len(s.Prefix)], s.Prefix) {
		return "", nil
	}
	rest := value[len(s.Prefix):]
	token := strings.TrimLeft(rest, " ")
	switch {
	case token == "":
		return "", refused(TokenMalformed, "nothing follows "+s.Prefix)
	case len(token) == len(rest) && isLetter(s.Prefix[len(s.Prefix)-1]):
		return "", nil // another word that only begins like the prefix
	}
	return token, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (s Source) cookie(header http.Header) (string, error) {
	found := ""
	for _, c := range (&http.Request{Header: header}).CookiesNamed(s.Cookie) {
		if found != "" && found != c.Value {
			return "", refused(TokenMalformed, "two cookies of the name "+s.Cookie)
		}
		found = c.Value
	}
	return found, nil
}
