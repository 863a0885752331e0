package route_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

var injecting = route.Options{By: "alice", At: noon}

// What is added is removed exactly, whatever stood there before, also when the weights have moved meanwhile.
func TestInjectAndRemove(t *testing.T) {
	const dests = `{destination: {host: reviews, subset: v1}, weight: 90%s}, {destination: {host: reviews, subset: v2}, weight: 10}`
	vs := func(headers string) string {
		return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {namespace: shop, name: web, resourceVersion: "1"}, spec: {http: [{match: [{uri: {prefix: /x}}], redirect: {uri: /y}}, {route: [` +
			fmt.Sprintf(dests, headers) + `]}]}}`
	}
	rule := func(filters string) string {
		return `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: web, resourceVersion: "1", annotations: {a: b}}, spec: {rules: [{backendRefs: [{name: v1, weight: 9` +
			filters + `}, {name: v2, weight: 1}]}]}}`
	}
	for _, tt := range []struct{ why, object, at, value string }{
		{"no headers at all", vs(``), "/spec/http/1/route/0/headers", `{"response":{"set":{"x-mesh-split":"v1"}}}`},
		{"request headers only", vs(`, headers: {request: {set: {a: b}}}`), "/spec/http/1/route/0/headers/response", `{"set":{"x-mesh-split":"v1"}}`},
		{"response headers are removed, none is set", vs(`, headers: {response: {remove: [server]}}`), "/spec/http/1/route/0/headers/response/set", `{"x-mesh-split":"v1"}`},
		{"others are set", vs(`, headers: {response: {set: {a: b}}}`), "/spec/http/1/route/0/headers/response/set/x-mesh-split", `"v1"`},
		{"HTTPRoute without filters", rule(``), "/spec/rules/0/backendRefs/0/filters", `[{"responseHeaderModifier":{"set":[{"name":"x-mesh-split","value":"v1"}]},"type":"ResponseHeaderModifier"}]`},
		{"another filter", rule(`, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]`), "/spec/rules/0/backendRefs/0/filters/1",
			`{"responseHeaderModifier":{"set":[{"name":"x-mesh-split","value":"v1"}]},"type":"ResponseHeaderModifier"}`},
		{"a modifier that sets nothing", rule(`, filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}]`),
			"/spec/rules/0/backendRefs/0/filters/0/responseHeaderModifier/set", `[{"name":"x-mesh-split","value":"v1"}]`},
		{"a modifier that sets something", rule(`, filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: a, value: b}]}}]`),
			"/spec/rules/0/backendRefs/0/filters/0/responseHeaderModifier/set/1", `{"name":"x-mesh-split","value":"v1"}`},
	} {
		o := object(t, tt.object)
		e, err := route.Choose(entries(t, o, nil), "")
		if err != nil {
			t.Fatal(err)
		}
		plan, err := route.PlanInject(e, injecting)
		if err != nil {
			t.Fatalf("%s: %v", tt.why, err)
		}
		if got := opStrings(plan.Ops); !slices.Contains(got, "add "+tt.at+" "+tt.value) {
			t.Errorf("%s: the patch %q lacks %s", tt.why, got, tt.at)
		}
		with := patched(t, o, plan)
		if again, err := route.PlanInject(one(t, with, e), injecting); err != nil || !again.Nothing() {
			t.Errorf("%s: what is there is added again: %v %v", tt.why, again, err)
		}
		moved := patched(t, with, planned(t, with, e, "v2=40"))
		undone, err := route.PlanRemoval(moved, e.Slot())
		if err != nil {
			t.Fatalf("%s: %v", tt.why, err)
		}
		want := patched(t, o, planned(t, o, e, "v2=40"))
		if got := patched(t, moved, undone); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: after removal\n%s\nwant\n%s", tt.why, inJSON(t, got), inJSON(t, want))
		}
		// Without a change of weights nothing at all is left behind.
		if undone, err = route.PlanRemoval(with, ""); err != nil {
			t.Fatal(err)
		}
		left := patched(t, with, undone)
		if annotations := left["metadata"].(map[string]any)["annotations"]; reflect.DeepEqual(annotations, map[string]any{}) {
			delete(left["metadata"].(map[string]any), "annotations") // an empty map is none to the API server
		}
		if !reflect.DeepEqual(left, o) {
			t.Errorf("%s: left behind\n%s\nwant\n%s", tt.why, inJSON(t, left), inJSON(t, o))
		}
	}
}

// Where the header is somebody else's, or the entry is no longer as it was left, nothing is touched.
func TestInjectRefusals(t *testing.T) {
	for _, headers := range []string{`set: {X-Mesh-Split: a}`, `add: {x-mesh-split: a}`, `remove: [x-mesh-split]`} {
		o := virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: reviews, subset: v1}, headers: {response: {`+headers+`}}, weight: 9}, {destination: {host: reviews, subset: v2}, weight: 1}]}]}`)
		if _, err := route.PlanInject(entries(t, o, nil)[0], injecting); nameOf(err) != "E_HEADER_TAKEN" {
			t.Errorf("%s: %v", headers, err)
		}
	}
	o := virtualService(t, "shop", "web", `{http: [{headers: {response: {set: {x-mesh-split: all}}}, route: [{destination: {host: reviews}}]}]}`)
	if _, err := route.PlanInject(entries(t, o, nil)[0], injecting); nameOf(err) != "E_HEADER_TAKEN" {
		t.Errorf("the entry's own header: %v", err)
	}

	o = virtualService(t, "shop", "web", reviews)
	plan, err := route.PlanInject(entries(t, o, nil)[0], injecting)
	if err != nil {
		t.Fatal(err)
	}
	with := inJSON(t, patched(t, o, plan))
	for _, tt := range []struct{ why, old, new, err string }{
		{"as it was left", ``, ``, ""},
		{"a timeout was set meanwhile", `"http":[{`, `"http":[{"timeout":"1s",`, "E_HEADER_CHANGED"},
		{"the header says something else", `"x-mesh-split":"v2"`, `"x-mesh-split":"v3"`, "E_HEADER_CHANGED"},
		{"a note that points elsewhere removes nothing", `\"/spec/http/0/route/0/headers\"`, `\"/spec/http/0/route/0/destination\"`, "E_HEADER_CHANGED"},
	} {
		if !strings.Contains(with, tt.old) {
			t.Fatalf("%s: %s is not in %s", tt.why, tt.old, with)
		}
		now := object(t, strings.Replace(with, tt.old, tt.new, 1))
		if p, err := route.PlanRemoval(now, ""); nameOf(err) != tt.err || err == nil && p.Nothing() {
			t.Errorf("%s: %v, want %s", tt.why, err, tt.err)
		}
	}
	// Somebody who applied the old manifest took the header away: only the note is left, and goes.
	bare := object(t, with)
	bare["spec"] = o["spec"]
	p, err := route.PlanRemoval(bare, "")
	if err != nil || len(p.Ops) != 2 {
		t.Fatalf("%v %v", p, err)
	}
	if p, err := route.PlanRemoval(patched(t, bare, p), ""); err != nil || !p.Nothing() {
		t.Errorf("nothing is left to remove, and yet %v %v", p, err)
	}
}

