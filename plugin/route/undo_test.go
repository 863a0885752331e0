package route_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func undo(o route.Object, revision int64) (*route.Plan, error) {
	return route.PlanUndo(o, nil, revision, route.Options{By: "bob", At: noon})
}

// C41: set, undo (the absent keys become absent again), undo, set, someone else, undo.
func TestUndo(t *testing.T) {
	o := virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: reviews, subset: v1}}, {destination: {host: reviews, subset: v2}}]}]}`)
	o = apply(t, mustSet(t, o, "v2=10"))
	p, err := undo(o, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := opStrings(p.Ops)
	for _, want := range []string{"remove /spec/http/0/route/0/weight", "remove /spec/http/0/route/1/weight"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
	o = apply(t, p)
	if _, err := undo(o, 0); nameOf(err) != "E_NOTHING_TO_UNDO" {
		t.Errorf("second undo: got %v, want nothing to undo", err)
	}
	o = apply(t, mustSet(t, o, "v2=10"))
	for i := range 2 {
		at(o, "spec", "http", 0, "route", i).(map[string]any)["weight"] = int64(50)
	}
	_, err = undo(o, 0)
	if nameOf(err) != "E_UNDO_STALE" {
		t.Fatalf("after someone set 50/50: got %v, want E_UNDO_STALE", err)
	}
	for _, want := range []string{"reviews/v1 50", "reviews/v2 10", "change 3"} {
		if !strings.Contains(text(err), want) {
			t.Errorf("%q does not mention %q", text(err), want)
		}
	}
}

// at walks a decoded object by keys and indices.
func at(o route.Object, path ...any) any {
	var v any = o
	for _, p := range path {
		switch k := p.(type) {
		case string:
			v = v.(map[string]any)[k]
		case int:
			v = v.([]any)[k]
		}
	}
	return v
}

// Undo is a stack; --to-revision jumps, and what it jumped over counts as undone, also when that was an undo.
func TestUndoOrder(t *testing.T) {
	o := virtualService(t, "shop", "web", reviews) // 90/10
	step := func(p *route.Plan, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		o = apply(t, p)
	}
	want := func(v2 int64) {
		t.Helper()
		if got := entries(t, o, nil)[0].Weights()[1]; got != v2 {
			t.Fatalf("got v2 at %d, want %d", got, v2)
		}
	}
	step(set(o, nil, route.Options{At: noon}, "v2=20")) // 1
	step(set(o, nil, route.Options{At: noon}, "v2=30")) // 2
	step(set(o, nil, route.Options{At: noon}, "v2=40")) // 3
	step(undo(o, 0))                                    // 4 takes back 3
	want(30)
	step(undo(o, 0)) // 5 takes back 2
	want(20)
	step(undo(o, 3)) // 6 restores what 3 set
	want(40)
	step(undo(o, 0)) // 7 takes back 3 again
	want(30)
	step(undo(o, 1)) // 8 restores what 1 set
	want(20)
	step(undo(o, 0)) // 9 takes back 1
	want(10)
	if _, err := undo(o, 0); nameOf(err) != "E_NOTHING_TO_UNDO" {
		t.Errorf("at the start: got %v, want nothing to undo", err)
	}
	if p, err := undo(o, 9); err != nil || !p.Nothing() {
		t.Errorf("what the newest change set is there: got %v, %v; want nothing to do", p, err)
	}
	if _, err := undo(o, 99); nameOf(err) != "E_UNKNOWN_REVISION" || !strings.Contains(text(err), "9, 8, 7") {
		t.Errorf("got %v, want E_UNKNOWN_REVISION with what is remembered", text(err))
	}
	for i, item := range route.HistoryOf(o).Items {
		if item.ID != int64(9-i) {
			t.Errorf("ids have a gap: %d at %d", item.ID, i)
		}
	}
}

func TestUndoStale(t *testing.T) {
	base := apply(t, mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30"))
	for _, tc := range []struct {
		about  string
		change func(o route.Object)
		hint   string
	}{
		{"weights", func(o route.Object) { at(o, "spec", "http", 0, "route", 0).(map[string]any)["weight"] = int64(71) },
			"kubectl mesh-split set web v1=rest v2=10 -n shop --route 'http[0]' --sum 100"},
		{"a weight that is none", func(o route.Object) { at(o, "spec", "http", 0, "route", 0).(map[string]any)["weight"] = "x" }, "set"},
		{"another destination", func(o route.Object) {
			at(o, "spec", "http", 0, "route", 1, "destination").(map[string]any)["subset"] = "v3"
		}, "get"},
		{"another order", func(o route.Object) {
			slices.Reverse(at(o, "spec", "http", 0, "route").([]any))
		}, "get"},
		{"a new name", func(o route.Object) { at(o, "spec", "http", 0).(map[string]any)["name"] = "x" }, "set"},
		{"no routes", func(o route.Object) { at(o, "spec").(map[string]any)["http"] = []any{} }, "get"},
	} {
		o, err := route.Apply(base, nil) // a copy
		if err != nil {
			t.Fatal(err)
		}
		tc.change(o)
		if _, err := undo(o, 0); nameOf(err) != "E_UNDO_STALE" || !strings.Contains(text(err), tc.hint) {
			t.Errorf("%s: got %s %q, want E_UNDO_STALE with %q", tc.about, nameOf(err), text(err), tc.hint)
		}
	}
}

// Undo after set gives the very bytes back, whatever the weights were, the history aside.
func TestUndoProperty(t *testing.T) {
	undone := 0
	rapid.Check(t, func(t *rapid.T) {
		o, terms, options := anySplit(t)
		p, err := set(o, nil, options, terms...)
		if err != nil || p.Nothing() {
			return
		}
		after, err := route.Apply(o, p.Ops)
		if err != nil {
			t.Fatal(err)
		}
		back, err := undo(after, 0)
		if err != nil {
			t.Fatal(err)
		}
		if after, err = route.Apply(after, back.Ops); err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(after["spec"])
		want, _ := json.Marshal(o["spec"])
		if string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
		undone++
	})
	if undone == 0 {
		t.Error("no drawn case could be undone")
	}
}

// A way back keeps to its change: planning it again after a conflict, or reverting by id, never takes back what somebody
// else did in between.
func TestUndoKeepsItsChange(t *testing.T) {
	entry := func(name string) string {
		return `{name: ` + name + `, route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]}`
	}
	change := func(o route.Object, slot, term string) route.Object {
		e, err := route.Choose(entries(t, o, nil), slot)
		if err != nil {
			t.Fatal(err)
		}
		terms, _ := route.ParseTerms([]string{term})
		p, err := route.PlanSet([]route.Entry{e}, terms, route.Options{At: noon})
		if err != nil {
			t.Fatal(err)
		}
		return apply(t, p)
	}
	mine := change(virtualService(t, "shop", "web", `{http: [`+entry("a")+`, `+entry("b")+`]}`), "a", "v2=30") // 1
	back, err := undo(mine, 0)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := change(mine, "b", "v2=40") // 2, of somebody else
	again, err := back.Again(elsewhere, route.History{})
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Changes[0].Entry.Slot(); got != "http[0]" || len(again.Changes) != 1 {
		t.Errorf("planned again: takes back %s, want http[0]", got)
	}
	if p, err := route.PlanRevert(elsewhere, nil, 1, route.Options{At: noon}); err != nil || p.Changes[0].Entry.Slot() != "http[0]" {
		t.Errorf("revert by id: got %v, %v; want http[0] taken back", p, err)
	}
	for term, why := range map[string]string{"v2=50": "a later change of the entry", "v2=31": "and a small one"} {
		later := change(mine, "a", term)
		if _, err := back.Again(later, route.History{}); nameOf(err) != "E_UNDO_STALE" {
			t.Errorf("%s, planned again: got %v, want E_UNDO_STALE", why, err)
		}
		if _, err := route.PlanRevert(later, nil, 1, route.Options{At: noon}); nameOf(err) != "E_UNDO_STALE" {
			t.Errorf("%s, reverted by id: got %v, want E_UNDO_STALE", why, err)
		}
	}
	if _, err := route.PlanRevert(apply(t, back), nil, 1, route.Options{At: noon}); nameOf(err) != "E_UNDO_STALE" {
		t.Errorf("reverted twice: got %v, want E_UNDO_STALE", err)
	}
}
