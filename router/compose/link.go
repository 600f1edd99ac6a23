package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// link is one application of @link: a feature of the schema, the version and the names that it is imported under.
type link struct {
	identity string // the URL without its version
	name     string // last part of the identity: federation, tag
	as       string // prefix for names that are not imported
	major    int
	minor    int
	url      string
	imports  map[string]string // name in the specification -> name here; directives with their @
	order    []string          // names in the specification, as written
	pos      *ast.Position
}

const specHost = "https://specs.apollo.dev/"

// apollo reports whether the link is to one of the specifications that composition itself knows.
func (l *link) apollo() bool { return strings.HasPrefix(l.identity, specHost) }

// local gives the name that a directive of the specification has in this schema (without @).
func (l *link) local(directive string) string {
	if here, ok := l.imports["@"+directive]; ok {
		return strings.TrimPrefix(here, "@")
	}
	if directive == l.name {
		return l.as
	}
	return l.as + "__" + directive
}

// localType is local for a type of the specification.
func (l *link) localType(name string) string {
	if here, ok := l.imports[name]; ok {
		return here
	}
	return l.as + "__" + name
}

// parseLinks reads every @link of a schema. The first problem of each is reported and that link left out.
func parseLinks(s *subgraph, dirs ast.DirectiveList, r *report) []*link {
	var out []*link
	for _, d := range dirs {
		if d.Name != "link" {
			continue
		}
		l, code, err := parseLink(d)
		if err != nil {
			r.fail(code, []site{{s, d.Position}}, "%s", err)
			continue
		}
		if slices.ContainsFunc(out, func(o *link) bool { return o.identity == l.identity }) {
			r.fail(InvalidLinkDirectiveUsage, []site{{s, d.Position}}, "[%s] %s is linked twice", s.name, l.identity)
			continue
		}
		out = append(out, l)
	}
	return out
}

func parseLink(d *ast.Directive) (*link, Code, error) {
	url := stringArg(d, "url")
	if url == "" {
		return nil, InvalidLinkDirectiveUsage, fmt.Errorf("@link needs a url")
	}
	l := &link{url: url, imports: map[string]string{}, pos: d.Position}
	rest, version := url, ""
	if i := strings.LastIndexByte(url, '/'); i >= 0 && isVersion(url[i+1:]) {
		rest, version = url[:i], url[i+1:]
	}
	if version != "" {
		major, minor, _ := strings.Cut(version[1:], ".")
		l.major, _ = strconv.Atoi(major)
		l.minor, _ = strconv.Atoi(minor)
	} else if strings.HasPrefix(url, specHost) {
		return nil, InvalidLinkIdentifier, fmt.Errorf("the @link url %q has no version such as v2.3", url)
	}
	l.identity = rest
	l.name = rest[strings.LastIndexByte(rest, '/')+1:]
	l.as = l.name
	if as := stringArg(d, "as"); as != "" {
		l.as = as
	}
	if arg := d.Arguments.ForName("import"); arg != nil && arg.Value.Kind != ast.NullValue {
		if err := l.parseImports(arg.Value); err != nil {
			return nil, InvalidLinkDirectiveUsage, err
		}
	}
	return l, "", nil
}

func (l *link) parseImports(v *ast.Value) error {
	if v.Kind != ast.ListValue {
		return fmt.Errorf("import of @link(url: %q) must be a list", l.url)
	}
	for _, child := range v.Children {
		name, as := child.Value.Raw, child.Value.Raw
		if child.Value.Kind == ast.ObjectValue {
			n, a := child.Value.Children.ForName("name"), child.Value.Children.ForName("as")
			if n == nil {
				return fmt.Errorf("an import of @link(url: %q) has no name", l.url)
			}
			name, as = n.Raw, n.Raw
			if a != nil {
				as = a.Raw
			}
		} else if child.Value.Kind != ast.StringValue {
			return fmt.Errorf("an import of @link(url: %q) must be a string or {name, as}", l.url)
		}
		if strings.HasPrefix(name, "@") != strings.HasPrefix(as, "@") {
			return fmt.Errorf("import of %q as %q: both or neither must start with @", name, as)
		}
		if l.apollo() && l.name == "federation" && !knownImport(name) {
			return fmt.Errorf("cannot import unknown element %q of the federation specification", name)
		}
		l.imports[name] = as
		l.order = append(l.order, name)
	}
	return nil
}

func isVersion(s string) bool {
	if len(s) < 4 || s[0] != 'v' {
		return false
	}
	major, minor, ok := strings.Cut(s[1:], ".")
	_, err1 := strconv.Atoi(major)
	_, err2 := strconv.Atoi(minor)
	return ok && err1 == nil && err2 == nil
}

func stringArg(d *ast.Directive, name string) string {
	if a := d.Arguments.ForName(name); a != nil && (a.Value.Kind == ast.StringValue || a.Value.Kind == ast.BlockValue) {
		return a.Value.Raw
	}
	return ""
}
