package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// world is what a cluster has: Services with their ready pods.
type world struct{ m *route.Mesh }

func (w world) service(t testing.TB, ns, name, ports string) {
	w.m.Services = append(w.m.Services, object(t, `{kind: Service, metadata: {namespace: `+ns+`, name: `+name+`}, spec: {selector: {app: `+name+`}, ports: `+ports+`}}`))
}

func (w world) pods(t testing.TB, ns, service, version string, n int, ready bool) {
	var endpoints []string
	for i := range n {
		pod := fmt.Sprintf("%s-%s-%d", service, version, i)
		endpoints = append(endpoints, fmt.Sprintf(`{conditions: {ready: %v}, targetRef: {name: %s}}`, ready, pod))
		w.m.Workloads = append(w.m.Workloads, object(t, `{metadata: {namespace: `+ns+`, name: `+pod+`, labels: {version: `+version+`}}}`))
	}
	w.m.EndpointSlices = append(w.m.EndpointSlices, object(t, `{metadata: {namespace: `+ns+`, name: `+service+`-`+version+`, labels: {kubernetes.io/service-name: `+service+`}}, endpoints: [`+strings.Join(endpoints, ", ")+`]}`))
}

func (w world) rule(t testing.TB, ns, name, spec string) {
	w.m.DestinationRules = append(w.m.DestinationRules, object(t, `{metadata: {namespace: `+ns+`, name: `+name+`}, spec: `+spec+`}`))
}

// empty is a cluster where everything was read and nothing is there.
func empty() world {
	return world{&route.Mesh{Services: []route.Object{}, ServiceEntries: []route.Object{}, DestinationRules: []route.Object{}, EndpointSlices: []route.Object{}, Workloads: []route.Object{}}}
}

