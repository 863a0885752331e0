package route_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Two runs on one entry would share a header, and whoever ended first would take it from under the other. A note that is older than its
// run can be was left behind, and is taken over.
func TestInjectHeld(t *testing.T) {
	o := virtualService(t, "shop", "web", reviews)
	alice := route.Options{By: "alice", At: noon, Run: "aaaa", Until: noon.Add(3 * time.Minute)}
	plan, err := route.PlanInject(entries(t, o, nil)[0], alice)
	if err != nil {
		t.Fatal(err)
	}
	with := patched(t, o, plan)
	bare := object(t, inJSON(t, with)) // somebody applied the old manifest meanwhile; alice still measures
	bare["spec"] = o["spec"]
	for _, row := range []struct {
		name    string
		object  route.Object
		run, by string
		after   time.Duration // noon
		err     string
		writes  string // how the paths that are written begin; "" for none
	}{
		{"a colleague meanwhile", with, "bbbb", "bob", time.Minute, "E_HEADER_TAKEN", ""},
		{"a second pipeline of one account", with, "bbbb", "alice", time.Minute, "E_HEADER_TAKEN", ""},
		{"begun in the same second", with, "bbbb", "alice", 0, "E_HEADER_TAKEN", ""},
		{"also where the header was taken away", bare, "bbbb", "bob", time.Minute, "E_HEADER_TAKEN", ""},
		{"the run itself, whose answer was lost", with, "aaaa", "alice", time.Minute, "", ""},
		{"a run that was killed: the note is taken over", with, "bbbb", "bob", 3 * time.Minute, "", "/metadata/annotations/"},
		{"and the header added where it is gone", bare, "bbbb", "bob", 3 * time.Minute, "", "/spec/http/0/route/0/headers /spec/http/0/route/1/headers /metadata/annotations/"},
	} {
		at := noon.Add(row.after)
		p, err := route.PlanInject(entries(t, row.object, nil)[0], route.Options{By: row.by, At: at, Run: row.run, Until: at.Add(time.Minute)})
		if nameOf(err) != row.err {
			t.Errorf("%s: %v, want %q", row.name, err, row.err)
			continue
		}
		if err != nil {
			for _, words := range []string{"begun 2026-11-22T12:00:00Z by alice", "ends before 2026-11-22T12:03:00Z", "kubectl mesh-split undo web --injected -n shop"} {
				if !strings.Contains(text(err), words) {
					t.Errorf("%s: %q lacks %q", row.name, text(err), words)
				}
			}
			continue
		}
		var written []string
		for _, op := range p.Ops {
			if op.Op != "test" {
				written = append(written, op.Path)
			}
		}
		if !slices.EqualFunc(written, strings.Fields(row.writes), strings.HasPrefix) || p.Writes("/spec") != strings.Contains(row.writes, "/spec") {
			t.Errorf("%s: writes %q, want %q", row.name, written, row.writes)
		}
		if row.writes == "" {
			continue
		}
		// From then on it is this run's: a third is refused, and what was added first is removed exactly.
		now := patched(t, row.object, p)
		if _, err := route.PlanInject(entries(t, now, nil)[0], route.Options{By: "carol", At: at, Run: "cccc", Until: at}); nameOf(err) != "E_HEADER_TAKEN" || !strings.Contains(text(err), "by bob") {
			t.Errorf("%s: a third run: %v", row.name, err)
		}
		removal, err := route.PlanRemoval(now, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := inJSON(t, patched(t, now, removal)["spec"].(map[string]any)); got != inJSON(t, o["spec"].(map[string]any)) {
			t.Errorf("%s: after removal %s", row.name, got)
		}
	}
}
