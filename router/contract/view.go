package contract

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// view is what the clients of a contract see of a supergraph while it is being filtered.
type view struct {
	doc              *ast.SchemaDocument
	types            map[string]*ast.Definition // without the machinery of linked specifications
	order            []string
	query            string
	roots            []string
	links            links
	tag              string // the names that the supergraph has for the directives
	inaccessible     string
	filter           Filter
	include, exclude map[string]bool
	seenTags         map[string]bool
	hidden           map[string]bool // by coordinate
}

func newView(doc *ast.SchemaDocument, sg *federation.Supergraph, f Filter) *view {
	v := &view{
		doc: doc, types: map[string]*ast.Definition{}, links: readLinks(doc), filter: f,
		include: setOf(f.Include), exclude: setOf(f.Exclude), seenTags: map[string]bool{}, hidden: map[string]bool{},
	}
	v.tag, v.inaccessible = v.links.local("tag"), v.links.local("inaccessible")
	for _, def := range doc.Definitions {
		if sg.Type(def.Name) != nil {
			v.types[def.Name] = def
			v.order = append(v.order, def.Name)
		}
	}
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		if root := sg.Root(op); root != nil {
			v.roots = append(v.roots, root.Name)
		}
	}
	v.query = sg.Root(ast.Query).Name
	return v
}

// tags reads the tags of an element.
func (v *view) tags(dirs ast.DirectiveList) map[string]bool {
	tags := map[string]bool{}
	for _, d := range dirs.ForNames(v.tag) {
		if name := d.Arguments.ForName("name"); name != nil {
			tags[name.Value.Raw] = true
			v.seenTags[name.Value.Raw] = true
		}
	}
	return tags
}

// excluded says whether an element is hidden whatever tags are included: by a tag of its own, or in the supergraph already.
func (v *view) excluded(dirs ast.DirectiveList) bool {
	return meets(v.tags(dirs), v.exclude) || dirs.ForName(v.inaccessible) != nil
}

// included says whether elements that must be asked for are.
func (v *view) included(tags map[string]bool) bool {
	return len(v.include) == 0 || meets(tags, v.include)
}

// hideByTags hides what the filter names.
func (v *view) hideByTags() {
	for _, name := range v.order {
		def := v.types[name]
		own := v.tags(def.Directives)
		composite := def.Kind == ast.Object || def.Kind == ast.Interface
		if v.excluded(def.Directives) || def.Kind == ast.Union && !v.included(own) {
			v.hidden[name] = true
		}
		for _, f := range def.Fields {
			tags := v.tags(f.Directives)
			if composite {
				for t := range own {
					tags[t] = true
				}
			}
			if v.excluded(f.Directives) || composite && !v.included(tags) {
				v.hidden[fieldCoordinate(def, f)] = true
			}
			for _, a := range f.Arguments {
				if v.excluded(a.Directives) {
					v.hidden[argumentCoordinate(def, f, a)] = true
				}
			}
		}
		for _, value := range def.EnumValues {
			if v.excluded(value.Directives) {
				v.hidden[name+"."+value.Name] = true
			}
		}
	}
}

// hideBroken hides fields of interfaces that an implementer no longer shows, and types that are empty, until nothing changes: each round
// hides something, so it ends.
func (v *view) hideBroken() {
	for changed := true; changed; {
		changed = false
		hide := func(coordinate string) {
			changed = changed || !v.hidden[coordinate]
			v.hidden[coordinate] = true
		}
		for _, name := range v.order {
			def := v.types[name]
			if v.hidden[name] {
				continue
			}
			if v.empty(def) {
				hide(name)
				continue
			}
			for _, iface := range def.Interfaces {
				v.eachPromise(def, iface, hide)
			}
		}
	}
}

// eachPromise calls hide for the fields of an interface that def implements with a hidden one.
func (v *view) eachPromise(def *ast.Definition, iface string, hide func(string)) {
	promised := v.types[iface]
	if promised == nil {
		return
	}
	for _, f := range promised.Fields {
		if v.hidden[def.Name+"."+f.Name] {
			hide(fieldCoordinate(promised, f))
		}
	}
}

// empty says whether a type has something in it, and all of it is hidden.
func (v *view) empty(def *ast.Definition) bool {
	for _, f := range def.Fields {
		if !v.hidden[fieldCoordinate(def, f)] {
			return false
		}
	}
	for _, value := range def.EnumValues {
		if !v.hidden[def.Name+"."+value.Name] {
			return false
		}
	}
	for _, member := range def.Types {
		if !v.hidden[member] {
			return false
		}
	}
	return len(def.Fields)+len(def.EnumValues)+len(def.Types) > 0
}

// hideUnreachable hides the types that no root field leads to through what is visible. An interface that is only implemented, never the
// type of a field, can be named in fragments: it stays, but leads to no further implementers.
func (v *view) hideUnreachable() {
	implementers := map[string][]string{}
	for _, name := range v.order {
		for _, iface := range v.types[name].Interfaces {
			implementers[iface] = append(implementers[iface], name)
		}
	}
	todo := slices.Clone(v.roots)
	for _, d := range v.doc.Directives {
		for _, a := range d.Arguments {
			todo = append(todo, a.Type.Name())
		}
	}
	followed, stays := map[string]bool{}, map[string]bool{}
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v.types[name] == nil || v.hidden[name] || followed[name] {
			continue
		}
		followed[name], stays[name] = true, true
		for _, iface := range v.types[name].Interfaces {
			stays[iface] = true
		}
		todo = append(append(todo, v.leadsTo(v.types[name])...), implementers[name]...)
	}
	for _, name := range v.order {
		if !stays[name] {
			v.hidden[name] = true
		}
	}
}

// leadsTo lists the types that the visible elements of a type name.
func (v *view) leadsTo(def *ast.Definition) []string {
	names := slices.Clone(def.Types)
	for _, f := range def.Fields {
		if v.hidden[fieldCoordinate(def, f)] {
			continue
		}
		names = append(names, f.Type.Name())
		for _, a := range f.Arguments {
			if !v.hidden[argumentCoordinate(def, f, a)] {
				names = append(names, a.Type.Name())
			}
		}
	}
	return names
}
