//go:build linux

package e2e

import (
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/nodes"
)

func istio(t *testing.T, w world) {
	for _, deployment := range []string{"istiod", "istio-ingressgateway"} {
		w.must(t, "kubectl", "rollout", "status", "-n", "istio-system", "deployment/"+deployment, "--timeout=60s")
	}
	if got := w.field(t, "istio-system", "deployment istio-ingressgateway", "{.status.readyReplicas}"); got != "2" {
		t.Errorf("ready gateway pods: got %s, want 2", got)
	}
	certificate := filepath.Join(w.Dir(), "pki", "apiserver") // any will do
	w.must(t, "kubectl", "create", "secret", "tls", "app-gateway-tls", "-n", "istio-system", "--cert="+certificate+".crt", "--key="+certificate+".key")
	for _, alternative := range []string{"mtls", "https", "header", "subsets"} { // what the cluster would be with it
		w.must(t, "istioctl", "analyze", "--all-namespaces", "--failure-threshold", "Error", filepath.Join("istio-config", alternative))
	}
	w.must(t, "istioctl", "analyze", "--all-namespaces", "--failure-threshold", "Warning")
}

func charts(t *testing.T, w world) {
	for _, r := range []struct{ release, namespace, version string }{{"demoappv1", "prod", "v1"}, {"demoappv2", "stage", "v2"}} {
		ready := w.field(t, r.namespace, "pods -l app.kubernetes.io/instance="+r.release,
			"{range .items[*]}{.status.initContainerStatuses[?(@.name=='istio-proxy')].ready} {.status.containerStatuses[*].ready}{end}")
		if words := strings.Fields(ready); len(words) != 2 || words[0] != "true" || words[1] != "true" {
			t.Errorf("%s: sidecar and application ready: got %q, want both true", r.release, ready)
		}
		w.must(t, "helm", "test", r.release, "-n", r.namespace, "--timeout", "90s")
		if got := w.field(t, r.namespace, "deployment "+r.release, "{.spec.template.metadata.labels.version}"); got != r.version {
			t.Errorf("%s: version %s, want %s", r.release, got, r.version)
		}
	}
}

// The plugin finds the address by itself; curl's ten requests of the original are 400 here, so that their split says
// something: 50 of 400 is five standard deviations.
func gateway(t *testing.T, w world) {
	w.apply(t, "vsvc.yaml")
	w.plugin(t, []int{0}, "wait", "demoapp", "--for=live")
	versions, statuses := w.ask(t, w.GatewayURL(), 400)
	if statuses[http.StatusOK] != 400 || math.Abs(float64(versions["v1"]-200)) > 50 || versions["v1"]+versions["v2"] != 400 {
		t.Errorf("400 requests at 50/50: got %v, statuses %v", versions, statuses)
	}
	got := w.plugin(t, []int{0}, append([]string{"verify", "demoapp"}, sure...)...)
	if text := got.stdout + got.stderr; !strings.Contains(text, w.GatewayURL()) {
		t.Errorf("verify does not name %s as where it sends the load", w.GatewayURL())
	}
}

func strictTLS(t *testing.T, w world) {
	pod := "http://" + w.field(t, "prod", "pods", "{.items[0].status.podIP}") + ":8080/"
	if _, statuses := w.ask(t, pod, 1); statuses[http.StatusOK] != 1 { // else a refusal would prove nothing
		t.Fatalf("before: plain text to the pod: statuses %v, want a 200", statuses)
	}
	w.apply(t, "mtls/")
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: w.DialContext, DisableKeepAlives: true}}
	refused := eventually(func() bool {
		reply, err := client.Get(pod)
		if err == nil {
			reply.Body.Close()
		}
		return err != nil && strings.Contains(err.Error(), "reset by peer")
	})
	if !refused {
		t.Error("plain text to a pod is still answered under STRICT")
	}
	w.plugin(t, []int{0}, append([]string{"verify", "demoapp"}, sure...)...)
}

func addons(t *testing.T, w world) {
	samples, err := istioModule(t, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kiali", "prometheus", "grafana", "jaeger", "loki"} {
		w.must(t, "kubectl", "apply", "--dry-run=server", "-f", filepath.Join(samples, "samples", "addons", name+".yaml"))
	}
}

