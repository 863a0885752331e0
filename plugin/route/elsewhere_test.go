package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// noted plans a change that is remembered outside of the object, and gives the object and those notes as they are afterwards.
func noted(t *testing.T, o route.Object, notes route.History, verdict, term string) (route.Object, route.History) {
	t.Helper()
	p, err := set(o, nil, route.Options{By: "alice", At: noon, NoHistory: true, Elsewhere: notes, Verdict: "none"}, term)
	if err != nil {
		t.Fatal(err)
	}
	notes.Add(p.Announced()...)
	if verdict != "pending" {
		notes.Settle(map[int64]string{p.ID(): verdict})
	}
	// What a ConfigMap holds is text.
	return apply(t, p), route.ParseHistory(notes.String())
}

func ids(h route.History) string {
	var list []string
	for _, item := range h.Items {
		list = append(list, fmt.Sprintf("%d %s", item.ID, item.Verdict))
	}
	return strings.Join(list, ", ")
}

// Changes are numbered without gaps wherever they are remembered, and undo knows them all.
func TestTwoPlaces(t *testing.T) {
	o := apply(t, mustSet(t, virtualService(t, "shop", "web", reviews), "v2=20")) // 1, in the annotation
	o, notes := noted(t, o, route.History{}, "none", "v2=30")                     // 2, elsewhere
	p, err := set(o, nil, route.Options{At: noon, Elsewhere: notes}, "v2=40")     // 3, in the annotation
	if err != nil {
		t.Fatal(err)
	}
	o = apply(t, p)
	o, notes = noted(t, o, notes, "pass", "v2=50") // 4, elsewhere
	if got := ids(route.HistoryOf(o).With(notes)); got != "4 pass, 3 none, 2 none, 1 pending" {
		t.Errorf("got %q", got)
	}
	if got := ids(route.HistoryOf(o).With(notes).With(notes)); got != "4 pass, 3 none, 2 none, 1 pending" {
		t.Errorf("what is in both counts once: got %q", got)
	}
	for _, want := range []int64{40, 30, 20, 10} {
		back, err := route.PlanUndo(o, nil, 0, route.Options{At: noon, NoHistory: true, Elsewhere: notes})
		if err != nil {
			t.Fatalf("to %d: %v", want, err)
		}
		if slices.ContainsFunc(opStrings(back.Ops), func(op string) bool { return strings.Contains(op, "annotations") }) {
			t.Fatalf("writes into the object: %q", opStrings(back.Ops))
		}
		o = apply(t, back)
		notes.Add(back.Items...)
		if got := entries(t, o, nil)[0].Weights()[1]; got != want {
			t.Fatalf("undo: got v2 at %d, want %d", got, want)
		}
	}
	if _, err := route.PlanUndo(o, nil, 0, route.Options{At: noon, Elsewhere: notes}); nameOf(err) != "E_NOTHING_TO_UNDO" {
		t.Errorf("at the start: got %v, want nothing to undo", err)
	}
	if _, err := route.PlanUndo(o, nil, 0, route.Options{At: noon}); nameOf(err) != "E_UNDO_STALE" {
		t.Errorf("without the notes it stands at another's weights: got %v, want E_UNDO_STALE", err)
	}
}

// A program that dies between its note and the weights leaves a pending note; the object tells that nothing was written.
func TestUnwrittenNote(t *testing.T) {
	o := apply(t, mustSet(t, virtualService(t, "shop", "web", reviews), "v2=20")) // 1
	after, notes := noted(t, o, route.History{}, "pending", "v2=30")              // 2
	back, err := route.PlanUndo(o, nil, 0, route.Options{At: noon, Elsewhere: notes})
	if err != nil || back.Changes[0].Weights()[1] != 10 || back.ID() != 3 {
		t.Errorf("2 was never written: got %+v, %v; want 1 undone by 3", back, err)
	}
	if back, err := route.PlanUndo(after, nil, 0, route.Options{At: noon, Elsewhere: notes}); err != nil || back.Changes[0].Weights()[1] != 20 {
		t.Errorf("2 was written, and only not settled: got %+v, %v; want it undone", back, err)
	}
	notes.Settle(map[int64]string{2: "none"})
	if _, err := route.PlanUndo(o, nil, 0, route.Options{At: noon, Elsewhere: notes}); nameOf(err) != "E_UNDO_STALE" {
		t.Errorf("2 was written, and somebody set it back: got %v, want E_UNDO_STALE", err)
	}
	notes.Settle(map[int64]string{2: route.NotWritten})
	if back, err := route.PlanUndo(o, nil, 0, route.Options{At: noon, Elsewhere: notes}); err != nil || back.Changes[0].Weights()[1] != 10 {
		t.Errorf("2 is noted as not written: got %+v, %v; want 1 undone", back, err)
	}
}

