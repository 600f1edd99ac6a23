package serve

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Fields are what encoding/json makes of a body.
func FuzzReadFields(f *testing.F) {
	for _, body := range []string{
		`{"query":"{ a }"}`, ` { "query" : "{\n\ta(b: \"c\\d\")\r\b\f\/ }" , "variables" : { "a" : [ 1 , { "b" : "}]\"" } ] } , "x" : -1.5e3 } `,
		`{"query":"a","query":"b","operationName":null,"extensions":{"persistedQuery":{}},"y":[[],{},true]}`,
		`{"qu\u0065ry":"\u00e9\ud83d\ude00\ud800 é"}`, "{\"query\":\"\xff\"}", `{}`, `[]`, `null`, `1`, `"{"`, `{"query":"a"}}`, `{"query":`, ``, ` `, `{"a":1,}`, `{"query":1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readFields(body)
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(body, &want)
		if isObject := wantErr == nil && want != nil; isObject != (err == nil) {
			t.Fatalf("%q: %v, encoding/json: %v %v", body, err, want, wantErr)
		}
		if err != nil {
			return
		}
		for name, value := range map[string][]byte{"query": got.query, "operationName": got.operationName, "variables": got.variables, "extensions": got.extensions} {
			if !bytes.Equal(value, want[name]) {
				t.Errorf("%q: %s is %q, want %q", body, name, value, want[name])
			}
			if len(value) == 0 || value[0] != '"' {
				continue
			}
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				t.Fatal(err)
			}
			if s := textOf(value); s != text {
				t.Errorf("%q reads %q, want %q", value, s, text)
			}
		}
	})
}
