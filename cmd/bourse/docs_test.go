package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page on federation is true: its files are written, its commands run in their order, and what it says they print is what they print. A
// block is a file where its fence names one, commands where it is sh, and the output of the last command where it is text. The router is left
// to its own tests.
func TestThePageOnFederationIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/federation.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	printed, ran := "", 0
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]+)(?: (\\S+))?\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		language, name, text := block[1], block[2], block[3]
		switch {
		case name != "":
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		case language == "sh":
			for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
				if !strings.HasPrefix(line, "bourse router") {
					printed = runLine(t, line)
					ran++
				}
			}
		case language == "text" && printed != text:
			t.Errorf("what is printed is\n%s\nthe page has\n%s", printed, text)
		}
	}
	if ran < 6 {
		t.Errorf("the page has only %d commands", ran)
	}
}

func runLine(t *testing.T, line string) string {
	command, comment, _ := strings.Cut(line, " # ")
	words := strings.Fields(command)
	if words[0] == "cat" {
		text, err := os.ReadFile(words[1])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := 0
	if comment == "exits 1" {
		want = 1
	}
	var out bytes.Buffer
	cmd := newRoot()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(words[1:])
	if got := exitCode(cmd.ExecuteContext(t.Context())); got != want {
		t.Errorf("%s: exit code %d, want %d\n%s", line, got, want, out.String())
	}
	return out.String()
}
