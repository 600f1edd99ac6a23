package traffic

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// texts are buffers for keys.
var texts = sync.Pool{New: func() any { return new([]byte) }}

const maxPooledText = 64 << 10

func giveBack(b *[]byte) {
	if cap(*b) <= maxPooledText {
		texts.Put(b)
	}
}

// AppendHeader appends the headers that a subgraph sees, so that different ones never give the same bytes. What only names the request
// for logs and traces is left out.
func AppendHeader(dst []byte, h http.Header) []byte {
	var room [24]string
	names := room[:0]
	for name := range h {
		if name != "X-Request-Id" && name != "Traceparent" && name != "Tracestate" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	dst = binary.AppendUvarint(dst, uint64(len(names)))
	for _, name := range names {
		dst = appendText(dst, name)
		dst = binary.AppendUvarint(dst, uint64(len(h[name])))
		for _, v := range h[name] {
			dst = appendText(dst, v)
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// AppendVariables appends coerced variables, so that different ones never give the same bytes. It is false for a value that JSON cannot
// hold.
func AppendVariables(dst []byte, vars map[string]any) ([]byte, bool) { return appendObject(dst, vars) }

func appendObject(dst []byte, o map[string]any) ([]byte, bool) {
	var room [24]string
	names := room[:0]
	for name := range o {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare[string])
	dst = binary.AppendUvarint(append(dst, '{'), uint64(len(names)))
	var ok bool
	for _, name := range names {
		dst = appendText(dst, name)
		if dst, ok = appendValue(dst, o[name]); !ok {
			return dst, false
		}
	}
	return dst, true
}

func appendValue(dst []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case nil:
		return append(dst, 'z'), true
	case bool:
		return strconv.AppendBool(append(dst, 'b'), v), true
	case string:
		return appendText(append(dst, '"'), v), true
	case json.Number:
		return appendText(append(dst, '#'), string(v)), true
	case int:
		return binary.AppendVarint(append(dst, 'i'), int64(v)), true
	case int64:
		return binary.AppendVarint(append(dst, 'i'), v), true
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(v)), true
	case []any:
		dst = binary.AppendUvarint(append(dst, '['), uint64(len(v)))
		var ok bool
		for _, e := range v {
			if dst, ok = appendValue(dst, e); !ok {
				return dst, false
			}
		}
		return dst, true
	case map[string]any:
		return appendObject(dst, v)
	}
	text, err := json.Marshal(v)
	return appendText(append(dst, '?'), string(text)), err == nil
}
