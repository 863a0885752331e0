package measure

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

func entry(ds ...route.Destination) route.Entry {
	return route.Entry{Section: route.HTTP, Destinations: ds}
}

func replies(header string, values ...string) []http.Header {
	var list []http.Header
	for _, v := range values {
		h := http.Header{}
		h.Set(header, v)
		list = append(list, h)
	}
	return list
}

func TestIdentify(t *testing.T) {
	prod := route.Destination{Service: "flaskapp", Namespace: "prod", FQDN: "flaskapp.prod.svc.cluster.local", Version: "v1", Short: "prod"}
	stage := route.Destination{Service: "flaskapp", Namespace: "stage", FQDN: "flaskapp.stage.svc.cluster.local", Version: "v2", Short: "stage"}
	promoted := stage
	promoted.Version = "v1"
	subset := func(name string) route.Destination {
		return route.Destination{Service: "reviews", Namespace: "shop", Subset: name, Short: name}
	}
	for _, tt := range []struct {
		name    string
		entry   route.Entry
		replies []http.Header
		header  string
		labels  []string
		err     string
	}{
		{"at 100/0 only v1 answers, and v2's label follows by the same reading",
			entry(prod, stage), replies("x-app-version", "v1", "v1"), "x-app-version", []string{"v1", "v2"}, ""},
		{"a destination's name goes before its version",
			entry(prod, stage), []http.Header{{"X-App-Destination": {"stage"}, "X-App-Version": {"v2"}}}, "x-app-destination", []string{"prod", "stage"}, ""},
		{"subsets are labels", entry(subset("v1"), subset("v2")), replies("version", "v2"), "version", []string{"v1", "v2"}, ""},
		{"a header that means something else is passed over", entry(prod, stage),
			[]http.Header{{"X-App-Version": {"2026.8.1"}, "Version": {"v1"}}}, "version", []string{"v1", "v2"}, ""},
		{"after a promotion both run v1", entry(prod, promoted), replies("x-app-version", "v1"), "", nil, "E_SAME_LABEL"},
		{"nobody says a version", entry(prod, stage), replies("server", "istio-envoy"), "", nil, "E_NO_VERSION"},
		{"a version nobody here has", entry(prod, stage), replies("x-app-version", "v7"), "", nil, "E_NO_VERSION"},
		{"one reply in two names a stranger", entry(prod, stage), replies("x-app-version", "v1", "v7"), "", nil, "E_NO_VERSION"},
	} {
		got, err := identify(tt.entry, tt.replies)
		var f *fault.Error
		if tt.err != "" {
			if !errors.As(err, &f) || f.Name != tt.err || !strings.HasSuffix(f.Hint, "--identify inject") {
				t.Errorf("%s: error %v, want %s with a hint that ends in the last resort", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || got.header != tt.header || !slices.Equal(got.labels, tt.labels) {
			t.Errorf("%s: identify = %+v, %v, want %s %v", tt.name, got, err, tt.header, tt.labels)
		}
	}
}
