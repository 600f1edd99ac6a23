package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Algorithms that signatures of tokens may use (RFC 7518, 3.1; RFC 8037). There is no "none".
var Algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// Sizes of RSA keys in bits: smaller ones are weak (RFC 7518, 3.3), larger ones only slow.
const minRSA, maxRSA = 2048, 8192

// Key verifies signatures.
type Key struct {
	id        string // kid; empty: stands for any
	algorithm string // the only one it may be used with; empty: all of its kind
	material  any    // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// PublicKey is a key of RSA, EC or Ed25519. The id is what tokens name it by (kid), or empty.
func PublicKey(id string, public crypto.PublicKey) (Key, error) {
	material, err := checked(public, nil)
	return Key{id: id, material: material}, err
}

// Fits says whether the key may verify signatures of an algorithm: by what the key is, never by what a token says.
func (k Key) Fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch m := k.material.(type) {
	case []byte:
		return strings.HasPrefix(algorithm, "HS") && len(m)*8 >= hashBits(algorithm)
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == curveAlgorithm[m.Curve]
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

var curveAlgorithm = map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384", elliptic.P521(): "ES512"}

// hashBits is the size of an HS algorithm's hash: a secret must not be shorter (RFC 7518, 3.2).
func hashBits(algorithm string) int {
	switch algorithm {
	case "HS256":
		return 256
	case "HS384":
		return 384
	default:
		return 512
	}
}

// Secret is a shared secret, for the HS algorithms whose hash is no longer than it: at least 32 bytes. The id is what tokens name it
// by (kid), or empty.
func Secret(id string, secret []byte) (Key, error) {
	if len(secret) < 32 {
		return Key{}, fmt.Errorf("a shared secret needs at least 32 bytes, this one has %d", len(secret))
	}
	return Key{id: id, material: slices.Clone(secret)}, nil
}

// ReadPEM reads public keys (PKIX, PKCS #1) and those of certificates. The id is what tokens name them by, or empty.
func ReadPEM(id string, text []byte) ([]Key, error) {
	var keys []Key
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		material, err := fromPEM(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", len(keys)+1, block.Type, err)
		}
		keys = append(keys, Key{id: id, material: material})
	}
	if len(keys) == 0 {
		return nil, errors.New("no PEM block with a public key or certificate")
	}
	return keys, nil
}

func fromPEM(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		return checked(key, err)
	case "RSA PUBLIC KEY":
		key, err := x509.ParsePKCS1PublicKey(block.Bytes)
		return checked(key, err)
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return checked(c.PublicKey, nil)
	default:
		if strings.Contains(block.Type, "PRIVATE KEY") {
			return nil, errors.New("a private key: verifying needs the public key alone")
		}
		return nil, errors.New("neither a public key nor a certificate")
	}
}

// checked refuses keys that no algorithm takes or that are too weak.
func checked(key any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, fmt.Errorf("an RSA key must have %d to %d bits, this one has %d", minRSA, maxRSA, bits)
		}
	case *ecdsa.PublicKey:
		if curveAlgorithm[k.Curve] == "" {
			return nil, errors.New("an EC key must be of P-256, P-384 or P-521")
		}
	case ed25519.PublicKey:
	default:
		return nil, errors.New("a key must be of RSA, EC or Ed25519")
	}
	return key, nil
}

// keySet are keys at one time. It is immutable.
type keySet struct{ keys []Key }

// candidates are the keys that may have made a signature. A token without kid may be of any key that fits.
func (s *keySet) candidates(id, algorithm string) []any {
	if s == nil {
		return nil
	}
	var found []any
	for _, k := range s.keys {
		if (id == "" || k.id == "" || k.id == id) && k.Fits(algorithm) {
			found = append(found, k.material)
		}
	}
	return found
}
