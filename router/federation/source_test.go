package federation

import (
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestBlockStrings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\"\"\"one\"\"\"", "one"},
		{"\"\"\"\n  one\n    two\n  \"\"\"", "one\n  two"},
		{"\"\"\"one\n  two\"\"\"", "one\ntwo"},
		{"\"\"\"one\n    two\n      three\n\n    four\n  \"\"\"", "one\ntwo\n  three\n\nfour"},
		{"\"\"\" one\n\ttwo\"\"\"", " one\ntwo"},
		{"\"\"\"  one\n two \\\"\"\"\n  three\"\"\"", "  one\ntwo \"\"\"\n three"},
		{"\"\"\"one\n   \n      two\n  three\"\"\"", "one\n \n    two\nthree"},
		{"\"\"\"one # \"two\n  three\"\"\"", "one # \"two\nthree"},
		{"\"\"\"\"\"\"", ""},
	} {
		doc, err := parser.ParseQuery(Source("test", `{ a(s: "\"") b(s: "\\") # """ "`+"\n c(s: "+c.text+") }"))
		if err != nil {
			t.Errorf("%s: %v", strconv.Quote(c.text), err)
			continue
		}
		fields := doc.Operations[0].SelectionSet
		if got := fields[len(fields)-1].(*ast.Field).Arguments[0].Value.Raw; got != c.want {
			t.Errorf("%s: got %q, want %q", strconv.Quote(c.text), got, c.want)
		}
	}
	for _, text := range []string{`"""`, `"""a`, `"""a\`, `"a`, `"`, `"\`, `#`, "\"\"\"a\n ", `""""`, "\"a\n\"\"\"b\n  c\"\"\""} {
		if got := Source("test", text).Input; len(got) > len(text) || strings.Count(got, `"`) != strings.Count(text, `"`) {
			t.Errorf("%q became %q", text, got)
		}
	}
}
