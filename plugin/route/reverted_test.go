package route

import (
	"strings"
	"testing"
	"time"
)

// What another writer made of the newest recorded change is seen in the object alone, later too.
func TestOverwritten(t *testing.T) {
	object := func(history string, a any, b int64) Object {
		first := map[string]any{"destination": map[string]any{"host": "a"}}
		if a != nil {
			first["weight"] = a
		}
		return Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
			"metadata": map[string]any{"namespace": "shop", "name": "web", "annotations": map[string]any{HistoryKey: history}},
			"spec":     map[string]any{"http": []any{map[string]any{"route": []any{first, map[string]any{"destination": map[string]any{"host": "b"}, "weight": b}}}}}}
	}
	const item = `{"v":1,"id":2,"at":"","by":"alice","op":"set","route":"%r","d":["a","b"],"from":[100,0],"to":[%t,30],"verdict":"none"}`
	of := func(slot, to string) string { return strings.NewReplacer("%r", slot, "%t", to).Replace(item) }
	later := func(verdict string) string {
		return strings.NewReplacer(`"id":2`, `"id":3`, "[100,0]", "[70,30]", `"none"`, `"`+verdict+`"`).Replace(of("http[0]", "50"))
	}
	for _, row := range []struct {
		name    string
		history string
		a       any
		b       int64
		beside  string // what is remembered outside of the object
		want    int64  // id of the change, 0 for none
	}{
		{"the weights stand", "[" + of("http[0]", "70") + "]", int64(70), 30, "", 0},
		{"they were set back", "[" + of("http[0]", "70") + "]", int64(100), 0, "", 2},
		{"an absent key is no 0", "[" + of("http[0]", "null") + "]", int64(0), 30, "", 2},
		{"an absent key stands", "[" + of("http[0]", "null") + "]", nil, 30, "", 0},
		{"of another entry", "[" + of("http[1]", "70") + "]", int64(100), 0, "", 0},
		{"items that are not ours say nothing", `[{"id":3,"op":"magic"},` + of("http[0]", "70") + "]", int64(70), 30, "", 0},
		{"no history", "", int64(70), 30, "", 0},
		{"broken history", "{", int64(70), 30, "", 0},
		{"a later change is remembered beside the object", "[" + of("http[0]", "70") + "]", int64(50), 30, "[" + later("none") + "]", 0},
		{"and was written over", "[" + of("http[0]", "70") + "]", int64(60), 30, "[" + later("none") + "]", 3},
		{"one that was announced and never made", "[" + of("http[0]", "70") + "]", int64(70), 30, "[" + later("pending") + "]", 0},
		{"one that is known not to be made", "[" + of("http[0]", "70") + "]", int64(70), 30, "[" + later(NotWritten) + "]", 0},
	} {
		entries, err := Entries(object(row.history, row.a, row.b), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := int64(0)
		if item := Overwritten(entries[0], ParseHistory(row.beside)); item != nil {
			got = item.ID
		}
		if got != row.want {
			t.Errorf("%s: change %d, want %d", row.name, got, row.want)
		}
	}
}

func TestReverted(t *testing.T) {
	object := func(a, b int64, manager string) Object {
		return Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
			"metadata": map[string]any{"namespace": "shop", "name": "web", "managedFields": []any{
				map[string]any{"manager": manager, "operation": "Update", "time": "2026-11-23T10:00:05Z", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:http": map[string]any{}}}}}},
			"spec": map[string]any{"http": []any{map[string]any{"route": []any{
				map[string]any{"destination": map[string]any{"host": "a"}, "weight": a},
				map[string]any{"destination": map[string]any{"host": "b"}, "weight": b}}}}}}
	}
	entries, err := Entries(object(90, 10, "kubectl"), nil)
	if err != nil {
		t.Fatal(err)
	}
	terms, _ := ParseTerms([]string{"b=30"})
	plan, err := PlanSet(entries, terms, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		now  Object
		want string // "" for none
	}{
		{"our own weights, whoever wrote last", object(70, 30, "kustomize-controller"), ""},
		{"the old weights are back", object(90, 10, "argocd-controller"), "set back to 90/10 4.8 s after they were written, by argocd-controller (Update, 2026-11-23T10:00:05Z)"},
		{"other weights are no way back", object(50, 50, "kubectl-edit"), "changed to 50/50 4.8 s after they were written, by kubectl-edit"},
		{"the same shares in other numbers are another writer's too", object(7, 3, "helm"), "changed to 7/3"},
		{"the route is gone", Object{"kind": "VirtualService", "metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{"http": []any{}}}, "taken away"},
	} {
		got := plan.Reverted(row.now, 4800*time.Millisecond)
		switch {
		case row.want == "" && got != nil:
			t.Errorf("%s: %v, want nil", row.name, got)
		case row.want != "" && (got == nil || !strings.Contains(got.Error(), row.want)):
			t.Errorf("%s: %v, want %q in it", row.name, got, row.want)
		}
	}
}
