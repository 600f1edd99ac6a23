package router

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validationRules are the rules of the GraphQL specification.
func validationRules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule("TypenameIsNeverNull", typenameIsNeverNull)
	all.AddRule("IntsHave32Bits", intsHave32Bits)
	all.AddRule("DeferOnlyWhereAllowed", deferOnlyWhereAllowed)
	all.AddRule("DeferLabels", deferLabels)
	all.AddRule("ObjectsAreInputObjects", objectsAreInputObjects)
	return all
}

var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)}

// typenameIsNeverNull gives __typename its type (GraphQL, section 4.4), which gqlparser takes for String: under one key with the
// field of another object, __typename merges with String! and with nothing else (section 5.3.2). A field is seen before all that
// it stands in, so before it is compared.
func typenameIsNeverNull(observers *core.Events, _ core.AddErrFunc) {
	observers.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Name == typename.Name {
			f.Definition = typename
		}
	})
}

// intsHave32Bits refuses Int literals out of range (GraphQL, section 3.5.1), which gqlparser's own rule lets pass up to 64 bits.
func intsHave32Bits(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Kind != ast.IntValue || v.Definition == nil || v.Definition.Name != "Int" {
			return
		}
		if _, err := strconv.ParseInt(v.Raw, 10, 64); err != nil {
			return // too large for gqlparser as well, which says so
		}
		if _, err := strconv.ParseInt(v.Raw, 10, 32); err != nil {
			addError(core.Message("Int cannot represent non 32-bit signed integer value: %s", v.Raw), core.At(v.Position))
		}
	})
}

// objectsAreInputObjects refuses an object literal as a built-in scalar or an enum (GraphQL, section 5.6.1), which gqlparser does
// not look at. What a custom scalar takes is for its owner to say.
func objectsAreInputObjects(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Kind != ast.ObjectValue || v.Definition == nil {
			return
		}
		if v.Definition.Kind == ast.Enum || v.Definition.OneOf("Int", "Float", "String", "Boolean", "ID") {
			addError(core.Message("%s cannot represent an object: %s", v.Definition.Name, v.String()), core.At(v.Position))
		}
	})
}
