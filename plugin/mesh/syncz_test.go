package mesh

import (
	"maps"
	"testing"
)

// What istiod answers, as /debug/syncz of its release 1.30 wrote it: only what stands at the routes of a proxy is about routes.
func TestRefusedRoutes(t *testing.T) {
	const routes = `"type.googleapis.com/envoy.config.route.v3.RouteConfiguration"`
	for _, tt := range []struct {
		name, says string
		want       map[string]string
	}{
		{"accepted", `[{"proxy":"gw-0.istio-system","resources":{` + routes + `:{"sent":"a","acked":"a"}}}]`, nil},
		{"refused", `[{"proxy":"gw-0.istio-system","resources":{` + routes + `:{"sent":"b","acked":"a","lastError":"sum of weights is 0"}}},{"proxy":"gw-1.istio-system"}]`,
			map[string]string{"istio-system/gw-0": "sum of weights is 0"}},
		{"the reason stands behind all that was refused", `[{"proxy":"gw-0.edge","resources":{` + routes + `:{"lastError":"goo.gle/debugonly \nname: \"http.80\"\n: Proto constraint validation failed (x)"}}}]`,
			map[string]string{"edge/gw-0": "Proto constraint validation failed (x)"}},
		{"a name with dots", `[{"proxy":"gw.v2.edge","resources":{` + routes + `:{"lastError":"x"}}}]`, map[string]string{"edge/gw.v2": "x"}},
		{"another type", `[{"proxy":"gw-0.edge","resources":{"type.googleapis.com/envoy.config.cluster.v3.Cluster":{"lastError":"x"}}}]`, nil},
		{"an old release, which says none", `[{"proxy":"gw-0.edge","route_sent":"a"}]`, nil},
		{"no document", `404 page not found`, nil},
	} {
		if got := refusedRoutes([]byte(tt.says)); !maps.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
