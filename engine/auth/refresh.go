package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// RefreshTokenLife is how long a refresh token may wait for its use; SessionLife is how long a
// session may be prolonged by rotating before its owner signs in anew.
const (
	RefreshTokenLife = 14 * 24 * time.Hour
	SessionLife      = 90 * 24 * time.Hour
)

const (
	refreshBytes  = 32
	refreshPrefix = "brt_" // lets scanners for leaked secrets know one when they see it
	sessionBytes  = 16
)

// ErrRefreshMalformed says that a text is no refresh token at all.
var ErrRefreshMalformed = errors.New("auth: malformed refresh token")

// RefreshHash is what is stored of a refresh token. The token has 256 random bits, so that a plain
// hash suffices: there is nothing to guess.
type RefreshHash [sha256.Size]byte

// NewRefreshToken returns a token for its holder and the hash for the store.
func NewRefreshToken(rand io.Reader) (string, RefreshHash, error) {
	raw := make([]byte, refreshBytes)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return "", RefreshHash{}, fmt.Errorf("auth: read randomness: %w", err)
	}
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(raw), sha256.Sum256(raw), nil
}

// HashRefreshToken returns the hash under which a token is stored, or ErrRefreshMalformed.
func HashRefreshToken(token string) (RefreshHash, error) {
	encoded, ok := strings.CutPrefix(token, refreshPrefix)
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(refreshBytes) {
		return RefreshHash{}, ErrRefreshMalformed
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return RefreshHash{}, ErrRefreshMalformed
	}
	return sha256.Sum256(raw), nil
}

// NewSessionID returns 128 random bits as text.
func NewSessionID(rand io.Reader) (string, error) {
	raw := make([]byte, sessionBytes)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return "", fmt.Errorf("auth: read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// NewInviteCode returns a code of 100 random bits in groups that can be read out: no 0, 1, I, O.
func NewInviteCode(rand io.Reader) (string, error) {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" // 32 letters: 5 bits each, no bias
	raw := make([]byte, 20)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return "", fmt.Errorf("auth: read randomness: %w", err)
	}
	var b strings.Builder
	for i, r := range raw {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[r&31])
	}
	return b.String(), nil
}

// ParseInviteCode gives a code its one spelling, whatever case, spaces or dashes were typed.
// It returns the text as it is where it cannot be a code.
func ParseInviteCode(s string) string {
	var b strings.Builder
	letters := 0
	for _, r := range strings.ToUpper(strings.TrimSpace(s)) {
		if r == '-' || r == ' ' {
			continue
		}
		if letters == 20 {
			return s
		}
		if letters > 0 && letters%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
		letters++
	}
	if letters != 20 {
		return s
	}
	return b.String()
}
