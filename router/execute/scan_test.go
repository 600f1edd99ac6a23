package execute

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// accepts says whether the scanner takes text as one value.
func accepts(text string) bool {
	s := scanner{b: []byte(text)}
	return s.skip() == nil && s.end() == nil
}

func TestScannerTable(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":[1,-2.5e+3,0,"x\u00e9\n",true,false,null,{}]}`: true,
		" \t\r\n[ ]\n": true, `""`: true, `0.1`: true, `1E9`: true,
		``: false, `{`: false, `[1,]`: false, `{"a":1,}`: false, `{a:1}`: false, `01`: false, `1.`: false, `-`: false, `.5`: false,
		`+1`: false, `"\x"`: false, `"\u12"`: false, "\"a\nb\"": false, `"abc`: false, `tru`: false, `nulll`: false, `[1 2]`: false,
		`{"a" 1}`: false, `{} {}`: false, `"aaaaaaaaaaaaaaaa` + "\x1f" + `"`: false, "\"\xff\"": false, `1e`: false, `NaN`: false,
	} {
		if accepts(text) != want {
			t.Errorf("%q: accepted %v", text, !want)
		}
	}
	if accepts(strings.Repeat("[", 501) + strings.Repeat("]", 501)) {
		t.Error("nesting has no bound")
	}
	if !accepts(strings.Repeat("[", 500) + strings.Repeat("]", 500)) {
		t.Error("nesting of 500 is refused")
	}
}

// TestScannerStrings puts every byte at every offset of a word: strings are read eight bytes at a time.
func TestScannerStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := `"` + string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) + `"`
		want := json.Valid([]byte(text)) && utf8.ValidString(text)
		if accepts(text) != want {
			t.Fatalf("%q: accepted %v", text, !want)
		}
	})
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9",null]}`, `[[[]]]`, `"\ud800"`, "\"\x7f\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := json.Valid([]byte(text)) && utf8.ValidString(text)
		if got := accepts(text); got != want && strings.Count(text, "[")+strings.Count(text, "{") < maxDepth {
			t.Fatalf("%q: accepted %v", text, got)
		}
	})
}
