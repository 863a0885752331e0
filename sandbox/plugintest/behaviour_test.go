//go:build unix

package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// What the plugin relies on and neither Kubernetes, Istio nor Envoy promise: each question of docs/istio-behaviour.md is asked here
// of the real ones, and the page holds the answers word for word.

// Question 4: in which order does Envoy hold the routes of several VirtualServices of one host?
func TestBehaviourOrder(t *testing.T) {
	w := newWorld(t)
	vs := func(namespace, name, export, http string) {
		w.create(read(t, fmt.Sprintf(`{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: %s, namespace: %s}, spec: {
			exportTo: [%s], hosts: [order.example.com], gateways: [default/app-gateway], http: [%s]}}`, name, namespace, export, http)))
	}
	to := func(prefix string) string {
		return fmt.Sprintf("{name: n%s, match: [{uri: {prefix: /%s}}], route: [{destination: {host: flaskapp.prod.svc.cluster.local}}]}", prefix, prefix)
	}
	const all = "{name: all, route: [{destination: {host: flaskapp.prod.svc.cluster.local}}]}"
	vs("default", "order-z", `"*"`, to("old")+", "+all)
	time.Sleep(1100 * time.Millisecond)
	vs("default", "order-a", `"*"`, to("new")+", "+all)
	time.Sleep(1100 * time.Millisecond)
	vs("default", "order-list", "istio-system, default", to("list"))
	time.Sleep(1100 * time.Millisecond)
	vs("istio-system", "order-own", `"."`, to("own"))
	var order []string
	eventually(t, func() string {
		order = nil
		d, _ := dumpOf(t, shared.Gateways()[0].AdminURL)
		for _, c := range d.Configs {
			for _, r := range d.Of(c.Config.Name, "order.example.com") {
				_, name, _ := strings.Cut(r.Source(), "/")
				order = append(order, strings.TrimPrefix(name, "order-")+" "+strings.TrimPrefix(r.Name, "n"))
			}
		}
		if len(order) != 6 {
			return fmt.Sprintf("routes %v, not yet 6", order)
		}
		return ""
	})
	onPage(t, "order", "Created in the order z, a, list, own; z and a each end in a catch-all; list is exported to a list of namespaces, own to its own, which is the gateways'. Envoy holds: "+strings.Join(order, ", ")+".")
}

// Question 5: what does the API server say to a patch whose test fails?
func TestBehaviourFailedTest(t *testing.T) {
	w := newWorld(t)
	w.create(read(t, demoRoute("failed-test", "100", "0", "")))
	_, err := w.of("VirtualService", "default").Patch(t.Context(), "failed-test", types.JSONPatchType,
		[]byte(`[{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"replace","path":"/spec/http/0/route/0/weight","value":70}]`), metav1.PatchOptions{})
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("got %v", err)
	}
	s := status.Status()
	causes := "no details"
	if s.Details != nil {
		causes = fmt.Sprintf("details of kind %q with %d causes", s.Details.Kind, len(s.Details.Causes))
	}
	client, err := clientOf(shared)
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	onPage(t, "failed-test", fmt.Sprintf("Kubernetes %s.%s answers %d, reason %s, %s, message: `%s`.", version.Major, version.Minor, s.Code, s.Reason, causes, s.Message))
}

// Question 6: what do last_updated and version_info of a dump tell, with delta xDS and without?
func TestBehaviourVersions(t *testing.T) {
	path, in := bin(t), startIngress(t)
	in.create(read(t, `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw, namespace: istio-ingress}, spec: {selector: {istio: ingress},
		servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}`))
	o := read(t, demoRoute("versions", "50", "50", ""))
	_ = unstructured.SetNestedStringSlice(o.Object, []string{"default/app-gateway", "istio-ingress/gw"}, "spec", "gateways")
	in.create(o)
	in.pushed(fmt.Sprintf("http.%d", in.port))
	run(t, path, "wait", "versions", "--for=live")
	var text bytes.Buffer
	for _, row := range []struct{ name, admin string }{{"State of the world", shared.Gateways()[0].AdminURL}, {"Delta", in.admin}} {
		look := func() (version, updated string) {
			d, _ := dumpOf(t, row.admin)
			for _, c := range d.Configs {
				for _, h := range c.Config.Hosts {
					if slices.Contains(h.Domains, "versions.example.com") {
						return c.Version, c.Updated
					}
				}
			}
			t.Fatalf("%s: no versions.example.com", row.name)
			return "", ""
		}
		version, updated := look()
		in.pushed() // a push to both that changes nothing of this route configuration
		time.Sleep(500 * time.Millisecond)
		version2, updated2 := look()
		run(t, path, "set", "versions", map[string]string{"Delta": "stage=30", "State of the world": "stage=40"}[row.name])
		version3, updated3 := look()
		moved := func(is bool) string { return either(is, "moves", "stands") }
		fmt.Fprintf(&text, "- %s: version_info is %s. When istiod pushes and this configuration is the same, last_updated %s and version_info %s; when weights change, last_updated %s and version_info %s.\n",
			row.name, shape(version), moved(updated2 != updated), moved(version2 != version), moved(updated3 != updated2), moved(version3 != version2))
	}
	onPage(t, "versions", text.String())
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// shape says what a version looks like.
func shape(version string) string {
	if version == "" {
		return "empty"
	}
	if _, err := time.Parse(time.RFC3339, version[:strings.IndexByte(version+"/", '/')]); err == nil {
		return "the time and number of istiod's push"
	}
	return "a text such as `" + version + "`"
}
