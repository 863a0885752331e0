package status

import (
	"errors"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
)

// The rows of the diagnosis table of the specification, from top to bottom.
func TestDiagnose(t *testing.T) {
	entry := func(first, second int64) route.Entry {
		object := route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{"http": []any{map[string]any{"route": []any{
			map[string]any{"destination": map[string]any{"host": "v1"}, "weight": first},
			map[string]any{"destination": map[string]any{"host": "v2"}, "weight": second}}}}}}
		entries, err := route.Entries(object, nil)
		if err != nil {
			t.Fatal(err)
		}
		return entries[0]
	}
	entries, none := []route.Entry{entry(70, 30)}, entry(0, 0)
	sight := func(pod string, state route.LiveState, weights ...int64) mesh.Sight {
		return mesh.Sight{Pod: mesh.Pod{Namespace: "in", Name: pod}, LiveReport: route.LiveReport{State: state, Weights: weights}}
	}
	fifty := int64(50)
	live := []mesh.Sight{sight("a", route.Live, 70, 30), sight("b", route.Live, 70, 30)}
	stale := sight("b", route.Stale, 100, 0)
	unreadable := mesh.Sight{Pod: mesh.Pod{Namespace: "in", Name: "a"}, Err: errors.New("no right to create pods/portforward")}
	nack := stale
	nack.Error = "Proto constraint validation failed"
	for _, row := range []struct {
		name  string
		p     picture
		codes string // joined by spaces
		says  string
	}{
		{"all is well", picture{declared: []int64{7, 3}, view: fleet.View{Sights: live}, observed: []uint64{70, 30}, errors: []uint64{0, 0}}, "well", "users get it"},
		{"git still says old", picture{declared: []int64{100, 0}, view: fleet.View{Sights: live}, writer: "mesh-split (Update)"}, "declared-differs", "declared is 100/0, the object says 70/30, written by mesh-split"},
		{"set back by another", picture{view: fleet.View{Sights: live}, overwritten: &route.HistoryItem{ID: 7, By: "alice", To: []*int64{&fifty, nil}}, writer: "argocd-controller (Update)"}, "reverted",
			"change 7 of alice set 50/0, and the object says 70/30, written by argocd-controller (Update)"},
		{"not pushed", picture{view: fleet.View{Sights: []mesh.Sight{stale}}}, "not-pushed", "in/b still runs 100/0"},
		{"a NACK is printed", picture{view: fleet.View{Sights: []mesh.Sight{nack}}}, "refused", "Proto constraint"},
		{"a sum of 0 is nothing that Envoy takes", picture{view: fleet.View{Sights: []mesh.Sight{stale, stale}}}, "zero-sum", "every other change of this gateway's routes"},
		{"and its words about that add nothing", picture{view: fleet.View{Sights: []mesh.Sight{nack, nack}}}, "zero-sum", "Proto constraint"},
		{"one gateway was left behind", picture{view: fleet.View{Sights: []mesh.Sight{live[0], stale}}, off: true, observed: []uint64{85, 15}, errors: []uint64{0, 0}}, "stale", "in/b"},
		{"no route", picture{view: fleet.View{Sights: []mesh.Sight{sight("a", route.Absent)}}}, "absent", "not exported"},
		{"another host answers", picture{view: fleet.View{Sights: live}, off: true, observed: []uint64{100, 0}, errors: []uint64{0, 0}}, "observed-differs", "sticks"},
		{"other routes share the destinations", picture{view: fleet.View{Sights: live}, off: true, observed: []uint64{100, 0}, errors: []uint64{0, 0}, others: []string{"shop/x"}}, "other-routes", "shop/x"},
		{"v2 fails", picture{view: fleet.View{Sights: live}, observed: []uint64{70, 30}, errors: []uint64{0, 30}}, "failing", "30 of its 30"},
		{"no rights", picture{view: fleet.View{Sights: []mesh.Sight{unreadable}}}, "black-box", "no right"},
		{"two causes are both said", picture{declared: []int64{100, 0}, view: fleet.View{Sights: []mesh.Sight{live[0], stale}}}, "declared-differs stale", ""},
		{"no gateway", picture{}, "no-gateway", ""},
	} {
		row.p.entry = entries[0]
		if row.codes == "zero-sum" {
			row.p.entry = none
		}
		row.p.view.Entry = row.p.entry
		var codes, says []string
		for _, f := range diagnose(row.p, func(verb string, args ...string) string { return "kubectl mesh-split " + verb }) {
			codes, says = append(codes, f.Code), append(says, f.Says)
		}
		if got := strings.Join(codes, " "); got != row.codes || !strings.Contains(strings.Join(says, "\n"), row.says) {
			t.Errorf("%s: %s %q, want %s with %q", row.name, got, says, row.codes, row.says)
		}
	}
}
