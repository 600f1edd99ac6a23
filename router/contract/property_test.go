package contract_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"bourse/router/compose"
	"bourse/router/contract"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/plan"
)

// Whatever the tags and the filter: what a contract shows is in the graph with the same types, and every operation on it has a plan.
func TestAContractIsAPartOfItsGraph(t *testing.T) {
	files, err := filepath.Glob("../execute/testdata/supergraphs/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no supergraphs: %v", err)
	}
	stood := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		full, err := federation.Load(string(text))
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			tagged := tagAtRandom(t, string(text), full)
			c, err := contract.Apply(tagged, randomFilter(t))
			var faults contract.Errors
			if errors.As(err, &faults) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			stood++
			part, err := federation.Load(c.SupergraphSDL)
			if err != nil {
				t.Fatal(err)
			}
			if fault := notIn(part.API(), full.API()); fault != "" {
				t.Fatalf("%s\n%s", fault, c.APISDL)
			}
			planOne(t, part)
		})
	}
	if !testing.Short() && stood < 50 { // a short run draws too few to ask for so many
		t.Errorf("only %d filters gave a schema", stood)
	}
}

func tagAtRandom(t *rapid.T, sdl string, sg *federation.Supergraph) string {
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	tag := func(what string, dirs *ast.DirectiveList, rarity int) {
		if rapid.IntRange(0, rarity).Draw(t, what) == 0 {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, what+" tag")
			*dirs = append(*dirs, &ast.Directive{Name: "tag", Arguments: ast.ArgumentList{{Name: "name", Value: &ast.Value{Kind: ast.StringValue, Raw: name}}}})
		}
	}
	for _, def := range doc.Definitions {
		if sg.Type(def.Name) == nil {
			continue
		}
		tag(def.Name, &def.Directives, 4)
		for _, f := range def.Fields {
			tag(def.Name+"."+f.Name, &f.Directives, 6)
			for _, a := range f.Arguments {
				tag(def.Name+"."+f.Name+"."+a.Name, &a.Directives, 6)
			}
		}
		for _, v := range def.EnumValues {
			tag(def.Name+"."+v.Name, &v.Directives, 6)
		}
	}
	return compose.Print(doc)
}

func randomFilter(t *rapid.T) contract.Filter {
	f := contract.Filter{HideUnreachable: rapid.Bool().Draw(t, "unreachable")}
	for _, tag := range []string{"a", "b", "c"} {
		switch rapid.IntRange(0, 5).Draw(t, "filter "+tag) {
		case 0, 1:
			f.Exclude = append(f.Exclude, tag)
		case 2:
			f.Include = append(f.Include, tag)
		}
	}
	return f
}

func planOne(t *rapid.T, sg *federation.Supergraph) {
	op := oracle.RandomOperation(t, sg.API(), ast.Query)
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op.Text, nil)
	if len(errs) > 0 {
		t.Skip("not a valid operation")
	}
	if _, err := plan.New(sg, plan.Options{}).Plan(doc, "", plan.Given{}); err != nil {
		t.Fatalf("no plan: %v\n%s", err, op.Text)
	}
}

// notIn names the first element of part that whole does not have alike; empty when there is none.
func notIn(part, whole *ast.Schema) string {
	for name, def := range part.Types {
		other := whole.Types[name]
		if other == nil || other.Kind != def.Kind {
			return fmt.Sprintf("type %s is not in the graph", name)
		}
		for _, f := range def.Fields {
			g := other.Fields.ForName(f.Name)
			if g == nil || g.Type.String() != f.Type.String() {
				return fmt.Sprintf("%s.%s is not in the graph", name, f.Name)
			}
			for _, a := range f.Arguments {
				if b := g.Arguments.ForName(a.Name); b == nil || b.Type.String() != a.Type.String() {
					return fmt.Sprintf("%s.%s(%s:) is not in the graph", name, f.Name, a.Name)
				}
			}
		}
		for _, v := range def.EnumValues {
			if other.EnumValues.ForName(v.Name) == nil {
				return fmt.Sprintf("%s.%s is not in the graph", name, v.Name)
			}
		}
		for _, possible := range part.PossibleTypes[name] {
			if whole.PossibleTypes[name] == nil || whole.Types[possible.Name] == nil {
				return fmt.Sprintf("%s is no %s in the graph", possible.Name, name)
			}
		}
	}
	return ""
}
