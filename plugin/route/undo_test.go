package route_test

import (
	"encoding/json"
	"fmt"
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

func TestHistoryBounds(t *testing.T) {
	o := virtualService(t, "shop", "web", reviews)
	for i := range 40 {
		o = apply(t, mustSet(t, o, fmt.Sprintf("v2=%d", 20+i)))
	}
	h := route.HistoryOf(o)
	if len(h.Items) != route.HistoryItems || h.Items[0].ID != 40 || h.Items[15].ID != 25 {
		t.Errorf("got %d items from %d to %d, want 16 from 40 to 25", len(h.Items), h.Items[0].ID, h.Items[len(h.Items)-1].ID)
	}
	var big route.History
	for i := range 16 {
		item := h.Items[0]
		item.ID, item.By = int64(i+1), strings.Repeat("x", 900)
		fresh := route.HistoryItem{Version: 1, ID: item.ID, By: item.By, Op: "set", Route: "http[0]", Dests: item.Dests, From: item.From, To: item.To, Verdict: "none"}
		big.Add(fresh)
	}
	if n := len(big.String()); n > route.HistoryBytes || len(big.Items) != 7 || big.Items[0].ID != 16 {
		t.Errorf("got %d bytes in %d items from id %d, want at most 8 KiB in 7 from 16", n, len(big.Items), big.Items[0].ID)
	}
	huge := route.HistoryItem{Version: 1, ID: 17, Op: "set", Route: "http[0]", Dests: []string{strings.Repeat("x", 9000)}, From: []*int64{nil}, To: []*int64{nil}, Verdict: "none"}
	big.Add(huge)
	if len(big.String()) > route.HistoryBytes || len(big.Items) != 1 || big.Items[0].ID != 17 || len(big.Warnings) == 0 {
		t.Errorf("too large alone: got %s, %q; want the item without destinations and a warning", big, big.Warnings)
	}
	if next := route.ParseHistory(big.String()); next.Items[0].Foreign() {
		t.Error("an item without destinations is still ours")
	}
}

// What others write into our annotation is shown, kept and never undone; ids go on after it.
func TestHistoryForeign(t *testing.T) {
	newer := `{"v":2,"id":7,"what":"<&>"}`
	extra := `{"v":1,"id":6,"at":"","by":"","op":"set","route":"http[0]","d":["a"],"from":[1],"to":[2],"verdict":"pending","inj":{"x":1}}`
	for _, tc := range []struct {
		text  string
		items int
		warns bool
		next  int64
	}{
		{"", 0, false, 1},
		{"[]", 0, false, 1},
		{"{", 0, true, 1},
		{`{"v":1}`, 0, true, 1},
		{`"x"`, 0, true, 1},
		{"null", 0, false, 1},
		{`[1,null,"x",{}]`, 4, true, 1},
		{"[" + newer + "]", 1, true, 8},
		{"[" + newer + "," + extra + "]", 2, true, 8},
		{`[{"v":1,"id":9223372036854775807}]`, 1, true, 1}, // an id that would overflow counts for nothing
		{`[{"v":1,"id":3,"op":"set","route":"http[0]","d":["a"],"from":[],"to":[1],"verdict":"none"}]`, 1, true, 4},
	} {
		o := virtualService(t, "shop", "web", reviews)
		o["metadata"].(map[string]any)["annotations"] = map[string]any{route.HistoryKey: tc.text}
		h := route.HistoryOf(o)
		if len(h.Items) != tc.items || len(h.Warnings) > 0 != tc.warns {
			t.Errorf("%s: got %d items, warnings %q", tc.text, len(h.Items), h.Warnings)
		}
		p := mustSet(t, o, "v2=30")
		if p.ID() != tc.next {
			t.Errorf("%s: got id %d, want %d", tc.text, p.ID(), tc.next)
		}
		after, _ := at(apply(t, p), "metadata", "annotations", route.HistoryKey).(string)
		for _, keep := range []string{newer, extra} {
			if strings.Contains(tc.text, keep) && !strings.Contains(after, keep) {
				t.Errorf("%s was lost from %s", keep, after)
			}
		}
		if _, err := undo(o, 0); err == nil {
			t.Errorf("%s: want no undo", tc.text)
		}
	}
}

func TestPlanVerdict(t *testing.T) {
	o := apply(t, mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30"))
	p, err := route.PlanVerdict(o, 1, "pass")
	if err != nil || len(p.Ops) != 2 || p.Ops[0].Op != "test" || p.Ops[1].Op != "replace" {
		t.Fatalf("got %v, %v; want a test and a replace of the annotation", p, err)
	}
	o = apply(t, p)
	if got := route.HistoryOf(o).Items[0].Verdict; got != "pass" {
		t.Errorf("got %s, want pass", got)
	}
	if p, err := route.PlanVerdict(o, 1, "pass"); err != nil || !p.Nothing() {
		t.Errorf("again: got %v, %v; want nothing to do", p, err)
	}
	if p, err := route.PlanVerdict(o, 5, "pass"); err != nil || !p.Nothing() {
		t.Errorf("forgotten: got %v, %v; want nothing to do", p, err)
	}
	if _, err := route.PlanVerdict(o, 1, "great"); err == nil {
		t.Error("great is no verdict, want an error")
	}
	next, err := set(o, nil, route.Options{At: noon, Verdicts: map[int64]string{1: "fail"}}, "v2=40")
	if err != nil {
		t.Fatal(err)
	}
	if got := route.HistoryOf(apply(t, next)).Items[1].Verdict; got != "fail" {
		t.Errorf("the verdict rides on the next edit: got %s, want fail", got)
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

func FuzzHistory(f *testing.F) {
	f.Add("")
	f.Add(`[{"v":1,"id":7,"at":"2026-11-22T12:00:00Z","by":"alice","op":"set","route":"http[1] primary","d":["reviews/v1"],"from":[null],"to":[70],"verdict":"pending"}]`)
	f.Add(`[{"v":2},{"id":-1},[],"x",1e400]`)
	f.Fuzz(func(t *testing.T, text string) {
		h := route.ParseHistory(text)
		printed := h.String()
		if !json.Valid([]byte(printed)) {
			t.Fatalf("%q prints as %q, no JSON", text, printed)
		}
		if again := route.ParseHistory(printed); again.String() != printed {
			t.Fatalf("%q prints as %q, then as %q", text, printed, again)
		}
		h.Add(route.HistoryItem{Version: 1, ID: 1, Op: "set", Route: "http[0]", Verdict: "none"})
		if len(h.Items) > route.HistoryItems || len(h.String()) > route.HistoryBytes {
			t.Fatalf("%d items, %d bytes: out of bounds", len(h.Items), len(h.String()))
		}
		o := route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
			"metadata": map[string]any{"annotations": map[string]any{route.HistoryKey: text}},
			"spec":     map[string]any{"http": []any{map[string]any{"route": []any{map[string]any{"destination": map[string]any{"host": "a"}}}}}}}
		if p, err := route.PlanUndo(o, nil, 0, route.Options{}); err == nil {
			if _, err := route.Apply(o, p.Ops); err != nil {
				t.Fatalf("an undo that does not fit its own object: %v", err)
			}
		}
	})
}
