package compose

import "strings"

// maxNesting bounds how deep brackets of a schema may be nested. Real ones stay below ten; the parser descends for each and would use up the
// process's stack before it complained.
const maxNesting = 200

// nestsTooDeep looks at the brackets outside of strings and comments.
func nestsTooDeep(sdl string) bool {
	depth := 0
	for i := 0; i < len(sdl); i++ {
		switch sdl[i] {
		case '#':
			if end := strings.IndexByte(sdl[i:], '\n'); end >= 0 {
				i += end
			} else {
				return false
			}
		case '"':
			i = endOfString(sdl, i)
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
		if depth > maxNesting {
			return true
		}
	}
	return false
}

// endOfString gives the place of the last quote of the string that starts at i, or the end of the text.
func endOfString(sdl string, i int) int {
	mark := `"`
	if strings.HasPrefix(sdl[i:], `"""`) {
		mark = `"""`
	}
	for j := i + len(mark); j < len(sdl); j++ {
		switch {
		case strings.HasPrefix(sdl[j:], mark):
			return j + len(mark) - 1
		case sdl[j] == '\\':
			j++
			if mark == `"""` && strings.HasPrefix(sdl[j:], mark) {
				j += 2
			}
		case sdl[j] == '\n' && mark == `"`:
			return j
		}
	}
	return len(sdl)
}
