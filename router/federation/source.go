package federation

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

const blockQuotes = `"""`

// Source makes a text ready for gqlparser. The first line of a block string does not count for the indentation that its lines have in
// common (GraphQL specification, section 2.9.4, BlockStringValue), but gqlparser counts it: where text stands beside the opening
// quotes, the lines below would keep their indentation. Source takes it away beforehand. Places of tokens stay as they are.
func Source(name, text string) *ast.Source {
	return &ast.Source{Name: name, Input: dedentBlockStrings(text)}
}

func dedentBlockStrings(text string) string {
	if !strings.Contains(text, blockQuotes) {
		return text
	}
	var out strings.Builder
	done := 0 // what is in out
	for i := 0; i < len(text); {
		switch {
		case text[i] == '#':
			i += lineLength(text[i:])
		case strings.HasPrefix(text[i:], blockQuotes):
			start := i + len(blockQuotes)
			end := start + blockLength(text[start:])
			out.WriteString(text[done:start])
			out.WriteString(dedent(text[start:end]))
			done = end
			i = min(end+len(blockQuotes), len(text))
		case text[i] == '"':
			i += stringLength(text[i:])
		default:
			i++
		}
	}
	out.WriteString(text[done:])
	return out.String()
}

func lineLength(s string) int {
	if n := strings.IndexAny(s, "\r\n"); n >= 0 {
		return n
	}
	return len(s)
}

// stringLength is the length of a string in quotes; one that is not closed ends with its line.
func stringLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\r', '\n':
			return i
		}
	}
	return len(s)
}

// blockLength is the length of what stands before the closing quotes: the last three of a row of them, as gqlparser has it.
func blockLength(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], `\`+blockQuotes):
			i += len(blockQuotes)
		case strings.HasPrefix(s[i:], blockQuotes):
			for strings.HasPrefix(s[i+1:], blockQuotes) {
				i++
			}
			return i
		}
	}
	return len(s)
}

// dedent takes away what the lines after the first have in common, where the first is not blank. The last line, if blank, stays:
// the closing quotes stand in it.
func dedent(block string) string {
	lines := strings.Split(block, "\n")
	if len(lines) == 1 || isBlank(lines[0]) {
		return block
	}
	common := -1
	for _, line := range lines[1:] {
		if n := indentation(line); !isBlank(line) && (common < 0 || n < common) {
			common = n
		}
	}
	for i, line := range lines {
		if i > 0 && (i < len(lines)-1 || !isBlank(line)) {
			lines[i] = line[min(max(common, 0), indentation(line)):]
		}
	}
	return strings.Join(lines, "\n")
}

func isBlank(line string) bool { return strings.Trim(line, " \t\r") == "" }

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