func TestPreflight(t *testing.T) {
	const both = `{host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}`
	const first = `{host: reviews, subsets: [{name: v1, labels: {version: v1}}]}`
	shop := func(v1, v2 int) world {
		w := empty()
		w.service(t, "shop", "reviews", "[{port: 9080}]")
		w.pods(t, "shop", "reviews", "v1", v1, true)
		w.pods(t, "shop", "reviews", "v2", v2, true)
		return w
	}
	with := func(w world, change func(world)) world { change(w); return w }
	twoFlasks := func(ports string) world {
		w := empty()
		for _, ns := range []string{"prod", "stage"} {
			w.service(t, ns, "flaskapp", ports)
			w.pods(t, ns, "flaskapp", "x", 2, true)
		}
		return w
	}
	for _, tc := range []struct {
		id, ns, spec, term string
		w                  world
		want               string // names of the errors
		mentions           []string
	}{
		{"C01", "shop", reviews, "v2=30", with(shop(3, 1), func(w world) { w.rule(t, "shop", "reviews", both) }), "", nil},
		{"C02", "prod", flask, "stage=30", twoFlasks("[{port: 80}]"), "", nil},
		{"C31 a dotted host is not expanded", "prod", `{http: [{route: [{destination: {host: flaskapp.prod}, weight: 100}, {destination: {host: flaskapp.stage}, weight: 0}]}]}`,
			"flaskapp.stage=5", twoFlasks("[{port: 80}]"), "E_NO_SERVICE", []string{"flaskapp.stage.svc.cluster.local"}},
		{"C32 subset missing", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) { w.rule(t, "shop", "reviews", first) }), "E_NO_SUBSET", nil},
		{"C32 no rule at all", "shop", reviews, "v2=20", shop(3, 1), "E_NO_SUBSET", nil},
		{"C33 a rule in the gateway's namespace hides the other", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) {
			w.rule(t, "shop", "reviews", both)
			w.rule(t, "istio-ingress", "r", `{host: reviews.shop.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}`)
		}), "E_SUBSET_SHADOWED", []string{"istio-ingress/r", "shop/reviews"}},
		{"even a wide one", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) {
			w.rule(t, "shop", "reviews", both)
			w.rule(t, "istio-ingress", "wide", `{host: "*.local"}`)
		}), "E_SUBSET_SHADOWED", []string{"istio-ingress/wide"}},
		{"a rule of the root comes last", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) {
			w.rule(t, "istio-system", "root", `{host: "*.local"}`)
			w.rule(t, "shop", "reviews", both)
		}), "", nil},
		{"a rule that is not exported to the gateway", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) {
			w.rule(t, "shop", "reviews", strings.Replace(both, "{host", "{exportTo: ['.'], host", 1))
		}), "E_NO_SUBSET", nil},
		{"subsets of one namespace add up", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) {
			w.rule(t, "shop", "a", first)
			w.rule(t, "shop", "b", `{host: reviews.shop.svc.cluster.local, subsets: [{name: v2, labels: {version: v2}}]}`)
		}), "", nil},
		{"C34 no ready endpoint", "shop", reviews, "v2=20", with(shop(3, 0), func(w world) { w.rule(t, "shop", "reviews", both) }), "E_NO_ENDPOINTS", nil},
		{"C34 pods that are not ready", "shop", reviews, "v2=20", with(shop(3, 0), func(w world) {
			w.rule(t, "shop", "reviews", both)
			w.pods(t, "shop", "reviews", "v2", 2, false)
		}), "E_NO_ENDPOINTS", nil},
		{"C34 lowering is allowed", "shop", reviews, "v2=0", with(shop(3, 0), func(w world) { w.rule(t, "shop", "reviews", both) }), "", nil},
		{"C35 ambiguous port", "shop", `{http: [{route: [{destination: {host: a}, weight: 100}, {destination: {host: b}, weight: 0}]}]}`, "b=5",
			with(empty(), func(w world) {
				w.service(t, "shop", "b", "[{port: 8080}, {port: 9090}]")
				w.pods(t, "shop", "b", "x", 1, true)
			}), "E_NO_PORT", nil},
		{"the server's own number among the ports", "shop", `{http: [{route: [{destination: {host: a}, weight: 100}, {destination: {host: b}, weight: 0}]}]}`, "b=5",
			with(empty(), func(w world) {
				w.service(t, "shop", "b", "[{port: 80}, {port: 9090}]")
				w.pods(t, "shop", "b", "x", 1, true)
			}), "", nil},
		{"a port that the Service has not", "shop", ports, "web:9090=60", with(empty(), func(w world) { w.service(t, "shop", "web", "[{port: 8080}]") }), "E_NO_PORT", nil},
		{"a ServiceEntry", "prod", flask, "stage=30", with(empty(), func(w world) {
			w.m.ServiceEntries = append(w.m.ServiceEntries, object(t, `{metadata: {namespace: x, name: y}, spec: {hosts: [flaskapp.stage.svc.cluster.local], ports: [{number: 80}], endpoints: [{address: 127.0.0.1}]}}`))
		}), "", nil},
		{"a ServiceEntry kept at home", "prod", flask, "stage=30", with(empty(), func(w world) {
			w.m.ServiceEntries = append(w.m.ServiceEntries, object(t, `{metadata: {namespace: x, name: y}, spec: {exportTo: [.], hosts: [flaskapp.stage.svc.cluster.local], ports: [{number: 80}]}}`))
		}), "E_NO_SERVICE", nil},
		{"20 pods to one", "shop", reviews, "v2=50", with(shop(20, 1), func(w world) { w.rule(t, "shop", "reviews", both) }), "E_CAPACITY", []string{"1 ready pods", "gets 5 times"}},
		{"twice as much is the limit", "shop", reviews, "v2=60", with(shop(3, 1), func(w world) { w.rule(t, "shop", "reviews", both) }), "", nil},
		{"more than twice", "shop", reviews, "v2=61", with(shop(3, 1), func(w world) { w.rule(t, "shop", "reviews", both) }), "E_CAPACITY", nil},
		{"nothing read", "shop", reviews, "v2=20", world{new(route.Mesh)}, "unchecked services", nil},
		{"rules unread", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) { w.m.DestinationRules = nil }), "unchecked destinationrules", nil},
		{"pods unread", "shop", reviews, "v2=20", with(shop(3, 1), func(w world) { w.rule(t, "shop", "reviews", both); w.m.Workloads = nil }), "unchecked pods", nil},
	} {
		p := mustSet(t, virtualService(t, tc.ns, "web", tc.spec), tc.term)
		var got, said []string
		for _, f := range tc.w.m.Preflight(p.Changes[0], route.Place{Namespace: "istio-ingress", Port: 80}) {
			if f.Err == nil {
				got = append(got, "unchecked "+f.Unchecked)
				continue
			}
			got, said = append(got, nameOf(f.Err)), append(said, text(f.Err))
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: got %s %q, want %q", tc.id, got, said, tc.want)
		}
		for _, m := range tc.mentions {
			if !strings.Contains(strings.Join(said, "\n"), m) {
				t.Errorf("%s: %q does not mention %q", tc.id, said, m)
			}
		}
	}
}

func TestPreflightAccepted(t *testing.T) {
	for status, want := range map[string]string{"True": "", "False": "E_NOT_ACCEPTED"} {
		w := empty()
		w.service(t, "shop", "a", "[{port: 80}]")
		w.service(t, "shop", "b", "[{port: 80}]")
		w.pods(t, "shop", "a", "x", 1, true)
		w.pods(t, "shop", "b", "x", 1, true)
		o := object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: r, generation: 3}, spec: {rules: [{backendRefs: [{name: a, port: 80, weight: 90}, {name: b, port: 80, weight: 10}]}]},
			status: {parents: [{conditions: [{type: Accepted, status: "False", observedGeneration: 2}, {type: ResolvedRefs, status: "`+status+`", observedGeneration: 3}]}]}}`)
		p := mustSet(t, o, "b=20")
		got := ""
		for _, f := range w.m.Preflight(p.Changes[0], route.Place{Port: 80}) {
			got += nameOf(f.Err)
		}
		if got != want {
			t.Errorf("ResolvedRefs %s: got %q, want %q", status, got, want)
		}
	}
}
