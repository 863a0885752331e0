package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	object := Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{"http": []any{map[string]any{"route": []any{
		map[string]any{"destination": map[string]any{"host": "reviews", "subset": "v1"}, "weight": int64(70)},
		map[string]any{"destination": map[string]any{"host": "reviews", "subset": "v2"}, "weight": int64(30)}}}}}}
	entries, err := Entries(object, nil)
	if err != nil {
		t.Fatal(err)
	}
	// reading is "v1/10.0.0.1=TOTAL,ERRORS …".
	reading := func(text string) ClusterCounts {
		var clusters []string
		for _, one := range strings.Fields(text) {
			subset, rest, _ := strings.Cut(one, "/")
			address, counts, _ := strings.Cut(rest, "=")
			total, errors, _ := strings.Cut(counts, ",")
			clusters = append(clusters, fmt.Sprintf(`{"name":"outbound|80|%s|reviews.shop.svc.cluster.local","host_statuses":[{"address":{"socket_address":{"address":%q}},"stats":[{"name":"rq_total","value":%q},{"name":"rq_error","value":%q},{"name":"rq_timeout"}]}]}`, subset, address, total, errors))
		}
		c, err := ParseClusters([]byte(`{"cluster_statuses":[{"name":"xds-grpc","host_statuses":[{"stats":[{"name":"rq_total","value":"9"}]}]},` + strings.Join(clusters, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, row := range []struct {
		name             string
		readings         []string
		requests, errors []uint64
		restarts, gone   int
	}{
		{"what was before the first reading is nobody's", []string{"v1/a=100,9 v2/b=50,1"}, []uint64{0, 0}, []uint64{0, 0}, 0, 0},
		{"the difference counts", []string{"v1/a=100,9 v2/b=50,1", "v1/a=170,9 v2/b=80,3"}, []uint64{70, 30}, []uint64{0, 2}, 0, 0},
		{"an endpoint that came has counted from 0", []string{"v1/a=100,0 v2/b=50,0", "v1/a=110,0 v2/c=7,1"}, []uint64{10, 7}, []uint64{0, 1}, 0, 1},
		{"a restart loses what came before it, once", []string{"v1/a=100,0 v2/b=50,0", "v1/a=110,0 v2/b=60,0", "v1/a=5,0 v2/b=2,0"}, []uint64{15, 12}, []uint64{0, 0}, 1, 0},
	} {
		tally := NewTally(entries[0])
		for _, r := range row.readings {
			tally.Add(reading(r))
		}
		if !slices.Equal(tally.Requests, row.requests) || !slices.Equal(tally.Errors, row.errors) || tally.Restarts != row.restarts || tally.Gone != row.gone {
			t.Errorf("%s: requests %v errors %v restarts %d gone %d, want %v %v %d %d", row.name, tally.Requests, tally.Errors, tally.Restarts, tally.Gone, row.requests, row.errors, row.restarts, row.gone)
		}
	}
	if _, err := ParseClusters([]byte("<html>")); err == nil {
		t.Error("HTML was read as counters")
	}
}
