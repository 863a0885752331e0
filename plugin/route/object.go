package route

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// at walks down maps by keys; nil when the way ends.
func at(o Object, path ...string) any {
	var v any = o
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func str(o Object, path ...string) string           { s, _ := at(o, path...).(string); return s }
func list(o Object, path ...string) []any           { l, _ := at(o, path...).([]any); return l }
func dict(o Object, path ...string) map[string]any  { m, _ := at(o, path...).(map[string]any); return m }
func boolean(o Object, path ...string) bool         { b, _ := at(o, path...).(bool); return b }
func number(o Object, path ...string) (int64, bool) { return integer(at(o, path...)) }

// strs are the strings of a list; other items are left out.
func strs(o Object, path ...string) []string {
	var out []string
	for _, v := range list(o, path...) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// dicts are the objects of a list; other items stay in place as nil maps, so that indices hold.
func dicts(o Object, path ...string) []map[string]any {
	items := list(o, path...)
	out := make([]map[string]any, len(items))
	for i, v := range items {
		out[i], _ = v.(map[string]any)
	}
	return out
}

// labels are the string values of a map; nil when there is none.
func labels(o Object, path ...string) map[string]string {
	m := dict(o, path...)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

func namespace(o Object) string  { return str(o, "metadata", "namespace") }
func objectName(o Object) string { return str(o, "metadata", "name") }

// integer reads a JSON number that is a whole one; 90.0 is, as decoders without integers write 90 so.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case float64:
		if n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
			return int64(n), true
		}
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		if f, err := n.Float64(); err == nil {
			return integer(f)
		}
	}
	return 0, false
}

// clone copies a decoded JSON value deeply.
func clone(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

// same compares decoded JSON values by meaning: 90 and 90.0 are one number.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	if i, ok := integer(a); ok {
		j, ok := integer(b)
		return ok && i == j
	}
	return scalar(a) == scalar(b)
}

// plainJSON writes JSON with <, > and & as they are, for text that somebody reads or wrote.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// scalar makes scalars comparable with ==; numbers that are no integers compare as text.
func scalar(v any) any {
	switch n := v.(type) {
	case float64:
		return json.Number(strconv.FormatFloat(n, 'g', -1, 64))
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
		return n
	}
	return v
}

// printable is s for a terminal: text from a cluster may hold escape sequences, which are shown quoted, not obeyed.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}