// The header is removed where it is, also when other routes were put before it or taken away: a note whose header stays is worse than
// both.
func TestRemoveMoved(t *testing.T) {
	const other = `{route: [{destination: {host: ratings}}]}`
	two := `{http: [` + other + `, ` + strings.TrimPrefix(strings.TrimSuffix(reviews, "]}"), "{http: [") + `]}`
	o := virtualService(t, "shop", "web", two)
	plan, err := route.PlanInject(entries(t, o, nil)[1], injecting)
	if err != nil {
		t.Fatal(err)
	}
	with := inJSON(t, patched(t, o, plan))
	routes := func(change func(list []any) []any) route.Object {
		now := object(t, with)
		spec := now["spec"].(map[string]any)
		spec["http"] = change(spec["http"].([]any))
		return now
	}
	first := func(list []any) []any { return list[1:] }
	third := func(list []any) []any { return append([]any{list[0]}, list...) }
	for _, tt := range []struct {
		why string
		now route.Object
		err string
	}{
		{"the route before was taken away", routes(first), ""},
		{"a route was put before", routes(third), ""},
		{"it was moved and changed", routes(func(list []any) []any { list[1].(map[string]any)["timeout"] = "1s"; return third(list) }), "E_HEADER_CHANGED"},
	} {
		for _, slot := range []string{"", "http[1]"} {
			p, err := route.PlanRemoval(tt.now, slot)
			if nameOf(err) != tt.err {
				t.Errorf("%s, %q: %v, want %q", tt.why, slot, err, tt.err)
			}
			if err == nil && strings.Contains(inJSON(t, patched(t, tt.now, p)), route.InjectedHeader) {
				t.Errorf("%s, %q: the header stays\n%s", tt.why, slot, inJSON(t, patched(t, tt.now, p)))
			}
		}
	}
	// What stands now where the note says must not take the note's place.
	if p, err := route.PlanInject(entries(t, routes(third), nil)[1], injecting); nameOf(err) != "E_HEADER_TAKEN" {
		t.Errorf("%v %v", p, err)
	}
	// Annotations that were written anew have no note: whoever injected knows better than to call it removed.
	bare := object(t, with)
	delete(bare["metadata"].(map[string]any), "annotations")
	if p, err := route.PlanRemoval(bare, "http[1]"); nameOf(err) != "E_HEADER_CHANGED" {
		t.Errorf("%v %v", p, err)
	}
	if p, err := route.PlanRemoval(bare, ""); err != nil || !p.Nothing() {
		t.Errorf("without a note it is nobody's to remove: %v %v", p, err)
	}
}

