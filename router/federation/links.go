package federation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Specifications that mean something here. A directive of the same name as its specification needs no prefix.
const (
	specLink           = "link"
	specCore           = "core"
	specJoin           = "join"
	specTag            = "tag"
	specInaccessible   = "inaccessible"
	specAuthenticated  = "authenticated"
	specRequiresScopes = "requiresScopes"
	specPolicy         = "policy"
	specContext        = "context"
	specCost           = "cost"
)

var specifications = []string{
	specLink, specCore, specJoin, specTag, specInaccessible, specAuthenticated, specRequiresScopes, specPolicy, specContext, specCost,
}

// links tells the machinery of linked specifications from the schema proper, by the names that the schema gives it (@link, and
// @core of early supergraphs).
type links struct {
	namespace map[string]string // of a specification in this schema
	imported  map[string]string // what the schema calls a directive, by specification and "@name"
	prefixes  map[string]bool   // namespaces of all that is linked
	names     map[string]bool   // directives and types imported by name
}

// readLinks reads what the schema links. What must be understood in order to execute or to secure the graph, and is not, is refused;
// other features are left alone.
func readLinks(doc *ast.SchemaDocument) (links, error) {
	ls := links{
		namespace: map[string]string{specLink: specLink, specCore: specCore, specJoin: specJoin, specTag: specTag, specInaccessible: specInaccessible},
		imported:  map[string]string{},
		prefixes:  map[string]bool{specJoin: true, specLink: true, specCore: true},
		names:     map[string]bool{specInaccessible: true, specTag: true, specLink: true, specCore: true},
	}
	var applied ast.DirectiveList
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		applied = append(applied, s.Directives...)
	}
	name := linkName(applied)
	for _, d := range applied {
		if name == "" && (d.Name == specLink || d.Name == specCore) || d.Name == name {
			if err := ls.read(d); err != nil {
				return ls, at(d.Position, err)
			}
		}
	}
	return ls, nil
}

// linkName finds what the schema calls @link: the directive that links its own specification. Empty: it does not say.
func linkName(ds ast.DirectiveList) string {
	for _, d := range ds {
		if f := featureOf(d); f.known && (f.name == specLink || f.name == specCore) {
			return d.Name
		}
	}
	return ""
}

// feature is what a @link names.
type feature struct {
	name, version string
	known         bool // it is one of Apollo's that is understood here
}

func featureOf(d *ast.Directive) feature {
	url := stringArg(d, "url")
	if url == "" {
		url = stringArg(d, "feature")
	}
	parts := strings.Split(strings.TrimRight(url, "/"), "/")
	f := feature{name: parts[len(parts)-1]}
	if v := f.name; len(parts) > 1 && len(v) > 1 && v[0] == 'v' && v[1] >= '0' && v[1] <= '9' {
		f.name, f.version, parts = parts[len(parts)-2], v[1:], parts[:len(parts)-1]
	}
	host := strings.Join(parts[:len(parts)-1], "/")
	f.known = host == "https://specs.apollo.dev" && slices.Contains(specifications, f.name)
	return f
}

func (ls *links) read(d *ast.Directive) error {
	f := featureOf(d)
	if err := f.supported(d); err != nil {
		return err
	}
	local := f.name
	if as := stringArg(d, "as"); as != "" {
		local = as
	}
	ls.prefixes[local] = true
	ls.names[local] = true
	if f.known {
		ls.namespace[f.name] = local
	}
	imports := d.Arguments.ForName("import")
	if imports == nil || imports.Value == nil {
		return nil
	}
	for _, c := range imports.Value.Children {
		imported, as := importOf(c.Value)
		if f.known {
			ls.imported[f.name+imported] = strings.TrimPrefix(as, "@")
		}
		ls.names[strings.TrimPrefix(as, "@")] = true
	}
	return nil
}

func importOf(v *ast.Value) (imported, as string) {
	if v.Kind != ast.ObjectValue {
		return v.Raw, v.Raw
	}
	if name := v.Children.ForName("name"); name != nil {
		imported = name.Raw
	}
	if local := v.Children.ForName("as"); local != nil && local.Raw != "" {
		return imported, local.Raw
	}
	return imported, imported
}

// supported refuses what the graph cannot be served rightly without understanding.
func (f feature) supported(d *ast.Directive) error {
	if f.known {
		minor, err := strconv.Atoi(strings.TrimPrefix(f.version, "0."))
		if f.name == specJoin && (err != nil || minor < 1 || minor > 5) {
			return fail(CodeUnsupported, "version %q of the join specification is not one of v0.1 to v0.5", f.version)
		}
		return nil
	}
	if purpose := d.Arguments.ForName("for"); purpose != nil && purpose.Value != nil && (purpose.Value.Raw == "EXECUTION" || purpose.Value.Raw == "SECURITY") {
		return fail(CodeUnsupported, "the feature %s is needed for %s and not supported", f.name, strings.ToLower(purpose.Value.Raw))
	}
	return nil
}

// isMachinery says whether a type or directive of that name belongs to a linked specification.
func (ls *links) isMachinery(name string) bool {
	if prefix, _, ok := strings.Cut(name, "__"); ok && prefix != "" && ls.prefixes[prefix] {
		return true
	}
	return ls.names[name]
}

// local is what the schema calls a directive or type of a specification; empty when it does not link it.
func (ls *links) local(spec, name string) string {
	if local := ls.imported[spec+"@"+name]; local != "" {
		return local
	}
	namespace := ls.namespace[spec]
	if namespace == "" || name == spec {
		return namespace
	}
	return namespace + "__" + name
}

// find returns the first application of the directive that has a specification's name; nil when there is none.
func (ls *links) find(ds ast.DirectiveList, spec string) *ast.Directive {
	if local := ls.local(spec, spec); local != "" {
		return ds.ForName(local)
	}
	return nil
}

func (ls *links) findAll(ds ast.DirectiveList, spec string) []*ast.Directive {
	if local := ls.local(spec, spec); local != "" {
		return ds.ForNames(local)
	}
	return nil
}

// joins returns the applications of a directive of the join specification.
func (ls *links) joins(ds ast.DirectiveList, name string) []*ast.Directive {
	return ds.ForNames(ls.local(specJoin, name))
}
