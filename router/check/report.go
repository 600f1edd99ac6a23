package check

import (
	"cmp"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Report is the outcome of a check.
type Report struct {
	Changes    []*Change `json:"changes"`
	Operations int       `json:"operations"` // how many recorded operations were looked at
	// Broken are those that some breaking change breaks, or may.
	Broken []Use `json:"broken"`
	// Invalid are those that the older schema refuses already: nothing that changed can break them.
	Invalid []Use `json:"invalid"`
}

// Count is the number of changes of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, c := range r.Changes {
		if c.Severity == s {
			n++
		}
	}
	return n
}

// Used is the number of breaking changes that break a recorded operation, or may.
func (r *Report) Used() int {
	n := 0
	for _, c := range r.Changes {
		if c.Severity == Breaking && len(c.Operations) > 0 {
			n++
		}
	}
	return n
}

// Check compares two schemas and says of each change which of the operations it concerns.
func Check(before, after *ast.Schema, operations []*Operation) *Report {
	r := &Report{Changes: Compare(before, after), Operations: len(operations), Broken: []Use{}, Invalid: []Use{}}
	judge := rules.NewDefaultRules()
	for _, op := range operations {
		if len(validator.ValidateWithRules(before, op.Document, judge)) > 0 {
			r.Invalid = append(r.Invalid, op.use(yes))
			continue
		}
		r.judge(op, usesOf(before, op), validator.ValidateWithRules(after, op.Document, judge))
	}
	sortChanges(r.Changes)
	for _, c := range r.Changes {
		slices.SortStableFunc(c.Operations, func(a, b Use) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Source, b.Source))
		})
	}
	return r
}

// judge asks each change about one operation; faults are what the newer schema has against it.
func (r *Report) judge(op *Operation, u *uses, faults gqlerror.List) {
	broken := no
	for _, c := range r.Changes {
		if c.hits == nil {
			continue
		}
		hit := c.hits(u)
		if hit == no {
			continue
		}
		c.Operations = append(c.Operations, op.use(hit))
		if c.Severity == Breaking {
			broken = max(broken, hit)
		}
	}
	if broken == no && len(faults) > 0 {
		r.explain(op, u, faults[0])
		broken = yes
	}
	if broken != no {
		r.Broken = append(r.Broken, op.use(broken))
	}
}

// explain finds what made an operation invalid although each of its parts stands: a field that can no longer be null has another shape
// than one that is selected under the same response name. What breaks an operation is breaking.
func (r *Report) explain(op *Operation, u *uses, fault *gqlerror.Error) {
	found := false
	for _, c := range r.Changes {
		if c.Code == FieldBecameNonNull && len(u.fields[c.Coordinate]) > 0 {
			c.Severity, found = Breaking, true
			c.Operations = append(c.Operations, op.use(yes))
		}
	}
	if !found {
		r.Changes = append(r.Changes, &Change{
			Code: OperationInvalid, Severity: Breaking, Message: "the operation is no longer valid: " + fault.Message, Operations: []Use{op.use(yes)},
		})
	}
}