func TestWithdraw(t *testing.T) {
	_, notes := noted(t, virtualService(t, "shop", "web", reviews), route.History{}, "none", "v2=20") // 1
	p, err := set(virtualService(t, "shop", "web", reviews), nil, route.Options{At: noon, NoHistory: true, Elsewhere: notes}, "v2=30")
	if err != nil {
		t.Fatal(err)
	}
	notes.Add(p.Announced()...) // 2
	for _, tc := range []struct {
		about  string
		newest int64 // in the annotation
		later  bool  // another's note 3 is there
		want   string
	}{
		{"the last one goes without a trace", 1, false, "1 none"},
		{"a later one in the annotation keeps its number", 3, false, "2 not-written, 1 none"},
		{"a later note keeps its number", 0, true, "3 none, 2 not-written, 1 none"},
	} {
		h := route.ParseHistory(notes.String())
		if tc.later {
			h.Add(route.HistoryItem{Version: 1, ID: 3, Op: "set", Route: "http[0]", Verdict: "none"})
		}
		if h.Withdraw(p.Announced(), tc.newest); ids(h) != tc.want {
			t.Errorf("%s: got %q, want %q", tc.about, ids(h), tc.want)
		}
	}
}

// A change that is remembered nowhere says how to get back by hand, and a program can still take back its own.
func TestRememberedNowhere(t *testing.T) {
	o := virtualService(t, "shop", "web", several)
	p := setEach(t, o, route.Options{At: noon, NoHistory: true}, []string{"a", "b"}, "v2=30")
	want := []string{"kubectl mesh-split set web v1=rest v2=10 -n shop --route 'http[0]'", "kubectl mesh-split set web v1=rest v2=50 -n shop --route 'http[1]'"}
	if got := p.Back(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	after := apply(t, p)
	if _, err := route.PlanRevert(after, nil, p.ID(), route.Options{At: noon, NoHistory: true}); err == nil {
		t.Error("the object does not know the change, want an error")
	}
	own := route.History{Items: p.Items}
	back, err := route.PlanRevert(after, nil, p.ID(), route.Options{At: noon, NoHistory: true, Elsewhere: own})
	if err != nil || fmt.Sprint(apply(t, back)["spec"]) != fmt.Sprint(o["spec"]) {
		t.Errorf("got %v; want the spec as it was", err)
	}
	if again, err := back.Again(after, route.History{}); err != nil || len(again.Changes) != 2 {
		t.Errorf("planned again: got %+v, %v; want both routes, for the program still knows its change", again, err)
	}
}

// Merging keeps the order of both histories and loses nothing.
func TestWithProperty(t *testing.T) {
	history := func(t *rapid.T, by string) (h route.History) {
		for id := range rapid.SliceOfNDistinct(rapid.Int64Range(1, 20), 0, 8, rapid.ID[int64]).Draw(t, by) {
			h.Add(route.HistoryItem{Version: 1, ID: int64(id + 1), By: by, Op: "set", Route: "http[0]", Verdict: "none"})
		}
		return h
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := history(t, "a"), history(t, "b")
		both := a.With(b)
		for i := 1; i < len(both.Items); i++ {
			if both.Items[i].ID > both.Items[i-1].ID {
				t.Fatalf("out of order: %s", both)
			}
		}
		if len(both.Items) != len(a.Items)+len(b.Items) || both.Newest() != max(a.Newest(), b.Newest()) {
			t.Fatalf("%s and %s make %s", a, b, both)
		}
	})
}

// Where the change is noted beside the object, what that place cannot hold is known before anything is written.
func TestForewarn(t *testing.T) {
	o := virtualService(t, "shop", "web", reviews)
	plan := func(o route.Object, by string, terms ...string) *route.Plan {
		p, err := set(o, nil, route.Options{By: by, At: noon, NoHistory: true}, terms...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, row := range []struct {
		name  string
		plan  *route.Plan
		noted string
		says  string // "" for nothing
	}{
		{"an empty one", plan(o, "alice", "v2=30"), "", ""},
		{"one that is no history", plan(o, "alice", "v2=30"), "oops", "is no history and will be replaced"},
		{"a change that is too large even alone", plan(o, strings.Repeat("x", route.HistoryBytes), "v2=30"), "", "undo will not know its weights"},
		{"nothing to write: nothing is lost", plan(o, "alice", "v2=10"), "oops", ""},
	} {
		h := route.ParseHistory(row.noted)
		before := len(h.Warnings)
		got := h.Forewarn(row.plan)
		if row.says == "" && len(got) > 0 || row.says != "" && (len(got) != 1 || !strings.Contains(got[0], row.says)) {
			t.Errorf("%s: %q, want %q", row.name, got, row.says)
		}
		if len(h.Warnings) != before || len(h.Items) > 0 {
			t.Errorf("%s: the history was changed by asking: %+v", row.name, h)
		}
		if len(row.plan.Warnings) > 0 {
			t.Errorf("%s: the annotation, which is not written, is warned about: %q", row.name, row.plan.Warnings)
		}
	}

	// And of a header that is injected the note goes into the annotation.
	o["metadata"].(map[string]any)["annotations"] = map[string]any{route.HistoryKey: "oops"}
	if p, err := route.PlanInject(entries(t, o, nil)[0], injecting); err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "will be replaced") {
		t.Errorf("an injection replaces what is no history and does not say so: %v", err)
	}
}
