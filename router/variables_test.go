package router

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestBuiltInScalarsTakeTheirOwnKindOfJSON(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		scalar Any
		enum Colour { RED }
		input In { s: String, list: [Int!], in: In }
		type Query { a: Int }`})
	for _, c := range []struct {
		typ, value string
		fits       bool
	}{
		{"String", `"7"`, true},
		{"String", `7`, false},
		{"String", `true`, false},
		{"String", `null`, true},
		{"Int", `7`, true},
		{"Int", `"7"`, false},
		{"Int", `7.5`, false},
		{"Int", `2147483648`, false},
		{"Int", `-2147483648`, true},
		{"Float", `7`, true},
		{"Float", `7.5`, true},
		{"Float", `"7.5"`, false},
		{"Boolean", `true`, true},
		{"Boolean", `"true"`, false},
		{"Boolean", `1`, false},
		{"ID", `7`, true},
		{"ID", `"x"`, true},
		{"ID", `7.5`, false},
		{"ID", `true`, false},
		{"ID", `{}`, false},
		{"Colour", `"RED"`, true},
		{"Colour", `1`, false},
		{"Colour", `"red"`, false},
		{"Any", `{"a": [1, "b"]}`, true},
		{"[String!]", `["a", "b"]`, true},
		{"[String!]", `["a", 1]`, false},
		{"[[Int]]", `[[1], [2, "3"]]`, false},
		{"[Int]", `1`, true},
		{"In", `{"s": "a", "list": [1], "in": {"in": {"s": "b"}}}`, true},
		{"In", `{"in": {"in": {"s": 1}}}`, false},
		{"In", `{"list": ["1"]}`, false},
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: `query($v: ` + c.typ + `) { a }`})
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewBufferString(`{"v": ` + c.value + `}`))
		decoder.UseNumber()
		variables := map[string]any{}
		if err := decoder.Decode(&variables); err != nil {
			t.Fatal(err)
		}
		if err := checkScalars(schema, doc.Operations[0].VariableDefinitions, variables); (err == nil) != c.fits {
			t.Errorf("%s from %s: %v", c.typ, c.value, err)
		}
	}
}
