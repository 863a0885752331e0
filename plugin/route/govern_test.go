package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// mesh decodes a stream of YAML documents; each goes to the field of its kind.
func mesh(t testing.TB, docs ...string) *route.Mesh {
	t.Helper()
	m := new(route.Mesh)
	for _, d := range docs {
		o := object(t, d)
		switch o["kind"] {
		case "Gateway":
			m.Gateways = append(m.Gateways, o)
		case "VirtualService":
			m.VirtualServices = append(m.VirtualServices, o)
		case "Pod":
			m.Pods = append(m.Pods, o)
		case "Service":
			m.Services = append(m.Services, o)
		case "DestinationRule":
			m.DestinationRules = append(m.DestinationRules, o)
		default:
			t.Fatalf("kind %v", o["kind"])
		}
	}
	return m
}

// gateway is the sketch that most cases of the corpus share: pod, Service and one Gateway with the given servers.
func gateway(servers string) []string {
	return []string{
		`{kind: Gateway, metadata: {namespace: istio-ingress, name: gw}, spec: {selector: {istio: ingress}, servers: ` + servers + `}}`,
		`{kind: Pod, metadata: {namespace: istio-ingress, name: ing-1, labels: {istio: ingress, pod-template-hash: x1}}}`,
		`{kind: Pod, metadata: {namespace: istio-ingress, name: ing-2, labels: {istio: ingress, pod-template-hash: x2}}}`,
		`{kind: Service, metadata: {namespace: istio-ingress, name: ing}, spec: {selector: {istio: ingress}, ports: [{name: http2, port: 80, targetPort: 8080}]}}`,
	}
}

const (
	plainServer = `[{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]`
	bothServers = `[{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]`
	split       = `route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]`
	even        = `route: [{destination: {host: reviews, subset: v1}, weight: 50}, {destination: {host: reviews, subset: v2}, weight: 50}]`
	v2only      = `route: [{destination: {host: reviews, subset: v2}}]`
)

