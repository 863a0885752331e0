//go:build unix

package plugintest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Question 7: what does an istiod read at all? Two of them run on one API server, the sandbox's of revision default, and one of revision
// canary with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, and each feeds a gateway of its own.
func TestBehaviourUnread(t *testing.T) {
	path := bin(t)
	in := startIngress(t, func(in *ingress) {
		in.revision = "canary"
		in.xds = startIstiod(in.world, path, "canary", in.take, map[string]string{"PILOT_SCOPE_GATEWAY_TO_NAMESPACE": "true"})
	})
	in.create(read(t, `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw, namespace: istio-ingress}, spec: {selector: {istio: ingress},
		servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}`))
	in.create(read(t, `{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration,
		metadata: {name: istio-revision-tag-prod, labels: {istio.io/tag: prod, istio.io/rev: default}}, webhooks: []}`))
	seen := &readings{ingress: in}

	var lines []string
	for _, label := range []string{"", "default", "canary", "prod", `""`} {
		o := seen.route("default", "default/app-gateway", "istio-ingress/gw")
		revision(o, label)
		in.create(o)
		lines = append(lines, fmt.Sprintf("%s: %s", map[string]string{"": "without it", "prod": "prod, a tag of default", `""`: "with no value"}[label]+plainly(label), seen.by(o)))
	}
	of := "Routes of a VirtualService, by its label istio.io/rev. " + strings.Join(lines, "; ") + "."

	gateway := read(t, `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: unread, namespace: default}, spec: {selector: {istio: ingressgateway},
		servers: [{port: {number: 80, name: http-unread, protocol: HTTP}, hosts: ["*"]}]}}`)
	revision(gateway, "canary")
	in.create(gateway)
	o := seen.route("default", "default/unread")
	in.create(o)
	kinds := "A Gateway of Istio of revision canary, and a VirtualService without a label that is bound to it: its routes are " + seen.by(o) + "."
	in.remove(o)

	manifest, err := httpRouteManifest(shared, "HTTPRoute", "unread-api", "50", "50")
	if err != nil {
		t.Fatal(err)
	}
	labelled := strings.Replace(string(manifest), "{name: unread-api, namespace: istio-system}", "{name: unread-api, namespace: istio-system, labels: {istio.io/rev: canary}}", 1)
	kubectl(t, path, labelled, "apply", "-f", "-")
	t.Cleanup(func() { kubectl(t, path, labelled, "delete", "--wait=false", "-f", "-") })
	kinds += " A Gateway of the Gateway API of revision canary, and an HTTPRoute without a label: " + seen.api() + "."
	in.merge("HTTPRoute", "default", "unread-api", "test", `{metadata: {labels: {istio.io/rev: canary}}}`)
	kinds += " The HTTPRoute of revision canary: " + seen.api() + "."

	foreign := read(t, `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: unread, namespace: team}, spec: {selector: {istio: ingress},
		servers: [{port: {number: 80, name: http-team, protocol: HTTP}, hosts: ["*"]}]}}`)
	in.create(foreign)
	scoped := seen.route("team", "team/unread", "default/app-gateway")
	in.create(scoped)
	scope := "A VirtualService bound to team/unread, whose selector takes canary's gateway pods in istio-ingress, and to default/app-gateway, which takes default's in istio-system: its routes are " + seen.by(scoped) + "."
	names(t, path, scoped, "istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, and the gateway pods in istio-ingress take no Gateway of another namespace, such as team/unread")

	both := seen.route("shop", "default/app-gateway", "istio-ingress/gw")
	in.create(both)
	before := seen.by(both)
	back := hideNamespace(t, "shop")
	t.Cleanup(back)
	hidden := "Routes of a VirtualService in namespace shop: " + before + ". With discoverySelectors in the mesh config of default that take every namespace but shop: " + seen.by(both) + "."
	names(t, path, both, "istiod reads nothing in namespace shop")
	back()
	hidden += " Without them again: " + seen.by(both) + "."

	back = hideNamespace(t, "istio-system")
	t.Cleanup(back)
	time.Sleep(unreadTime)
	root := "With discoverySelectors that take every namespace but istio-system, the root namespace, the Service of whose gateways maps port 80 to theirs, those gateways have "
	root += either(listening(), "the listener of app-gateway", "no listener of app-gateway any more") + "."
	names(t, path, seen.last, "istiod reads nothing in namespace istio-system, where service istio-system/istio-ingressgateway is")
	back()
	eventually(t, func() string { return either(listening(), "", "the listener has not come back") })
	onPage(t, "unread", strings.Join([]string{"- " + of, "- " + kinds, "- " + hidden, "- " + root, "- " + scope}, "\n"))
}

