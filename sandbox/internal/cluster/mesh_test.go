package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const twoWay = `# a comment alone is no object
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: demoapp, namespace: default}
spec:
  http:
  - route: [{destination: {host: a}, weight: 50}, {destination: {host: b}, weight: 50}]
  - route: [{destination: {host: a}}]
`

func files(t *testing.T, text string, weights []int64) ([]*unstructured.Unstructured, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vsvc.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Files(dir, weights)
}

// Weights go into splits of as many destinations, and into what kubectl would remember as applied: the two agree, as
// after `kubectl apply` of a file with these weights.
func TestFilesWeights(t *testing.T) {
	for _, row := range []struct {
		weights []int64
		want    string
	}{
		{[]int64{100, 0}, `[{"destination":{"host":"a"},"weight":100},{"destination":{"host":"b"},"weight":0}]`},
		{nil, `[{"destination":{"host":"a"},"weight":50},{"destination":{"host":"b"},"weight":50}]`},
		{[]int64{1, 2, 3}, `[{"destination":{"host":"a"},"weight":50},{"destination":{"host":"b"},"weight":50}]`},
	} {
		objects, err := files(t, twoWay, row.weights)
		if err != nil || len(objects) != 1 {
			t.Fatalf("%v: %d objects, %v", row.weights, len(objects), err)
		}
		applied := objects[0].GetAnnotations()[lastApplied]
		if !strings.Contains(applied, row.want) || !strings.Contains(applied, `{"route":[{"destination":{"host":"a"}}]}`) {
			t.Errorf("%v: applied %s, want %s in it", row.weights, applied, row.want)
		}
		entries, _, _ := unstructured.NestedSlice(objects[0].Object, "spec", "http")
		if len(entries) != 2 {
			t.Errorf("%v: %d http routes, want 2", row.weights, len(entries))
		}
	}
}

func TestFilesFaults(t *testing.T) {
	if _, err := files(t, "kind: Gateway\n", nil); err == nil || !strings.Contains(err.Error(), "vsvc.yaml: document 1 has no kind or no name") {
		t.Errorf("a nameless object: %v", err)
	}
	if _, err := files(t, "a: [", nil); err == nil || !strings.Contains(err.Error(), "vsvc.yaml") {
		t.Errorf("broken YAML: %v", err)
	}
	if _, err := Files(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "no *.yaml in") {
		t.Errorf("an empty folder: %v", err)
	}
}

// Every kind that the sandbox creates has a definition or a plural that English rules give.
func TestDefinitions(t *testing.T) {
	definitions, err := Definitions()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, d := range definitions {
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		kinds[kind] = true
	}
	for _, kind := range []string{"Gateway", "VirtualService", "ServiceEntry", "DestinationRule", "PeerAuthentication", "HTTPRoute"} {
		if !kinds[kind] {
			t.Errorf("no definition of %s", kind)
		}
	}
}
