package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// envoyRoute is a route of a dump: name, object it was made from, action.
func envoyRoute(name, object, action string) string {
	ns, vs, _ := strings.Cut(object, "/")
	return fmt.Sprintf(`{"name":%q,"match":{"prefix":"/"},%s,"metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/%s/virtual-service/%s"}}}}`,
		name, action, ns, vs)
}

func weighted(clusters ...string) string { // "90 outbound|80|v1|fqdn"
	var out []string
	for _, c := range clusters {
		w, name, _ := strings.Cut(c, " ")
		out = append(out, fmt.Sprintf(`{"name":%q,"weight":%s}`, name, w))
	}
	return `"route":{"weighted_clusters":{"clusters":[` + strings.Join(out, ",") + `]},"timeout":"0s"}`
}

func plain(cluster string) string { return fmt.Sprintf(`"route":{"cluster":%q}`, cluster) }

// dump is a config_dump with one route configuration; each host is `domain routes…`.
func dump(t testing.TB, hosts ...string) *route.Dump {
	t.Helper()
	d, err := route.ParseDump([]byte(dumpJSON(hosts...)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dumpJSON(hosts ...string) string {
	return `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig","version_info":"2026-11-22T12:00:00Z/7",
		"route_config":{"@type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"http.8080","virtual_hosts":[` +
		strings.Join(hosts, ",") + `],"validate_clusters":false},"last_updated":"2026-11-22T12:00:01.5Z"}]}`
}

func host(domain string, routes ...string) string {
	return fmt.Sprintf(`{"name":"%s:80","domains":[%q],"routes":[%s]}`, domain, domain, strings.Join(routes, ","))
}

const (
	v1 = "outbound|9080|v1|reviews.shop.svc.cluster.local"
	v2 = "outbound|9080|v2|reviews.shop.svc.cluster.local"
	v3 = "outbound|9080|v3|reviews.shop.svc.cluster.local"
)

func TestLive(t *testing.T) {
	spec := func(routes string) string {
		return strings.NewReplacer("V1", "destination: {host: reviews, subset: v1}", "V2", "destination: {host: reviews, subset: v2}").Replace(routes)
	}
	split := spec(`{http: [{route: [{V1, weight: 70}, {V2, weight: 30}]}]}`)
	lone := spec(`{http: [{route: [{V1, weight: 100}, {V2, weight: 0}]}]}`)
	several := spec(`{http: [{match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}], route: [{V1, weight: 70}, {V2, weight: 30}]}, {route: [{V1}]}]}`)
	named := spec(`{http: [{name: a, match: [{uri: {prefix: /a}, name: x}, {uri: {prefix: /b}, gateways: [mesh]}], route: [{V1, weight: 70}, {V2, weight: 30}]}, {name: b, route: [{V1}]}]}`)
	twice := spec(`{http: [{route: [{V1, weight: 40}, {V1, weight: 30}, {V2, weight: 30}]}]}`)
	ported := `{http: [{route: [{destination: {host: reviews, port: {number: 1}}, weight: 70}, {destination: {host: reviews, port: {number: 2}}, weight: 30}]}]}`
	w := "shop/web"
	good, old := weighted("70 "+v1, "30 "+v2), weighted("90 "+v1, "10 "+v2)
	for _, tc := range []struct {
		about string
		spec  string
		hosts []string
		want  route.LiveState
		seen  []int64
	}{
		{"equal weights", split, []string{host("*", envoyRoute("", w, good))}, route.Live, []int64{70, 30}},
		{"other order in Envoy", split, []string{host("*", envoyRoute("", w, weighted("30 "+v2, "70 "+v1)))}, route.Live, []int64{70, 30}},
		{"old weights", split, []string{host("*", envoyRoute("", w, old))}, route.Stale, []int64{90, 10}},
		{"same shares, other numbers: not what the object says", split, []string{host("*", envoyRoute("", w, weighted("7 "+v1, "3 "+v2)))}, route.Stale, []int64{7, 3}},
		{"a list of one (C42)", lone, []string{host("*", envoyRoute("", w, weighted("100 "+v1)))}, route.Live, []int64{1, 0}},
		{"a plain cluster (C42)", lone, []string{host("*", envoyRoute("", w, plain(v1)))}, route.Live, []int64{1, 0}},
		{"a zero that is there", lone, []string{host("*", envoyRoute("", w, weighted("100 "+v1, "0 "+v2)))}, route.Live, []int64{1, 0}},
		{"the other one alone", lone, []string{host("*", envoyRoute("", w, plain(v2)))}, route.Stale, []int64{0, 1}},
		{"zero in the object, still in Envoy", lone, []string{host("*", envoyRoute("", w, old))}, route.Stale, []int64{90, 10}},
		{"no route of the object", split, []string{host("*", envoyRoute("", "shop/other", good))}, route.Absent, nil},
		{"another namespace", split, []string{host("*", envoyRoute("", "prod/web", good))}, route.Absent, nil},
		{"no virtual host", split, nil, route.Absent, nil},
		{"a cluster of nobody", split, []string{host("*", envoyRoute("", w, weighted("70 "+v1, "30 "+v3)))}, route.Differs, nil},
		{"a redirect", split, []string{host("*", envoyRoute("", w, `"redirect":{"path_redirect":"/"}`))}, route.Differs, nil},
		{"two virtual hosts, both new", split, []string{host("a.com", envoyRoute("", w, good)), host("b.com", envoyRoute("", w, good))}, route.Live, []int64{70, 30}},
		{"two virtual hosts, one old", split, []string{host("a.com", envoyRoute("", w, good)), host("b.com", envoyRoute("", w, old))}, route.Differs, nil},
		{"routes of others between", split, []string{host("*", envoyRoute("x", "shop/x", plain(v3)), envoyRoute("", w, good), envoyRoute("y", "shop/y", plain(v3)))}, route.Live, []int64{70, 30}},
		{"one route per match item", several, []string{host("*", envoyRoute("", w, good), envoyRoute("", w, good), envoyRoute("", w, plain(v1)))}, route.Live, []int64{70, 30}},
		{"one match item old", several, []string{host("*", envoyRoute("", w, good), envoyRoute("", w, old), envoyRoute("", w, plain(v1)))}, route.Differs, nil},
		{"bound to two gateways of a port", several, []string{host("*", envoyRoute("", w, good), envoyRoute("", w, good),
			envoyRoute("", w, good), envoyRoute("", w, good), envoyRoute("", w, plain(v1)), envoyRoute("", w, plain(v1)))}, route.Live, []int64{70, 30}},
		{"fewer routes than the object has: another state of it", several, []string{host("*", envoyRoute("", w, good), envoyRoute("", w, plain(v1)))}, route.Differs, nil},
		{"names with match names; mesh items are not for gateways", named, []string{host("*", envoyRoute("a.x", w, good), envoyRoute("b", w, plain(v1)))}, route.Live, []int64{70, 30}},
		{"names help where the count does not fit", named, []string{host("*", envoyRoute("a.x", w, good))}, route.Live, []int64{70, 30}},
		{"the same destination twice", twice, []string{host("*", envoyRoute("", w, good))}, route.Live, []int64{70, 0, 30}},
		{"the same destination twice, in Envoy too", twice, []string{host("*", envoyRoute("", w, weighted("40 "+v1, "30 "+v1, "30 "+v2)))}, route.Live, []int64{70, 0, 30}},
		{"ports tell them apart", ported, []string{host("*", envoyRoute("", w, weighted("70 outbound|1||reviews.shop.svc.cluster.local", "30 outbound|2||reviews.shop.svc.cluster.local")))}, route.Live, []int64{70, 30}},
		{"ports swapped", ported, []string{host("*", envoyRoute("", w, weighted("30 outbound|1||reviews.shop.svc.cluster.local", "70 outbound|2||reviews.shop.svc.cluster.local")))}, route.Stale, []int64{30, 70}},
	} {
		got := dump(t, tc.hosts...).Live(entries(t, virtualService(t, "shop", "web", tc.spec), nil)[0], route.Origin{})
		if got.State != tc.want || !slices.Equal(got.Weights, tc.seen) || (got.Why == "") != (got.State == route.Live) {
			t.Errorf("%s: got %s %v (%s), want %s %v", tc.about, got.State, got.Weights, got.Why, tc.want, tc.seen)
		}
		if got.State == route.Live && (!slices.Equal(got.Configs, []string{"http.8080"}) || got.LastUpdated == "" || len(got.Hosts) != len(tc.hosts)) {
			t.Errorf("%s: got configs %v, hosts %v, updated %q", tc.about, got.Configs, got.Hosts, got.LastUpdated)
		}
	}
	// the second entry is another matter
	e := entries(t, virtualService(t, "shop", "web", several), nil)[1]
	if got := dump(t, host("*", envoyRoute("", w, old), envoyRoute("", w, old), envoyRoute("", w, plain(v1)))).Live(e, route.Origin{}); got.State != route.Live {
		t.Errorf("second entry: got %s (%s), want live", got.State, got.Why)
	}
	tcp := entries(t, virtualService(t, "shop", "web", spec(`{tcp: [{route: [{V1, weight: 70}, {V2, weight: 30}]}]}`)), nil)[0]
	if got := dump(t).Live(tcp, route.Origin{}); got.State != route.LiveUnknown || got.Why == "" {
		t.Errorf("tcp: got %s, want unknown with a reason", got.State)
	}
}

func TestLiveHTTPRoute(t *testing.T) {
	o := object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: r}, spec: {rules: [
		{backendRefs: [{name: x, port: 80}]}, {backendRefs: [{name: a, port: 80, weight: 70}, {name: b, port: 80, weight: 30}]}]}}`)
	e := entries(t, o, nil)[1]
	a, b := "outbound|80||a.shop.svc.cluster.local", "outbound|80||b.shop.svc.cluster.local"
	made := "shop/r-0-istio-autogenerated-k8s-gateway"
	for _, tc := range []struct {
		host string
		want route.LiveState
	}{
		{host("*", envoyRoute("shop.r.0", made, plain("outbound|80||x.shop.svc.cluster.local")), envoyRoute("shop.r.1", made, weighted("70 "+a, "30 "+b))), route.Live},
		{host("*", envoyRoute("shop.r.1", made, plain(a))), route.Stale},
		{host("*", envoyRoute("shop.r.0", made, plain(a))), route.Absent},
		{host("*", envoyRoute("shop.r.1", "prod/r", plain(a))), route.Absent},
	} {
		if got := dump(t, tc.host).Live(e, route.Origin{}); got.State != tc.want {
			t.Errorf("%s: got %s (%s), want %s", tc.host, got.State, got.Why, tc.want)
		}
	}
}

func TestLiveExternalName(t *testing.T) {
	m := &route.Mesh{Services: []route.Object{object(t, `{metadata: {namespace: shop, name: reviews}, spec: {type: ExternalName, externalName: Out.example.com}}`)}}
	e := entries(t, virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: reviews}}]}]}`), m)[0]
	if got := dump(t, host("*", envoyRoute("", "shop/web", plain("outbound|80||out.example.com")))).Live(e, route.Origin{}); got.State != route.Live {
		t.Errorf("got %s (%s), want live: Istio names the cluster after the external host", got.State, got.Why)
	}
}

