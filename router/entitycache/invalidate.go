package entitycache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxInvalidations bounds one request for invalidation.
const (
	maxInvalidations     = 10_000
	maxInvalidationBytes = 1 << 20
)

// Invalidation names what is to be asked for again.
//
//	{"kind": "subgraph", "subgraph": "products"}                                    everything of a subgraph
//	{"kind": "type", "subgraph": "products", "type": "Product"}                     all that may hold objects of a type
//	{"kind": "entity", "subgraph": "products", "type": "Product", "key": {"upc":1}} one entity, where it was asked for by this key
//	{"kind": "cache_tag", "subgraphs": ["products"], "cache_tag": "homepage"}       what the subgraph gave a tag
type Invalidation struct {
	Kind      string          `json:"kind"`
	Subgraph  string          `json:"subgraph"`
	Subgraphs []string        `json:"subgraphs"` // instead of Subgraph, for several
	Type      string          `json:"type"`
	Key       json.RawMessage `json:"key"`
	Tag       string          `json:"cache_tag"`
}

// labels that an invalidation marks.
func (i *Invalidation) labels() ([]string, error) {
	subgraphs := i.Subgraphs
	if i.Subgraph != "" {
		subgraphs = append(subgraphs[:len(subgraphs):len(subgraphs)], i.Subgraph)
	}
	if len(subgraphs) == 0 {
		return nil, errors.New("subgraph is missing")
	}
	var out []string
	for _, s := range subgraphs {
		switch {
		case i.Kind == "subgraph":
			out = append(out, labelOfSubgraph(s))
		case i.Kind == "type" && i.Type != "":
			out = append(out, labelOfType(s, i.Type))
		case i.Kind == "entity" && i.Type != "" && len(i.Key) > 0:
			key, ok := canonical(i.Key)
			if !ok {
				return nil, errors.New("key must be an object with the fields of the entity's key")
			}
			out = append(out, labelOfEntity(s, i.Type, key))
		case i.Kind == "cache_tag" && i.Tag != "":
			out = append(out, labelOfTag(s, i.Tag))
		case i.Kind == "type" || i.Kind == "entity" || i.Kind == "cache_tag":
			return nil, fmt.Errorf("%s needs more: type, key or cache_tag is missing", i.Kind)
		default:
			return nil, fmt.Errorf("kind must be subgraph, type, entity or cache_tag, not %q", i.Kind)
		}
	}
	return out, nil
}

// Invalidate lets go of what the invalidations name, in every router that shares the store. It says how many labels that are.
func Invalidate(ctx context.Context, s Store, list []Invalidation) (int, error) {
	var labels []string
	for n := range list {
		one, err := list[n].labels()
		if err != nil {
			return 0, &RequestError{n, err}
		}
		labels = append(labels, one...)
	}
	if len(labels) == 0 {
		return 0, nil
	}
	return len(labels), s.Mark(ctx, labels)
}

// RequestError is an invalidation that says too little.
type RequestError struct {
	Index int
	Err   error
}

func (e *RequestError) Error() string { return fmt.Sprintf("invalidation %d: %v", e.Index, e.Err) }

func (e *RequestError) Unwrap() error { return e.Err }

// heed looks for invalidations in an answer that is not kept, such as a mutation's.
func (c *Cache) heed(ctx context.Context, subgraph string, body []byte) {
	if !bytes.Contains(body, []byte(`"invalidation"`)) {
		return
	}
	if a, ok := readAnswer(body); ok {
		c.obey(ctx, subgraph, a.extensions["invalidation"])
	}
}

// obey does what a subgraph asks for in its answer's extensions, as far as it concerns itself.
func (c *Cache) obey(ctx context.Context, subgraph string, text json.RawMessage) {
	var list []Invalidation
	if len(text) == 0 || json.Unmarshal(text, &list) != nil || len(list) > maxInvalidations {
		return
	}
	for i := range list {
		list[i].Subgraph, list[i].Subgraphs = subgraph, nil
	}
	var unclear *RequestError
	if _, err := Invalidate(context.WithoutCancel(ctx), c.o.Store, list); err != nil && !errors.As(err, &unclear) {
		c.o.OnLost(ctx, err)
	}
}

// Handler takes invalidations as a JSON array by POST from who knows the secret, in the header Authorization, with or without "Bearer".
func Handler(s Store, secret string) http.Handler {
	want := sha256.Sum256([]byte(secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
		if secret == "" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			tell(w, http.StatusUnauthorized, map[string]any{"error": "the secret is missing or wrong"})
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			tell(w, http.StatusMethodNotAllowed, map[string]any{"error": "use POST"})
			return
		}
		var list []Invalidation
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxInvalidationBytes))
		if err := body.Decode(&list); err != nil || len(list) > maxInvalidations {
			tell(w, http.StatusBadRequest, map[string]any{"error": fmt.Sprintf("the body must be an array of at most %d invalidations", maxInvalidations)})
			return
		}
		n, err := Invalidate(r.Context(), s, list)
		var unclear *RequestError
		switch {
		case errors.As(err, &unclear):
			tell(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
		case err != nil:
			tell(w, http.StatusServiceUnavailable, map[string]any{"error": "the store does not answer: nothing, or not everything, was invalidated"})
		default:
			tell(w, http.StatusOK, map[string]any{"invalidated": n})
		}
	})
}

func tell(w http.ResponseWriter, status int, what map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what) // whoever asked may have gone
}
