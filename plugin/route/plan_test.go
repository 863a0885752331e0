package route_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestPlanOps(t *testing.T) { // C01
	p := mustSet(t, virtualService(t, "shop", "web", reviews), "v2=30")
	want := []string{
		`test /metadata/resourceVersion "4711"`,
		`test /spec/http/0/route/0 {"destination":{"host":"reviews","subset":"v1"},"weight":90}`,
		`test /spec/http/0/route/1 {"destination":{"host":"reviews","subset":"v2"},"weight":10}`,
		`replace /spec/http/0/route/0/weight 70`,
		`replace /spec/http/0/route/1/weight 30`,
		`add /metadata/annotations {}`,
		`add /metadata/annotations/mesh-split.dev~1history "[{\"v\":1,\"id\":1,\"at\":\"2026-11-22T12:00:00Z\",\"by\":\"alice\",\"op\":\"set\",` +
			`\"route\":\"http[0]\",\"d\":[\"reviews/v1\",\"reviews/v2\"],\"from\":[90,10],\"to\":[70,30],\"verdict\":\"pending\"}]"`,
	}
	if got := opStrings(p.Ops); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := p.Lines(); !slices.Equal(got, []string{"v1 90 % → 70 % (70 of 100)", "v2 10 % → 30 % (30 of 100)"}) {
		t.Errorf("lines: got %q", got)
	}
	if p.ID() != 1 || p.Nothing() {
		t.Errorf("got id %d, nothing %v; want 1, false", p.ID(), p.Nothing())
	}
}

