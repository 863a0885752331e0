package which

import (
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestSplit(t *testing.T) {
	stage := route.Destination{Host: "flaskapp.stage.svc.cluster.local", Short: "stage"}
	for _, c := range []struct {
		why  string
		e    route.Entry
		want string
	}{
		{"weights by the shortest names", route.Entry{Destinations: []route.Destination{{Short: "v1", Effective: 90}, {Short: "v2", Effective: 10}}}, "v1 90, v2 10"},
		{"a lone destination has no weight, and gets everything", route.Entry{Destinations: []route.Destination{stage}}, "everything to flaskapp.stage.svc.cluster.local"},
		{"a lone subset", route.Entry{Destinations: []route.Destination{{Host: "reviews", Subset: "v2"}}}, "everything to reviews subset v2"},
	} {
		if got := split(c.e); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}
