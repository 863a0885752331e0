package route_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestResolve(t *testing.T) {
	rules := []route.Object{object(t, `{metadata: {namespace: shop, name: reviews}, spec: {host: reviews, subsets: [{name: v1, labels: {version: "1.0"}}, {name: v2, labels: {app.kubernetes.io/version: "2.0"}}]}}`)}
	services := []route.Object{
		object(t, `{metadata: {namespace: shop, name: web-a}, spec: {selector: {app: web, version: v1}}}`),
		object(t, `{metadata: {namespace: shop, name: web-b}, spec: {selector: {app: web, version: v2}}}`),
	}
	entriesOf := []route.Object{object(t, `{metadata: {namespace: prod, name: f}, spec: {hosts: [flaskapp.stage.svc.cluster.local], endpoints: [{labels: {version: v2}}, {labels: {version: v2}}]}}`)}
	mesh := &route.Mesh{DestinationRules: rules, Services: services, ServiceEntries: entriesOf,
		Aliases: map[string]string{"canary": "reviews/v2", "bad": "a=b", "second": "@1"}}
	reps := `{http: [{route: [{destination: {host: a}}, {destination: {host: a}}]}]}`
	web := `{http: [{route: [{destination: {host: web-a}, weight: 100}, {destination: {host: web-b}, weight: 0}]}]}`
	mixed := `{http: [{route: [{destination: {host: Reviews}}, {destination: {host: api.example.com}}, {destination: {host: flaskapp.stage}}]}]}`
	for _, tc := range []struct {
		ns, spec, name string
		want           string // index, or the error's name
		mentions       []string
	}{
		{"shop", reviews, "v2", "1", nil},                                // a subset
		{"shop", reviews, "reviews/v2", "1", nil},                        // host and subset
		{"shop", reviews, "reviews.shop/v2", "1", nil},                   // any host reading before the slash
		{"shop", reviews, "REVIEWS.shop.svc.cluster.local/v2", "1", nil}, // hosts fold case
		{"shop", reviews, "V2", "E_UNKNOWN_DEST", nil},                   // subsets do not
		{"shop", reviews, "shop/v2", "E_UNKNOWN_DEST", nil},              // a namespace is no host
		{"shop", reviews, "1.0", "0", nil},                               // version label of the subset
		{"shop", reviews, "2.0", "1", nil},                               // and the recommended label
		{"shop", reviews, "@1", "1", nil},                                // position
		{"shop", reviews, "@2", "E_UNKNOWN_DEST", []string{"v1, v2"}},    // the hint lists what is there
		{"shop", reviews, "canary", "1", nil},                            // --alias
		{"shop", reviews, "second", "1", nil},                            // an alias of a position
		{"shop", reviews, "bad", "E_UNKNOWN_DEST", nil},                  // an alias that is no name means nothing
		{"shop", reviews, "reviews", "E_AMBIGUOUS_DEST", []string{"v1", "v2"}},
		{"prod", flask, "stage", "1", nil},              // the Service's namespace
		{"prod", flask, "flaskapp.stage", "1", nil},     // svc.ns
		{"prod", flask, "flaskapp.stage.svc", "1", nil}, // svc.ns.svc
		{"prod", flask, "flaskapp.stage.svc.cluster.local", "1", nil},
		{"prod", flask, "v2", "1", nil},                                              // label of the ServiceEntry's endpoints
		{"prod", flask, "flaskapp", "E_AMBIGUOUS_DEST", []string{"prod", "stage"}},   // C04
		{"shop", web, "v2", "1", nil},                                                // C07: label of the Service's selector
		{"shop", ports, "web:9090", "1", nil},                                        // C08
		{"shop", ports, "web", "E_AMBIGUOUS_DEST", []string{"web:8080", "web:9090"}}, // the port belongs to the spelling where it must
		{"shop", ports, "web:1", "E_UNKNOWN_DEST", nil},                              // a port that no destination names
		{"shop", reps, "a", "E_AMBIGUOUS_DEST", []string{"@0, @1"}},                  // a repeated triple: only by position
		{"shop", reps, "@0", "0", nil},                                               //
		{"shop", mixed, "reviews", "0", nil},                                         // a stored host folds case too
		{"shop", mixed, "api.example.com", "1", nil},                                 // an external host as written
		{"shop", mixed, "flaskapp.stage", "2", nil},                                  // a dotted host is literal, and matches as written
		{"shop", mixed, "stage", "E_UNKNOWN_DEST", nil},                              // and it has no namespace
		{"shop", `{http: [{route: [{destination: {host: reviews, subset: v1}}]}]}`, "v2", // C06
			"E_UNKNOWN_DEST", []string{"only destination", "add it first"}},
	} {
		e := entries(t, virtualService(t, tc.ns, "web", tc.spec), mesh)[0]
		n, err := route.ParseName(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.Resolve(n)
		got := nameOf(err)
		if err == nil {
			got = string(rune('0' + d.Index))
		}
		if got != tc.want {
			t.Errorf("%s in %s: got %s (%v), want %s", tc.name, tc.spec, got, err, tc.want)
		}
		for _, m := range tc.mentions {
			if !strings.Contains(text(err), m) {
				t.Errorf("%s in %s: %q does not mention %q", tc.name, tc.spec, text(err), m)
			}
		}
	}
}

func TestShortAndRecord(t *testing.T) {
	for _, tc := range []struct {
		ns, spec      string
		short, record []string
	}{
		{"shop", reviews, []string{"v1", "v2"}, []string{"reviews/v1", "reviews/v2"}},
		{"prod", flask, []string{"prod", "stage"}, []string{"flaskapp", "flaskapp.stage"}}, // the Service's name fits both
		{"shop", ports, []string{"web:8080", "web:9090"}, []string{"web:8080", "web:9090"}},
		{"shop", `{http: [{route: [{destination: {host: a, subset: v1}}, {destination: {host: b, subset: v1}}]}]}`, []string{"a", "b"}, []string{"a/v1", "b/v1"}},
		{"shop", `{tcp: [{route: [{destination: {host: a, subset: x}}, {destination: {host: a.b.svc.cluster.local, subset: x}}]}]}`,
			[]string{"shop", "b"}, []string{"a/x", "a.b/x"}},
		{"shop", `{tls: [{route: [{destination: {host: a.example.com}}, {destination: {host: "x\e[31m"}}]}]}`, // escapes never reach a screen
			[]string{"a.example.com", "shop"}, []string{"a.example.com", "x\x1b[31m"}},
	} {
		var short, record []string
		for _, d := range entries(t, virtualService(t, tc.ns, "web", tc.spec), nil)[0].Destinations {
			short, record = append(short, d.Short), append(record, d.Record)
		}
		if !slices.Equal(short, tc.short) || !slices.Equal(record, tc.record) {
			t.Errorf("%s: got %q %q, want %q %q", tc.spec, short, record, tc.short, tc.record)
		}
	}
	rule := object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: r}, spec: {rules: [{name: main,
		backendRefs: [{name: a, port: 80, weight: 1}, {name: a, namespace: beta, port: 80}, {group: x.io, kind: Pool, name: p}]}]}}`)
	e := entries(t, rule, nil)[0]
	if got := strings.Join(e.Names(), " "); got != "shop beta @2" {
		t.Errorf("HTTPRoute: got %s, want the namespaces and, for another kind, the position", got)
	}
	if d := e.Destinations[1]; d.FQDN != "a.beta.svc.cluster.local" || d.Effective != 1 || d.Stored.Set {
		t.Errorf("HTTPRoute backend: got %+v, want the full host and the schema's weight 1", d)
	}
}

func TestChoose(t *testing.T) {
	two := `{http: [{name: api, ROUTE}, {name: web, ROUTE}, {name: web, redirect: {uri: /}}, {delegate: {name: d, namespace: team}}]}`
	two = strings.ReplaceAll(two, "ROUTE", `route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]`)
	header := `{http: [{match: [{headers: {x: {exact: y}}}], route: [{destination: {host: b}}]}, {route: [{destination: {host: a}}, {destination: {host: b}}]}]}`
	for _, tc := range []struct {
		spec, route, want string
		mentions          string
	}{
		{reviews, "", "http[0]", ""},
		{header, "", "http[1]", ""},     // only one splits
		{header, "0", "http[0]", ""},    // but the other may be named
		{two, "api", "http[0]", ""},     // by name
		{two, "1", "http[1]", ""},       // by index
		{two, "http[1]", "http[1]", ""}, // by slot
		{two, "", "E_CHOOSE", `http[0] "api" (a 1, b 1), http[1] "web"`},
		{two, "web", "E_CHOOSE", "fits 2 routes"}, // names may repeat
		{two, "nope", "E_CHOOSE", "no route"},     //
		{two, "2", "E_NO_WEIGHTS", "redirect"},    // C29 without a probe
		{two, "3", "E_NO_WEIGHTS", "name d with -n team"},
		{`{http: [{route: [{destination: {host: a}}]}]}`, "", "http[0]", ""}, // one destination: the question of C06
		{`{http: []}`, "", "E_NO_WEIGHTS", ""},
		{`{tcp: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]}`, "", "tcp[0]", ""},
	} {
		e, err := route.Choose(entries(t, virtualService(t, "shop", "web", tc.spec), nil), tc.route)
		got := nameOf(err)
		if err == nil {
			got = e.Slot()
		}
		if got != tc.want || !strings.Contains(text(err), tc.mentions) {
			t.Errorf("--route %q of %s: got %s, %q; want %s, mentioning %q", tc.route, tc.spec, got, text(err), tc.want, tc.mentions)
		}
	}
	if _, err := route.Entries(object(t, `{apiVersion: v1, kind: Service}`), nil); err == nil {
		t.Error("a Service has no entries, want an error")
	}
}
