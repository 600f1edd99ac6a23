package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"bourse/router/check"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
)

// visible are the codes of changes after which an operation that they certainly break does not validate.
var visible = []check.Code{
	check.FieldRemoved, check.TypeRemoved, check.ArgRemoved, check.RequiredArgAdded, check.ArgTypeChanged, check.ArgBecameRequired,
	check.EnumValueRemoved, check.InputFieldRemoved, check.RequiredInputFieldAdded, check.InputFieldTypeChanged, check.InputFieldBecameRequired,
	check.UnionMemberRemoved, check.InterfaceRemoved,
}

// Whatever changes in a schema: an operation that no longer validates is broken by a change that says so, and one that a change
// certainly breaks does not validate. The validator is the judge.
func TestOperationsBreakWhereTheyNoLongerValidate(t *testing.T) {
	files, err := filepath.Glob("../execute/testdata/supergraphs/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no supergraphs: %v", err)
	}
	changed, broke := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sg, err := federation.Load(string(text))
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			sdl := mutated(t, sg.APISDL())
			after, err := check.ReadSchema("after", sdl)
			if err != nil {
				return // the change broke the schema itself
			}
			changed++
			op := oracle.RandomOperation(t, sg.API(), ast.Query)
			if _, errs := gqlparser.LoadQueryWithRules(sg.API(), op.Text, nil); len(errs) > 0 {
				return
			}
			operations, errs := check.ReadOperations([]check.Recording{{Name: "op.graphql", Text: []byte(op.Text)}})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			_, faults := gqlparser.LoadQueryWithRules(after, op.Text, nil)
			r := check.Check(sg.API(), after, operations)
			if len(faults) > 0 {
				broke++
			}
			agree(t, r, op.Text, fmt.Sprint(faults), len(faults) == 0)
		})
	}
	if !testing.Short() && (changed < 100 || broke < 20) { // a short run draws too few to ask for so many
		t.Errorf("of %d changed schemas, %d broke an operation: too few to tell", changed, broke)
	}
}

func agree(t *rapid.T, r *check.Report, text, faults string, valid bool) {
	if !valid && len(r.Broken) == 0 {
		t.Fatalf("no longer valid, but not broken: %s\n%s\n%s", faults, text, print(r))
	}
	for _, c := range r.Changes {
		if c.Code == check.OperationInvalid {
			t.Fatalf("no change explains %s\n%s\n%s", faults, text, print(r))
		}
		certain := slices.ContainsFunc(c.Operations, func(u check.Use) bool { return u.Certain })
		if valid && certain && slices.Contains(visible, c.Code) {
			t.Fatalf("%s is said to break what is valid:\n%s", c, text)
		}
	}
}

// mutated changes one to three things in a schema.
func mutated(t *rapid.T, sdl string) string {
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		def := rapid.SampledFrom(doc.Definitions).Draw(t, "type")
		mutate(t, doc, def)
	}
	var b strings.Builder
	formatter.NewFormatter(&b).FormatSchemaDocument(doc)
	return b.String()
}

func mutate(t *rapid.T, doc *ast.SchemaDocument, def *ast.Definition) {
	switch {
	case len(def.EnumValues) > 1:
		i := rapid.IntRange(0, len(def.EnumValues)-1).Draw(t, "value")
		def.EnumValues = slices.Delete(def.EnumValues, i, i+1)
	case len(def.Types) > 1:
		i := rapid.IntRange(0, len(def.Types)-1).Draw(t, "member")
		def.Types, def.TypePositions = slices.Delete(def.Types, i, i+1), nil
	case len(def.Fields) == 0:
	case len(def.Interfaces) > 0 && rapid.IntRange(0, 3).Draw(t, "interface") == 0:
		def.Interfaces = def.Interfaces[:len(def.Interfaces)-1]
	case def.Name != "Query" && rapid.IntRange(0, 5).Draw(t, "whole") == 0:
		removeType(doc, def.Name)
	default:
		i := rapid.IntRange(0, len(def.Fields)-1).Draw(t, "field")
		if rapid.Bool().Draw(t, "remove") {
			def.Fields = slices.Delete(def.Fields, i, i+1)
			return
		}
		mutateField(t, def.Fields[i])
	}
}

func mutateField(t *rapid.T, f *ast.FieldDefinition) {
	switch choice := rapid.IntRange(0, 4).Draw(t, "how"); {
	case choice == 0 || len(f.Arguments) == 0 && choice < 3:
		f.Type = retyped(t, f.Type)
	case choice == 1:
		f.Arguments[0].Type = retyped(t, f.Arguments[0].Type)
	case choice == 2:
		f.Arguments = f.Arguments[1:]
	case choice == 3:
		f.Arguments = append(f.Arguments, &ast.ArgumentDefinition{Name: "extra", Type: ast.NonNullNamedType("Int", nil)})
	default:
		for _, a := range f.Arguments {
			a.DefaultValue = nil
		}
		f.DefaultValue = nil
	}
}

func retyped(t *rapid.T, was *ast.Type) *ast.Type {
	is := *was
	switch rapid.IntRange(0, 2).Draw(t, "type") {
	case 0:
		is.NonNull = !was.NonNull
	case 1:
		return ast.ListType(was, nil)
	default:
		if was.Elem != nil {
			return was.Elem
		}
		if is.NamedType != "String" {
			is.NamedType = "String"
		}
	}
	return &is
}

func removeType(doc *ast.SchemaDocument, name string) {
	doc.Definitions = slices.DeleteFunc(doc.Definitions, func(d *ast.Definition) bool { return d.Name == name })
	is := func(n string) bool { return n == name }
	for _, d := range doc.Definitions {
		d.Interfaces, d.Types, d.TypePositions = slices.DeleteFunc(d.Interfaces, is), slices.DeleteFunc(d.Types, is), nil
		d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool { return is(f.Type.Name()) })
	}
}
