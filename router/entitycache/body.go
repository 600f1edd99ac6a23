package entitycache

import (
	"bytes"

	"bourse/router/execute"
	"bourse/router/plan"
)

// parts is a request body taken apart: the executor wrote it, so it is valid JSON with the plan's prefix.
type parts struct {
	variables []variable
	reps      [][][]byte // by entry; nil for a root selection
}

type variable struct {
	name  string
	value []byte
}

// split takes a request apart. It is false when the body is not as the plan has it.
func split(req *execute.Request) (parts, bool) {
	var p parts
	f := req.Fetch
	rest, ok := bytes.CutPrefix(req.Body, f.Prefix)
	if !ok || !bytes.HasSuffix(rest, []byte("}}")) {
		return p, false
	}
	for i := 0; i < len(rest) && rest[i] == '"'; {
		end := skipString(rest, i)
		if end >= len(rest) || rest[end] != ':' {
			return p, false
		}
		v := variable{name: string(rest[i+1 : end-1])}
		i = skipValue(rest, end+1)
		v.value = rest[end+1 : min(i, len(rest))]
		p.variables = append(p.variables, v)
		if i < len(rest) && rest[i] == ',' {
			i++
		}
	}
	p.reps = make([][][]byte, len(f.Entries))
	for i, e := range f.Entries {
		if e.Variable == "" {
			continue
		}
		value, ok := p.value(e.Variable)
		if !ok {
			return p, false
		}
		p.reps[i] = elements(value)
	}
	return p, true
}

func (p *parts) value(name string) ([]byte, bool) {
	for _, v := range p.variables {
		if v.name == name {
			return v.value, true
		}
	}
	return nil, false
}

// join writes a body with fewer representations.
func (p *parts) join(f *plan.Fetch, reps [][][]byte) []byte {
	body := append([]byte(nil), f.Prefix...)
	for i, v := range p.variables {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, '"'), v.name...), `":`...)
		at := -1
		for n, e := range f.Entries {
			if e.Variable == v.name {
				at = n
			}
		}
		if at < 0 {
			body = append(body, v.value...)
			continue
		}
		body = append(append(append(body, '['), bytes.Join(reps[at], []byte(","))...), ']')
	}
	return append(body, "}}"...)
}

// elements are the elements of an array without space between them.
func elements(array []byte) [][]byte {
	var out [][]byte
	for i := 1; i < len(array)-1; {
		end := skipValue(array, i)
		out = append(out, array[i:end])
		i = end + 1
	}
	return out
}

// skipValue is where a value of valid JSON without space ends.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // the end of what is around it
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// skipString is the place behind a string.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
