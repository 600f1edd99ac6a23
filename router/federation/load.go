package federation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// maxSDLTokens bounds the work of reading a supergraph.
const maxSDLTokens = 5_000_000

// Load reads a supergraph SDL of the join specification, v0.1 to v0.5, with
// @core or @link. The error is an *Error.
func Load(sdl string) (*Supergraph, error) {
	doc, err := parser.ParseSchemaWithLimit(Source("supergraph", sdl), maxSDLTokens)
	if err != nil {
		e := asError(err)
		e.Code = CodeSyntax
		return nil, e
	}
	mergeExtensions(doc)
	links, err := readLinks(doc)
	if err != nil {
		return nil, asError(err)
	}
	l := &loader{
		doc:    doc,
		sg:     &Supergraph{types: map[string]*Type{}, roots: map[ast.Operation]*Type{}},
		graphs: map[string]GraphID{},
		links:  links,
	}
	for _, step := range []func() error{
		l.readGraphs, l.readTypes, l.readRoots, l.linkPossible, l.readFields,
		l.readInterfaceObjects, l.checkFieldSets, l.ownTypes, l.markLocal, l.readCosts, l.buildAPI,
	} {
		if err := step(); err != nil {
			return nil, asError(err)
		}
	}
	return l.sg, nil
}

type loader struct {
	doc    *ast.SchemaDocument
	sg     *Supergraph
	graphs map[string]GraphID // by join__Graph enum value
	links  links
}

// mergeExtensions folds `extend type` into the definitions; composers do not
// write them, people who edit a supergraph do.
func mergeExtensions(doc *ast.SchemaDocument) {
	byName := map[string]*ast.Definition{}
	for _, d := range doc.Definitions {
		byName[d.Name] = d
	}
	for _, e := range doc.Extensions {
		d := byName[e.Name]
		if d == nil {
			byName[e.Name] = e
			doc.Definitions = append(doc.Definitions, e)
			continue
		}
		d.Directives = append(d.Directives, e.Directives...)
		d.Interfaces = append(d.Interfaces, e.Interfaces...)
		d.Fields = append(d.Fields, e.Fields...)
		d.Types = append(d.Types, e.Types...)
		d.EnumValues = append(d.EnumValues, e.EnumValues...)
	}
	doc.Extensions = nil
}

func (l *loader) readGraphs() error {
	enum := l.links.local(specJoin, "Graph")
	i := slices.IndexFunc(l.doc.Definitions, func(d *ast.Definition) bool { return d.Name == enum })
	if i < 0 {
		return fmt.Errorf("no enum %s: not a supergraph of the join specification, which bourse compose makes of subgraphs", enum)
	}
	for _, v := range l.doc.Definitions[i].EnumValues {
		joins := l.links.joins(v.Directives, "graph")
		if len(joins) == 0 {
			return at(v.Position, fmt.Errorf("%s.%s lacks @join__graph", enum, v.Name))
		}
		if _, dup := l.graphs[v.Name]; dup {
			return at(v.Position, fmt.Errorf("%s.%s occurs twice", enum, v.Name))
		}
		g := Subgraph{Name: stringArg(joins[0], "name"), URL: stringArg(joins[0], "url")}
		if g.Name == "" {
			return at(v.Position, fmt.Errorf("%s.%s has no name", enum, v.Name))
		}
		l.graphs[v.Name] = GraphID(len(l.sg.subgraphs))
		l.sg.subgraphs = append(l.sg.subgraphs, g)
	}
	if len(l.sg.subgraphs) == 0 {
		return at(l.doc.Definitions[i].Position, fmt.Errorf("enum %s is empty", enum))
	}
	return nil
}

func (l *loader) readTypes() error {
	for _, d := range l.doc.Definitions {
		if l.links.isMachinery(d.Name) {
			continue
		}
		if l.sg.types[d.Name] != nil {
			return at(d.Position, fmt.Errorf("type %s is defined twice", d.Name))
		}
		t := &Type{
			Name: d.Name, Kind: d.Kind, Def: d, ID: -1,
			Inaccessible: l.links.find(d.Directives, specInaccessible) != nil,
			In:           make([]*TypeJoin, len(l.sg.subgraphs)),
			Contexts:     l.readContexts(d.Directives),
			fields:       map[string]*Field{},
		}
		var err error
		if t.Access, err = l.readAccess(d.Directives); err != nil {
			return at(d.Position, fmt.Errorf("type %s: %w", d.Name, err))
		}
		if err := l.readTypeJoins(t); err != nil {
			return err
		}
		if t.Kind == ast.Object {
			t.ID = len(l.sg.objects)
			l.sg.objects = append(l.sg.objects, t)
		}
		l.sg.types[d.Name] = t
		l.sg.order = append(l.sg.order, t)
	}
	for _, d := range validator.PreludeDocument().Definitions {
		if d.Kind == ast.Scalar && l.sg.types[d.Name] == nil {
			l.sg.types[d.Name] = &Type{Name: d.Name, Kind: d.Kind, Def: d, ID: -1}
		}
	}
	return nil
}

func (l *loader) readTypeJoins(t *Type) error {
	joins := l.links.joins(t.Def.Directives, "type")
	for _, d := range joins {
		g, err := l.graphArg(d, t.Name)
		if err != nil {
			return err
		}
		j := t.In[g]
		if j == nil {
			j = &TypeJoin{NameIn: t.Name}
			t.In[g] = j
		}
		j.Extension = j.Extension || boolArg(d, "extension", false)
		j.InterfaceObject = j.InterfaceObject || boolArg(d, "isInterfaceObject", false)
		if text := stringArg(d, "key"); text != "" {
			set, err := ParseFieldSet(text)
			if err != nil {
				return at(d.Position, fmt.Errorf("type %s, @join__type(key:): %w", t.Name, err))
			}
			j.Keys = append(j.Keys, &Key{Text: text, Fields: set, Resolvable: boolArg(d, "resolvable", true)})
		}
	}
	if len(joins) == 0 { // a type of all subgraphs, as early composers wrote for value types
		for g := range t.In {
			t.In[g] = &TypeJoin{NameIn: t.Name}
		}
	}
	return nil
}