// A history with a note in it is the same history: ids, undo and verdicts do not see it.
func TestInjectionInTheHistory(t *testing.T) {
	o := virtualService(t, "shop", "web", reviews)
	e := entries(t, o, nil)[0]
	o = patched(t, o, planned(t, o, e, "v2=20"))
	plan, err := route.PlanInject(one(t, o, e), injecting)
	if err != nil {
		t.Fatal(err)
	}
	o = patched(t, o, plan)
	h := route.HistoryOf(o)
	if len(h.Items) != 1 || len(h.Warnings) > 0 || h.Injected(e) == nil || h.Injected(e).By != "alice" {
		t.Fatalf("%+v", h)
	}
	o = patched(t, o, planned(t, o, e, "v2=30"))
	undo, err := route.PlanUndo(o, nil, 0, injecting)
	if err != nil || undo.ID() != 3 {
		t.Fatalf("undo: id %d, %v", undo.ID(), err)
	}
	o = patched(t, o, undo)
	if h = route.HistoryOf(o); len(h.Items) != 3 || h.Injected(e) == nil || one(t, o, e).Weights()[1] != 20 {
		t.Errorf("%+v %v", h, one(t, o, e).Weights())
	}
}

// Live with names: the weights are right, and every destination that Envoy sends to says its own.
func TestLiveSaying(t *testing.T) {
	e := entries(t, virtualService(t, "shop", "web", reviews), nil)[0].Saying()
	says := func(a, b string) string {
		one := func(weight, cluster, name string) string {
			return fmt.Sprintf(`{"name":%q,"weight":%s,"response_headers_to_add":[{"header":{"key":"x-mesh-split","value":%q},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"}]}`, cluster, weight, name)
		}
		return `"route":{"weighted_clusters":{"clusters":[` + one("90", v1, a) + `,` + one("10", v2, b) + `]}}`
	}
	for _, tt := range []struct {
		why, action string
		want        route.LiveState
	}{
		{"both say their names", says("v1", "v2"), route.Live},
		{"one says nothing yet", says("v1", ""), route.Differs},
		{"the names are exchanged", says("v2", "v1"), route.Differs},
		{"the weights alone", weighted("90 "+v1, "10 "+v2), route.Differs},
	} {
		if r := dump(t, host("shop.example.com", envoyRoute("", "shop/web", tt.action))).Live(e, route.Origin{}); r.State != tt.want {
			t.Errorf("%s: %v %s, want %v", tt.why, r.State, r.Why, tt.want)
		}
	}
	lone := entries(t, virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: reviews, subset: v1}}]}]}`), nil)[0].Saying()
	action := `"response_headers_to_add":[{"header":{"key":"x-mesh-split","value":"v1"}}],` + plain(v1)
	if r := dump(t, host("shop.example.com", envoyRoute("", "shop/web", action))).Live(lone, route.Origin{}); r.State != route.Live {
		t.Errorf("a lone destination says it by its route: %v %s", r.State, r.Why)
	}
}

func patched(t *testing.T, o route.Object, p *route.Plan) route.Object {
	t.Helper()
	out, err := route.Apply(o, p.Ops)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// one is the entry in another reading of its object.
func one(t *testing.T, o route.Object, e route.Entry) route.Entry {
	t.Helper()
	for _, other := range entries(t, o, nil) {
		if other.Slot() == e.Slot() {
			return other
		}
	}
	t.Fatalf("%s is gone", e)
	return e
}

func planned(t *testing.T, o route.Object, e route.Entry, term string) *route.Plan {
	t.Helper()
	terms, err := route.ParseTerms([]string{term})
	if err != nil {
		t.Fatal(err)
	}
	p, err := route.PlanSet([]route.Entry{one(t, o, e)}, terms, injecting)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func inJSON(t *testing.T, o route.Object) string {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
