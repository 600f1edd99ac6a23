package router

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// deferOnlyWhereAllowed refuses @defer in subscriptions and at the root of mutations, whose fields must be done in order
// (incremental delivery, "Defer And Stream Directives Are Used On Valid Root Field" and "… Valid Operations"). With
// `if: false` it stands for nothing and may stay; so it may in subscriptions with a variable, where it never defers.
func deferOnlyWhereAllowed(observers *core.Events, addError core.AddErrFunc) {
	observers.OnDirective(func(w *core.Walker, d *ast.Directive) {
		op := w.CurrentOperation
		if d.Name != "defer" || op == nil { // nil: a fragment by itself; what matters is where it is spread
			return
		}
		switch given := ifOf(d); {
		case given != nil && given.Kind == ast.BooleanValue && given.Raw == "false":
		case op.Operation == ast.Subscription && (given == nil || given.Kind != ast.Variable):
			addError(core.Message("Defer directive not supported on subscription operations. Disable `@defer` by setting the `if` argument to `false`."), core.At(d.Position))
		case op.Operation == ast.Mutation && d.ParentDefinition == w.Schema.Mutation:
			addError(core.Message(`Defer directive cannot be used on root mutation type "%s".`, w.Schema.Mutation.Name), core.At(d.Position))
		}
	})
}

func ifOf(d *ast.Directive) *ast.Value {
	if a := d.Arguments.ForName("if"); a != nil {
		return a.Value
	}
	return nil
}

// deferLabels refuses labels that are variables and labels used twice (incremental delivery, "Defer And Stream Directive
// Labels Are Unique"). A fragment is walked wherever it is spread, so a directive may be seen more than once.
func deferLabels(observers *core.Events, addError core.AddErrFunc) {
	labels := map[string]*ast.Directive{}
	seen := map[*ast.Directive]bool{}
	observers.OnDirective(func(_ *core.Walker, d *ast.Directive) {
		if d.Name != "defer" || seen[d] {
			return
		}
		seen[d] = true
		a := d.Arguments.ForName("label")
		if a == nil || a.Value == nil || a.Value.Kind == ast.NullValue {
			return
		}
		if a.Value.Kind == ast.Variable {
			addError(core.Message(`Argument "@defer(label:)" must be a static string.`), core.At(d.Position))
			return
		}
		if labels[a.Value.Raw] != nil {
			addError(core.Message(`Value for argument "@defer(label:)" must be unique across all Defer/Stream directive usages.`), core.At(d.Position))
			return
		}
		labels[a.Value.Raw] = d
	})
}
