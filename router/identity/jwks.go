package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// maxKeys bounds a key set: a token without kid may have to be tried with all of them.
const maxKeys = 64

// jwk is a JSON Web Key (RFC 7517) with what RFC 7518 and RFC 8037 say of its kinds.
type jwk struct {
	Kty    string   `json:"kty"`
	Use    string   `json:"use,omitempty"`
	Ops    []string `json:"key_ops,omitempty"`
	Alg    string   `json:"alg,omitempty"`
	Kid    string   `json:"kid,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	N      string   `json:"n,omitempty"`
	E      string   `json:"e,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y,omitempty"`
	Secret string   `json:"k,omitempty"`
}

// ReadJWKS reads a JSON Web Key Set. Keys that are not for signatures, that are of no known kind or that are faulty are passed over, as
// RFC 7517, 5 asks; an error means that none was left.
func ReadJWKS(text []byte) ([]Key, error) { return readJWKS(text, true) }

// readJWKS leaves out secrets where a set is public: what everyone can read signs nothing.
func readJWKS(text []byte, secrets bool) ([]Key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil {
		return nil, errors.New("not a JSON Web Key Set") // the decoder's own words may quote from it
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys; %d are read at most", len(set.Keys), maxKeys)
	}
	var keys []Key
	var last error
	for _, raw := range set.Keys {
		var k jwk
		if json.Unmarshal(raw, &k) != nil {
			continue
		}
		key, err := k.key()
		if _, secret := key.material.([]byte); err == nil && secret && !secrets {
			err = errors.New("a secret in a public key set")
		}
		if err != nil {
			last = err
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.Join(errors.New("the key set has no key that verifies signatures"), last)
	}
	return keys, nil
}

func (k *jwk) key() (Key, error) {
	if k.Use != "" && k.Use != "sig" || len(k.Ops) > 0 && !slices.Contains(k.Ops, "verify") {
		return Key{}, errors.New("not for signatures")
	}
	if k.Alg != "" && !slices.Contains(Algorithms, k.Alg) {
		return Key{}, errors.New("for an unknown algorithm")
	}
	material, err := k.material()
	if err != nil {
		return Key{}, err
	}
	key := Key{id: k.Kid, algorithm: k.Alg, material: material}
	if k.Alg != "" && !key.Fits(k.Alg) {
		return Key{}, errors.New("of another kind than its algorithm")
	}
	return key, nil
}

func (k *jwk) material() (any, error) {
	switch k.Kty {
	case "oct":
		secret, err := base64.RawURLEncoding.DecodeString(k.Secret)
		if err != nil {
			return nil, errors.New("the secret is not base64url")
		}
		key, err := Secret(k.Kid, secret)
		return key.material, err
	case "RSA":
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		if err != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
			return nil, errors.New("an RSA key without a proper modulus and exponent")
		}
		exponent := int(new(big.Int).SetBytes(e).Int64())
		if exponent < 3 || exponent%2 == 0 {
			return nil, errors.New("an RSA key with an improper exponent")
		}
		return checked(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: exponent}, nil)
	case "EC":
		return k.point()
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if k.Crv != "Ed25519" || err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("not a public key of Ed25519")
		}
		return ed25519.PublicKey(x), nil
	default:
		return nil, errors.New("of an unknown kind")
	}
}

func (k *jwk) point() (any, error) {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	curve := curves[k.Crv]
	if curve == nil {
		return nil, errors.New("an EC key of an unknown curve")
	}
	size := (curve.Params().BitSize + 7) / 8
	x, err := base64.RawURLEncoding.DecodeString(k.X)
	y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
	if err != nil || err2 != nil || len(x) != size || len(y) != size {
		return nil, errors.New("an EC key whose coordinates have the wrong size")
	}
	return ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
}

// WriteJWKS writes a public key as a JSON Web Key Set.
func WriteJWKS(id, algorithm string, public crypto.PublicKey) ([]byte, error) {
	text := base64.RawURLEncoding.EncodeToString
	k := jwk{Kid: id, Alg: algorithm, Use: "sig"}
	switch p := public.(type) {
	case *rsa.PublicKey:
		k.Kty, k.N, k.E = "RSA", text(p.N.Bytes()), text(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			return nil, err
		}
		half := len(point) / 2 // after the byte that says that both coordinates follow
		k.Kty, k.Crv, k.X, k.Y = "EC", p.Curve.Params().Name, text(point[1:half+1]), text(point[half+1:])
	case ed25519.PublicKey:
		k.Kty, k.Crv, k.X = "OKP", "Ed25519", text(p)
	default:
		return nil, errors.New("a key must be of RSA, EC or Ed25519")
	}
	return json.Marshal(map[string][]jwk{"keys": {k}})
}
