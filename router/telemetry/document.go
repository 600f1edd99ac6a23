package telemetry

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
)

// Document is an operation as a client wrote it. The router makes one when it reads a text for the first time and keeps it with what else
// it knows of that text, so that a known operation costs a counter.
type Document struct {
	Text string
	Name string // of the operation; may be empty
	Kind ast.Operation

	once   sync.Once
	digest string
	counts atomic.Pointer[counts] // nil in it: use is not recorded
}

// Document makes what telemetry keeps of a document that has been found valid.
func (t *Telemetry) Document(text, name string, kind ast.Operation) *Document {
	if t == nil {
		return nil
	}
	d := &Document{Text: text, Name: name, Kind: kind}
	d.counts.Store(t.usage.counts(d))
	return d
}

// Digest is the SHA-256 of the text, in hexadecimal: what APQ and manifests of trusted documents name it by.
func (d *Document) Digest() string {
	d.once.Do(func() {
		sum := sha256.Sum256([]byte(d.Text))
		d.digest = hex.EncodeToString(sum[:])
	})
	return d.digest
}
