package mesh

import (
	"fmt"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestRevisionOf(t *testing.T) {
	of := func(revisions ...string) (all []istiodPod) {
		for _, r := range revisions {
			all = append(all, istiodPod{namespace: "istio-system", revision: r})
		}
		return all
	}
	for _, row := range []struct {
		name              string
		annotation, label string
		istiods           []istiodPod
		want              string
	}{
		{"the injector's word counts", "1-31", "prod", of("1-30", "1-31"), "1-31"},
		{"also where no istiod may be listed", "1-31", "", nil, "1-31"},
		{"a label that is a revision", "", "1-30", of("1-30", "1-31"), "1-30"},
		{"a label that is a tag of one of two tells nothing", "", "prod", of("1-30", "1-31"), ""},
		{"a tag where there is one istiod, of two pods", "", "prod", of("1-31", "1-31"), "1-31"},
		{"the only istiod", "", "", of("default"), "default"},
		{"two", "", "", of("default", "canary", "default"), ""},
		{"nothing is known", "", "prod", nil, ""},
	} {
		pod := Pod{Revision: row.annotation, Labels: map[string]string{}}
		if row.label != "" {
			pod.Labels[route.RevisionLabel] = row.label
		}
		if got := revisionOf(pod, row.istiods); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestScoped(t *testing.T) {
	of := func(revision string, scoped bool) istiodPod { return istiodPod{revision: revision, scoped: scoped} }
	for _, row := range []struct {
		name    string
		istiods []istiodPod
		want    string
	}{
		{"none may be listed: nothing is known", nil, `[]`},
		{"the flag is off", []istiodPod{of("default", false)}, `[]`},
		{"the only istiod feeds also pods that name none", []istiodPod{of("default", true), of("default", true)}, `["default" ""]`},
		{"of two one runs so: pods that name none may be the other's", []istiodPod{of("default", false), of("canary", true)}, `["canary"]`},
		{"an istiod without a revision beside another", []istiodPod{of("", true), of("canary", false)}, `[]`},
	} {
		if got := fmt.Sprintf("%q", scoped(row.istiods)); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestDiscoverySelectors(t *testing.T) {
	for _, row := range []struct{ mesh, want string }{
		{"accessLogFile: x", "[]"},
		{"discoverySelectors: []", "[]"},
		{"discoverySelectors: [{matchLabels: {a: b}}, {}]", "[map[matchLabels:map[a:b]] map[]]"},
		{"discoverySelectors: 7", "[]"}, // istiod would not take it either: nothing is known
		{"\tnot yaml", "[]"},
	} {
		if got := fmt.Sprint(discoverySelectors(row.mesh)); got != row.want {
			t.Errorf("%s: %s, want %s", row.mesh, got, row.want)
		}
	}
	if got := configMapOf("default") + " " + configMapOf("") + " " + configMapOf("1-31"); got != "istio istio istio-1-31" {
		t.Errorf("ConfigMaps %s", got)
	}
}
