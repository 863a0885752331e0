package undo

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
)

// A program that takes a header away hears of which routes, in the document that every change has.
func TestDocumentOfRemoval(t *testing.T) {
	to := func(host string, weight int64) any {
		return map[string]any{"destination": map[string]any{"host": host + ".shop.svc.cluster.local"}, "weight": weight}
	}
	object := route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"namespace": "shop", "name": "web", "resourceVersion": "1"},
		"spec": map[string]any{"http": []any{
			map[string]any{"name": "api", "route": []any{to("v1", 70), to("v2", 30)}},
			map[string]any{"route": []any{to("v1", 1), to("v2", 1)}}}}}
	inject := func(index int) {
		t.Helper()
		entries, err := route.Entries(object, nil)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := route.PlanInject(entries[index], route.Options{By: "alice", At: time.Unix(1e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if object, err = route.Apply(object, plan.Ops); err != nil {
			t.Fatal(err)
		}
	}
	o := &Options{}
	o.Verb, o.DryRun, o.Client = "undo", "none", &mesh.Client{Context: "test"}
	for _, row := range []struct {
		name         string
		before       func()
		route        string
		destinations int
		of           string // the route of the first destination
	}{
		{"nothing was left behind", func() {}, "", 0, ""},
		{"in one route", func() { inject(0) }, "http[0] api", 2, ""},
		{"in two", func() { inject(1) }, "http[0] api, http[1]", 4, "http[0]"},
	} {
		row.before()
		d := o.document(mesh.Object{Kind: mesh.VirtualService, Unstructured: &unstructured.Unstructured{Object: object}})
		if d.Kind != "WeightChange" || d.Operation != "undo" || d.Object.Name != "web" || d.Context != "test" || d.Changed || d.DryRun != "" {
			t.Errorf("%s: %+v", row.name, d)
		}
		if d.Route != row.route || d.Destinations == nil || len(d.Destinations) != row.destinations {
			t.Errorf("%s: route %q and %d destinations, want %q and %d", row.name, d.Route, len(d.Destinations), row.route, row.destinations)
			continue
		}
		if len(d.Destinations) > 0 {
			first := d.Destinations[0]
			if first.Route != row.of || first.Weight.From != 70 || first.Weight.To != 70 || first.Share == nil || first.Share.To != 0.7 {
				t.Errorf("%s: first destination %+v", row.name, first)
			}
		}
	}
}
