//go:build apollo

package compose

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

const apolloFolder = "../testdata/apollo"

var (
	randomSets = flag.Int("sets", 2500, "how many random sets of subgraphs to compose")
	firstSet   = flag.Int("first", 1, "the seed of the first random set")
	onlyCase   = flag.String("case", "", "compose this case only and print both outcomes")
)

// apolloCase is one question to both composers; apolloAnswer is what Apollo's says.
type apolloCase struct {
	Name      string           `json:"name"`
	Subgraphs []apolloSubgraph `json:"subgraphs"`
}

type apolloSubgraph struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	SDL  string `json:"sdl"`
}

type apolloAnswer struct {
	Name       string `json:"name"`
	Supergraph string `json:"supergraph"`
	Hints      []Code `json:"hints"`
	Errors     []struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// Both composers are asked about every schema of the tables, every fixture and many random sets. They must agree on whether a set composes,
// on the codes of errors and hints, and on what the supergraph means. Where we knowingly differ, differences.txt says why.
func TestAgreesWithApollo(t *testing.T) {
	cases := apolloCases(t)
	if *onlyCase != "" {
		cases = slices.DeleteFunc(cases, func(c apolloCase) bool { return c.Name != *onlyCase })
	}
	answers := askApollo(t, cases)
	explained := readExplanations(t)
	differing := 0
	for i, c := range cases {
		difference := compareWithApollo(c, answers[i])
		reason, known := explained.of(c.Name, difference)
		switch {
		case difference == "" && known:
			t.Errorf("%s: no longer differs, so differences.txt should not say %q", c.Name, reason)
		case difference != "" && !known:
			t.Errorf("%s: %s", c.Name, difference)
		case difference != "":
			t.Logf("%s differs: %s", c.Name, reason)
		}
		if difference != "" {
			differing++
		}
		if *onlyCase != "" {
			printCase(t, c, answers[i])
		}
	}
	for name := range explained.cases {
		if *onlyCase == "" && !strings.HasPrefix(name, "random/") && !strings.HasPrefix(name, "merge/") {
			t.Errorf("differences.txt explains %s, which is no case", name)
		}
	}
	composed := 0
	for _, a := range answers {
		if len(a.Errors) == 0 {
			composed++
		}
	}
	t.Logf("%d cases, of which Apollo's composes %d and %d differ", len(cases), composed, differing)
}

func apolloCases(t *testing.T) []apolloCase {
	t.Helper()
	var out []apolloCase
	for _, glob := range []string{"testdata/golden/*.txt", "testdata/codes/*.txt", "testdata/compared/*.txt", "../execute/testdata/fixtures/*.txt", "../execute/testdata/fixtures/*.txtar"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".txt"), ".txtar")
			switch filepath.Base(filepath.Dir(file)) {
			case "golden":
				inputs, _ := inputsOf(archive)
				out = append(out, toCase(name, subgraphsOf(inputs)))
			case "codes":
				fed1 := strings.HasPrefix(string(archive.Comment), "federation 1")
				out = append(out, toCase(name+"/bad", schemas(archive, "bad/", fed1)), toCase(name+"/good", schemas(archive, "good/", fed1)))
			case "compared":
				for _, one := range caseNames(archive) {
					out = append(out, toCase(name+"/"+one, schemas(archive, one+"/", strings.HasPrefix(one, "fed1"))))
				}
			default:
				if subs := schemas(archive, "subgraphs/", true); len(subs) > 0 {
					out = append(out, toCase(name, subs))
				}
			}
		}
	}
	for seed := *firstSet; seed < *firstSet+*randomSets; seed++ {
		out = append(out, toCase(fmt.Sprintf("random/%d", seed), randomSubgraphs(uint64(seed))), toCase(fmt.Sprintf("merge/%d", seed), randomMerge(uint64(seed))))
	}
	return out
}

func toCase(name string, subs []Subgraph) apolloCase {
	c := apolloCase{Name: name}
	for _, s := range subs {
		c.Subgraphs = append(c.Subgraphs, apolloSubgraph{s.Name, s.URL, s.SDL})
	}
	return c
}

func (c apolloCase) subgraphs() []Subgraph {
	var out []Subgraph
	for _, s := range c.Subgraphs {
		out = append(out, Subgraph{Name: s.Name, URL: s.URL, SDL: s.SDL})
	}
	return out
}

