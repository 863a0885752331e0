package route_test

import (
	"fmt"
	"time"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// A canary's first step, from the words of the command line to the patch.
func Example() {
	object := route.Object{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"namespace": "shop", "name": "web", "resourceVersion": "4711"},
		"spec": map[string]any{"http": []any{map[string]any{"route": []any{
			map[string]any{"destination": map[string]any{"host": "reviews", "subset": "v1"}, "weight": int64(100)},
			map[string]any{"destination": map[string]any{"host": "reviews", "subset": "v2"}},
		}}}},
	}
	terms, err := route.ParseTerms([]string{"v2=5"})
	if err != nil {
		panic(err)
	}
	entries, err := route.Entries(object, nil)
	if err != nil {
		panic(err)
	}
	entry, err := route.Choose(entries, "")
	if err != nil {
		panic(err)
	}
	plan, err := route.PlanSet([]route.Entry{entry}, terms, route.Options{By: "alice", At: time.Unix(0, 0), NoHistory: true})
	if err != nil {
		panic(err)
	}
	for _, line := range plan.Lines() {
		fmt.Println(line)
	}
	for _, op := range plan.Ops {
		fmt.Println(op)
	}
	// Output:
	// v1 100 % → 95 % (95 of 100)
	// v2 0 % → 5 % (5 of 100)
	// test /metadata/resourceVersion "4711"
	// test /spec/http/0/route/0 {"destination":{"host":"reviews","subset":"v1"},"weight":100}
	// test /spec/http/0/route/1 {"destination":{"host":"reviews","subset":"v2"}}
	// replace /spec/http/0/route/0/weight 95
	// add /spec/http/0/route/1/weight 5
}
