package route_test

import (
	"errors"
	"testing"
	"time"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// object decodes YAML as the API machinery decodes JSON: whole numbers are int64.
func object(t testing.TB, text string) route.Object {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var o route.Object
	if err := utiljson.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// virtualService is an object with the given lists of the spec, in YAML flow style.
func virtualService(t testing.TB, ns, name, spec string) route.Object {
	t.Helper()
	return object(t, `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {namespace: `+ns+`, name: `+name+
		`, resourceVersion: "4711"}, spec: `+spec+`}`)
}

const (
	reviews = `{http: [{route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]}]}`
	flask   = `{http: [{route: [{destination: {host: flaskapp.prod.svc.cluster.local}, weight: 100}, {destination: {host: flaskapp.stage.svc.cluster.local}, weight: 0}]}]}`
	ports   = `{http: [{route: [{destination: {host: web, port: {number: 8080}}, weight: 50}, {destination: {host: web, port: {number: 9090}}, weight: 50}]}]}`
)

func entries(t testing.TB, o route.Object, m *route.Mesh) []route.Entry {
	t.Helper()
	es, err := route.Entries(o, m)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

// set plans a change of the object's only weighted entry.
func set(o route.Object, m *route.Mesh, options route.Options, terms ...string) (*route.Plan, error) {
	parsed, err := route.ParseTerms(terms)
	if err != nil {
		return nil, err
	}
	es, err := route.Entries(o, m)
	if err != nil {
		return nil, err
	}
	e, err := route.Choose(es, "")
	if err != nil {
		return nil, err
	}
	return route.PlanSet([]route.Entry{e}, parsed, options)
}

func mustSet(t testing.TB, o route.Object, terms ...string) *route.Plan {
	t.Helper()
	p, err := set(o, nil, route.Options{By: "alice", At: noon, Verdict: "pending"}, terms...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// apply is the object after the plan, as the API server would answer it.
func apply(t testing.TB, p *route.Plan) route.Object {
	t.Helper()
	o, err := route.Apply(p.Object, p.Ops)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// nameOf is an error's machine name, "" for nil.
func nameOf(err error) string {
	var e *fault.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Name
	}
	return err.Error()
}

// text is all that a person sees of an error.
func text(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Error() + "\n" + e.Hint
	}
	return ""
}

func opStrings(ops []route.Op) []string {
	out := make([]string, len(ops))
	for i, o := range ops {
		out[i] = o.String()
	}
	return out
}
