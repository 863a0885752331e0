package route_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

const managed = `{metadata: {managedFields: [
  {manager: kubectl, operation: Update, time: "2026-11-22T11:00:00Z", fieldsV1: {"f:spec": {"f:hosts": {}, "f:http": {}}}},
  {manager: argocd-controller, operation: Apply, time: "2026-11-22T12:00:05Z", fieldsV1: {"f:spec": {"f:http": {}}}},
  {manager: labeler, operation: Update, time: "2026-11-22T12:00:09Z", fieldsV1: {"f:metadata": {"f:labels": {}}}},
  {manager: hoster, operation: Update, time: "2026-11-22T12:00:08Z", fieldsV1: {"f:spec": {"f:hosts": {}}}}]}}`

// C36, and its neighbours: what stands in the way of a refused patch is told from a second reading of the object.
func TestRecheck(t *testing.T) {
	weight := func(i int, w any) func(route.Object) {
		return func(o route.Object) { at(o, "spec", "http", 0, "route", i).(map[string]any)["weight"] = w }
	}
	for _, tc := range []struct {
		about    string
		moved    bool // another resourceVersion
		change   func(route.Object)
		want     route.ConflictState
		mentions []string
	}{
		{"nothing changed: the server has another reason", false, func(route.Object) {}, route.ConflictRefused, nil},
		{"only the version: plan again", true, func(route.Object) {}, route.ConflictReplan, nil},
		{"another field of a destination: plan again", true, func(o route.Object) {
			at(o, "spec", "http", 0, "route", 0).(map[string]any)["headers"] = map[string]any{}
		}, route.ConflictReplan, nil},
		{"a weight", true, func(o route.Object) { weight(0, int64(80))(o); weight(1, int64(20))(o) }, route.ConflictChanged,
			[]string{"argocd-controller", "2026-11-22T12:00:05Z", "v1 90, v2 10", "v1 80, v2 20", "v1 70, v2 30"}},
		{"our very weights, by someone else", true, func(o route.Object) { weight(0, int64(70))(o); weight(1, int64(30))(o) }, route.ConflictChanged, nil},
		{"another destination", true, func(o route.Object) {
			at(o, "spec", "http", 0, "route", 1, "destination").(map[string]any)["subset"] = "v3"
		}, route.ConflictChanged, nil},
		{"one destination more", true, func(o route.Object) {
			e := at(o, "spec", "http", 0).(map[string]any)
			e["route"] = append(e["route"].([]any), map[string]any{"destination": map[string]any{"host": "x"}})
		}, route.ConflictChanged, nil},
		{"the entry is gone", true, func(o route.Object) { at(o, "spec").(map[string]any)["http"] = []any{} }, route.ConflictChanged, nil},
	} {
		p := mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30")
		now, _ := route.Apply(p.Object, nil)
		now["metadata"].(map[string]any)["managedFields"] = at(object(t, managed), "metadata", "managedFields")
		if tc.moved {
			now["metadata"].(map[string]any)["resourceVersion"] = "4712"
		}
		tc.change(now)
		c := p.Recheck(now)
		if c.State != tc.want || (c.Err != nil) != (tc.want == route.ConflictChanged) {
			t.Errorf("%s: got %s, %v; want %s", tc.about, c.State, c.Err, tc.want)
		}
		if c.Err != nil && nameOf(c.Err) != "E_CHANGED" {
			t.Errorf("%s: got %s, want E_CHANGED", tc.about, nameOf(c.Err))
		}
		for _, m := range tc.mentions {
			if !strings.Contains(c.Err.Error(), m) {
				t.Errorf("%s: %q does not mention %q", tc.about, c.Err, m)
			}
		}
		if c.State == route.ConflictReplan {
			again, err := p.Again(now, route.History{})
			if err != nil || again.Ops[0].Value != "4712" || !slices.Equal(again.Changes[0].Weights(), []int64{70, 30}) {
				t.Errorf("%s: the new plan is %v, %v", tc.about, again, err)
			}
		}
	}
	p := mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30")
	arrived := apply(t, p)
	arrived["metadata"].(map[string]any)["resourceVersion"] = "4712"
	if c := p.Recheck(arrived); c.State != route.ConflictDone {
		t.Errorf("after a time-out: got %s, want done", c.State)
	}
	if w := route.LastWriter(object(t, managed), route.HTTP); w == nil || w.Manager != "argocd-controller" {
		t.Errorf("last writer of http: got %v, want argocd-controller", w)
	}
}

func TestAltered(t *testing.T) {
	p := mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30")
	answer := apply(t, p)
	meta := answer["metadata"].(map[string]any)
	meta["resourceVersion"], meta["generation"], meta["managedFields"] = "4712", int64(3), []any{}
	if d := p.Altered(answer); len(d) != 0 {
		t.Errorf("got %v, want no difference but server metadata", d)
	}
	at(answer, "spec", "http", 0).(map[string]any)["timeout"] = "15s"
	at(answer, "spec", "http", 0, "route", 1).(map[string]any)["weight"] = float64(31)
	meta["labels"] = map[string]any{"a/b": "c"}
	var got []string
	for _, d := range p.Altered(answer) {
		got = append(got, d.String())
	}
	want := []string{`/metadata/labels: null → {"a/b":"c"}`, `/spec/http/0/route/1/weight: 30 → 31`, `/spec/http/0/timeout: null → "15s"`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
