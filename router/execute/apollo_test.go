//go:build apollo

package execute_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bourse/router/compose"
)

const apolloFolder = "../testdata/apollo"

// apolloQuestion is one fixture, put to Apollo's gateway; apolloSaid is what it makes of it.
type apolloQuestion struct {
	Name       string            `json:"name"`
	Base       string            `json:"base"`
	Subgraphs  []apolloSubgraph  `json:"subgraphs"`
	Operations []apolloOperation `json:"operations"`
}

type apolloSubgraph struct {
	Name string `json:"name"`
	SDL  string `json:"sdl"`
}

type apolloOperation struct {
	Name      string         `json:"name"`
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`
}

type apolloSaid struct {
	Name       string `json:"name"`
	Refused    string `json:"refused"`
	Supergraph string `json:"supergraph"`
	Answers    []struct {
		Data   any      `json:"data"`
		Errors []string `json:"errors"`
	} `json:"answers"`
}

// Apollo's gateway answers every fixture from the same subgraphs, over HTTP. Data and the presence of errors must agree with ours, and ours
// must be the same from the supergraph that Apollo composed. Where we knowingly differ, answers.txt says why.
func TestAnswersAgreeWithApollo(t *testing.T) {
	subgraphs := http.NewServeMux()
	server := httptest.NewServer(subgraphs)
	defer server.Close()
	fixtures := map[string]*fixture{}
	var questions []apolloQuestion
	for _, file := range fixtureFiles(t) {
		f := readFixture(t, file)
		if len(f.subgraphs()) == 0 || len(f.asked()) == 0 {
			continue // a supergraph that no composer makes, or nothing that the gateway can answer
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		fixtures[name] = f
		questions = append(questions, f.question(t, name, server.URL))
		w := f.world(t, f.supergraph(t), sources(f.subgraphs()))
		for subgraph, h := range w.data.Serve(nil).Handlers() {
			subgraphs.Handle("/"+name+"/"+subgraph, h)
		}
	}
	explained := explainedAnswers(t)
	operations, differing := 0, 0
	for _, said := range askApollo(t, questions) {
		if said.Refused != "" {
			if _, known := explained[said.Name]; !known {
				t.Errorf("%s: Apollo refuses: %s", said.Name, said.Refused)
			}
			delete(explained, said.Name)
			continue
		}
		f := fixtures[said.Name]
		theirs := f.world(t, said.Supergraph, sources(f.subgraphs()))
		for i, op := range f.asked() {
			operations++
			name := said.Name + "/" + op.title()
			want := []byte(op.section("answer.json"))
			if got := theirs.run(t, op).answer; !reflect.DeepEqual(dataOf(t, got), dataOf(t, want)) && !introspects(op) {
				t.Errorf("%s: from Apollo's supergraph we answer otherwise\n%s\nnot\n%s", name, got, want)
			}
			a := said.Answers[i]
			differs := !reflect.DeepEqual(a.Data, dataOf(t, want)) || (len(a.Errors) > 0) != hasErrors(t, want)
			reason, known := explained[name]
			delete(explained, name)
			switch {
			case differs && !known:
				data, _ := json.Marshal(a.Data)
				t.Errorf("%s: Apollo answers\n%s %q\nwe\n%s", name, data, a.Errors, want)
			case !differs && known:
				t.Errorf("%s: no longer differs, so answers.txt should not say %q", name, reason)
			}
			if differs {
				differing++
			}
		}
	}
	for name := range explained {
		t.Errorf("answers.txt explains %s, which is not asked", name)
	}
	t.Logf("%d operations of %d fixtures, of which %d differ", operations, len(fixtures), differing)
}

// asked are the operations that Apollo's gateway can be asked: it knows no subscriptions and no rights, and chance decides there on labels.
func (f *fixture) asked() []operation {
	return slices.DeleteFunc(f.operations(), func(op operation) bool {
		return strings.HasPrefix(op.section("operation.graphql"), "subscription") || f.beyondGateway()
	})
}

func (f *fixture) beyondGateway() bool {
	return slices.ContainsFunc(f.subgraphs(), func(s compose.Subgraph) bool {
		return strings.Contains(s.SDL, `label: "`) || strings.Contains(s.SDL, " @authenticated ")
	})
}

func (f *fixture) question(t *testing.T, name, base string) apolloQuestion {
	q := apolloQuestion{Name: name, Base: base + "/" + name + "/"}
	for _, s := range f.subgraphs() {
		q.Subgraphs = append(q.Subgraphs, apolloSubgraph{s.Name, s.SDL})
	}
	for _, op := range f.asked() {
		q.Operations = append(q.Operations, apolloOperation{op.name, op.section("operation.graphql"), op.variables(t)})
	}
	return q
}

func askApollo(t *testing.T, questions []apolloQuestion) []apolloSaid {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), "node", "answer.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = apolloFolder, &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Apollo's packages do not run: %v", err)
	}
	var all []apolloSaid
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var a apolloSaid
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	if len(all) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(all), len(questions))
	}
	return all
}

// explainedAnswers reads lines of the form "fixture/operation ...: reason"; lines that start with # are for the reader.
func explainedAnswers(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(apolloFolder, "answers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		names, reason, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatal(fmt.Errorf("answers.txt: no reason in %q", line))
		}
		for _, name := range strings.Fields(names) {
			out[name] = reason
		}
	}
	return out
}
