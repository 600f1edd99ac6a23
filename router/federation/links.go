package federation

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Directives of linked specifications that mean something here, by the names that their specifications give them.
const (
	dirInaccessible   = "inaccessible"
	dirAuthenticated  = "authenticated"
	dirRequiresScopes = "requiresScopes"
	dirPolicy         = "policy"
	dirContext        = "context"
)

// links tells the machinery of linked specifications from the schema proper.
type links struct {
	prefixes map[string]bool   // namespaces: join, link, ...
	names    map[string]bool   // directives and types imported by name
	called   map[string]string // what the schema calls a directive, by its specification's name for it
}

func readLinks(doc *ast.SchemaDocument) links {
	ls := links{
		prefixes: map[string]bool{"join": true, "link": true, "core": true},
		names:    map[string]bool{"inaccessible": true, "tag": true},
		called:   map[string]string{dirInaccessible: dirInaccessible},
	}
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		for _, d := range s.Directives {
			if d.Name == "link" || d.Name == "core" {
				ls.read(d)
			}
		}
	}
	return ls
}

func (ls *links) read(d *ast.Directive) {
	url := stringArg(d, "url")
	if url == "" {
		url = stringArg(d, "feature")
	}
	parts := strings.Split(strings.TrimRight(url, "/"), "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 && len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9' {
		name = parts[len(parts)-2]
	}
	local := name
	if as := stringArg(d, "as"); as != "" {
		local = as
	}
	ls.prefixes[local] = true
	ls.names[local] = true
	ls.called[name] = local
	imports := d.Arguments.ForName("import")
	if imports == nil || imports.Value == nil {
		return
	}
	for _, c := range imports.Value.Children {
		imported, as := c.Value.Raw, c.Value.Raw
		if c.Value.Kind == ast.ObjectValue {
			imported, as = "", ""
			for _, e := range c.Value.Children {
				switch e.Name {
				case "name":
					imported = e.Value.Raw
				case "as":
					as = e.Value.Raw
				}
			}
			if as == "" {
				as = imported
			}
		}
		if directive, ok := strings.CutPrefix(imported, "@"); ok {
			ls.called[directive] = strings.TrimPrefix(as, "@")
		}
		ls.names[strings.TrimPrefix(as, "@")] = true
	}
}

// isMachinery says whether a type or directive of that name belongs to a linked specification.
func (ls *links) isMachinery(name string) bool {
	if prefix, _, ok := strings.Cut(name, "__"); ok && prefix != "" && ls.prefixes[prefix] {
		return true
	}
	return ls.names[name]
}

// find returns the first application of a specification's directive; nil when there is none or the schema does not link it.
func (ls *links) find(ds ast.DirectiveList, directive string) *ast.Directive {
	if local := ls.called[directive]; local != "" {
		return ds.ForName(local)
	}
	return nil
}

func (ls *links) findAll(ds ast.DirectiveList, directive string) []*ast.Directive {
	if local := ls.called[directive]; local != "" {
		return ds.ForNames(local)
	}
	return nil
}
