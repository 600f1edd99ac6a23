package execute_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of situations names every fixture, and no other.
func TestTableOfSituations(t *testing.T) {
	text, err := os.ReadFile("testdata/fixtures/README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
	}
	for _, file := range fixtureFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !named[name] {
			t.Errorf("the table does not name %s", name)
		}
		delete(named, name)
	}
	for name := range named {
		t.Errorf("the table names %s, which is no fixture", name)
	}
}
