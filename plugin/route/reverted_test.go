package route

import (
	"strings"
	"testing"
	"time"
)

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
