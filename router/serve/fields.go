package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// fields are the parts of a request as JSON; nil where it does not have one. encoding/json would make a map of them, and look at each of
// their bytes several times, on the path of every request.
type fields struct{ query, operationName, documentID, id, variables, extensions []byte }

var (
	errNotJSON   = errors.New("not JSON")
	errNotObject = errors.New("JSON, but no object")
)

// readFields finds the fields of a request in its body, and nothing of what is in them. Of a field that occurs twice the last counts.
func readFields(body []byte) (fields, error) {
	var f fields
	if !json.Valid(body) {
		return f, errNotJSON
	}
	// From here on the text is known to be valid.
	rest := bytes.TrimLeft(body, whitespace)
	if rest[0] != '{' {
		return f, errNotObject
	}
	for rest = bytes.TrimLeft(rest[1:], whitespace); rest[0] != '}'; rest = bytes.TrimLeft(rest, ","+whitespace) {
		n := lengthOf(rest)
		name := rest[:n]
		rest = bytes.TrimLeft(rest[n:], ":"+whitespace)
		n = lengthOf(rest)
		switch value := rest[:n]; textOf(name) {
		case "query":
			f.query = value
		case "operationName":
			f.operationName = value
		case "documentId":
			f.documentID = value
		case "id":
			f.id = value
		case "variables":
			f.variables = value
		case "extensions":
			f.extensions = value
		}
		rest = rest[n:]
	}
	return f, nil
}

const whitespace = " \t\r\n"

// lengthOf is the length of the value with which valid JSON begins.
func lengthOf(b []byte) int {
	depth := 0
	for i := 0; ; {
		switch b[i] {
		case '"':
			i += lengthOfText(b[i:])
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		default:
			i++
			if depth == 0 {
				for i < len(b) && !strings.ContainsRune(",:}]"+whitespace, rune(b[i])) {
					i++
				}
			}
		}
		if depth == 0 {
			return i
		}
	}
}

func lengthOfText(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// plainEscapes are the escapes of one letter.
var plainEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// textOf reads a JSON string that is known to be valid.
func textOf(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	if !utf8.Valid(inner) || bytes.Contains(inner, []byte(`\u`)) {
		var s string
		_ = json.Unmarshal(raw, &s) // it is valid
		return s
	}
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var text strings.Builder
	text.Grow(len(inner))
	for {
		plain := bytes.IndexByte(inner, '\\')
		if plain < 0 {
			text.Write(inner)
			return text.String()
		}
		text.Write(inner[:plain])
		text.WriteByte(plainEscapes[inner[plain+1]])
		inner = inner[plain+2:]
	}
}
