package plan

import (
	"maps"
	"slices"
	"strings"
)

// DeniedField is a field of the answer that the client may not see, for some of the types that its objects may have.
type DeniedField struct {
	Path  []string // response keys
	conds []CondID // of which all must hold, or it is not asked for
}

func (f DeniedField) String() string { return strings.Join(f.Path, ".") }

// maxDenied bounds how many denied fields a plan lists.
const maxDenied = 50

// Denied lists what the client asks for, with its variables, and may not see.
func (p *Plan) Denied(variables map[string]any) []DeniedField {
	var asked []DeniedField
	for _, f := range p.denied {
		skipped := func(c CondID) bool { return c != Always && !p.Conditions[c].Holds(variables) }
		if !slices.ContainsFunc(f.conds, skipped) {
			asked = append(asked, f)
		}
	}
	return asked
}

// Holds says whether a condition holds with a client's variables.
func (c Condition) Holds(variables map[string]any) bool {
	for _, clause := range c {
		all := true
		for _, l := range clause {
			v, _ := variables[l.Variable].(bool)
			all = all && v == l.Want
		}
		if all {
			return true
		}
	}
	return false
}

// listDenied finds the denied fields of a finished plan.
func (p *Plan) listDenied() {
	p.listDeniedIn(p.Output, DeniedField{})
	for _, d := range p.Deferred {
		var at DeniedField
		for _, step := range d.Path {
			at.Path = append(at.Path, step.Field)
		}
		p.listDeniedIn(d.Output, at)
	}
}

func (p *Plan) listDeniedIn(o *Object, at DeniedField) {
	if o == nil {
		return
	}
	variants := []*Variant{o.Only}
	for _, t := range slices.Sorted(maps.Keys(o.ByType)) {
		if v := o.ByType[t]; !slices.Contains(variants, v) { // types that print alike share one
			variants = append(variants, v)
		}
	}
	for _, v := range variants {
		if v == nil {
			continue
		}
		for _, f := range v.Fields {
			here := DeniedField{append(slices.Clip(at.Path), f.Name), append(slices.Clip(at.conds), f.Cond)}
			if f.Denied {
				p.addDenied(here)
			}
			p.listDeniedIn(f.Child, here)
		}
	}
}

// addDenied adds a field, once for all types that it is denied for.
func (p *Plan) addDenied(f DeniedField) {
	same := func(other DeniedField) bool {
		return slices.Equal(other.Path, f.Path) && slices.Equal(other.conds, f.conds)
	}
	if len(p.denied) < maxDenied && !slices.ContainsFunc(p.denied, same) {
		p.denied = append(p.denied, f)
	}
}
