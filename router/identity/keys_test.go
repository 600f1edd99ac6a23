package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"
)

func ecKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func TestWeakAndStrangeKeysAreRefused(t *testing.T) {
	if _, err := Secret("", secret[:31]); err == nil {
		t.Error("a short secret was taken")
	}
	if k := must(Secret("", secret[:32])); !k.Fits("HS256") || k.Fits("HS384") || k.Fits("HS512") || k.Fits("RS256") {
		t.Error("a secret must be as long as the hash")
	}
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	for what, text := range map[string][]byte{
		"nothing":        nil,
		"text":           []byte("no PEM"),
		"a weak key":     pemOf(&small.PublicKey),
		"a curve":        pemOf(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).Public()),
		"a private key":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(p256()))}),
		"garbage inside": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
		"something else": pem.EncodeToMemory(&pem.Block{Type: "GREETING", Bytes: []byte("x")}),
	} {
		if _, err := ReadPEM("", text); err == nil {
			t.Errorf("%s was taken for a key", what)
		}
	}
}

func TestPEMHoldsSeveralKeysAndCertificates(t *testing.T) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, p256().Public(), p256()))
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pemOf(rsaKey().Public())...)
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey2().PublicKey)})...)
	keys, err := ReadPEM("", text)
	if err != nil || len(keys) != 3 || !keys[0].Fits("ES256") || !keys[1].Fits("RS256") || !keys[2].Fits("PS512") {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// What is wrong with one key of a set costs only that key (RFC 7517, 5).
func TestKeySetsPassOverWhatTheyCannotUse(t *testing.T) {
	good := mintFor("ES256").jwk()
	with := func(changes map[string]any) map[string]any {
		k := maps.Clone(good)
		maps.Copy(k, changes)
		return k
	}
	rsaJWK := mintFor("RS256").jwk()
	changed := func(of map[string]any, name string, value any) map[string]any {
		k := maps.Clone(of)
		k[name] = value
		return k
	}
	ed := mintFor("EdDSA").jwk()
	for what, k := range map[string]any{
		"for encryption":         with(map[string]any{"use": "enc"}),
		"for wrapping":           with(map[string]any{"key_ops": []string{"wrapKey"}}),
		"of a strange kind":      with(map[string]any{"kty": "LWE"}),
		"of a strange curve":     with(map[string]any{"crv": "secp256k1"}),
		"of another curve":       with(map[string]any{"crv": "P-384"}),
		"off its curve":          with(map[string]any{"y": good["x"]}),
		"for none":               with(map[string]any{"alg": "none"}),
		"for another algorithm":  with(map[string]any{"alg": "RS256"}),
		"with numbers for names": with(map[string]any{"kid": 7}),
		"no object":              "key",
		"without modulus":        changed(rsaJWK, "n", ""),
		"with a small modulus":   changed(rsaJWK, "n", "AQAB"),
		"with a huge modulus":    changed(rsaJWK, "n", strings.Repeat("_", 20_000)),
		"with exponent 1":        changed(rsaJWK, "e", "AQ"),
		"with an even exponent":  changed(rsaJWK, "e", "BA"),
		"with a huge exponent":   changed(rsaJWK, "e", strings.Repeat("_", 20)),
		"of a wrong length":      changed(ed, "x", "AQAB"),
		"a short secret":         map[string]any{"kty": "oct", "k": "AQAB"},
	} {
		text := must(json.Marshal(map[string]any{"keys": []any{k, good}}))
		if keys, err := ReadJWKS(text); err != nil || len(keys) != 1 {
			t.Errorf("a key %s: %d keys, %v", what, len(keys), err)
		}
		if _, err := ReadJWKS(must(json.Marshal(map[string]any{"keys": []any{k}}))); err == nil {
			t.Errorf("a set with nothing but a key %s was taken", what)
		}
	}
	for _, text := range []string{"", "{}", "[]", "null", `{"keys":{}}`, `{"keys":[]}`, string(jwksOf(mintFor("ES256"))) + "x"} {
		if _, err := ReadJWKS([]byte(text)); err == nil {
			t.Errorf("%q was taken for a key set", text)
		}
	}
	var many []mint
	for i := range maxKeys + 1 {
		many = append(many, mint{"HS256", fmt.Sprint(i), secret})
	}
	if _, err := ReadJWKS(jwksOf(many...)); err == nil {
		t.Error("a set of too many keys was taken")
	}
	if _, err := readJWKS(jwksOf(mintFor("HS256")), false); err == nil {
		t.Error("a secret was taken from a public set")
	}
}
