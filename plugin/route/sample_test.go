package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// What a match asks for, said as the flags that ask for it.
func TestSamples(t *testing.T) {
	web := func(http string) route.Entry {
		return entries(t, object(t, vs("shop/web", "10:00", shop+`http: [`+http+`]`)), nil)[0]
	}
	http := func(match string) route.Entry { return web(`{match: ` + match + `, ` + split + `}`) }
	rule := func(kind, matches string) route.Entry {
		return entries(t, object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: `+kind+`, metadata: {namespace: shop, name: web}, spec: {rules: [{matches: `+matches+
			`, backendRefs: [{name: v1, weight: 1}, {name: v2, weight: 1}]}]}}`), nil)[0]
	}
	for _, tt := range []struct {
		why   string
		entry route.Entry
		probe route.Probe
		given route.Given
		want  []string // flags of each sample
		lacks string   // the flag that the hint names
	}{
		{why: "no match: / will do", entry: web(`{` + split + `}`), want: []string{""}},
		{why: "what fits already needs nothing", entry: http(`[{uri: {prefix: /}}]`), want: []string{""}},
		{why: "a prefix is a path", entry: http(`[{uri: {prefix: /api}}]`), want: []string{"--path /api"}},
		{why: "an exact path", entry: http(`[{uri: {exact: /api/cart}}]`), want: []string{"--path /api/cart"}},
		{why: "case does not count, and the path stays as it is written", entry: http(`[{uri: {exact: /API}, ignoreUriCase: true}]`), want: []string{"--path /API"}},
		{why: "a given path that fits stays", entry: http(`[{uri: {prefix: /api}}]`), probe: route.Probe{Path: "/api/x"}, given: route.Given{Path: true}, want: []string{""}},
		{why: "a given path that does not fit: the decision will say", entry: http(`[{uri: {prefix: /api}}]`), probe: route.Probe{Path: "/x"}, given: route.Given{Path: true}, want: []string{""}},
		{why: "a header canary", entry: http(`[{headers: {x-canary: {exact: 'yes'}}}]`), want: []string{"-H 'x-canary: yes'"}},
		{why: "the prefix of a header's value is a value; presence is any", entry: http(`[{headers: {a: {prefix: ab}, b: {}}}]`), want: []string{"-H 'a: ab' -H 'b: 1'"}},
		{why: "a given header is not replaced", entry: http(`[{headers: {x-canary: {exact: 'yes'}}}, {headers: {x-beta: {exact: 'on'}}}]`),
			probe: route.Probe{Headers: map[string][]string{"X-Canary": {"no"}}}, want: []string{"-H 'x-beta: on'"}},
		{why: "what is given in other case fits", entry: http(`[{headers: {x-canary: {exact: 'yes'}}}]`), probe: route.Probe{Headers: map[string][]string{"X-Canary": {"yes"}}}, want: []string{""}},
		{why: "secrets are sent, not shown", entry: http(`[{headers: {cookie: {exact: 'user=jason'}}}]`), want: []string{"-H 'cookie: …'"}},
		{why: "each item is a way", entry: http(`[{uri: {prefix: /a}}, {uri: {exact: /b}, headers: {c: {exact: d}}}]`), want: []string{"--path /a", "--path /b -H 'c: d'"}},
		{why: "items for another port, or for the sidecars, are none", entry: http(`[{uri: {prefix: /a}, port: 8443}, {uri: {prefix: /m}, gateways: [mesh]}, {uri: {prefix: /b}}]`), want: []string{"--path /b"}},
		{why: "a query", entry: http(`[{uri: {prefix: /a}, queryParams: {v: {exact: "2"}, w: {prefix: x}}}]`), want: []string{"--path '/a?v=2&w=x'"}},
		{why: "HEAD changes nothing, and is sent unasked", entry: http(`[{method: {exact: HEAD}}]`), want: []string{"-X HEAD"}},
		{why: "POST may change something: a person says it", entry: http(`[{method: {exact: POST}}]`), lacks: "-X POST"},
		{why: "a given method stays", entry: http(`[{method: {exact: POST}}]`), probe: route.Probe{Method: "POST"}, given: route.Given{Method: true}, want: []string{""}},
		{why: "a host with a port", entry: http(`[{authority: {exact: 'shop.example.com:8080'}}]`), want: []string{"--host shop.example.com:8080"}},
		{why: "part of a host is no host", entry: http(`[{authority: {prefix: beta.}}]`), lacks: "--host HOST"},
		{why: "a regular expression that / fits", entry: http(`[{uri: {regex: '/.*'}}]`), want: []string{""}},
		{why: "one that begins with a path that fits", entry: http(`[{uri: {regex: '/api(/.*)?'}}]`), want: []string{"--path /api"}},
		{why: "one that only a person can meet", entry: http(`[{uri: {regex: '/item/[0-9]+'}}]`), lacks: "--path /PATH"},
		{why: "a cookie by a regular expression", entry: http(`[{headers: {cookie: {regex: '^(.*?;)?(user=jason)(;.*)?$'}}}]`), lacks: "-H 'cookie: VALUE'"},
		{why: "a query by a regular expression", entry: http(`[{queryParams: {v: {regex: '[0-9]+'}}}]`), lacks: "--path '/PATH?v=VALUE'"},
		{why: "one item can be met, that is enough", entry: http(`[{uri: {regex: '/item/[0-9]+'}}, {uri: {prefix: /b}}]`), want: []string{"--path /b"}},
		{why: "https only, over http: the decision will say", entry: http(`[{scheme: {exact: https}}]`), want: []string{""}},
		{why: "a token's claims cannot be known", entry: http(`[{headers: {'@request.auth.claims.group': {exact: dev}}}]`), want: []string{""}},
		{why: "a header that must not be there, and is", entry: http(`[{withoutHeaders: {x: {}}}]`), probe: route.Probe{Headers: map[string][]string{"x": {"1"}}}, want: []string{""}},

		{why: "HTTPRoute: a path, headers, a query", entry: rule("HTTPRoute", `[{path: {type: PathPrefix, value: /api/}, headers: [{name: x, value: "1"}], queryParams: [{name: q, value: z}]}]`),
			want: []string{"--path '/api?q=z' -H 'x: 1'"}},
		{why: "HTTPRoute: exact", entry: rule("HTTPRoute", `[{path: {type: Exact, value: /x}, method: GET}]`), want: []string{"--path /x"}},
		{why: "GRPCRoute: a header", entry: rule("GRPCRoute", `[{headers: [{name: x, value: "1"}]}]`), want: []string{"-H 'x: 1'"}},
		{why: "GRPCRoute: a method is not called unasked, but named", entry: rule("GRPCRoute", `[{method: {service: shop.Cart, method: Get}}]`), lacks: "--grpc=shop.Cart/Get"},
		{why: "GRPCRoute: any method of a service", entry: rule("GRPCRoute", `[{method: {service: shop.Cart}}]`), lacks: "--grpc=PACKAGE.SERVICE/METHOD"},
	} {
		p := tt.probe
		p.Scheme, p.Host = "http", "shop.example.com"
		if p.Path == "" {
			p.Path = "/"
		}
		samples, err := tt.entry.Samples(p, tt.given, route.Listener{Port: 80})
		if nameOf(err) != map[bool]string{true: "E_CHOOSE"}[tt.lacks != ""] || err != nil && fault.ExitCode(err) != fault.Usage {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		if tt.lacks != "" && !strings.Contains(text(err), "say it with "+tt.lacks) {
			t.Errorf("%s: %q, want a hint with %s", tt.why, text(err), tt.lacks)
		}
		var got []string
		for _, s := range samples {
			got = append(got, strings.Join(s.Flags, " "))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// A sample governs what it was made for, by the rules of the whole decision.
func TestSamplesAreGoverned(t *testing.T) {
	m := mesh(t, append(gateway(plainServer), vs("shop/web", "10:00", shop+`http: [{name: canary, match: [{headers: {x: {exact: "1"}}}], `+even+`}, {name: api, match: [{uri: {prefix: /api}}], `+split+`}, {`+split+`}]`))...)
	for _, e := range entries(t, m.VirtualServices[0], m) {
		samples, err := e.Samples(route.Probe{Scheme: "http", Host: "shop.example.com", Path: "/"}, route.Given{}, route.Listener{Port: 80})
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Which(samples[0].Probe, nil)
		if err == nil {
			err = d.Confirm(e)
		}
		if err != nil {
			t.Errorf("%s: %v", e, err)
		}
		for _, other := range entries(t, m.VirtualServices[0], m) {
			if other.Slot() != e.Slot() && nameOf(d.Confirm(other)) != "E_ROUTE_NOT_GOVERNING" {
				t.Errorf("%s is taken for %s", e, other)
			}
		}
	}
}

// Two gateway workloads, of which one has a Gateway and a VirtualService for the same host: only what is behind the pods counts.
func TestBehind(t *testing.T) {
	inner := []string{
		`{kind: Gateway, metadata: {namespace: infra, name: inner}, spec: {selector: {istio: inner}, servers: ` + plainServer + `}}`,
		`{kind: Pod, metadata: {namespace: infra, name: in-1, labels: {istio: inner}}}`,
		vs("infra/web", "09:00", `hosts: [shop.example.com], gateways: [infra/inner], http: [{`+even+`}]`),
	}
	m := mesh(t, append(append(gateway(plainServer), inner...), vs("shop/web", "10:00", shop+`http: [{`+split+`}]`))...)
	p := route.Probe{Scheme: "http", Host: "shop.example.com", Path: "/"}
	for _, tt := range []struct{ pod, governs string }{{"ing-1", "shop/web http[0]"}, {"in-1", "infra/web http[0]"}} {
		var pods []route.Object
		for _, o := range m.Pods {
			if o["metadata"].(map[string]any)["name"] == tt.pod {
				pods = append(pods, o)
			}
		}
		d, err := m.Behind(pods).Which(p, nil)
		if err != nil || fmt.Sprint(d.Entry) != tt.governs || len(d.Warnings) > 0 {
			t.Errorf("behind %s: %v, %v %v, want %s", tt.pod, d.Entry, err, d.Warnings, tt.governs)
		}
	}
}