// vs is a VirtualService bound to the shared gateway; spec is the inside of its spec.
func vs(name, created, spec string) string {
	ns, n, _ := strings.Cut(name, "/")
	return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {namespace: ` + ns + `, name: ` + n + `, creationTimestamp: "2026-11-22T` + created +
		`:00Z"}, spec: {` + spec + `}}`
}

const shop = `hosts: [shop.example.com], gateways: [istio-ingress/gw], `

type governCase struct {
	id       string
	objects  []string
	url      string
	header   string // "name: value"
	dump     *route.Dump
	governs  string // of the decision
	err      string // name of the error
	mentions []string
	warns    string // text of a warning
	config   string // Envoy's route configuration
	host     string // Envoy's virtual host
	envoy    string // name and object of Envoy's route
}

func (tc governCase) run(t *testing.T) {
	t.Helper()
	m := mesh(t, tc.objects...)
	p, err := route.ParseProbe(tc.url)
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(tc.header, ": "); ok {
		p.Headers = map[string][]string{name: {value}}
	}
	d, err := m.Which(p, tc.dump)
	got := ""
	if d.Entry != nil {
		got = d.Entry.String()
	}
	if nameOf(err) != tc.err || tc.governs != "" && got != tc.governs {
		t.Errorf("%s: got %s, %s %q; want %s%s", tc.id, got, nameOf(err), text(err), tc.governs, tc.err)
	}
	if err != nil && fault.ExitCode(err) != fault.Refused {
		t.Errorf("%s: exit code %d, want %d", tc.id, fault.ExitCode(err), fault.Refused)
	}
	for _, want := range tc.mentions {
		if !strings.Contains(text(err), want) {
			t.Errorf("%s: %q does not mention %q", tc.id, text(err), want)
		}
	}
	if said := fmt.Sprint(d.Warnings); !strings.Contains(said, tc.warns) {
		t.Errorf("%s: warnings %s do not say %q", tc.id, said, tc.warns)
	}
	if tc.config != "" && d.RouteConfig != tc.config || tc.host != "" && d.VirtualHost != tc.host {
		t.Errorf("%s: got %s, %s; want %s, %s", tc.id, d.RouteConfig, d.VirtualHost, tc.config, tc.host)
	}
	if tc.envoy != "" && d.EnvoyName+" "+d.ConfigObject() != tc.envoy {
		t.Errorf("%s: got %s %s, want %s", tc.id, d.EnvoyName, d.ConfigObject(), tc.envoy)
	}
}

// The corpus cases of section 2 that need no API server, and C30 of section 7.
func TestGovern(t *testing.T) {
	g := gateway(plainServer)
	with := func(servers []string, more ...string) []string {
		return append(append([]string{}, servers...), more...)
	}
	api := vs("shop/web", "10:00", shop+`http: [{name: api, match: [{uri: {prefix: /api}}], `+split+`}, {`+even+`}]`)
	jason := vs("shop/web", "10:00", shop+`http: [{match: [{headers: {end-user: {exact: jason}}}], `+v2only+`}, {`+split+`}]`)
	oldest := vs("shop/old", "10:00", shop+`http: [{`+split+`}]`)
	newest := vs("shop/new", "11:00", shop+`http: [{`+even+`}]`)
	newX := vs("shop/new", "11:00", shop+`http: [{match: [{uri: {prefix: /x}}], `+even+`}]`)
	wild := vs("shop/wild", "10:00", `hosts: ['*.shop.example.com'], gateways: [istio-ingress/gw], http: [{`+split+`}]`)
	a := vs("shop/a", "11:00", `hosts: [a.shop.example.com], gateways: [istio-ingress/gw], http: [{match: [{uri: {prefix: /x}}], `+even+`}]`)
	narrow := gateway(`[{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.shop.example.com, '*.shop.example.com']}]`)
	one := vs("shop/web", "10:00", shop+`http: [{`+split+`}]`)
	shopHost := func(routes ...string) *route.Dump { return dump(t, host("shop.example.com", routes...)) }
	old, fresh := envoyRoute("", "shop/old", plain(v1)), envoyRoute("", "shop/new", plain(v2))
	root := vs("shop/root", "10:00", shop+`http: [{name: api, match: [{uri: {prefix: /api}}], delegate: {name: api, namespace: team}}]`)
	delegate := vs("team/api", "10:00", `http: [{name: main, route: [{destination: {host: reviews.shop.svc.cluster.local, subset: v1}, weight: 90}, {destination: {host: reviews.shop.svc.cluster.local, subset: v2}, weight: 10}]}]`)
	for _, tc := range []governCase{
		{id: "C09 first match", objects: with(g, api), url: "http://shop.example.com/api/x", governs: `shop/web http[0] "api"`},
		{id: "C10 default", objects: with(g, api), url: "http://shop.example.com/", governs: `shop/web http[1]`},
		{id: "C11 a prefix is a string prefix", objects: with(g, api), url: "http://shop.example.com/apix", governs: `shop/web http[0] "api"`},
		{id: "C13 header absent", objects: with(g, jason), url: "http://shop.example.com/", governs: "shop/web http[1]"},
		{id: "C14 header present", objects: with(g, jason), url: "http://shop.example.com/", header: "end-user: jason", governs: "shop/web http[0]"},
		{id: "C15 nothing after a catch-all", objects: with(g, vs("shop/web", "10:00", shop+`http: [{`+split+`}, {match: [{uri: {prefix: /v2}}], `+v2only+`}]`)),
			url: "http://shop.example.com/v2", governs: "shop/web http[0]", warns: "http[1] can never match"},
		{id: "C16 two catch-alls, no dump", objects: with(g, newest, oldest), url: "http://shop.example.com/", err: "E_ORDER_UNDEFINED", mentions: []string{"shop/old", "shop/new"}},
		{id: "C17 two catch-alls, dump", objects: with(g, newest, oldest), url: "http://shop.example.com/", dump: shopHost(old, fresh), governs: "shop/old http[0]", warns: "W_SHARED_HOST"},
		{id: "C17 the other way round", objects: with(g, newest, oldest), url: "http://shop.example.com/", dump: shopHost(fresh, old), governs: "shop/new http[0]", warns: "W_SHARED_HOST"},
		{id: "C18 specific before an older catch-all", objects: with(g, oldest, newX), url: "http://shop.example.com/x",
			dump: shopHost(strings.Replace(fresh, `"prefix":"/"`, `"prefix":"/x"`, 1), old), governs: "shop/new http[0]", warns: "W_SHARED_HOST"},
		{id: "C19 no fall-through to the wildcard host", objects: with(g, wild, a), url: "http://a.shop.example.com/y", err: "E_NO_ROUTE"},
		{id: "C20 the server lists the narrow host: both land in it", objects: with(narrow, wild, a), url: "http://a.shop.example.com/y", governs: "shop/wild http[0]"},
		{id: "C20 with its dump", objects: with(narrow, wild, a), url: "http://a.shop.example.com/y", governs: "shop/wild http[0]",
			dump: dump(t, host("a.shop.example.com", strings.Replace(envoyRoute("", "shop/a", plain(v2)), `"prefix":"/"`, `"prefix":"/x"`, 1), envoyRoute("", "shop/wild", plain(v1))))},
		{id: "C22 exportTo", objects: with(g, vs("shop/web", "10:00", `exportTo: ['.'], `+shop+`http: [{`+split+`}]`)), url: "http://shop.example.com/", err: "E_NOT_EXPORTED"},
		{id: "C23 server host of another namespace", objects: with(gateway(`[{port: {number: 80, name: http, protocol: HTTP}, hosts: ['prod/*.example.com']}]`), one),
			url: "http://shop.example.com/", err: "E_HOST_NOT_SERVED"},
		{id: "C24 redirect", objects: with(gateway(bothServers), one), url: "http://shop.example.com/", err: "E_REDIRECTS", mentions: []string{"https://shop.example.com/"}},
		{id: "C25 TLS server", objects: with(gateway(bothServers), one), url: "https://shop.example.com/", governs: "shop/web http[0]", config: "https.443.https.gw.istio-ingress"},
		{id: "every delegate dropped: the hint says why", objects: with(g, root, vs("team/api", "10:00", `http: [{match: [{uri: {prefix: /web}}], `+split+`}]`)),
			url: "http://shop.example.com/api", err: "E_NO_ROUTE", mentions: []string{"istiod leaves out", "team/api", "/web"}},
		{id: "C26 delegate", objects: with(g, root, delegate), url: "http://shop.example.com/api", governs: `team/api http[0] "main"`, envoy: "api-main shop/root"},
		{id: "C28 a claim before the default", objects: with(g, vs("shop/web", "10:00", shop+`http: [{match: [{headers: {'@request.auth.claims.group': {exact: beta}}}], `+v2only+`}, {`+split+`}]`)),
			url: "http://shop.example.com/", err: "E_MATCH_UNKNOWN", mentions: []string{"claims"}},
		{id: "C29 no destinations", objects: with(g, vs("shop/web", "10:00", shop+`http: [{redirect: {uri: /new}}]`)), url: "http://shop.example.com/", err: "E_NO_WEIGHTS"},
		{id: "C30 port translation", objects: with(g, one), url: "http://shop.example.com/", governs: "shop/web http[0]", config: "http.8080", host: "shop.example.com:80"},

		{id: "a host in capitals and with a port", objects: with(g, one), url: "http://SHOP.example.com:80/", governs: "shop/web http[0]"},
		{id: "no server for the port", objects: with(g, one), url: "http://shop.example.com:81/", err: "E_NO_LISTENER", mentions: []string{"port 80 HTTP"}},
		{id: "https where only http is", objects: with(g, one), url: "https://shop.example.com/", err: "E_NO_LISTENER"},
		{id: "another host", objects: with(g, one), url: "http://other.example.com/", err: "E_HOST_NOT_SERVED"},
		{id: "mesh only, with a probe", objects: with(g, vs("shop/web", "10:00", `hosts: [shop.example.com], gateways: [mesh], http: [{`+split+`}]`)), url: "http://shop.example.com/", err: "E_MESH_ONLY"},
		{id: "short host", objects: with(g, vs("shop/web", "10:00", `hosts: [reviews], gateways: [istio-ingress/gw], http: [{`+split+`}]`)),
			url: "http://reviews.shop.svc.cluster.local/", governs: "shop/web http[0]"},
		{id: "legacy gateway name", objects: with(g, vs("shop/web", "10:00", `hosts: ['*'], gateways: [gw.istio-ingress.svc.cluster.local], http: [{`+split+`}]`)), url: "http://x.com/", governs: "shop/web http[0]"},
		{id: "a port that is not this server's", objects: with(g, vs("shop/web", "10:00", shop+`http: [{match: [{port: 443}], `+v2only+`}, {`+split+`}]`)), url: "http://shop.example.com/", governs: "shop/web http[1]"},
		{id: "an item for the mesh only", objects: with(g, vs("shop/web", "10:00", shop+`http: [{match: [{gateways: [mesh]}], `+v2only+`}, {`+split+`}]`)), url: "http://shop.example.com/", governs: "shop/web http[1]"},
		{id: "source labels that the gateway has not", objects: with(g, vs("shop/web", "10:00", shop+`http: [{match: [{sourceLabels: {app: x}}], `+v2only+`}, {`+split+`}]`)), url: "http://shop.example.com/", governs: "shop/web http[1]"},
		{id: "Envoy has another route first", objects: with(g, one), url: "http://shop.example.com/", dump: shopHost(envoyRoute("filter", "x/y", plain(v1))), err: "E_DUMP_DIFFERS"},
		{id: "Envoy has the order of entries otherwise", objects: with(g, api), url: "http://shop.example.com/api",
			dump: shopHost(envoyRoute("", "shop/web", plain(v1)), strings.Replace(envoyRoute("api", "shop/web", plain(v1)), `"prefix":"/"`, `"prefix":"/api"`, 1)), err: "E_DUMP_DIFFERS"},
		{id: "Envoy agrees", objects: with(g, api), url: "http://shop.example.com/api", governs: `shop/web http[0] "api"`,
			dump: shopHost(strings.Replace(envoyRoute("api", "shop/web", plain(v1)), `"prefix":"/"`, `"prefix":"/api","case_sensitive":true`, 1), envoyRoute("", "shop/web", plain(v1)))},
		{id: "Envoy knows the host not yet", objects: with(g, one), url: "http://shop.example.com/", dump: dump(t, host("other.com")), err: "E_DUMP_DIFFERS"},
		{id: "no gateway pods at all", objects: with(g[:1], one), url: "http://shop.example.com/", governs: "shop/web http[0]", config: "http.80"},
		{id: "pods that no Gateway selects", objects: with(g[1:], one), url: "http://shop.example.com/", err: "E_NO_LISTENER"},
	} {
		t.Run(tc.id, tc.run)
	}
}

// C12, and the root of C26 by name.
func TestRequire(t *testing.T) {
	api := vs("shop/web", "10:00", shop+`http: [{name: api, match: [{uri: {prefix: /api}}], `+split+`}, {`+even+`}]`)
	other := vs("shop/other", "10:00", `hosts: [other.com], gateways: [istio-ingress/gw], http: [{`+split+`}]`)
	m := mesh(t, append(gateway(plainServer), api, other)...)
	p, _ := route.ParseProbe("http://shop.example.com/api/x")
	d, err := m.Which(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	web, others := entries(t, m.VirtualServices[0], m), entries(t, m.VirtualServices[1], m)
	for _, route := range []string{"", "0", "api", "http[0]"} {
		if e, err := d.Require(web, route); err != nil || e.Slot() != "http[0]" {
			t.Errorf("--route %q: got %s, %v; want http[0]", route, e, err)
		}
	}
	_, err = d.Require(web, "1")
	if nameOf(err) != "E_ROUTE_NOT_GOVERNING" || !strings.Contains(text(err), "http[0]") || !strings.Contains(text(err), "http[1]") {
		t.Errorf("C12: got %q, want E_ROUTE_NOT_GOVERNING with http[0] and http[1]", text(err))
	}
	if _, err = d.Require(others, ""); nameOf(err) != "E_ROUTE_NOT_GOVERNING" {
		t.Errorf("another object: got %v, want E_ROUTE_NOT_GOVERNING", err)
	}
}

func TestDelegate(t *testing.T) {
	root := vs("shop/root", "10:00", shop+`http: [{name: api, match: [{uri: {prefix: /api}}], delegate: {name: api, namespace: team}}]`)
	delegateOf := func(spec string) string { return vs("team/api", "10:00", spec) }
	g := gateway(plainServer)
	for _, tc := range []struct {
		id, root, spec, want string
		mentions             []string
	}{
		{"C26", root, `http: [{name: main, ` + split + `}]`, "", nil},
		{"within the root", root, `http: [{match: [{uri: {prefix: /api/v2}}, {uri: {exact: /api}}], ` + split + `}]`, "", nil},
		{"C27 not a subset", root, `http: [{match: [{uri: {prefix: /web}}], ` + split + `}]`, "E_DELEGATE_DROPPED", []string{"/web", "/api"}},
		{"one of its items outside", root, `http: [{match: [{uri: {prefix: /api/x}}, {uri: {prefix: /web}}], ` + split + `}]`, "E_DELEGATE_DROPPED", nil},
		{"a regex beside a prefix", root, `http: [{match: [{uri: {regex: "/api.*"}}], ` + split + `}]`, "E_DELEGATE_DROPPED", nil},
		{"ignoreUriCase must agree", root, `http: [{match: [{ignoreUriCase: true, uri: {prefix: /api/x}}], ` + split + `}]`, "E_DELEGATE_DROPPED", nil},
		{"not exported to the root", root, `exportTo: ["."], http: [{` + split + `}]`, "E_DELEGATE_DROPPED", []string{"not exported"}},
		{"exported to the root", root, `exportTo: [shop], http: [{` + split + `}]`, "", nil},
		{"nobody delegates", vs("shop/root", "10:00", shop+`http: [{`+split+`}]`), `http: [{` + split + `}]`, "E_DELEGATE_DROPPED", []string{"no VirtualService delegates"}},
	} {
		m := mesh(t, append(append([]string{}, g...), tc.root, delegateOf(tc.spec))...)
		e := entries(t, m.VirtualServices[1], m)[0]
		o, _, err := m.Reach(e)
		if nameOf(err) != tc.want {
			t.Errorf("%s: got %v, want %q", tc.id, err, tc.want)
		}
		for _, want := range tc.mentions {
			if !strings.Contains(text(err), want) {
				t.Errorf("%s: %q does not mention %q", tc.id, text(err), want)
			}
		}
		if err == nil && o.Root["metadata"].(map[string]any)["name"] != "root" {
			t.Errorf("%s: got root %v", tc.id, o.Root)
		}
	}
	// Envoy knows the delegate's routes under the root's name; without names they are paired in order.
	unnamed := vs("shop/root", "10:00", shop+`http: [{match: [{uri: {prefix: /x}}], `+v2only+`}, {match: [{uri: {prefix: /api}}], delegate: {name: api, namespace: team}}, {`+even+`}]`)
	m := mesh(t, append(append([]string{}, g...), unnamed, delegateOf(`http: [{route: [{destination: {host: reviews.shop.svc.cluster.local, subset: v1}, weight: 90}, {destination: {host: reviews.shop.svc.cluster.local, subset: v2}, weight: 10}]}]`))...)
	e := entries(t, m.VirtualServices[1], m)[0]
	o, _, err := m.Reach(e)
	if err != nil {
		t.Fatal(err)
	}
	d := dump(t, host("*", envoyRoute("", "shop/root", plain(v2)), envoyRoute("", "shop/root", weighted("90 "+v1, "10 "+v2)), envoyRoute("", "shop/root", weighted("50 "+v1, "50 "+v2))))
	for _, origin := range []route.Origin{o, {}} { // the mesh knows the root, too
		if got := d.Live(e, origin); got.State != route.Live {
			t.Errorf("delegate without a name: got %s (%s), want live", got.State, got.Why)
		}
	}
	samples, err := e.Samples(route.Probe{Path: "/"}, route.Given{}, route.Listener{Port: 80})
	if err != nil || len(samples) != 1 || samples[0].Probe.Path != "/api" { // by the root's condition
		t.Errorf("a request for the delegate: %+v, %v", samples, err)
	}
	// Every root counts, and what is neither root nor delegate of one does not.
	other := vs("shop/other", "11:00", `hosts: [other.example.com], gateways: [istio-ingress/gw], http: [{delegate: {name: api, namespace: team}}]`)
	m = mesh(t, append(append([]string{}, g...), unnamed, delegateOf(`http: [{`+split+`}]`), other, vs("shop/web", "12:00", shop+`http: [{`+split+`}]`))...)
	roots, err := m.Roots(entries(t, m.VirtualServices[1], m)[0])
	if err != nil || len(roots) != 2 || len(m.Families(roots)) != 3 {
		t.Errorf("%d roots, %d in their families, %v; want 2 and 3", len(roots), len(m.Families(roots)), err)
	}
}

func TestReach(t *testing.T) {
	g := gateway(plainServer)
	for _, tc := range []struct{ id, spec, want string }{
		{"C21 mesh only", `hosts: [reviews], http: [{` + split + `}]`, "E_MESH_ONLY"},
		{"named mesh", `hosts: [reviews], gateways: [mesh], http: [{` + split + `}]`, "E_MESH_ONLY"},
		{"bound", shop + `http: [{` + split + `}]`, ""},
		{"kept at home", `exportTo: [.], ` + shop + `http: [{` + split + `}]`, "E_NOT_EXPORTED"},
		{"exported to nobody", `exportTo: ["~"], ` + shop + `http: [{` + split + `}]`, "E_NOT_EXPORTED"},
		{"exported to the gateway", `exportTo: [istio-ingress], ` + shop + `http: [{` + split + `}]`, ""},
	} {
		m := mesh(t, append(append([]string{}, g...), vs("shop/web", "10:00", tc.spec))...)
		if _, _, err := m.Reach(entries(t, m.VirtualServices[0], m)[0]); nameOf(err) != tc.want {
			t.Errorf("%s: got %v, want %q", tc.id, err, tc.want)
		}
	}
}

// People paste the address that works in their browser, and that is a node's.
func TestNodePort(t *testing.T) {
	objects := append(gateway(plainServer), vs("shop/r", "10:00", shop+`http: [{name: a, `+split+`}]`))
	objects[3] = strings.Replace(objects[3], "port: 80,", "port: 80, nodePort: 31380,", 1)
	governCase{id: "node port", objects: objects, url: "http://shop.example.com:31380/", governs: `shop/r http[0] "a"`}.run(t)
	governCase{id: "nobody's port", objects: objects, url: "http://shop.example.com:31381/", err: "E_NO_LISTENER", mentions: []string{"port 31381"}}.run(t)
}