func (l *loader) readRoots() error {
	names := map[ast.Operation]string{ast.Query: "Query"}
	if len(l.doc.Schema) == 0 {
		names[ast.Mutation], names[ast.Subscription] = "Mutation", "Subscription"
	}
	for _, s := range slices.Concat(l.doc.Schema, l.doc.SchemaExtension) {
		for _, o := range s.OperationTypes {
			names[o.Operation] = o.Type
		}
	}
	for op, name := range names {
		t := l.sg.types[name]
		if t == nil {
			if op == ast.Query || len(l.doc.Schema) > 0 {
				return fmt.Errorf("root type %s does not exist", name)
			}
			continue
		}
		if t.Kind != ast.Object {
			return at(t.Def.Position, fmt.Errorf("root type %s is not an object type", name))
		}
		l.sg.roots[op] = t
	}
	return nil
}

// linkPossible finds the concrete types of each abstract type, over all and in each subgraph.
func (l *loader) linkPossible() error {
	for _, t := range l.sg.order {
		if t.Kind == ast.Object {
			t.Possible = []*Type{t}
		}
	}
	for _, t := range l.sg.objects {
		seen := map[string]bool{}
		for _, name := range t.Def.Interfaces {
			i := l.sg.types[name]
			if i == nil || i.Kind != ast.Interface {
				return at(t.Def.Position, fmt.Errorf("type %s implements %s, which is not an interface", t.Name, name))
			}
			if !seen[name] {
				seen[name] = true
				i.Possible = append(i.Possible, t)
			}
		}
		joins := l.links.joins(t.Def.Directives, "implements")
		for _, d := range joins {
			g, err := l.graphArg(d, t.Name)
			if err != nil {
				return err
			}
			i := l.sg.types[stringArg(d, "interface")]
			if i == nil || i.Kind != ast.Interface {
				return at(d.Position, fmt.Errorf("type %s, @join__implements: no interface %q", t.Name, stringArg(d, "interface")))
			}
			addPossible(i, g, t)
		}
		if len(joins) == 0 {
			for name := range seen {
				for g := range l.sg.subgraphs {
					if t.In[g] != nil {
						addPossible(l.sg.types[name], GraphID(g), t)
					}
				}
			}
		}
	}
	for _, t := range l.sg.order {
		if t.Kind == ast.Union {
			if err := l.linkUnion(t); err != nil {
				return err
			}
		}
	}
	for _, t := range l.sg.order {
		slices.SortFunc(t.Possible, func(a, b *Type) int { return a.ID - b.ID })
		for _, j := range t.In {
			if j != nil {
				slices.SortFunc(j.Possible, func(a, b *Type) int { return a.ID - b.ID })
			}
		}
	}
	return nil
}

func (l *loader) linkUnion(t *Type) error {
	for _, name := range t.Def.Types {
		m := l.sg.types[name]
		if m == nil || m.Kind != ast.Object {
			return at(t.Def.Position, fmt.Errorf("union %s: member %s is not an object type", t.Name, name))
		}
		if !slices.Contains(t.Possible, m) {
			t.Possible = append(t.Possible, m)
		}
	}
	joins := l.links.joins(t.Def.Directives, "unionMember")
	for _, d := range joins {
		g, err := l.graphArg(d, t.Name)
		if err != nil {
			return err
		}
		m := l.sg.types[stringArg(d, "member")]
		if m == nil || !slices.Contains(t.Possible, m) {
			return at(d.Position, fmt.Errorf("union %s, @join__unionMember: no member %q", t.Name, stringArg(d, "member")))
		}
		addPossible(t, g, m)
	}
	if len(joins) == 0 {
		for g := range l.sg.subgraphs {
			for _, m := range t.Possible {
				if m.In[g] != nil {
					addPossible(t, GraphID(g), m)
				}
			}
		}
	}
	return nil
}

func addPossible(abstract *Type, g GraphID, t *Type) {
	if j := abstract.In[g]; j != nil && !j.InterfaceObject && !slices.Contains(j.Possible, t) {
		j.Possible = append(j.Possible, t)
	}
}

func (l *loader) graphArg(d *ast.Directive, where string) (GraphID, error) {
	a := d.Arguments.ForName("graph")
	if a == nil || a.Value == nil {
		return 0, at(d.Position, fmt.Errorf("%s: @%s lacks graph", where, d.Name))
	}
	g, ok := l.graphs[a.Value.Raw]
	if !ok {
		return 0, at(d.Position, fmt.Errorf("%s: @%s names an unknown graph %s", where, d.Name, strconv.Quote(a.Value.Raw)))
	}
	return g, nil
}

func stringArg(d *ast.Directive, name string) string {
	if a := d.Arguments.ForName(name); a != nil && a.Value != nil &&
		(a.Value.Kind == ast.StringValue || a.Value.Kind == ast.BlockValue) {
		return strings.TrimSpace(a.Value.Raw)
	}
	return ""
}

func boolArg(d *ast.Directive, name string, otherwise bool) bool {
	if a := d.Arguments.ForName(name); a != nil && a.Value != nil && a.Value.Kind == ast.BooleanValue {
		return a.Value.Raw == "true"
	}
	return otherwise
}