func TestPlanAbsentWeights(t *testing.T) { // C05
	p := mustSet(t, virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: reviews, subset: v1}}, {destination: {host: reviews, subset: v2}}]}]}`), "v2=10")
	got := opStrings(p.Ops)
	for _, want := range []string{"add /spec/http/0/route/0/weight 90", "add /spec/http/0/route/1/weight 10"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
	if p.Items[0].From[0] != nil {
		t.Errorf("history: got from %v, want null for an absent key", *p.Items[0].From[0])
	}
}

func TestPlanCases(t *testing.T) {
	for _, tc := range []struct {
		id, ns, spec, term string
		want               []int64
	}{
		{"C02", "prod", flask, "stage=30", []int64{70, 30}},
		{"C03", "prod", flask, "flaskapp.stage=30", []int64{70, 30}},
		{"C08", "shop", ports, "web:9090=20", []int64{80, 20}},
	} {
		p := mustSet(t, virtualService(t, tc.ns, "web", tc.spec), tc.term)
		if got := p.Changes[0].Weights(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.id, got, tc.want)
		}
	}
}

// What the vectors do not hold: the order of checks, limits, hints.
func TestPlanErrors(t *testing.T) {
	split := func(a, b any) string {
		return fmt.Sprintf(`{http: [{route: [{destination: {host: v1}, weight: %v}, {destination: {host: v2}, weight: %v}]}]}`, a, b)
	}
	three := `{http: [{route: [{destination: {host: v1}, weight: 0}, {destination: {host: v2}, weight: 0}, {destination: {host: v3}, weight: 0}]}]}`
	sum := func(n int64) route.Options { return route.Options{Sum: &n} }
	for _, tc := range []struct {
		spec, terms string
		o           route.Options
		want, hint  string
	}{
		{split(90, 10), "v2=30", sum(1), "E_OPTIONS", "--sum"},
		{split(90, 10), "v2=30", sum(1_000_001), "E_OPTIONS", "--sum"},
		{split(90, 10), "v1=rest v2=rest", route.Options{}, "E_OPTIONS", ""},
		{split(90, 10), "nope=rest v2=10", route.Options{Spread: true}, "E_OPTIONS", ""}, // options before names
		{split(90, 10), "nope=30 v2=x", route.Options{}, "E_SYNTAX", "v2=30"},            // form before names
		{split(90, 10), "v2=200 v1=x", route.Options{}, "E_RANGE", ""},                   // term by term
		{split(-1, 10), "nope=30", route.Options{}, "E_UNKNOWN_DEST", ""},                // names before weights
		{split(-1, 10), "v2=30", route.Options{}, "E_BAD_WEIGHT", "integer"},
		{split(1.5, 10), "v2=30", route.Options{}, "E_BAD_WEIGHT", ""},
		{split(`"90"`, 10), "v2=30", route.Options{}, "E_BAD_WEIGHT", ""},
		{split(2147483648, 10), "v2=30", route.Options{}, "E_BAD_WEIGHT", ""},
		{split(-1, 10), "v1=80 v2=30", route.Options{}, "E_BAD_WEIGHT", ""}, // weights before shares
		{split(2147483647, 2147483647), "v2=30", route.Options{}, "E_LIMIT", "--sum"},
		{split(9, 1), "v2=25", route.Options{}, "E_GRANULARITY", "--sum 100"},
		{split(100, 0), "v2=0.4", route.Options{}, "E_GRANULARITY", "--sum 1000"},
		{split(100, 0), "v2=0.0001", route.Options{}, "E_GRANULARITY", "--sum 1000000"},
		{split(3, 1), "v2=50", route.Options{Istio: "1.14.5"}, "E_OLD_SUM", "--sum 100"},
		{split(100, 0), "v2=0.4", route.Options{Istio: "1.14.5"}, "E_GRANULARITY", "whole percentages"}, // a finer sum would be refused
		{three, "v1=50", route.Options{Spread: true}, "E_NO_BASIS", ""},
		{three, "v1=50 v2=30", route.Options{}, "", ""}, // the only unnamed one takes the rest
		{three, "v1=100", route.Options{}, "", ""},
	} {
		_, err := set(virtualService(t, "shop", "web", tc.spec), nil, tc.o, strings.Fields(tc.terms)...)
		if nameOf(err) != tc.want || !strings.Contains(text(err), tc.hint) {
			t.Errorf("%s in %s: got %s %q, want %s with hint %q", tc.terms, tc.spec, nameOf(err), text(err), tc.want, tc.hint)
		}
		if err != nil && fault.ExitCode(err) != fault.Usage {
			t.Errorf("%s: exit code %d, want %d", tc.terms, fault.ExitCode(err), fault.Usage)
		}
	}
}

func TestParseTerm(t *testing.T) {
	for _, text := range []string{"v2=0", "v2=100", "v2=12.5", "v2=0.0001", "a.b.svc/v2:8080=99.9999", "@0=rest", "v2=rest"} {
		term, err := route.ParseTerm(text)
		if err != nil || term.String() != text {
			t.Errorf("%q: got %s, %v", text, term, err)
		}
	}
	for _, text := range []string{"", "v2", "=5", "v2=", "v2=-1", "v2=+1", "v2=030", "v2=1e1", "v2=.5", "v2=5.", "v2=5.12345", "v2=5%%", "v2= 5", "v2=REST",
		"v2=rest%", "/v2=5", "a/=5", "a/b/c=5", "a:x=5", "a:=5", "a:0=5", "@x=5", "@=5", "@01=5", "a b=5", "a\x1b[m=5", "a=b=5", "a@b=5", "v2=٣"} {
		if term, err := route.ParseTerm(text); nameOf(err) != "E_SYNTAX" {
			t.Errorf("%q: got %v, %v; want E_SYNTAX", text, term, err)
		}
	}
}

// Several entries change in one patch; each is tested, and the items of one change know each other.
func TestPlanSeveralEntries(t *testing.T) {
	o := virtualService(t, "shop", "web", `{http: [{name: a, ROUTE}, {name: b, ROUTE}]}`)
	es := dup(t, o)
	terms, _ := route.ParseTerms([]string{"v2=30"})
	p, err := route.PlanSet(es, terms, route.Options{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Items) != 2 || p.ID() != 2 || p.Items[1].With != 1 || p.Items[0].With != 1 || p.Items[0].Route != "http[1] b" {
		t.Errorf("got items %+v", p.Items)
	}
	after := apply(t, p)
	undo, err := route.PlanUndo(after, nil, 0, route.Options{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if got := undo.Lines(); len(got) != 4 || got[0] != "http[0] v1 70 % → 90 % (90 of 100)" {
		t.Errorf("undo takes back both entries: got %q", got)
	}
}

func dup(t *testing.T, o route.Object) []route.Entry {
	spec := `{http: [{name: a, ROUTE}, {name: b, ROUTE}]}`
	spec = strings.ReplaceAll(spec, "ROUTE", `route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]`)
	return entries(t, virtualService(t, "shop", "web", spec), nil)
}

// anySplit draws an object with one entry and terms that fit it.
func anySplit(t *rapid.T) (route.Object, []string, route.Options) {
	n := rapid.IntRange(1, 6).Draw(t, "destinations")
	section := rapid.SampledFrom([]string{"http", "tcp", "tls", "rules"}).Draw(t, "section")
	var list []any
	for i := range n {
		item := map[string]any{"destination": map[string]any{"host": fmt.Sprintf("v%d", i)}, "headers": map[string]any{"x": "<&>"}}
		if section == "rules" {
			item = map[string]any{"name": fmt.Sprintf("v%d", i), "filters": []any{}}
		}
		if w := rapid.Int64Range(-1, 1000).Draw(t, "weight"); w >= 0 {
			item["weight"] = w
		}
		list = append(list, item)
	}
	o := route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"namespace": "shop", "name": "web", "resourceVersion": "1", "annotations": map[string]any{"a/b~c": "<x>"}},
		"spec":     map[string]any{section: []any{map[string]any{"route": list, "unknown": 0.5}}, "unknown": map[string]any{"x": 1e300}}}
	if section == "rules" {
		o["apiVersion"], o["kind"] = "gateway.networking.k8s.io/v1", "HTTPRoute"
		o["spec"] = map[string]any{"rules": []any{map[string]any{"backendRefs": list}}}
	}
	var terms []string
	for i := range n {
		switch rapid.IntRange(0, 5).Draw(t, "term") {
		case 0, 1:
			terms = append(terms, fmt.Sprintf("@%d=%s", i, big.NewRat(rapid.Int64Range(0, 1_000_000).Draw(t, "share"), 10_000).FloatString(4)))
		case 2:
			terms = append(terms, fmt.Sprintf("v%d=rest", i))
		}
	}
	options := route.Options{Spread: rapid.Bool().Draw(t, "spread"), At: noon}
	if rapid.Bool().Draw(t, "sum") {
		sum := rapid.Int64Range(2, 1_000_000).Draw(t, "N")
		options.Sum = &sum
	}
	return o, terms, options
}

// A plan touches weight fields and the history only; it never changes the object it was given; the sum is exact; a second
// run of the same command finds nothing to do (ties aside, and options that round
// the others too); the real patch library of API servers accepts it and agrees on the result.
func TestPlanProperties(t *testing.T) {
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		o, terms, options := anySplit(t)
		before, _ := json.Marshal(o)
		p, err := set(o, nil, options, terms...)
		if after, _ := json.Marshal(o); string(after) != string(before) {
			t.Fatalf("the object was changed: %s", after)
		}
		if err != nil {
			return
		}
		planned++
		c := p.Changes[0]
		if options.Sum != nil && c.Sum() != *options.Sum && !(len(c.To) == 1 && c.Entry.Section != route.Rules) {
			t.Fatalf("sum %d, want %d", c.Sum(), *options.Sum)
		}
		if p.Nothing() {
			return
		}
		for _, op := range p.Ops {
			if op.Op != "test" && !strings.HasSuffix(op.Path, "/weight") && op.Path != "/metadata/annotations/mesh-split.dev~1history" {
				t.Fatalf("op %s touches something else", op)
			}
		}
		result, err := route.Apply(o, p.Ops)
		if err != nil {
			t.Fatal(err)
		}
		patch, err := p.Patch()
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			t.Fatal(err)
		}
		served, err := decoded.Apply(before)
		if err != nil {
			t.Fatalf("the API server's library refuses: %v\n%s", err, patch)
		}
		if mine, _ := json.Marshal(result); !jsonpatch.Equal(mine, served) {
			t.Fatalf("got %s, the API server has %s", mine, served)
		}
		again, err := set(result, nil, route.Options{Spread: options.Spread, At: noon}, terms...)
		if plain := options.Sum == nil && !options.Spread && !tied(terms, c.Sum()); plain && (err != nil || !again.Nothing()) {
			t.Fatalf("again: %v, %v; want nothing to do", again, err)
		}
		if p.Diff("ctx") == "" || !strings.Contains(p.Diff("ctx"), "+") {
			t.Fatalf("no diff: %q", p.Diff("ctx"))
		}
	})
	if planned == 0 {
		t.Error("no drawn case could be planned")
	}
}

// tied says whether a named share of sum n lies halfway between two integers, or two of them fall equally short.
func tied(terms []string, n int64) bool {
	seen := map[string]bool{}
	for _, text := range terms {
		term, err := route.ParseTerm(text)
		if err != nil || term.Rest() {
			continue
		}
		q := new(big.Rat).Mul(term.Share, new(big.Rat).SetInt64(n))
		f := q.Sub(q, new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom())))
		if f.Cmp(big.NewRat(1, 2)) == 0 || f.Sign() > 0 && seen[f.String()] {
			return true
		}
		seen[f.String()] = true
	}
	return false
}

// The rule of ties (larger current weight first, then lower index) moves one unit when a command that cannot be said
// exactly is run twice: the first run made the weights equal, so that now the index decides. A third run finds nothing.
func TestTieTwice(t *testing.T) {
	o := virtualService(t, "shop", "web", `{http: [{route: [{destination: {host: v1}, weight: 10}, {destination: {host: v2}, weight: 90}]}]}`)
	for run, want := range [][]int64{{50, 50}, {51, 49}, {51, 49}} {
		p := mustSet(t, o, "v2=49.5")
		if got := p.Changes[0].Weights(); !slices.Equal(got, want) {
			t.Errorf("run %d: got %v, want %v", run+1, got, want)
		}
		o = apply(t, p)
	}
}
