package fault

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Every constant of the file has a sentence, once.
func TestEveryCodeIsDescribed(t *testing.T) {
	described := map[Code]bool{}
	for _, d := range Codes() {
		if described[d.Code] || d.Code == "" || !strings.HasSuffix(d.Sentence, ".") {
			t.Errorf("%q is described twice or badly", d.Code)
		}
		described[d.Code] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			constants++
			if code := Code(strings.Trim(literal.Value, `"`)); !described[code] {
				t.Errorf("%s is not in Codes", code)
			}
		}
		return true
	})
	if constants != len(described) {
		t.Errorf("there are %d constants and %d descriptions", constants, len(described))
	}
}

func TestErrorsAreComparedByCode(t *testing.T) {
	err := fmt.Errorf("placing: %w", New(NoLiquidity, "nothing there", "symbol", "BTC-USDT", "odd"))
	if CodeOf(err) != NoLiquidity || !errors.Is(err, New(NoLiquidity, "")) || errors.Is(err, New(NotFound, "")) {
		t.Errorf("%v has the code %q", err, CodeOf(err))
	}
	var e *Error
	if !errors.As(err, &e) || len(e.Details) != 1 || e.Details["symbol"] != "BTC-USDT" {
		t.Errorf("details are %v", e.Details)
	}
	if CodeOf(errors.New("disk full")) != "" || CodeOf(nil) != "" {
		t.Error("what is no refusal has a code")
	}
}
