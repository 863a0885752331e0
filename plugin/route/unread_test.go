package route_test

import (
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestIstiodUnread(t *testing.T) {
	labels := map[string]map[string]string{"shop": {"team": "a", "kubernetes.io/metadata.name": "shop"}}
	mesh := func(revision, selectors string) route.Istiod {
		i := route.Istiod{Revision: revision, Config: "istio-system/istio", Namespaces: labels}
		for _, s := range object(t, "{all: "+selectors+"}")["all"].([]any) {
			i.Selectors = append(i.Selectors, s.(map[string]any))
		}
		return i
	}
	const vs = "networking.istio.io/v1, kind: VirtualService"
	for _, row := range []struct {
		name, kind, labels string
		i                  route.Istiod
		code               string
		mentions           []string
	}{
		{"an object without the label is everybody's", vs, "{}", mesh("default", "[]"), "", nil},
		{"of the same revision", vs, "{istio.io/rev: canary}", mesh("canary", "[]"), "", nil},
		{"of another revision", vs, "{istio.io/rev: other}", mesh("default", "[]"), "other-revision",
			[]string{"virtualservice shop/web has the label istio.io/rev=other", "revision default", "kubectl label virtualservice.networking.istio.io web -n shop istio.io/rev-"}},
		{"the empty label is a label", vs, `{istio.io/rev: ""}`, mesh("default", "[]"), "other-revision", []string{"istio.io/rev=,"}},
		{"a tag is compared as text", vs, "{istio.io/rev: prod}", mesh("1-31", "[]"), "other-revision", []string{"revision 1-31", "name of a tag will not do"}},
		{"istiod without a revision reads all, and one of unknown revision may", vs, "{istio.io/rev: other}", mesh("", "[]"), "", nil},
		{"a route of the Gateway API", "gateway.networking.k8s.io/v1, kind: HTTPRoute", "{istio.io/rev: other}", mesh("default", "[]"), "other-revision", []string{"httproute.gateway.networking.k8s.io web"}},
		{"a Gateway of Istio", "networking.istio.io/v1, kind: Gateway", "{istio.io/rev: other}", mesh("default", "[]"), "other-revision", nil},
		{"a Gateway of the Gateway API is read by every revision", "gateway.networking.k8s.io/v1, kind: Gateway", "{istio.io/rev: other}", mesh("default", "[]"), "", nil},
		{"but not in a hidden namespace", "gateway.networking.k8s.io/v1, kind: Gateway", "{}", mesh("default", "[{matchLabels: {team: b}}]"), "hidden-namespace", nil},

		{"the namespace is selected", vs, "{}", mesh("default", "[{matchLabels: {team: a}}]"), "", nil},
		{"by one of several selectors", vs, "{}", mesh("default", "[{matchLabels: {team: b}}, {matchExpressions: [{key: team, operator: In, values: [a, c]}]}]"), "", nil},
		{"by the empty selector", vs, "{}", mesh("default", "[{matchLabels: {team: b}}, {}]"), "", nil},
		{"by none", vs, "{}", mesh("default", "[{matchLabels: {team: b}}, {matchExpressions: [{key: x, operator: Exists}]}]"), "hidden-namespace",
			[]string{"namespace shop", "istio-system/istio", "kubectl label namespace shop", "(team=b; or x)"}},
		{"all parts of a selector count", vs, "{}", mesh("default", "[{matchLabels: {team: a}, matchExpressions: [{key: x, operator: Exists}]}]"), "hidden-namespace", []string{"(team=a, x)"}},
		{"a label with another value", vs, "{}", mesh("default", "[{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop, x]}]}]"), "hidden-namespace",
			[]string{"kubernetes.io/metadata.name notin (shop,x)"}},
		{"NotIn takes what has no such label", vs, "{}", mesh("default", "[{matchExpressions: [{key: x, operator: NotIn, values: [y]}]}]"), "", nil},
		{"DoesNotExist", vs, "{}", mesh("default", "[{matchExpressions: [{key: team, operator: DoesNotExist}]}]"), "hidden-namespace", []string{"(!team)"}},
		{"a selector that is none: istiod keeps those it had", vs, "{}", mesh("default", "[{matchLabels: {team: b}}, {matchExpressions: [{key: team, operator: Like}]}]"), "", nil},
		{"In without values is none either", vs, "{}", mesh("default", "[{matchLabels: {team: b}, matchExpressions: [{key: team, operator: In}]}]"), "", nil},
		{"a namespace that was not read", vs, "{}", route.Istiod{Selectors: mesh("", "[{matchLabels: {team: b}}]").Selectors}, "", nil},
	} {
		u := row.i.Unread(object(t, "{apiVersion: "+row.kind+", metadata: {name: web, namespace: shop, labels: "+row.labels+"}}"))
		if u == nil {
			u = &route.Unread{}
		}
		if u.Code != row.code {
			t.Errorf("%s: %q (%s), want %q", row.name, u.Code, u.Says, row.code)
		}
		for _, words := range row.mentions {
			if !strings.Contains(u.Says+"\n"+u.Advice, words) {
				t.Errorf("%s: %q and %q do not mention %q", row.name, u.Says, u.Advice, words)
			}
		}
	}
}

func TestIstiodOutOfScope(t *testing.T) {
	scoped := route.Istiod{Scoped: true}
	gateway := object(t, "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw, namespace: shop}}")
	for _, row := range []struct {
		name    string
		i       route.Istiod
		gateway route.Object
		pods    string
		code    string
	}{
		{"the flag is off", route.Istiod{}, gateway, "infra", ""},
		{"a Gateway of another namespace", scoped, gateway, "infra", "gateway-scope"},
		{"of the pods' own", scoped, gateway, "shop", ""},
		{"the Gateway API keeps them together anyway", scoped, object(t, "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gw, namespace: shop}}"), "infra", ""},
	} {
		u := row.i.OutOfScope(row.gateway, row.pods)
		if (u != nil) != (row.code != "") || u != nil && (u.Code != row.code || !strings.Contains(u.Says, "such as shop/gw") || !strings.Contains(u.Advice, "infra/NAME")) {
			t.Errorf("%s: %+v, want %q", row.name, u, row.code)
		}
	}
}

// What istiod does not read governs nothing, and is named where it would.
func TestGovernUnread(t *testing.T) {
	pods := gateway(plainServer)
	for i, o := range pods {
		pods[i] = strings.Replace(o, "labels: {istio: ingress, pod-template", "annotations: {istio.io/rev: default}, labels: {istio: ingress, pod-template", 1)
	}
	label := func(o string) string {
		return strings.Replace(o, "metadata: {", "metadata: {labels: {istio.io/rev: other}, ", 1)
	}
	mine, rival := vs("shop/web", "10:00", shop+"http: [{"+split+"}]"), vs("shop/rival", "09:00", shop+"http: [{"+even+"}]")
	for _, tc := range []governCase{
		{id: "of another revision, it is no candidate", objects: append(pods[:4:4], mine, label(rival)), url: "http://shop.example.com/", governs: "shop/web http[0]"},
		{id: "and named where it is the only one", objects: append(pods[:4:4], label(rival)), url: "http://shop.example.com/", err: "E_NOT_READ", mentions: []string{"istio.io/rev=other"}},
		{id: "a Gateway too", objects: append([]string{label(pods[0])}, pods[1], pods[2], pods[3], mine), url: "http://shop.example.com/", err: "E_NO_LISTENER", warns: "gateway istio-ingress/gw has the label istio.io/rev=other"},
		{id: "pods of unknown revision hide nothing", objects: append(gateway(plainServer), label(mine)), url: "http://shop.example.com/", governs: "shop/web http[0]"},
	} {
		tc.run(t)
	}

	m := mesh(t, append(gateway(plainServer), mine)...)
	m.Istiod = route.Istiod{Config: "istio-system/istio", Selectors: []route.Object{{"matchLabels": map[string]any{"mesh": "yes"}}},
		Namespaces: map[string]map[string]string{"istio-ingress": {"mesh": "yes"}, "shop": {}}}
	p, err := route.ParseProbe("http://shop.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Which(p, nil); nameOf(err) != "E_NOT_READ" || !strings.Contains(text(err), "namespace shop") {
		t.Errorf("a VirtualService in a hidden namespace: %v", err)
	}
}

// An istiod that scopes Gateways to namespaces keeps those of others from its gateways' pods; and what the mesh config says is said to be
// assumed where it could not be read.
func TestGovernScoped(t *testing.T) {
	foreign := strings.Replace(gateway(plainServer)[0], "namespace: istio-ingress", "namespace: shop", 1)
	route1 := strings.Replace(vs("shop/web", "10:00", shop+"http: [{"+split+"}]"), "istio-ingress/gw", "shop/gw", 1)
	for _, row := range []struct {
		name, revision string // of the pods
		scoped         []string
		skipped        bool
	}{
		{"the flag is off", "default", nil, false},
		{"of the istiod that feeds the pods", "default", []string{"default"}, true},
		{"of another", "default", []string{"canary"}, false},
		{"of the only one, pods name none", "", []string{"default", ""}, true},
		{"of one of two, pods name none", "", []string{"canary"}, false},
	} {
		objects := append([]string{foreign}, gateway(plainServer)[1:]...)
		for i, o := range objects {
			if row.revision != "" {
				objects[i] = strings.Replace(o, "labels: {istio: ingress, pod-template", "annotations: {istio.io/rev: "+row.revision+"}, labels: {istio: ingress, pod-template", 1)
			}
		}
		m := mesh(t, append(objects, route1)...)
		m.Scoped, m.Assumed = row.scoped, "no right to get it"
		p, err := route.ParseProbe("http://shop.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Which(p, nil)
		said := ""
		for _, w := range d.Warnings {
			said += w.Name + ": " + w.Text + "\n"
		}
		want := map[bool]string{true: "E_NO_LISTENER"}[row.skipped]
		if nameOf(err) != want || row.skipped != strings.Contains(said, "PILOT_SCOPE_GATEWAY_TO_NAMESPACE") {
			t.Errorf("%s: %v, want %q; warnings %q", row.name, err, want, said)
		}
		if !strings.Contains(said, "W_UNCHECKED: no right to get it: ") {
			t.Errorf("%s: nothing says that the mesh config was not read: %q", row.name, said)
		}
	}
}
