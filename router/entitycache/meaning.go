package entitycache

import (
	"crypto/sha256"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// meanings are digests of what a supergraph says of its subgraphs, by their names. They are part of every key.
//
// What a fetch asks for is part of the key as well, but as text: price { amount } reads the same when amount becomes a String, when an enum
// loses a value, or when @cacheControl makes it private. What was kept under another schema could then break a promise to clients, or show one
// client what is another's. So whatever the schema says of a subgraph counts, and entries of subgraphs that it says the same of live on. The
// address does not count: it says where a subgraph is, and routers that share a Redis may reach it by different ones.
func meanings(sg *federation.Supergraph) map[string][]byte {
	out := map[string][]byte{}
	if sg == nil {
		return out
	}
	for id, s := range sg.Subgraphs() {
		var text []byte
		for _, def := range sg.Definitions() {
			text = appendType(text, sg.Type(def.Name), federation.GraphID(id))
		}
		sum := sha256.Sum256(text)
		out[s.Name] = sum[:]
	}
	return out
}

// appendType appends what is said of a type in a subgraph.
func appendType(dst []byte, t *federation.Type, in federation.GraphID) []byte {
	if t == nil || len(t.In) > 0 && t.In[in] == nil {
		return dst
	}
	dst = appendText(appendText(append(dst, 't'), t.Name), string(t.Kind))
	dst = appendCaching(dst, t.Def.Directives)
	for _, v := range t.Def.EnumValues {
		dst = appendText(append(dst, 'e'), v.Name)
	}
	if len(t.In) > 0 {
		dst = appendText(append(dst, 'n'), t.In[in].NameIn)
		for _, p := range t.In[in].Possible {
			dst = appendText(append(dst, 'p'), p.Name)
		}
	}
	for _, f := range t.Fields {
		if j := f.In[in]; j != nil {
			dst = appendText(appendText(append(dst, 'f'), f.Name), j.Type.String())
			dst = appendCaching(appendArguments(dst, f.Def.Arguments), f.Def.Directives)
		}
	}
	if t.Kind == ast.InputObject {
		for _, f := range t.Def.Fields {
			dst = appendDefault(appendText(appendText(append(dst, 'f'), f.Name), f.Type.String()), f.DefaultValue)
		}
	}
	return dst
}

func appendArguments(dst []byte, arguments ast.ArgumentDefinitionList) []byte {
	for _, a := range arguments {
		dst = appendDefault(appendText(appendText(append(dst, 'a'), a.Name), a.Type.String()), a.DefaultValue)
	}
	return dst
}

func appendDefault(dst []byte, v *ast.Value) []byte {
	if v == nil {
		return dst
	}
	return appendText(append(dst, '='), v.String())
}

// appendCaching appends what @cacheControl says.
func appendCaching(dst []byte, directives ast.DirectiveList) []byte {
	d := directives.ForName("cacheControl")
	if d == nil {
		return dst
	}
	said := []string{}
	for _, a := range d.Arguments {
		said = append(said, a.Name+":"+a.Value.String())
	}
	slices.Sort(said)
	dst = append(dst, 'c')
	for _, s := range said {
		dst = appendText(dst, s)
	}
	return dst
}
