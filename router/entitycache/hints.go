package entitycache

import (
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/federation"
	"bourse/router/plan"
)

// hints reads @cacheControl of a composed schema. The rules are Apollo Server's: the shortest maxAge counts; root fields and fields of
// composite types that say nothing count as 0, unless they inherit; other fields go by what is above them.
type hints struct {
	sg *federation.Supergraph

	mu    sync.Mutex
	known *simplelru.LRU[string, []policy] // by the operation's text: for each entry
}

// maxHints bounds the operations whose hints are remembered.
const maxHints = 2000

// newHints is nil for a schema that says nothing of caching.
func newHints(sg *federation.Supergraph) *hints {
	if sg == nil || !speaks(sg) {
		return nil
	}
	known, err := simplelru.NewLRU[string, []policy](maxHints, nil)
	if err != nil {
		panic("entitycache: " + err.Error())
	}
	return &hints{sg: sg, known: known}
}

func speaks(sg *federation.Supergraph) bool {
	for _, def := range sg.Definitions() {
		if def.Directives.ForName("cacheControl") != nil {
			return true
		}
		for _, f := range def.Fields {
			if f.Directives.ForName("cacheControl") != nil {
				return true
			}
		}
	}
	return false
}

// of are the policies of a fetch's entries.
func (h *hints) of(f *plan.Fetch) []policy {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.known.Get(f.Query); ok {
		return known
	}
	found := h.read(f)
	h.known.Add(f.Query, found)
	return found
}

func (h *hints) read(f *plan.Fetch) []policy {
	out := make([]policy, len(f.Entries))
	doc, err := parser.ParseQuery(&ast.Source{Input: f.Query})
	root := h.sg.Root(f.Operation)
	if err != nil || len(doc.Operations) != 1 || root == nil {
		return out
	}
	set := doc.Operations[0].SelectionSet
	for i, e := range f.Entries {
		w := walk{h: h}
		if e.Variable == "" {
			w.set(root, set, 0, true)
		} else {
			w.entities(e, set)
		}
		if w.said {
			out[i] = policy{time.Duration(w.maxAge) * time.Second, w.private}
		}
	}
	return out
}

// hint is one @cacheControl.
type hint struct {
	maxAge                 int64 // -1: none
	private, inherit, said bool
}

func hintOf(list ast.DirectiveList) hint {
	out := hint{maxAge: -1}
	for _, d := range list.ForNames("cacheControl") { // several when subgraphs differ
		out.said = true
		if a := d.Arguments.ForName("maxAge"); a != nil {
			if n, err := strconv.ParseInt(a.Value.Raw, 10, 64); err == nil && n >= 0 && (out.maxAge < 0 || n < out.maxAge) {
				out.maxAge = min(n, int64(defaultMaxTTL/time.Second)*365)
			}
		}
		if a := d.Arguments.ForName("scope"); a != nil && a.Value.Raw == "PRIVATE" {
			out.private = true
		}
		if a := d.Arguments.ForName("inheritMaxAge"); a != nil && a.Value.Raw == "true" {
			out.inherit = true
		}
	}
	return out
}

// walk goes through a selection.
type walk struct {
	h       *hints
	said    bool
	maxAge  int64
	private bool
}

func (w *walk) take(maxAge int64, private bool) {
	if !w.said || maxAge < w.maxAge {
		w.maxAge = maxAge
	}
	w.said, w.private = true, w.private || private
}

// entities walks the selections of an entry. An entity's own type says how long it may be kept.
func (w *walk) entities(e *plan.Entry, set ast.SelectionSet) {
	for _, sel := range set {
		f, ok := sel.(*ast.Field)
		if !ok || f.Alias != e.Alias {
			continue
		}
		for _, under := range f.SelectionSet {
			on, ok := under.(*ast.InlineFragment)
			if !ok {
				continue // __typename
			}
			t := w.h.sg.Type(on.TypeCondition)
			if t == nil {
				w.take(0, false)
				continue
			}
			own := hintOf(t.Def.Directives)
			age := max(0, own.maxAge)
			w.take(age, own.private)
			w.set(t, on.SelectionSet, age, false)
		}
	}
}

func (w *walk) set(t *federation.Type, set ast.SelectionSet, above int64, root bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			on := t
			if sel.TypeCondition != "" {
				if on = w.h.sg.Type(sel.TypeCondition); on == nil {
					w.take(0, false)
					continue
				}
			}
			w.set(on, sel.SelectionSet, above, root)
		case *ast.Field:
			if sel.Name != "__typename" {
				w.field(t, sel, above, root)
			}
		}
	}
}

func (w *walk) field(t *federation.Type, sel *ast.Field, above int64, root bool) {
	f := t.Field(sel.Name)
	if f == nil {
		w.take(0, false)
		return
	}
	own := hintOf(f.Def.Directives)
	result := w.h.sg.Type(f.Def.Type.Name())
	composite := result != nil && result.IsComposite()
	if composite {
		of := hintOf(result.Def.Directives)
		if own.maxAge < 0 && !own.inherit {
			own.maxAge, own.inherit = of.maxAge, of.inherit
		}
		own.private = own.private || of.private
	}
	age := own.maxAge
	switch {
	case age >= 0:
	case (composite || root) && (!own.inherit || root):
		age = 0
	default:
		age = above
	}
	w.take(age, own.private)
	if composite {
		w.set(result, sel.SelectionSet, age, false)
	}
}