func TestParseDump(t *testing.T) {
	inner := dumpJSON(host("*", envoyRoute("", "shop/web", plain(v1))))
	whole := strings.Replace(inner, `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig"`,
		`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapDump","bootstrap":{}},{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","dynamic_route_configs":[{"@type":"x"`, 1)
	whole = strings.TrimSuffix(whole, "]}") + "]}]}"
	for _, text := range []string{inner, whole} {
		d, err := route.ParseDump([]byte(text))
		if err != nil || len(d.Configs) != 1 || d.Configs[0].Name != "http.8080" || len(d.Configs[0].VirtualHosts[0].Routes) != 1 {
			t.Errorf("%s: got %+v, %v", text, d, err)
		}
	}
	nack := strings.Replace(inner, `"last_updated"`, `"error_state":{"details":"bad regex"},"last_updated"`, 1)
	if d, err := route.ParseDump([]byte(nack)); err != nil || d.Configs[0].Error != "bad regex" {
		t.Errorf("a NACK: got %+v, %v", d, err)
	}
	if d, err := route.ParseDump([]byte("{}")); err != nil || len(d.Configs) != 0 {
		t.Errorf("an Envoy without routes: got %+v, %v", d, err)
	}
	for _, text := range []string{"", "[]", "null", "upstream connect error", `{"x":1}`, strings.Replace(dumpJSON(host("*", envoyRoute("", "a/b", weighted("70 x")))), `"weight":70`, `"weight":-1`, 1)} {
		if d, err := route.ParseDump([]byte(text)); err == nil && text != "null" {
			t.Errorf("%q: got %+v, want an error", text, d)
		}
	}
}

func FuzzDump(f *testing.F) {
	f.Add([]byte(dumpJSON(host("*", envoyRoute("", "shop/web", weighted("70 "+v1, "30 "+v2))))))
	f.Add([]byte(dumpJSON(host("*", envoyRoute("", "shop/web", plain(v1)), envoyRoute("a.b", "shop/web", `"redirect":{}`)))))
	f.Add([]byte(`{"configs":[{"dynamic_route_configs":[{"route_config":{"name":"x"}}]}]}`))
	e := entries(f, virtualService(f, "shop", "web", reviews), nil)[0]
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := route.ParseDump(data)
		if err != nil {
			return
		}
		r := d.Live(e, route.Origin{})
		if r.State == route.Live && (r.Routes == 0 || !slices.Equal(r.Weights, []int64{90, 10})) {
			t.Fatalf("live with %d routes and weights %v", r.Routes, r.Weights)
		}
		if (r.State == route.Absent) != (r.Routes == 0 && r.Why != "" && r.State != route.Differs) {
			t.Fatalf("%s with %d routes: %s", r.State, r.Routes, r.Why)
		}
	})
}
