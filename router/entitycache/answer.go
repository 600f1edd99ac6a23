package entitycache

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// answer is what a subgraph answered, taken apart.
type answer struct {
	data, errors json.RawMessage
	extensions   map[string]json.RawMessage
}

// readAnswer is false for what the executor would not read either.
func readAnswer(body []byte) (answer, bool) {
	var top map[string]json.RawMessage
	if !utf8.Valid(body) || json.Unmarshal(body, &top) != nil {
		return answer{}, false
	}
	a := answer{data: top["data"], errors: top["errors"]}
	_ = json.Unmarshal(top["extensions"], &a.extensions) // of another shape they say nothing
	return a, true
}

// tags of all that an answer has, by its header Cache-Tag; of its root fields, and of each entity in the order of the representations, by the
// names that Apollo's servers give them.
func (a *answer) tags(header http.Header) (all, root []string, entities [][]string) {
	for _, line := range header["Cache-Tag"] {
		for tag := range strings.SplitSeq(line, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				all = append(all, tag)
			}
		}
	}
	_ = json.Unmarshal(a.extensions["apolloCacheTags"], &root)
	_ = json.Unmarshal(a.extensions["apolloEntityCacheTags"], &entities)
	return all, root, entities
}

func (a *answer) failed() bool {
	trimmed := bytes.Trim(a.errors, "[] \t\r\n")
	return len(trimmed) > 0 && string(trimmed) != "null"
}

// object says whether data is one: neither null nor missing.
func (a *answer) object() bool { return len(a.data) > 0 && a.data[0] == '{' }

// lists are the entities of an answer by alias; false when one is missing or has another length than was asked for.
func (a *answer) lists(aliases []string, asked []int) ([][]json.RawMessage, bool) {
	var data map[string]json.RawMessage
	if json.Unmarshal(a.data, &data) != nil {
		return nil, false
	}
	out := make([][]json.RawMessage, len(aliases))
	for i, alias := range aliases {
		if json.Unmarshal(data[alias], &out[i]) != nil || len(out[i]) != asked[i] {
			return nil, false
		}
	}
	return out, true
}

// relocate gives the errors of a smaller fetch the places that their entities have in the whole one.
func relocate(errs json.RawMessage, aliases []string, places [][]int) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(errs, &list) != nil {
		return errs
	}
	for i, raw := range list {
		var e map[string]json.RawMessage
		var path []json.RawMessage
		if json.Unmarshal(raw, &e) != nil || json.Unmarshal(e["path"], &path) != nil || len(path) < 2 {
			continue
		}
		var alias string
		var index int
		if json.Unmarshal(path[0], &alias) != nil || json.Unmarshal(path[1], &index) != nil {
			continue
		}
		for n, a := range aliases {
			if a == alias && index >= 0 && index < len(places[n]) {
				path[1], _ = json.Marshal(places[n][index])
				e["path"], _ = json.Marshal(path)
				list[i], _ = json.Marshal(e)
			}
		}
	}
	out, err := json.Marshal(list)
	if err != nil {
		return errs
	}
	return out
}
