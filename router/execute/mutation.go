package execute

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/plan"
)

// stages runs the stages of the primary answer. Of a mutation no further root field is run once data is null for what those before
// it brought: nothing more may happen for a client that will hear nothing of it.
func (r *run) stages() {
	stages := r.in.Plan.Stages
	for i, stage := range stages {
		if i > 0 && stage[0].Operation == ast.Mutation && r.lost(stages[:i]) {
			return
		}
		r.stage(stage)
	}
}

// lost says whether a root field of the stages that are done makes data null. It prints them to see, and keeps nothing.
func (r *run) lost(done [][]*plan.Fetch) bool {
	errs, pending := len(r.errs), len(r.pending)
	defer func() { r.errs, r.pending, r.out, r.path = r.errs[:errs], r.pending[:pending], r.out[:0], r.path[:0] }()
	var asked []int
	for _, f := range slices.Concat(done...) {
		if f.Operation != ast.Mutation || !r.wants(f.Cond) {
			continue
		}
		for _, sf := range f.Entries[0].Selection.Fields {
			if !sf.TypeName && r.wants(sf.Cond) {
				asked = append(asked, sf.Slot)
			}
		}
	}
	for _, f := range variantOf(r.in.Plan.Output, r.in.Plan.RootType.ID).Fields {
		if f.TypeName || !f.Type.NonNull || !slices.Contains(asked, f.Slot) {
			continue
		}
		r.path = append(r.path[:0], segment{key: f.Name})
		out, ok := r.complete(r.out, r.arena.slot(r.root, f.Slot), f.Type, f)
		if r.out = out[:0]; !ok {
			return true
		}
	}
	return false
}