// Users get prod only; whoever sends the header gets stage. So stage is tested before any user sees it.
func canaryAtZero(t *testing.T, w world) {
	w.apply(t, "header/vsvc.yaml")
	w.plugin(t, []int{0}, "wait", "demoapp", "--for=live")
	w.must(t, "mesh-verify", append([]string{w.GatewayURL(), "-H", "x-canary: stage", "--expect", "v2=100"}, sure...)...)
	w.plugin(t, []int{0}, append([]string{"verify", "demoapp"}, sure...)...)
	if versions, _ := w.ask(t, w.GatewayURL(), 50); versions["v1"] != 50 {
		t.Errorf("users at 0 %%: got %v, want v1 only", versions)
	}
}

func canary(t *testing.T, w world) {
	for _, share := range []string{"30", "60", "100"} {
		w.set(t, "stage="+share)
	}
	if got := w.weights(t); got != "0 100" {
		t.Errorf("weights after the canary: %q, want 0 and 100", got)
	}
}

// After it both sides say v2: prod and stage are told apart by x-app-destination, which the plugin finds out by itself.
func promotion(t *testing.T, w world) {
	chart := filepath.Join(w.repository, "charts", "demoapp")
	w.must(t, "helm", "upgrade", "demoappv1", chart, "-n", "prod", "--set", "deployment.tag=v2", "--wait", "--timeout", "2m")
	w.must(t, "helm", "test", "demoappv1", "-n", "prod", "--timeout", "90s") // at 0 %
	w.set(t, "prod=50")
	w.set(t, "prod=100")
	if versions, _ := w.ask(t, w.GatewayURL(), 50); versions["v2"] != 50 {
		t.Errorf("after the promotion: got %v, want v2 only", versions)
	}
}

func rollback(t *testing.T, w world) {
	w.must(t, "helm", "rollback", "demoappv1", "1", "-n", "prod", "--wait", "--timeout", "2m")
	if !eventually(func() bool { versions, _ := w.ask(t, w.GatewayURL(), 10); return versions["v1"] == 10 }) {
		t.Error("after helm rollback prod does not say v1")
	}
	w.plugin(t, []int{0}, "set", "demoapp", "stage=30")
	w.plugin(t, []int{0}, "undo", "demoapp")
	if versions, _ := w.ask(t, w.GatewayURL(), 50); versions["v1"] != 50 {
		t.Errorf("after undo: got %v, want v1 only", versions)
	}
}

// What make playground does on k3d, done here on a cluster that is there: everything goes and comes back, but Istio's own
// images and the addons', which are in registries.
func playground(t *testing.T, w world) {
	up := func() string {
		cmd := w.Command(t.Context(), filepath.Join(w.repository, "hack", "playground"), "up", "--on", nodes.Context)
		cmd.Env = append(cmd.Env, "ISTIO_INSTALL=-f "+filepath.Join(w.Dir(), "iop.yaml"), "ADDONS=-")
		out, err := cmd.CombinedOutput()
		t.Logf("$ hack/playground up --on %s\n%s", nodes.Context, out)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	down := w.Command(t.Context(), filepath.Join(w.repository, "hack", "playground"), "down", "--on", nodes.Context)
	out, err := down.CombinedOutput()
	t.Logf("$ hack/playground down\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	w.must(t, "kubectl", "delete", "-f", filepath.Join("istio-config", "mtls")) // it is no part of the rows before 16
	if got := up(); !strings.Contains(got, "PASS") {
		t.Error("hack/playground up ends without a PASS")
	}
	w.must(t, "kubectl", "mesh-split", "set", "demoapp", "stage=0")
	if got := up(); !strings.Contains(got, "release demoappv2 is there already") { // the weights stay
		t.Error("a second up made releases anew")
	}
	if got := w.weights(t); got != "100 0" {
		t.Errorf("weights after the second up: %q, want 100 and 0", got)
	}
	w.apply(t, "mtls/")
}

// eventually asks for up to 20 seconds.
func eventually(yes func() bool) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		if yes() {
			return true
		}
	}
	return false
}
