package wait

import (
	"errors"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// shop is a subject with an entry for each pair of weights.
func shop(t *testing.T, weights ...[2]int64) *subject.Subject {
	t.Helper()
	var http []any
	for _, w := range weights {
		var to []any
		for i, name := range []string{"prod", "stage"} {
			to = append(to, map[string]any{"destination": map[string]any{"host": name + ".shop.svc.cluster.local"}, "weight": w[i]})
		}
		http = append(http, map[string]any{"route": to})
	}
	entries, err := route.Entries(route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{"http": http}}, &route.Mesh{})
	if err != nil {
		t.Fatal(err)
	}
	s := &subject.Subject{Client: &mesh.Client{}}
	s.Take(entries)
	return s
}

// What the object says is what --for asks for, or not yet; a destination that nobody has heard of will not come by waiting.
func TestWanted(t *testing.T) {
	for _, row := range []struct {
		name    string
		weights [][2]int64
		asked   []string
		want    bool
		err     string // name of the error
	}{
		{"--for=live: whatever the object says", [][2]int64{{90, 10}}, nil, true, ""},
		{"the share is there", [][2]int64{{70, 30}}, []string{"stage=30"}, true, ""},
		{"and not yet", [][2]int64{{90, 10}}, []string{"stage=30"}, false, ""},
		{"shares and not weights: 7:3", [][2]int64{{7, 3}}, []string{"stage=30"}, true, ""},
		{"both destinations named", [][2]int64{{70, 30}}, []string{"prod=70", "stage=30"}, true, ""},
		{"of two routes one is behind", [][2]int64{{70, 30}, {90, 10}}, []string{"stage=30"}, false, ""},
		{"both have it", [][2]int64{{70, 30}, {700, 300}}, []string{"stage=30"}, true, ""},
		{"a destination that is none", [][2]int64{{70, 30}}, []string{"v9=30"}, false, "E_UNKNOWN_DEST"},
	} {
		terms, err := route.ParseTerms(row.asked)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		got, err := wanted(shop(t, row.weights...), terms)
		name := ""
		if f := new(fault.Error); errors.As(err, &f) {
			name = f.Name
		}
		if got != row.want || name != row.err || (err != nil) != (row.err != "") {
			t.Errorf("%s: wanted(%v, %v) = %v, %v (%s), want %v (%s)", row.name, row.weights, row.asked, got, err, name, row.want, row.err)
		}
	}
}

func TestWeights(t *testing.T) {
	if got := weights(shop(t, [2]int64{70, 30}, [2]int64{1, 1}).Entries()); got != "70/30, 1/1" {
		t.Errorf("weights of two routes are %q, want 70/30, 1/1", got)
	}
}
