package measure

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// web is an entry of a VirtualService with two subsets of reviews, and what else it has.
func web(t *testing.T, section string, more map[string]any, before ...any) route.Entry {
	t.Helper()
	to := func(subset string) any {
		return map[string]any{"destination": map[string]any{"host": "reviews", "subset": subset}, "weight": int64(50)}
	}
	item := map[string]any{"route": []any{to("v1"), to("v2")}}
	for k, v := range more {
		item[k] = v
	}
	entries, err := route.Entries(route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{section: append(before, item)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return entries[len(entries)-1]
}

func percentage(n int64) map[string]any { return map[string]any{"value": n} }

// Everything that stands between a version and what clients see is said, once and in words of its own.
func TestBends(t *testing.T) {
	hashing := &route.Mesh{DestinationRules: []route.Object{{"metadata": map[string]any{"namespace": "shop", "name": "r"}, "spec": map[string]any{"host": "reviews",
		"trafficPolicy": map[string]any{"loadBalancer": map[string]any{"consistentHash": map[string]any{"useSourceIp": true}}}}}}}
	for _, row := range []struct {
		name string
		raw  map[string]any
		mesh *route.Mesh
		want string // in the only note; "" for none
	}{
		{"nothing special", nil, nil, ""},
		{"retries asked for", map[string]any{"retries": map[string]any{"attempts": int64(3)}}, nil, "retries failing requests"},
		{"attempts absent: Istio's default is to retry", map[string]any{"retries": map[string]any{"retryOn": "5xx"}}, nil, "retries failing requests"},
		{"retries switched off", map[string]any{"retries": map[string]any{"attempts": int64(0)}}, nil, ""},
		{"an injected abort", map[string]any{"fault": map[string]any{"abort": map[string]any{"percentage": percentage(10)}}}, nil, "answers 10 % of the requests itself"},
		{"an injected delay", map[string]any{"fault": map[string]any{"delay": map[string]any{"percentage": percentage(5)}}}, nil, "5 % of the requests are delayed"},
		{"a mirror", map[string]any{"mirror": map[string]any{"host": "shadow"}}, nil, "mirrors requests to shadow.shop.svc.cluster.local"},
		{"hashing inside a version", nil, hashing, "does not bend the split"},
	} {
		got := Bends(web(t, "http", row.raw), row.mesh, "istio-system")
		if row.want == "" && len(got) > 0 || row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestFaultsAreRefused(t *testing.T) {
	aborting := web(t, "http", map[string]any{"fault": map[string]any{"abort": map[string]any{"percentage": percentage(10)}}})
	err := checkFaults(aborting, false)
	var f *fault.Error
	if !errors.As(err, &f) || f.Name != "E_FAULT" || f.Exit != fault.Refused || !strings.Contains(f.Hint, "--allow-fault") {
		t.Errorf("an abort: %v", err)
	}
	if err := checkFaults(aborting, true); err != nil {
		t.Errorf("an abort that is allowed: %v", err)
	}
	if err := checkFaults(web(t, "http", map[string]any{"fault": map[string]any{"delay": map[string]any{"percentage": percentage(10)}}}), false); err != nil {
		t.Errorf("a delay is no abort: %v", err)
	}
}

// A tcp or tls route draws once for each connection.
func TestOneDrawPerConnection(t *testing.T) {
	for _, tt := range []struct {
		section string
		config  verify.Config
		want    int // ConnRequests
		err     string
	}{
		{"http", verify.Config{ConnRequests: 7}, 7, ""},
		{"tcp", verify.Config{}, 1, ""},
		{"tls", verify.Config{ConnRequests: 1}, 1, ""},
		{"tcp", verify.Config{ConnRequests: 2}, 2, "E_REUSED"},
		{"tls", verify.Config{HTTP: verify.HTTP2}, 0, "E_REUSED"},
	} {
		err := oneDraw(web(t, tt.section, nil), &tt.config)
		var f *fault.Error
		named := ""
		if errors.As(err, &f) {
			named = f.Name
		}
		if named != tt.err || tt.config.ConnRequests != tt.want || err != nil && f.Exit != fault.Usage {
			t.Errorf("%s %+v: %v, want %q", tt.section, tt.config.ConnRequests, err, tt.err)
		}
	}
}

// A load that was sent to the port of other entries says nothing of this one.
func TestTheRightPort(t *testing.T) {
	for _, tt := range []struct {
		section, beside, address string
		refused                  bool
	}{
		{"tcp", "", "", false},
		{"tcp", "http", "", true},
		{"tls", "tcp", "", true},
		{"tcp", "http", "http://127.0.0.1:9000", false}, // a person knows
		{"http", "tcp", "", false},                      // requests come in where HTTP is spoken
	} {
		e := web(t, tt.section, nil)
		if tt.beside != "" {
			e.Object["spec"].(map[string]any)[tt.beside] = web(t, tt.beside, nil).Object["spec"].(map[string]any)[tt.beside]
		}
		err := checkPort(e, tt.address)
		if f := new(fault.Error); (err != nil) != tt.refused || err != nil && (!errors.As(err, &f) || f.Exit != fault.Refused || !strings.Contains(f.Hint, "--address")) {
			t.Errorf("%s beside %q, address %q: %v", tt.section, tt.beside, tt.address, err)
		}
	}
}

func head(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func row(name string, target float64, requests uint64) report.Version {
	return report.Version{Name: name, Target: &target, Requests: requests}
}

// What replies show, and what the counts show, ends in the report.
func TestAdmit(t *testing.T) {
	byCookie := map[string]any{"match": []any{map[string]any{"headers": map[string]any{"cookie": map[string]any{"regex": ".*beta.*"}}}},
		"route": []any{map[string]any{"destination": map[string]any{"host": "reviews", "subset": "v2"}}}}
	even := []report.Version{row("v1", 0.5, 50), row("v2", 0.5, 50)}
	for _, tt := range []struct {
		why      string
		heads    []http.Header
		before   []any
		versions []report.Version
		verdict  string // before
		want     string // after
		says     string // in a warning or reason; "" for neither
	}{
		{"nothing", []http.Header{head("Age", "0", "X-Cache", "MISS")}, nil, even, "PASS", "PASS", ""},
		{"a cookie, and nobody looks at it", []http.Header{head("Set-Cookie", "sid=1; Path=/")}, nil, even, "PASS", "PASS", ""},
		{"an entry before looks at cookies, and none is set", []http.Header{head()}, []any{byCookie}, even, "PASS", "PASS", ""},
		{"a cookie, and an entry before looks at it", []http.Header{head("Set-Cookie", "sid=1; Path=/")}, []any{byCookie}, even, "PASS", "PASS", "W_STICKY: replies set the cookies sid, and http[0]"},
		{"a cache: no PASS", []http.Header{head(), head("Age", "12")}, nil, even, "PASS", "INCONCLUSIVE", "come from a cache (Age: 12)"},
		{"a content network", []http.Header{head("X-Cache", "Hit from cloudfront")}, nil, even, "FAIL", "FAIL", "come from a cache (X-Cache: Hit from cloudfront)"},
		{"no variance", nil, nil, []report.Version{row("v1", 0.5, 500), row("v2", 0.5, 0)}, "FAIL", "FAIL", "W_STICKY: all of 500 requests got one version"},
		{"ten in a row are chance", nil, nil, []report.Version{row("v1", 0.5, 10), row("v2", 0.5, 0)}, "INCONCLUSIVE", "INCONCLUSIVE", ""},
		{"100/0 has no variance", nil, nil, []report.Version{row("v1", 1, 500), row("v2", 0, 0)}, "PASS", "PASS", ""},
		{"a version from behind", nil, nil, append([]report.Version{row("b7", 0, 40)}, even...), "FAIL", "FAIL", "the product of two splits"},
	} {
		r := &verify.Report{Verdict: tt.verdict, Versions: tt.versions, Reasons: []report.Reason{{Code: "x", Message: "y"}}}
		site := &Site{say: listen(tt.heads), naming: naming{"version", []string{"v1", "v2"}}}
		site.Admit(r, web(t, "http", nil, tt.before...), &subject.Subject{Gateways: &mesh.Gateways{}})
		text := strings.Join(r.Warnings, "\n")
		for _, reason := range r.Reasons {
			text += "\n" + reason.Message
		}
		if r.Verdict != tt.want || !strings.Contains(text, tt.says) || tt.says == "" && text != "\ny" {
			t.Errorf("%s: %s %q, want %s and %q", tt.why, r.Verdict, text, tt.want, tt.says)
		}
	}
}
