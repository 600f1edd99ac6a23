package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxClauses bounds the condition under which something is fetched; see bounded.
const maxClauses = 8

// clause is a conjunction of literals, sorted by variable. Empty: true.
type clause []Literal

// cond is a disjunction of clauses. The zero value is false; a cond with an empty clause is true.
type cond []clause

var condTrue = cond{clause{}}

// with adds the @skip and @include of one selection to a conjunction. ok is false when the selection
// can never be wanted.
func (c clause) with(ds ast.DirectiveList) (next clause, ok bool) {
	next = c
	for _, d := range ds {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		a := d.Arguments.ForName("if")
		if a == nil || a.Value == nil {
			continue
		}
		include := d.Name == "include"
		if a.Value.Kind == ast.BooleanValue {
			if (a.Value.Raw == "true") != include {
				return nil, false
			}
			continue
		}
		if next, ok = next.and(Literal{Variable: a.Value.Raw, Want: include}); !ok {
			return nil, false
		}
	}
	return next, true
}

func (c clause) and(l Literal) (clause, bool) {
	for i, have := range c {
		switch strings.Compare(have.Variable, l.Variable) {
		case 0:
			return c, have.Want == l.Want
		case 1:
			return slices.Insert(slices.Clone(c), i, l), true
		}
	}
	return append(slices.Clip(c), l), true
}

func (c clause) implies(d clause) bool {
	for _, l := range d {
		if !slices.Contains(c, l) {
			return false
		}
	}
	return true
}

// except is when a clause holds and a condition does not.
func (c clause) except(d cond) cond {
	rest := cond{c}
	for _, cl := range d {
		var next cond
		for _, r := range rest {
			for _, l := range cl {
				l.Want = !l.Want
				if both, ok := r.and(l); ok {
					next = append(next, both)
				}
			}
		}
		if rest = next; len(rest) > maxClauses {
			break // more than any caller can use
		}
	}
	return rest
}

// whichever is what two clauses have in common when they differ only in what they want of one variable.
func (c clause) whichever(d clause) (clause, bool) {
	if len(c) != len(d) {
		return nil, false
	}
	differ := -1
	for i := range c {
		switch {
		case c[i] == d[i]:
		case c[i].Variable != d[i].Variable || differ >= 0:
			return nil, false
		default:
			differ = i
		}
	}
	if differ < 0 {
		return nil, false
	}
	return slices.Delete(slices.Clone(c), differ, differ+1), true
}

// or adds a clause, dropping what is implied. Two clauses that differ in whether one variable holds become one without it.
func (c cond) or(cl clause) cond {
	for i, have := range c {
		if cl.implies(have) {
			return c
		}
		if either, ok := have.whichever(cl); ok {
			return slices.Delete(slices.Clone(c), i, i+1).or(either)
		}
	}
	next := make(cond, 0, len(c)+1)
	for _, have := range c {
		if !have.implies(cl) {
			next = append(next, have)
		}
	}
	return append(next, cl)
}

// either holds when one of two does.
func (c cond) either(d cond) cond {
	switch {
	case len(c) == 0, d.isTrue():
		return d
	case c.isTrue():
		return c
	}
	for _, cl := range d {
		c = c.or(cl)
	}
	return c
}

// union is either for what is fetched: a condition that takes in more than one stays bounded.
func (c cond) union(d cond) cond {
	if len(c) == 0 {
		return d
	}
	return c.either(d).bounded()
}

// bounded is a condition of few clauses that holds whenever c does: of too many, what they all ask. To fetch more than
// is wanted is harmless, except for the root fields of a mutation; what is printed goes by conditions that are exact.
func (c cond) bounded() cond {
	if len(c) <= maxClauses {
		return c
	}
	common := slices.Clone(c[0])
	for _, cl := range c[1:] {
		common = slices.DeleteFunc(common, func(l Literal) bool { return !slices.Contains(cl, l) })
	}
	return cond{common}
}

func (c cond) isTrue() bool { return len(c) == 1 && len(c[0]) == 0 }

func (c cond) equal(d cond) bool {
	return slices.EqualFunc(c, d, func(a, b clause) bool { return slices.Equal(a, b) })
}

// given is c under the knowledge that outer holds.
func (c cond) given(outer cond) cond {
	if c.isTrue() || c.equal(outer) {
		return condTrue
	}
	if len(outer) != 1 {
		return c
	}
	var rest cond
	for _, cl := range c {
		left := slices.DeleteFunc(slices.Clone(cl), func(l Literal) bool { return slices.Contains(outer[0], l) })
		rest = rest.or(left)
	}
	return rest
}

func (c cond) key() string {
	var b strings.Builder
	for _, cl := range c {
		for _, l := range cl {
			if !l.Want {
				b.WriteByte('!')
			}
			b.WriteString(l.Variable)
			b.WriteByte('&')
		}
		b.WriteByte('|')
	}
	return b.String()
}
