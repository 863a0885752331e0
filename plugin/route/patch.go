package route

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PatchType is the content type of a plan's patch. Server-side apply or a merge patch would own every route, since
// spec.http and spec.rules have no mergeable keys.
const PatchType = "application/json-patch+json"

// FieldManager is the name the edits go by. Flux adopts and prunes fields of managers whose name begins with kubectl.
const FieldManager = "mesh-split"

// Op is one JSON Patch operation (RFC 6902): test, add, replace or remove.
type Op struct {
	Op    string
	Path  string
	Value any // nothing for remove
}

// guarded makes a patch fail where the object is no longer the one that was read.
func guarded(o Object) Op {
	return Op{"test", "/metadata/resourceVersion", str(o, "metadata", "resourceVersion")}
}

// MarshalJSON writes the value of every operation that has one, null and 0 included. Text is escaped as encoding/json
// does by default: the API server compares a test with the object by bytes, and it encodes objects that way.
// https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go (equal)
func (o Op) MarshalJSON() ([]byte, error) {
	if o.Op == "remove" {
		return json.Marshal(struct {
			Op   string `json:"op"`
			Path string `json:"path"`
		}{o.Op, o.Path})
	}
	return json.Marshal(struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}{o.Op, o.Path, o.Value})
}

func (o Op) String() string {
	if o.Op == "remove" {
		return o.Op + " " + o.Path
	}
	v, err := json.Marshal(o.Value)
	if err != nil {
		return o.Op + " " + o.Path
	}
	return o.Op + " " + o.Path + " " + string(v)
}

// Patch is the JSON Patch document of the plan.
func (p *Plan) Patch() ([]byte, error) { return json.Marshal(p.Ops) }

// escape makes a key a JSON pointer token (RFC 6901).
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// TestFailed is the error of [Apply] for a test operation that does not hold.
type TestFailed struct {
	Op  Op
	Got any // what stands at the path
}

func (t *TestFailed) Error() string { return "test " + t.Op.Path + " does not hold" }

// Apply is the object after the operations: a deep copy, the object itself stays. The error is a [TestFailed], or says
// which path is not there.
func Apply(object Object, ops []Op) (Object, error) {
	out := clone(object).(map[string]any)
	for _, o := range ops {
		if err := applyOne(out, o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func applyOne(object Object, o Op) error {
	tokens := strings.Split(o.Path, "/")
	if len(tokens) < 2 || tokens[0] != "" {
		return fmt.Errorf("%s %s: not a path inside the object", o.Op, o.Path)
	}
	var v any = object
	put := func(any) {} // writes a list that has grown or shrunk back to where it came from
	for _, t := range tokens[1 : len(tokens)-1] {
		parent, key := v, unescape(t)
		v = step(parent, key)
		put = func(list any) {
			if m, ok := parent.(map[string]any); ok {
				m[key] = list
			}
		}
	}
	last := unescape(tokens[len(tokens)-1])
	if o.Op == "test" {
		if got := step(v, last); !same(got, o.Value) {
			return &TestFailed{o, got}
		}
		return nil
	}
	if items, ok := v.([]any); ok {
		i, err := strconv.Atoi(last)
		switch {
		case err == nil && o.Op == "add" && i >= 0 && i <= len(items):
			put(slices.Insert(slices.Clone(items), i, clone(o.Value)))
			return nil
		case err == nil && o.Op == "remove" && i >= 0 && i < len(items):
			put(slices.Delete(slices.Clone(items), i, i+1))
			return nil
		}
	}
	parent, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s %s: no such place", o.Op, o.Path)
	}
	if _, there := parent[last]; !there && o.Op != "add" {
		return fmt.Errorf("%s %s: no such place", o.Op, o.Path)
	}
	if o.Op == "remove" {
		delete(parent, last)
	} else {
		parent[last] = clone(o.Value)
	}
	return nil
}

func step(v any, token string) any {
	switch t := v.(type) {
	case map[string]any:
		return t[token]
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(t) {
			return t[i]
		}
	}
	return nil
}

// build makes the patch of the changes: first the tests, of the resource version and of each whole destination (which
// proves absence of a weight too), then the weights, then the history.
func (p *Plan) build(operation string, undoes []int64, o Options) {
	var tests, edits []Op
	for _, c := range p.Changes {
		e := c.Entry
		for i, d := range e.Destinations {
			tests = append(tests, Op{"test", e.path(i), clone(d.Raw)})
			path := e.path(i) + "/weight"
			switch from, to := c.From[i], c.To[i]; {
			case from == to:
			case !to.Set:
				edits = append(edits, Op{Op: "remove", Path: path})
			case from.Set:
				edits = append(edits, Op{"replace", path, to.Value})
			default:
				edits = append(edits, Op{"add", path, to.Value})
			}
		}
	}
	if len(edits) == 0 {
		return
	}
	history := HistoryOf(p.Object)
	p.Items = history.record(p.Changes, operation, undoes, o)
	if !o.NoHistory {
		p.Warnings = append(p.Warnings, history.Warnings...)
	}
	p.Ops = append([]Op{guarded(p.Object)}, tests...)
	p.Ops = append(p.Ops, edits...)
	if !o.NoHistory {
		p.Ops = append(p.Ops, history.ops(p.Object)...)
	}
}
