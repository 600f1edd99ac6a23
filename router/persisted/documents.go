package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
)

// Mode says what becomes of operations that are no trusted documents.
type Mode int

// Modes.
const (
	Off     Mode = iota // nothing: there are no trusted documents, or they only save bytes
	Log                 // they run, and the logger is told
	Enforce             // they are refused
)

// Options of Documents.
type Options struct {
	Manifest *Manifest // trusted documents; nil: none
	Mode     Mode
	ByID     bool       // with Enforce: a document's text is refused as well, only its id will do
	Cache    *Automatic // automatic persisted queries; nil: not supported
	Logger   *slog.Logger
}

// Documents finds texts of operations. It is immutable and safe for concurrent use.
type Documents struct{ o Options }

// New makes Documents.
func New(o Options) *Documents {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Manifest == nil {
		o.Manifest = &Manifest{}
	}
	return &Documents{o}
}

// Codes of refusals, as Apollo's router has them.
const (
	CodeNotFound     = "PERSISTED_QUERY_NOT_FOUND"     // the hash is not known: the client sends the text along
	CodeNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED" // the client sends texts and no hashes
	CodeMismatch     = "PERSISTED_QUERY_HASH_MISMATCH" // the text is not that of the hash
	CodeNotInList    = "PERSISTED_QUERY_NOT_IN_LIST"   // no trusted document has the id
	CodeNotTrusted   = "QUERY_NOT_IN_SAFELIST"         // the text is no trusted document
	CodeIDRequired   = "PERSISTED_QUERY_ID_REQUIRED"   // documents run by their id only
	CodeIDAndText    = "CANNOT_SEND_PQ_ID_AND_BODY"    // the text is not that of the id
	CodeBadExtension = "PERSISTED_QUERY_BAD_EXTENSION" // extensions.persistedQuery is not of the protocol
)

// Refused is why there is no text.
type Refused struct{ Code, Message string }

func (r *Refused) Error() string { return r.Message }

// Messages that clients of automatic persisted queries look for.
const (
	NotFound     = "PersistedQueryNotFound"
	NotSupported = "PersistedQueryNotSupported"
)

// Request is what a client says of its operation.
type Request struct {
	Text      string          // may be empty
	ID        string          // of a trusted document; may be empty
	Extension json.RawMessage // extensions.persistedQuery; may be nil
}

// Found is the text of an operation.
type Found struct {
	Text    string
	Trusted bool   // it is a trusted document
	Keep    string // the hash under which to Keep the text once it has turned out to be an operation; empty: not
}

// Find finds the text that a request means.
func (d *Documents) Find(ctx context.Context, req Request) (Found, *Refused) {
	id, hash := req.ID, ""
	if len(req.Extension) > 0 {
		named, refused := hashOf(req.Extension)
		if refused != nil {
			return Found{}, refused
		}
		hash = strings.ToLower(named)
		if id == "" {
			id = hash
			if _, ok := d.o.Manifest.Text(named); ok { // clients of manifests send any id as a hash
				id = named
			}
		}
	}
	if text, ok := d.o.Manifest.Text(id); ok && id != "" {
		if req.Text != "" && req.Text != text {
			return Found{}, &Refused{CodeIDAndText, "the text is not that of the document of this id: send the id alone"}
		}
		return Found{Text: text, Trusted: true}, nil
	}
	if d.o.Mode != Off {
		if found, refused := d.untrusted(ctx, id, req.Text); refused != nil || found.Trusted {
			return found, refused
		}
	}
	if req.ID != "" && req.Text == "" {
		return Found{}, &Refused{CodeNotInList, "no document has this id"}
	}
	return d.automatic(ctx, hash, req.Text)
}

// untrusted judges what is no document by its id.
func (d *Documents) untrusted(ctx context.Context, id, text string) (Found, *Refused) {
	trusted := text != "" && d.o.Manifest.Knows(text)
	switch {
	case trusted && (d.o.Mode != Enforce || !d.o.ByID):
		return Found{Text: text, Trusted: true}, nil
	case d.o.Mode == Log:
		d.o.Logger.WarnContext(ctx, "operation is no trusted document", "id", shorten(id), "bytes", len(text))
		return Found{}, nil
	case trusted:
		return Found{}, &Refused{CodeIDRequired, "documents run by their id here: send the id and no text"}
	case text == "":
		return Found{}, &Refused{CodeNotInList, "no document has this id"}
	}
	return Found{}, &Refused{CodeNotTrusted, "the operation is none of the documents that are trusted here"}
}

// automatic follows the protocol of automatic persisted queries.
func (d *Documents) automatic(ctx context.Context, hash, text string) (Found, *Refused) {
	switch {
	case hash == "":
		return Found{Text: text}, nil
	case d.o.Cache == nil && text == "":
		return Found{}, &Refused{CodeNotSupported, NotSupported}
	case d.o.Cache == nil:
		return Found{Text: text}, nil
	case text == "":
		if text, ok := d.o.Cache.get(ctx, hash); ok {
			return Found{Text: text}, nil
		}
		return Found{}, &Refused{CodeNotFound, NotFound}
	case d.o.Cache.holds(hash, text):
		return Found{Text: text}, nil
	}
	if sum := sha256.Sum256([]byte(text)); hex.EncodeToString(sum[:]) != hash {
		return Found{}, &Refused{CodeMismatch, "the hash is not that of the text"}
	}
	return Found{Text: text, Keep: hash}, nil
}

// Keep keeps the text of an operation for requests with its hash alone.
func (d *Documents) Keep(ctx context.Context, found Found) {
	if found.Keep != "" {
		d.o.Cache.add(ctx, found.Keep, found.Text)
	}
}

// hashOf reads extensions.persistedQuery, {"version": 1, "sha256Hash": "…"}, as the client spells it.
func hashOf(extension json.RawMessage) (string, *Refused) {
	var e struct {
		Version    *int
		Sha256Hash string
	}
	if string(extension) == "null" {
		return "", nil
	}
	if json.Unmarshal(extension, &e) != nil || e.Sha256Hash == "" || len(e.Sha256Hash) > 256 {
		return "", &Refused{CodeBadExtension, `extensions.persistedQuery must be {"version": 1, "sha256Hash": "…"}`}
	}
	if e.Version != nil && *e.Version != 1 {
		return "", &Refused{CodeBadExtension, "only version 1 of persisted queries is supported"}
	}
	return e.Sha256Hash, nil
}

func shorten(id string) string { return id[:min(len(id), 64)] }
