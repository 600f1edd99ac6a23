package persisted

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// Manifest is a list of trusted documents. It is immutable.
type Manifest struct {
	byID  map[string]string
	texts map[[sha256.Size]byte]bool
}

// Text is the document of an id.
func (m *Manifest) Text(id string) (text string, ok bool) {
	text, ok = m.byID[id]
	return text, ok
}

// Knows says whether a text is that of a document, to the byte.
func (m *Manifest) Knows(text string) bool { return m.texts[sha256.Sum256([]byte(text))] }

// Len is how many ids there are.
func (m *Manifest) Len() int { return len(m.byID) }

// Texts lists the different documents, in no order.
func (m *Manifest) Texts() []string {
	seen := map[string]bool{}
	var out []string
	for _, text := range m.byID {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

const apolloFormat = "apollo-persisted-query-manifest"

// ReadManifest reads Apollo's persisted query manifest, version 1, or a plain JSON object that has documents by id.
func ReadManifest(text []byte) (*Manifest, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("a manifest is a JSON object: %w", err)
	}
	m := &Manifest{byID: map[string]string{}, texts: map[[sha256.Size]byte]bool{}}
	var format string
	if json.Unmarshal(fields["format"], &format) == nil && fields["operations"] != nil {
		return m, m.readApollo(text, format)
	}
	for id, raw := range fields {
		var document string
		if json.Unmarshal(raw, &document) != nil {
			return nil, fmt.Errorf("document %q is no text; a manifest has the format %q or is an object of texts by id", id, apolloFormat)
		}
		if err := m.add(id, document); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Manifest) readApollo(text []byte, format string) error {
	var file struct {
		Version    int
		Operations []struct{ ID, Body string }
	}
	if format != apolloFormat {
		return fmt.Errorf("the format is %q; known is %q", format, apolloFormat)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	if file.Version != 1 {
		return fmt.Errorf("version %d of %s is not supported, only 1", file.Version, apolloFormat)
	}
	for i, o := range file.Operations {
		if err := m.add(o.ID, o.Body); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return nil
}

func (m *Manifest) add(id, text string) error {
	switch old, twice := m.byID[id]; {
	case id == "":
		return errors.New("a document has no id")
	case text == "":
		return fmt.Errorf("document %q is empty", id)
	case twice && old != text:
		return fmt.Errorf("two different documents have the id %q", id)
	}
	m.byID[id] = text
	m.texts[sha256.Sum256([]byte(text))] = true
	return nil
}

// Merge puts manifests together. An id must mean the same in all of them.
func Merge(manifests ...*Manifest) (*Manifest, error) {
	all := &Manifest{byID: map[string]string{}, texts: map[[sha256.Size]byte]bool{}}
	for _, m := range manifests {
		for id, text := range m.byID {
			if err := all.add(id, text); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
