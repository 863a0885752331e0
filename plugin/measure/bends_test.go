package measure

import (
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestBends(t *testing.T) {
	for _, row := range []struct {
		name string
		raw  map[string]any
		want int
	}{
		{"nothing special", map[string]any{"route": []any{}}, 0},
		{"retries asked for", map[string]any{"retries": map[string]any{"attempts": int64(3)}}, 1},
		{"attempts absent: Istio's default is to retry", map[string]any{"retries": map[string]any{"retryOn": "5xx"}}, 1},
		{"retries switched off", map[string]any{"retries": map[string]any{"attempts": int64(0)}}, 0},
		{"an injected abort", map[string]any{"fault": map[string]any{"abort": map[string]any{}}}, 1},
	} {
		if got := Bends(route.Entry{Raw: row.raw}); len(got) != row.want {
			t.Errorf("%s: %q, want %d notes", row.name, got, row.want)
		}
	}
}
