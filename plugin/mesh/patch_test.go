package mesh

import "testing"

func TestTestsHold(t *testing.T) {
	object := map[string]any{
		"metadata": map[string]any{"resourceVersion": "7", "annotations": map[string]any{"a/b": "x~y"}},
		"spec":     map[string]any{"http": []any{map[string]any{"route": []any{map[string]any{"weight": int64(90)}}}}},
	}
	for _, tt := range []struct {
		name, patch string
		want        bool
	}{
		{"every test holds", `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},{"op":"test","path":"/spec/http/0/route/0","value":{"weight":90}}]`, true},
		{"operations that change are not tests", `[{"op":"replace","path":"/spec/http/0/route/0/weight","value":1}]`, true},
		{"slashes and tildes are escaped in pointers", `[{"op":"test","path":"/metadata/annotations/a~1b","value":"x~y"}]`, true},
		{"the weight moved", `[{"op":"test","path":"/spec/http/0/route/0","value":{"weight":50}}]`, false},
		{"a destination more is another destination", `[{"op":"test","path":"/spec/http/0/route","value":[{"weight":90},{"weight":10}]}]`, false},
		{"the path is gone", `[{"op":"test","path":"/spec/http/1","value":{}}]`, false},
		{"an index is a number", `[{"op":"test","path":"/spec/http/x","value":{}}]`, false},
	} {
		got, err := testsHold(object, []byte(tt.patch))
		if err != nil || got != tt.want {
			t.Errorf("%s: testsHold(%s) = %v, %v, want %v", tt.name, tt.patch, got, err, tt.want)
		}
	}
	if _, err := testsHold(object, []byte(`{`)); err == nil {
		t.Error("half a patch was read as a whole one")
	}
}

func TestNear(t *testing.T) {
	for _, tt := range []struct {
		name string
		have []string
		want string
	}{
		{"chekout", []string{"cart", "checkout"}, "checkout"}, // a letter forgotten
		{"prod", []string{"shop-prod", "shop-stage"}, "shop-prod"},
		{"demoap", []string{"demoapp"}, "demoapp"},
		{"zebra", []string{"cart", "checkout"}, ""}, // nothing like it: no guess
		{"a", nil, ""},
	} {
		if got := Near(tt.name, tt.have); got != tt.want {
			t.Errorf("Near(%q, %q) = %q, want %q", tt.name, tt.have, got, tt.want)
		}
	}
}
