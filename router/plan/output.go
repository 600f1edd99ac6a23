package plan

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// siteOutput is how a site is printed in one part of the answer.
type siteOutput struct {
	part *part
	*Object
}

// outputFor finds or makes the output of a site in a part.
func (s *site) outputFor(in *part) *Object {
	for _, o := range s.outputs {
		if o.part == in {
			return o.Object
		}
	}
	o := siteOutput{in, &Object{}}
	s.outputs = append(s.outputs, o)
	return o.Object
}

func (o *Object) add(t *federation.Type, v *Variant) {
	if t.Inaccessible {
		return // null for the client
	}
	if o.ByType == nil {
		o.ByType = map[int]*Variant{}
	}
	o.ByType[t.ID] = v
}

// printGroup fixes how objects of the group are printed, for each part of the answer that shows them: those that begin
// above the site and those that are opened here.
func (b *builder) printGroup(s *site, g *group, order []mention, opened byPart, given int) {
	for i := range s.outputs {
		o := &s.outputs[i]
		if i >= given && opened.cond(o.part) == nil {
			continue
		}
		byFields := map[string]*Variant{}
		for _, t := range g.types {
			v, sig := b.variant(s, o.part, t, order)
			if have := byFields[sig]; have != nil {
				v = have
			} else {
				byFields[sig] = v
				v.Deferred = b.deferredIn(o.part, opened)
			}
			o.add(t, v)
		}
	}
}

// variant is how objects of type t are printed in one part; sig tells variants apart.
func (b *builder) variant(s *site, in *part, t *federation.Type, order []mention) (*Variant, string) {
	v := &Variant{}
	var sig strings.Builder
	for _, c := range order {
		if c.part != in {
			continue
		}
		of := &OutputField{Name: c.key, Key: []byte("," + jsonKey(c.key)), Parent: t.Name, Field: c.field.Name, Unless: Always}
		of.Cond = b.condID(cond{c.cond})
		if c.unless != nil {
			of.Unless = b.condID(c.unless)
		}
		v.Fields = append(v.Fields, of)
		if c.field.Name == "__typename" {
			of.TypeName = true
			continue
		}
		if introspects(c.field) {
			of.Type, of.Introspection = c.field.Definition.Type, introspection(c.collected, in)
			continue
		}
		f := t.Field(c.field.Name)
		of.Type = f.Def.Type
		if of.Denied = c.denied; of.Denied {
			sig.WriteString("!" + of.Type.String() + " ")
			continue
		}
		sl := b.findSlot(s, c.collected)
		if sl.child != nil {
			of.Child = sl.child.outputFor(in)
		} else if sl.typ.Kind == ast.Enum {
			of.Enum = b.enumValues(sl.typ)
		} else {
			of.Leaf = leaves[sl.typ.Name]
			of.Plain = of.Type.Elem == nil && of.Cond == Always && of.Unless == Always
		}
		b.outputs = append(b.outputs, output{of, sl})
		sig.WriteString(of.Type.String())
		sig.WriteByte(' ')
	}
	return v, sig.String()
}

func (b *builder) enumValues(t *federation.Type) map[string]bool {
	if m, ok := b.enums[t]; ok {
		return m
	}
	m := map[string]bool{}
	if def := b.sg.API().Types[t.Name]; def != nil {
		for _, v := range def.EnumValues {
			m[`"`+v.Name+`"`] = true
		}
	}
	b.enums[t] = m
	return m
}