// unreadTime is how long an istiod is given to take something away: it pushes after 100 ms, at most after 10 s when changes come fast.
const unreadTime = 2 * time.Second

// readings tell which istiod reads an object by the gateways' Envoys.
type readings struct {
	*ingress
	made int
	last *unstructured.Unstructured
}

// route is one more VirtualService, for a host of its own.
func (r *readings) route(namespace string, gateways ...string) *unstructured.Unstructured {
	r.made++
	o := read(r, demoRoute(fmt.Sprintf("unread-%d", r.made), "50", "50", ""))
	o.SetNamespace(namespace)
	if err := unstructured.SetNestedStringSlice(o.Object, gateways, "spec", "gateways"); err != nil {
		r.Fatal(err)
	}
	r.last = o
	return o
}

// by says which gateways have routes of a VirtualService, once every push of what was written before has come.
func (r *readings) by(o *unstructured.Unstructured) string {
	time.Sleep(unreadTime)
	r.pushed()
	source := o.GetNamespace() + "/" + o.GetName()
	var who []string
	for _, one := range []struct{ name, admin string }{{"default", shared.Gateways()[0].AdminURL}, {"canary", r.admin}} {
		if d, _ := dumpOf(r, one.admin); present(d.MadeOf(source)) {
			who = append(who, one.name)
		}
	}
	switch len(who) {
	case 0:
		return "in no gateway"
	case 1:
		return "in the gateways of " + who[0] + " alone"
	}
	return "in the gateways of both"
}

// api says whether the sandbox's Envoys have routes of the HTTPRoute's host.
func (r *readings) api() string {
	time.Sleep(unreadTime)
	d, _ := dumpOf(r, shared.Gateways()[0].AdminURL)
	for _, c := range d.Configs {
		for _, h := range c.Config.Hosts {
			if slices.Contains(h.Domains, "unread-api.example.com") {
				return "its routes are in default's gateways"
			}
		}
	}
	return "no routes of it are in default's gateways"
}

func kubectl(t *testing.T, path, manifest string, args ...string) {
	t.Helper()
	c := exec.Command(filepath.Join(path, "kubectl"), args...)
	c.Env, c.Stdin = append(os.Environ(), "KUBECONFIG="+shared.Kubeconfig()), strings.NewReader(manifest)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("kubectl %v: %v\n%s", args, err, out)
	}
}

func revision(o *unstructured.Unstructured, label string) {
	if label != "" {
		o.SetLabels(map[string]string{"istio.io/rev": strings.Trim(label, `"`)})
	}
}

func plainly(label string) string { return either(label == "default" || label == "canary", label, "") }

// names fails the test if status does not name the cause.
func names(t *testing.T, path string, o *unstructured.Unstructured, cause string) {
	t.Helper()
	out, err := plugin(t.Context(), path, "status", o.GetName(), "-n", o.GetNamespace(), "--observe=0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), cause) {
		t.Errorf("status of %s does not say %q: %v\n%s", o.GetName(), cause, err, out)
	}
}

// listening says whether users are answered at all.
func listening() bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Get(shared.GatewayURL())
	if err != nil {
		return false
	}
	reply.Body.Close()
	return reply.StatusCode == http.StatusOK
}
