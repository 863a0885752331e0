// Package charts_test lints the charts and renders them with Helm's own packages, and holds what they render against
// goldens, compared by meaning. No Helm binary and no cluster is needed.
package charts_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files; read the diff before you commit it")

// everything switches on what is off by default.
const everything = `
deployment: {tag: v2, version: v2-rc1, destination: blue, replicas: 3, pullSecrets: [{name: registry}], podLabels: {team: shop},
  podAnnotations: {note: "yes"}, annotations: {owner: shop}, nodeSelector: {disk: ssd}, affinity: {podAntiAffinity: {}},
  tolerations: [{operator: Exists}]}
admin: {enabled: true}
autoscaling: {enabled: true}
podDisruptionBudget: {enabled: true, minAvailable: "50%"}
serviceAccount: {name: shop, annotations: {a: b}}
`

func TestRender(t *testing.T) {
	tests := []struct{ golden, release, namespace, values string }{
		{"prod", "demoappv1", "prod", `deployment: {tag: v1}`}, // playground row 6, in its own words
		{"everything", "demoappv2", "stage", everything},
		{"subsets-v1", "demoappv1", "prod", `service: {allReleases: true}`}, // istio-config/subsets: two releases, one Service
		{"subsets-v2", "demoappv2", "prod", `{deployment: {tag: v2}, service: {create: false}, serviceAccount: {create: false, name: flaskapp}}`},
	}
	for _, tt := range tests {
		files, err := render("demoapp", tt.release, tt.namespace, tt.values)
		if err != nil {
			t.Errorf("%s: %v", tt.golden, err)
			continue
		}
		objects := join(files)
		path := filepath.Join("testdata", "demoapp-"+tt.golden+".yaml")
		if *update {
			if err := os.WriteFile(path, objects, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode(t, want), decode(t, objects)); diff != "" {
			t.Errorf("%s: rendered objects differ from %s (-golden +rendered); if you meant it: go test ./charts -update\n%s",
				tt.golden, path, diff)
		}
	}
}

// An unknown field is dropped by an API server without a word; here it is an error.
func TestRenderedFieldsExist(t *testing.T) {
	kinds := map[string]func() any{
		"Deployment":              func() any { return new(appsv1.Deployment) },
		"Service":                 func() any { return new(corev1.Service) },
		"ServiceAccount":          func() any { return new(corev1.ServiceAccount) },
		"Pod":                     func() any { return new(corev1.Pod) },
		"HorizontalPodAutoscaler": func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
		"PodDisruptionBudget":     func() any { return new(policyv1.PodDisruptionBudget) },
	}
	files, err := render("demoapp", "demoappv1", "prod", everything)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, object := range decode(t, join(files)) {
		kind, _ := object["kind"].(string)
		if kinds[kind] == nil {
			t.Errorf("kind %q is not known to this test", kind)
			continue
		}
		seen[kind] = true
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, kinds[kind]()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if len(seen) != len(kinds) {
		t.Errorf("with everything switched on, %v were rendered, want all of %d kinds", seen, len(kinds))
	}
}

// Promotion is `helm upgrade demoappv1 --set deployment.tag=v2`: what the API server holds as immutable, or what decides
// who serves users, must not depend on the version.
func TestPromotionKeepsIdentity(t *testing.T) {
	identity := func(tag string) any {
		files, err := render("demoapp", "demoappv1", "prod", "deployment: {tag: "+tag+"}")
		if err != nil {
			t.Fatal(err)
		}
		var out []any
		for _, object := range decode(t, join(files)) {
			spec, _ := object["spec"].(map[string]any)
			out = append(out, object["kind"], object["metadata"].(map[string]any)["name"], spec["selector"])
		}
		return out
	}
	if diff := cmp.Diff(identity("v1"), identity("v2")); diff != "" {
		t.Errorf("names or selectors change with the version (-v1 +v2)\n%s", diff)
	}
}

func TestValuesRefused(t *testing.T) {
	tests := []struct{ name, values, contains string }{
		{"a mistyped name is no silent default", `deployment: {tga: v2}`, "tga"},
		{"a version that is no label value", `deployment: {tag: "v1/x"}`, "does not match pattern"},
		{"an empty tag", `deployment: {tag: ""}`, "minLength"},
		{"a port that is none", `service: {port: 70000}`, "/service/port"},
		{"replicas as text", `deployment: {replicas: "two"}`, "want integer"},
		{"more than all pods", `podDisruptionBudget: {minAvailable: "101%"}`, "minAvailable"},
		{"autoscaling upside down", `autoscaling: {enabled: true, minReplicas: 9}`, "autoscaling.minReplicas is above"},
	}
	for _, tt := range tests {
		_, err := render("demoapp", "demoappv1", "prod", tt.values)
		if err == nil || !strings.Contains(err.Error(), tt.contains) {
			t.Errorf("%s: values %s gave %v, want an error with %q", tt.name, tt.values, err, tt.contains)
		}
	}
}

func TestNotesNameTheNextCommand(t *testing.T) {
	files, err := render("demoapp", "demoappv2", "stage", `{deployment: {tag: v2}, admin: {enabled: true}}`)
	if err != nil {
		t.Fatal(err)
	}
	notes := files["demoapp/templates/NOTES.txt"]
	for _, want := range []string{"demoappv2 says v2 in stage", "helm test demoappv2 -n stage", "set demoapp stage=30", "9901/-/faults"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes miss %q:\n%s", want, notes)
		}
	}
}

func TestLint(t *testing.T) {
	for _, values := range []string{"{}", everything} {
		lint := action.NewLint()
		lint.Strict, lint.Namespace = true, "prod"
		result := lint.Run([]string{"demoapp"}, parse(t, values))
		for _, message := range result.Messages {
			t.Errorf("helm lint: %s", message)
		}
		for _, err := range result.Errors {
			t.Errorf("helm lint: %v", err)
		}
	}
}

// render gives the chart's files by name, as `helm template` would, after the schema has had its say.
func render(chart, release, namespace, values string) (map[string]string, error) {
	loaded, err := loader.Load(chart)
	if err != nil {
		return nil, err
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, given, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, all)
}

// join is one stream of the rendered objects, in the order of their files' names.
func join(files map[string]string) []byte {
	var names []string
	for name, text := range files {
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(text) != "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var out bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", name, strings.TrimSpace(files[name]))
	}
	return out.Bytes()
}

func decode(t *testing.T, stream []byte) []map[string]any {
	t.Helper()
	var objects []map[string]any
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		var object map[string]any
		if err := decoder.Decode(&object); err == io.EOF {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if object != nil {
			objects = append(objects, object)
		}
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	values, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return values
}
