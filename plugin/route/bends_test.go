package route_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

const twoReviews = `route: [{destination: {host: reviews, subset: v1}, weight: 9}, {destination: {host: reviews, subset: v2}, weight: 1}]`

func entryOf(t *testing.T, more string) route.Entry {
	t.Helper()
	return entries(t, virtualService(t, "shop", "web", `{http: [{`+more+twoReviews+`}]}`), nil)[0]
}

func ruleOf(t *testing.T, more string) route.Entry {
	t.Helper()
	return entries(t, object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: web}, spec: {rules: [{`+more+
		`backendRefs: [{name: v1, port: 80, weight: 9}, {name: v2, port: 80, weight: 1}]}]}}`), nil)[0]
}

func TestInjectedFaults(t *testing.T) {
	for _, tt := range []struct {
		raw            string
		delay, aborted float64
	}{
		{``, 0, 0},
		{`fault: {abort: {httpStatus: 503, percentage: {value: 12.5}}}, `, 0, 12.5},
		{`fault: {abort: {httpStatus: 503}}, `, 0, 0}, // Istio: without a percentage none is aborted
		{`fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}, `, 100, 0},
		{`fault: {delay: {fixedDelay: 1s, percent: 5}}, `, 5, 0}, // as it was written before 1.1
	} {
		if delay, aborted := entryOf(t, tt.raw).InjectedFaults(); delay != tt.delay || aborted != tt.aborted {
			t.Errorf("%s: %v %v, want %v %v", tt.raw, delay, aborted, tt.delay, tt.aborted)
		}
	}
}

func TestMirrors(t *testing.T) {
	elsewhere, own := "{shadow.shop.svc.cluster.local false}", "{reviews.shop.svc.cluster.local subset v2 true}"
	for _, tt := range []struct {
		entry route.Entry
		want  []string
	}{
		{entryOf(t, ``), nil},
		{entryOf(t, `mirror: {host: shadow}, `), []string{elsewhere}},
		{entryOf(t, `mirror: {host: shadow}, mirrorPercentage: {value: 0}, `), nil},
		{entryOf(t, `mirror: {host: shadow}, mirrorPercentage: {value: 0.5}, `), []string{elsewhere}},
		{entryOf(t, `mirrors: [{destination: {host: reviews, subset: v2}, percentage: {value: 10}}, {destination: {host: shadow}}], `), []string{own, elsewhere}},
		{entryOf(t, `mirror: {host: reviews, subset: v3}, `), []string{"{reviews.shop.svc.cluster.local subset v3 false}"}},
		{ruleOf(t, `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: shadow, port: 80}}}], `), []string{elsewhere}},
		{ruleOf(t, `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: v2, port: 80}, percent: 5}}], `), []string{"{v2.shop.svc.cluster.local true}"}},
		{ruleOf(t, `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: v2, port: 80}, percent: 0}}], `), nil},
	} {
		var got []string
		for _, m := range tt.entry.Mirrors() {
			got = append(got, fmt.Sprint(m))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: %q, want %q", tt.entry.Raw, got, tt.want)
		}
	}
}

func TestSessions(t *testing.T) {
	rule := func(ns, policy string) string {
		return `{kind: DestinationRule, metadata: {namespace: ` + ns + `, name: r}, spec: {host: reviews.shop.svc.cluster.local, ` + policy + `}}`
	}
	const hash = `{loadBalancer: {consistentHash: {httpHeaderName: user}}}`
	for _, tt := range []struct {
		why, object string
		want        []string
	}{
		{"nothing", rule("shop", `trafficPolicy: {loadBalancer: {simple: RANDOM}}`), nil},
		{"for all subsets", rule("shop", `trafficPolicy: `+hash), []string{"v1 (consistentHash of DestinationRule shop/r)", "v2 (consistentHash of DestinationRule shop/r)"}},
		{"for one", rule("shop", `subsets: [{name: v2, trafficPolicy: `+hash+`}]`), []string{"v2 (consistentHash of DestinationRule shop/r)"}},
		{"for all but one", rule("shop", `trafficPolicy: `+hash+`, subsets: [{name: v2, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]`), []string{"v1 (consistentHash of DestinationRule shop/r)"}},
		{"for a port", rule("shop", `trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {consistentHash: {useSourceIp: true}}}]}`),
			[]string{"v1 (consistentHash of DestinationRule shop/r)", "v2 (consistentHash of DestinationRule shop/r)"}},
		{"a rule that the gateway does not see", rule("elsewhere", `trafficPolicy: `+hash), nil},
		{"a persistent session", `{kind: Service, metadata: {namespace: shop, name: reviews, labels: {istio.io/persistent-session: sid}}}`,
			[]string{"v1 (istio.io/persistent-session)", "v2 (istio.io/persistent-session)"}},
	} {
		if got := mesh(t, tt.object).Sessions(entryOf(t, ``), "istio-ingress"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestByCookie(t *testing.T) {
	o := virtualService(t, "shop", "web", `{http: [{match: [{headers: {Cookie: {regex: '.*beta.*'}}}], `+twoReviews+`}, {match: [{headers: {x: {exact: y}}}], `+twoReviews+`}, {`+twoReviews+`}]}`)
	for i, want := range [][]string{nil, {"http[0]"}, {"http[0]"}} {
		if got := entries(t, o, nil)[i].ByCookie(); !slices.Equal(got, want) {
			t.Errorf("http[%d]: %q, want %q", i, got, want)
		}
	}
}

// A route elsewhere that mirrors to a destination of the entry is counted there, as one that sends there is.
func TestOthersMirror(t *testing.T) {
	e := entryOf(t, ``)
	mine := envoyRoute("", "shop/web", weighted("9 "+v1, "1 "+v2))
	action := `"route":{"cluster":"outbound|80||shadow.shop.svc.cluster.local","request_mirror_policies":[{"cluster":"` + v2 + `","trace_sampled":false}]}`
	d := dump(t, host("shop.example.com", mine), host("other.example.com", envoyRoute("", "shop/other", action), envoyRoute("", "shop/third", plain("outbound|80||third.shop.svc.cluster.local"))))
	if got := d.Others(e, route.Origin{}); !slices.Equal(got, []string{"shop/other"}) {
		t.Errorf("%q, want the route that mirrors", got)
	}
}