func askApollo(t *testing.T, cases []apolloCase) []apolloAnswer {
	t.Helper()
	var in bytes.Buffer
	encoder := json.NewEncoder(&in)
	for _, c := range cases {
		if err := encoder.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "compose.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = apolloFolder, &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Apollo's packages do not run: %v", err)
	}
	var answers []apolloAnswer
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var a apolloAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases", len(answers), len(cases))
	}
	return answers
}

// explanations say why the composers differ: for single cases, and for every case whose difference is told in certain words.
type explanations struct {
	cases map[string]string
	words [][2]string // words, reason
}

// readExplanations reads lines of the form "case case ...: reason" and "when WORDS: reason"; lines that start with # are for the reader.
func readExplanations(t *testing.T) explanations {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(apolloFolder, "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	e := explanations{cases: map[string]string{}}
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		what, reason, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("differences.txt: no reason in %q", line)
		}
		if words, ok := strings.CutPrefix(what, "when "); ok {
			e.words = append(e.words, [2]string{words, reason})
			continue
		}
		for _, name := range strings.Fields(what) {
			e.cases[name] = reason
		}
	}
	return e
}

// of finds the explanation of a difference and takes it off the list, so that what is left explains nothing.
func (e *explanations) of(name, difference string) (string, bool) {
	if reason, ok := e.cases[name]; ok {
		delete(e.cases, name)
		return reason, true
	}
	if difference != "" {
		for _, w := range e.words {
			if strings.Contains(difference, w[0]) {
				return w[1], true
			}
		}
	}
	return "", false
}

// compareWithApollo says in what the composers differ; "" when in nothing.
func compareWithApollo(c apolloCase, theirs apolloAnswer) string {
	ours, err := Compose(c.subgraphs(), Options{})
	var all Errors
	if err != nil && !errors.As(err, &all) {
		return err.Error()
	}
	var ourCodes, theirCodes []Code
	for _, e := range all {
		ourCodes = append(ourCodes, e.Code)
	}
	for _, e := range theirs.Errors {
		theirCodes = append(theirCodes, e.Code)
	}
	if a, b := codeSet(ourCodes), codeSet(theirCodes); a != b {
		difference := fmt.Sprintf("our errors are [%s], Apollo's [%s]", a, b)
		for _, e := range all {
			difference += "\n  ours: " + strings.ReplaceAll(e.Error(), "\n", " ")
		}
		for _, e := range theirs.Errors {
			difference += "\n  Apollo's: " + string(e.Code) + ": " + strings.ReplaceAll(e.Message, "\n", " ")
		}
		return difference
	}
	if err != nil {
		return ""
	}
	ourCodes = nil
	for _, h := range ours.Hints {
		ourCodes = append(ourCodes, h.Code)
	}
	if a, b := meaning(ours.SupergraphSDL), meaning(theirs.Supergraph); a != b {
		return "the supergraphs differ:\n" + lineDifference(a, b)
	}
	if a, b := codeSet(ourCodes), codeSet(theirs.Hints); a != b {
		return fmt.Sprintf("our hints are [%s], Apollo's [%s]", a, b)
	}
	return ""
}

func codeSet(codes []Code) string {
	var out []string
	for _, c := range codes {
		out = append(out, string(c))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func lineDifference(ours, theirs string) string {
	a, b := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "  ours:   "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "  theirs: "+l)
		}
	}
	return strings.Join(out[:min(len(out), 12)], "\n")
}

func printCase(t *testing.T, c apolloCase, theirs apolloAnswer) {
	t.Helper()
	for _, s := range c.Subgraphs {
		t.Logf("subgraph %s:\n%s", s.Name, s.SDL)
	}
	ours, err := Compose(c.subgraphs(), Options{})
	if err != nil {
		t.Logf("ours: %v", err)
	} else {
		t.Logf("ours:\n%s\n%v", ours.SupergraphSDL, ours.Hints)
	}
	for _, e := range theirs.Errors {
		t.Logf("theirs: %s: %s", e.Code, e.Message)
	}
	t.Logf("theirs:\n%s\n%v", theirs.Supergraph, theirs.Hints)
}
