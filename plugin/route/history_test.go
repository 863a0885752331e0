package route_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

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
	p, err := route.PlanVerdicts(o, map[int64]string{1: "pass"})
	if err != nil || len(p.Ops) != 2 || p.Ops[0].Op != "test" || p.Ops[1].Op != "replace" {
		t.Fatalf("got %v, %v; want a test and a replace of the annotation", p, err)
	}
	o = apply(t, p)
	if got := route.HistoryOf(o).Items[0].Verdict; got != "pass" {
		t.Errorf("got %s, want pass", got)
	}
	if p, err := route.PlanVerdicts(o, map[int64]string{1: "pass"}); err != nil || !p.Nothing() {
		t.Errorf("again: got %v, %v; want nothing to do", p, err)
	}
	if p, err := route.PlanVerdicts(o, map[int64]string{5: "pass"}); err != nil || !p.Nothing() {
		t.Errorf("forgotten: got %v, %v; want nothing to do", p, err)
	}
	if _, err := route.PlanVerdicts(o, map[int64]string{1: "great"}); err == nil {
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
