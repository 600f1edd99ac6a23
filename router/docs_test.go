package router_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the page shows of the library is a part of the example, which compiles and runs.
func TestThePagesProgramIsTheExample(t *testing.T) {
	page, err := os.ReadFile("../docs/router.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)## As a library\n.*?```go\n(.*?)```").FindStringSubmatch(string(page))
	if found == nil {
		t.Fatal("the page shows no program")
	}
	squeezed := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	if !strings.Contains(squeezed(string(example)), squeezed(found[1])) {
		t.Error("the page's program is not that of example_test.go")
	}
}
