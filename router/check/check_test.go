package check_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"bourse/router/check"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// Each file of testdata has the schema before and after, perhaps recorded operations, and the report. What stays beside each change is the
// near miss: it must not be reported. -update rewrites the report.
func TestChecks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no checks: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for _, line := range strings.Split(golden(t, file), "\n") {
				if words := strings.Fields(line); len(words) > 2 {
					seen[words[1]] = true
				}
			}
		})
	}
	for _, code := range check.Codes() {
		if !seen[string(code)] {
			t.Errorf("no file of testdata shows %s", code)
		}
	}
}

func golden(t *testing.T, file string) string {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []txtar.File
	var recordings []check.Recording
	texts := map[string]string{}
	for _, f := range archive.Files {
		if f.Name != "report" {
			inputs = append(inputs, f)
		}
		if name, recorded := strings.CutPrefix(f.Name, "operations/"); recorded {
			recordings = append(recordings, check.Recording{Name: name, Text: f.Data})
		} else {
			texts[f.Name] = string(f.Data)
		}
	}
	operations, errs := check.ReadOperations(recordings)
	before, err1 := check.ReadSchema("before.graphql", texts["before.graphql"])
	after, err2 := check.ReadSchema("after.graphql", texts["after.graphql"])
	if err := errors.Join(append(errs, err1, err2)...); err != nil {
		t.Fatal(err)
	}
	got := print(check.Check(before, after, operations))
	if *update {
		archive.Files = append(inputs, txtar.File{Name: "report", Data: []byte(got)})
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != texts["report"] {
		t.Errorf("the report is\n%s\nwant\n%s", got, texts["report"])
	}
	return got
}

func print(r *check.Report) string {
	var b strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintln(&b, c)
		if text := uses(c.Operations); text != "" {
			fmt.Fprintln(&b, "  "+text)
		}
	}
	fmt.Fprintf(&b, "%d operations; broken: %s; invalid before: %s\n", r.Operations, uses(r.Broken), uses(r.Invalid))
	return b.String()
}

func uses(list []check.Use) string {
	var out []string
	for _, u := range list {
		text := u.Operation
		if u.Count != 1 {
			text += fmt.Sprintf("×%d", u.Count)
		}
		if !u.Certain {
			text += "?"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
