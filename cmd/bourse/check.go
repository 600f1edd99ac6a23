package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bourse/router/check"
)

var failOnWords = []string{"breaking", "used"}

// maxRecording bounds one file of recorded operations.
const maxRecording = 1 << 30

// checked is the outcome of a schema check; in JSON these are the keys beside those of the report.
type checked struct {
	Against   string `json:"against"`
	Failed    bool   `json:"failed"`
	FailOn    string `json:"failOn"`
	Breaking  int    `json:"breaking"`
	Used      int    `json:"used"` // breaking changes that break a recorded operation, or may
	Dangerous int    `json:"dangerous"`
	Safe      int    `json:"safe"`
	*check.Report
}

// runCheck compares an API with the older schema.
func (c *composing) runCheck(api string) (*checked, error) {
	text, err := os.ReadFile(c.check)
	if err != nil {
		return nil, fmt.Errorf("read the older schema: %w", err)
	}
	before, err := check.ReadSchema(c.check, string(text))
	if err != nil {
		return nil, err
	}
	after, err := check.ReadSchema("the composed API", api)
	if err != nil {
		return nil, err
	}
	operations, err := readOperations(c.operations)
	if err != nil {
		return nil, err
	}
	r := check.Check(before, after, operations)
	out := &checked{
		Against: c.check, FailOn: c.failOn, Report: r,
		Breaking: r.Count(check.Breaking), Used: r.Used(), Dangerous: r.Count(check.Dangerous), Safe: r.Count(check.Safe),
	}
	out.Failed = out.Breaking > 0
	if c.failOn == "used" {
		out.Failed = out.Used > 0
	}
	return out, nil
}

// readOperations reads recorded operations from files and folders. What cannot be read fails: operations that were not looked at would
// seem unbroken.
func readOperations(names []string) ([]*check.Operation, error) {
	var recordings []check.Recording
	for _, name := range names {
		err := filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir():
				if file != name && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
					return fs.SkipDir
				}
				return nil
			case !check.IsRecording(file):
				if file == name {
					return fmt.Errorf("%s: recorded operations are .graphql, .gql, .json, .jsonl or .ndjson files", file)
				}
				return nil
			}
			if info, err := d.Info(); err == nil && info.Size() > maxRecording {
				return fmt.Errorf("%s is larger than %d GiB", file, maxRecording>>30)
			}
			text, err := os.ReadFile(file)
			recordings = append(recordings, check.Recording{Name: file, Text: text})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the operations: %w", err)
		}
	}
	operations, faults := check.ReadOperations(recordings)
	if len(faults) > 0 {
		const most = 20
		if n := len(faults); n > most {
			faults = append(faults[:most], fmt.Errorf("and %d more", n-most))
		}
		return nil, fmt.Errorf("read the operations:\n%w", errors.Join(faults...))
	}
	return operations, nil
}

// maxNamed bounds how many operations a line names.
const maxNamed = 10

func (c *checked) print(out io.Writer) {
	for _, change := range c.Changes {
		fmt.Fprintf(out, "%-9s %s %s\n          %s\n", change.Severity, change.Code, change.Coordinate, clean(change.Message))
		if n := len(change.Operations); n > 0 {
			verb := "may be felt by"
			if change.Severity == check.Breaking {
				verb = "breaks"
			}
			fmt.Fprintf(out, "          %s %s: %s\n", verb, count(n, "operation"), named(change.Operations))
		}
	}
	if len(c.Invalid) > 0 {
		fmt.Fprintf(out, "not valid before either, so not looked at: %s\n", named(c.Invalid))
	}
	fmt.Fprintf(out, "against %s: %s, %d dangerous, %d safe", c.Against, count(c.Breaking, "breaking change"), c.Dangerous, c.Safe)
	if c.Operations > 0 {
		fmt.Fprintf(out, "; %s break %d of %s", fmt.Sprintf("%d of them", c.Used), len(c.Broken), count(c.Operations, "recorded operation"))
	}
	fmt.Fprintln(out)
}

// named lists operations for people; a question mark stands for perhaps.
func named(uses []check.Use) string {
	var words []string
	for _, u := range uses[:min(len(uses), maxNamed)] {
		word := u.Source
		if u.Operation != "" {
			word = u.Operation + " (" + u.Source + ")"
		}
		if u.Count > 1 {
			word += fmt.Sprintf(" ×%d", u.Count)
		}
		if !u.Certain {
			word += " perhaps"
		}
		words = append(words, word)
	}
	if more := len(uses) - maxNamed; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}
