package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// several is an object whose routes a, b and c split traffic, c between others, and whose last sends everything to one place.
const several = `{http: [
  {name: a, route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]},
  {name: b, route: [{destination: {host: reviews, subset: v1}, weight: 500}, {destination: {host: reviews, subset: v2}, weight: 500}]},
  {name: c, route: [{destination: {host: ratings, subset: v1}}, {destination: {host: ratings, subset: v3}, weight: 100}]},
  {name: lone, route: [{destination: {host: reviews, subset: v1}}]}]}`

// setEach plans a change of the routes that are named.
func setEach(t testing.TB, o route.Object, options route.Options, routes []string, terms ...string) *route.Plan {
	t.Helper()
	es, err := route.ChooseEach(entries(t, o, nil), routes)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := route.ParseTerms(terms)
	if err != nil {
		t.Fatal(err)
	}
	p, err := route.PlanSet(es, parsed, options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func slots(es []route.Entry) string {
	var list []string
	for _, e := range es {
		list = append(list, e.Slot())
	}
	return strings.Join(list, " ")
}

func TestChooseEach(t *testing.T) {
	for _, tc := range []struct {
		routes []string
		want   string
		err    string
	}{
		{[]string{"b", "a"}, "http[0] http[1]", ""}, // in the order of the object, so that equal wishes make equal patches
		{[]string{"1", "b", "http[1]"}, "http[1]", ""},
		{[]string{"a", "x"}, "", "E_CHOOSE"},
		{nil, "", "E_CHOOSE"}, // three split traffic
		{[]string{"lone", "a"}, "http[0] http[3]", ""},
	} {
		got, err := route.ChooseEach(entries(t, virtualService(t, "shop", "web", several), nil), tc.routes)
		if slots(got) != tc.want || nameOf(err) != tc.err {
			t.Errorf("%q: got %q, %v; want %q, %s", tc.routes, slots(got), err, tc.want, tc.err)
		}
	}
}

func TestChooseAll(t *testing.T) {
	for _, tc := range []struct {
		terms []string
		want  string
		left  []string // words, one route each
		err   string
	}{
		{[]string{"v2=30"}, "http[0] http[1]", []string{`http[2] "c" has no destination "v2"`}, ""},
		{[]string{"v1=30"}, "http[0] http[1] http[2]", nil, ""},                 // lone has it too, and nothing to split
		{[]string{"reviews/v1=30"}, "http[0] http[1]", []string{"http[2]"}, ""}, // c has a v1, of another host
		{[]string{"v2=30", "v3=20"}, "", nil, "E_UNKNOWN_DEST"},                 // no route has both
		{[]string{"reviews=30"}, "", nil, "E_AMBIGUOUS_DEST"},                   // both of a
	} {
		parsed, err := route.ParseTerms(tc.terms)
		if err != nil {
			t.Fatal(err)
		}
		got, left, err := route.ChooseAll(entries(t, virtualService(t, "shop", "web", several), nil), parsed)
		said := len(left) == len(tc.left)
		for i := range tc.left {
			said = said && strings.Contains(left[i], tc.left[i])
		}
		if slots(got) != tc.want || nameOf(err) != tc.err || !said {
			t.Errorf("%q: got %q, left %q, %v; want %q, %q, %s", tc.terms, slots(got), left, err, tc.want, tc.left, tc.err)
		}
	}
	if _, _, err := route.ChooseAll(entries(t, virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: a}}]}]}`), nil), nil); nameOf(err) != "E_CHOOSE" {
		t.Errorf("no route splits traffic: got %v, want E_CHOOSE", err)
	}
}

// One patch: every destination of every route is tested before any weight is written, each route keeps its own sum, and the
// history knows which items belong together.
func TestSetSeveral(t *testing.T) {
	o := virtualService(t, "shop", "web", several)
	p := setEach(t, o, route.Options{By: "alice", At: noon, Verdict: "pending"}, []string{"a", "b"}, "v2=30")
	want := []string{
		`test /metadata/resourceVersion "4711"`,
		`test /spec/http/0/route/0 {"destination":{"host":"reviews","subset":"v1"},"weight":90}`,
		`test /spec/http/0/route/1 {"destination":{"host":"reviews","subset":"v2"},"weight":10}`,
		`test /spec/http/1/route/0 {"destination":{"host":"reviews","subset":"v1"},"weight":500}`,
		`test /spec/http/1/route/1 {"destination":{"host":"reviews","subset":"v2"},"weight":500}`,
		`replace /spec/http/0/route/0/weight 70`,
		`replace /spec/http/0/route/1/weight 30`,
		`replace /spec/http/1/route/0/weight 700`,
		`replace /spec/http/1/route/1/weight 300`,
	}
	if got := opStrings(p.Ops); len(got) != len(want)+2 || !slices.Equal(got[:len(want)], want) {
		t.Errorf("got %q\nwant %q and the history", got, want)
	}
	if len(p.Items) != 2 || p.ID() != 2 || p.Items[0].Route != "http[1] b" || p.Items[0].With != 1 || p.Items[1].With != 1 {
		t.Errorf("history items %+v, want 2 and 1, with each other", p.Items)
	}
	if diff := p.Diff("test"); strings.Count(diff, "\n-      weight: ") != 4 || strings.Count(diff, "\n+      weight: ") != 4 {
		t.Errorf("want the four weights of both routes in the diff:\n%s", diff)
	}

	// A route that is as wished already is guarded all the same, and has no item.
	p = setEach(t, o, route.Options{At: noon}, []string{"a", "b"}, "v2=50")
	if len(p.Items) != 1 || p.Items[0].With != 0 || !slices.Contains(opStrings(p.Ops), want[3]) {
		t.Errorf("items %+v, ops %q; want one item, and b guarded", p.Items, opStrings(p.Ops))
	}

	// Somebody wrote b alone: the whole change is E_CHANGED, not half of it.
	p = setEach(t, o, route.Options{At: noon}, []string{"a", "b"}, "v2=30")
	now := apply(t, setEach(t, o, route.Options{At: noon}, []string{"b"}, "v2=40"))
	if c := p.Recheck(now); c.State != route.ConflictChanged || nameOf(c.Err) != "E_CHANGED" || len(c.Differences) != 2 {
		t.Errorf("b was written meanwhile: got %s, %v, want E_CHANGED", c.State, c.Err)
	}
	// Somebody wrote c: planned again, for both.
	now = apply(t, setEach(t, o, route.Options{At: noon}, []string{"c"}, "v3=40"))
	at(now, "metadata").(map[string]any)["resourceVersion"] = "4712"
	if c := p.Recheck(now); c.State != route.ConflictReplan {
		t.Errorf("c was written meanwhile: got %s, %v, want to plan again", c.State, c.Err)
	}
	if again, err := p.Again(now, route.History{}); err != nil || len(again.Changes) != 2 || again.ID() != 3 {
		t.Errorf("planned again: got %+v, %v; want both routes, items 2 and 3", again, err)
	}
}

func TestUndoSeveral(t *testing.T) {
	fresh := virtualService(t, "shop", "web", several)
	options := route.Options{By: "alice", At: noon}
	o := apply(t, setEach(t, fresh, options, []string{"a", "b"}, "v2=30")) // 1, 2
	back, err := undo(o, 0)
	if err != nil {
		t.Fatal(err)
	}
	if after := apply(t, back); fmt.Sprint(after["spec"]) != fmt.Sprint(fresh["spec"]) || len(back.Items) != 2 || back.Items[0].Undoes != 2 || back.Items[1].Undoes != 1 {
		t.Errorf("got %v, items %+v; want the spec as it was, and an item for each route", after["spec"], back.Items)
	}
	if _, err := undo(apply(t, back), 0); nameOf(err) != "E_NOTHING_TO_UNDO" {
		t.Errorf("again: got %v, want nothing to undo", err)
	}
	if again, err := undo(apply(t, back), 2); err != nil || len(again.Changes) != 2 || again.Changes[0].Weights()[1] != 30 || again.Changes[1].Weights()[1] != 300 {
		t.Errorf("undo of the undo: got %+v, %v; want both routes as the change had set them", again, err)
	}
	only := func(o route.Object, slots ...string) (*route.Plan, error) {
		return route.PlanUndo(o, nil, 0, route.Options{At: noon, Only: slots})
	}
	if p, err := only(o, "http[1]"); err != nil || len(p.Changes) != 2 {
		t.Errorf("undo of b: got %+v, %v; want all of the change that was of a and b", p, err)
	}
	if _, err := only(o, "http[2]"); nameOf(err) != "E_NOTHING_TO_UNDO" {
		t.Errorf("undo of c: got %v, want nothing to undo", err)
	}

	// One route is another's now: nothing of the change is taken back.
	foreign, _ := route.Apply(o, nil)
	at(foreign, "spec", "http", 1, "route", 0).(map[string]any)["weight"] = int64(701)
	if _, err := undo(foreign, 0); nameOf(err) != "E_UNDO_STALE" || !strings.Contains(text(err), `http[1] "b"`) {
		t.Errorf("b was changed by someone: got %v, want E_UNDO_STALE that names b", text(err))
	}
	later := apply(t, setEach(t, o, options, []string{"a"}, "v2=35")) // 3
	if p, err := undo(later, 0); err != nil || len(p.Changes) != 1 {
		t.Errorf("a later change of a is the last: got %+v, %v", p, err)
	}
	if _, err := only(later, "http[1]"); nameOf(err) != "E_UNDO_STALE" {
		t.Errorf("undo of b below a later change of a: got %v, want E_UNDO_STALE", err)
	}
}

// What the history has forgotten in part is not taken back in part.
func TestUndoSeveralForgotten(t *testing.T) {
	spec := "{http: ["
	var routes []string
	for i := range route.HistoryItems + 1 {
		spec += fmt.Sprintf("{name: r%d, route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]},", i)
		routes = append(routes, fmt.Sprintf("r%d", i))
	}
	o := virtualService(t, "shop", "web", spec+"]}")
	p := setEach(t, o, route.Options{At: noon}, routes, "v2=30")
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "too large to be remembered") {
		t.Errorf("warnings %q, want one that undo will not take it back", p.Warnings)
	}
	if _, err := undo(apply(t, p), 0); nameOf(err) != "E_UNKNOWN_REVISION" {
		t.Errorf("got %v, want E_UNKNOWN_REVISION", err)
	}
	p = setEach(t, o, route.Options{At: noon}, routes[1:], "v2=30")
	if back, err := undo(apply(t, p), 0); len(p.Warnings) > 0 || err != nil || len(back.Changes) != route.HistoryItems {
		t.Errorf("as many as there is room for: warnings %q, %v; want all taken back", p.Warnings, err)
	}
}

func TestVerdictsOfSeveral(t *testing.T) {
	o := apply(t, setEach(t, virtualService(t, "shop", "web", several), route.Options{At: noon, Verdict: "pending"}, []string{"a", "b"}, "v2=30"))
	p, err := route.PlanVerdicts(o, map[int64]string{1: "pass", 2: "fail"})
	if err != nil {
		t.Fatal(err)
	}
	if h := route.HistoryOf(apply(t, p)); h.Items[0].Verdict != "fail" || h.Items[1].Verdict != "pass" {
		t.Errorf("got %s, want each route's own verdict", h)
	}
}
