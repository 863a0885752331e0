package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// lastApplied is where `kubectl apply` keeps the file it was given.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Webhook is istiod's validation as its chart installs it, with the address it has here. Its failure policy is Fail, as
// istiod itself sets it once it is ready: with istiod gone, no Istio object can be changed.
func (l Layout) Webhook() *unstructured.Unstructured {
	return named("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", "istio-validator-istio-system",
		object{"webhooks": []any{object{
			"name":                    "rev.validation.istio.io",
			"clientConfig":            object{"url": l.WebhookURL, "caBundle": base64.StdEncoding.EncodeToString(l.CA)},
			"admissionReviewVersions": []any{"v1"}, "sideEffects": "None", "failurePolicy": "Fail",
			"timeoutSeconds": int64(5),
			"rules": []any{object{"operations": []any{"CREATE", "UPDATE"}, "apiVersions": []any{"*"}, "resources": []any{"*"},
				"apiGroups": []any{"security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"}}},
		}}})
}

// ServiceEntries make the applications known to the mesh. Kubernetes forbids loopback addresses in EndpointSlices, so the
// Services of the playground are ServiceEntries here, with the same names.
func (l Layout) ServiceEntries() []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	for _, app := range l.Apps {
		name, namespace := splitHost(app.Host)
		objects = append(objects, named("networking.istio.io/v1", "ServiceEntry", namespace, name, object{"spec": object{
			"hosts": []any{app.Host}, "location": "MESH_INTERNAL", "resolution": "STATIC",
			"ports":     []any{object{"number": int64(80), "name": "http", "protocol": "HTTP"}},
			"endpoints": []any{object{"address": "127.0.0.1", "ports": object{"http": int64(app.Port)}, "labels": object{"version": app.Version}}},
		}}))
	}
	return objects
}

// splitHost takes NAME.NAMESPACE.svc.cluster.local apart.
func splitHost(host string) (name, namespace string) {
	name, rest, _ := strings.Cut(host, ".")
	namespace, _, _ = strings.Cut(rest, ".")
	return name, namespace
}

// Files reads the objects of a folder's YAML files, in the order of the files' names, signed as kubectl apply would sign
// them, with every two-way split of a VirtualService set to weights; nil weights leave the files' own.
func Files(dir string, weights []int64) ([]*unstructured.Unstructured, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no *.yaml in %s", dir)
	}
	slices.Sort(names)
	var all []*unstructured.Unstructured
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		objects, err := Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, o := range objects {
			setWeights(o, weights)
			if err := sign(o); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		all = append(all, objects...)
	}
	return all, nil
}

// setWeights writes weights into each http route of a VirtualService that has as many destinations.
func setWeights(o *unstructured.Unstructured, weights []int64) {
	if o.GetKind() != "VirtualService" || weights == nil {
		return
	}
	entries, _, _ := unstructured.NestedSlice(o.Object, "spec", "http")
	for _, entry := range entries {
		route, _ := entry.(object)["route"].([]any)
		if len(route) != len(weights) {
			continue
		}
		for i := range route {
			route[i].(object)["weight"] = weights[i]
		}
	}
	if entries != nil {
		unstructured.SetNestedSlice(o.Object, entries, "spec", "http")
	}
}

// sign adds the annotation in which kubectl apply keeps what it was given.
func sign(o *unstructured.Unstructured) error {
	if o.GetNamespace() == "" {
		o.SetNamespace("default")
	}
	given, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[lastApplied] = string(given) + "\n"
	o.SetAnnotations(annotations)
	return nil
}

// Denies returns nil once istiod's validation speaks: it must deny a VirtualService whose weights add up to nothing. The
// request is a dry run, so an answer of "created" leaves nothing behind; it is the error that is returned until then.
func (c *Client) Denies(ctx context.Context) error {
	probe := named("networking.istio.io/v1", "VirtualService", "default", "mesh-split-sandbox-probe", object{"spec": object{
		"hosts": []any{"probe.invalid"}, "http": []any{object{"route": []any{
			object{"destination": object{"host": "a"}, "weight": int64(0)},
			object{"destination": object{"host": "b"}, "weight": int64(0)}}}}}})
	_, err := c.of(probe).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	switch {
	case err == nil:
		return errors.New("istiod's validation was not asked")
	case strings.Contains(err.Error(), "denied the request"):
		return nil
	}
	return err
}
