//go:build linux

package e2e

import (
	"bufio"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	address := strings.Split(strings.TrimPrefix(w.GatewayURL(), "http://"), ":")[0]
	ingresses := filepath.Join(t.TempDir(), "ingresses.yaml")
	if err := os.WriteFile(ingresses, []byte(filled(t, w, address)), 0o600); err != nil {
		t.Fatal(err)
	}
	// Namespace default is not to have sidecars; all else that istioctl has to say is a fault, in what is there and in what the
	// cluster would be with each alternative.
	analyze := func(file ...string) outcome {
		return w.run(t, "istioctl", append([]string{"analyze", "--all-namespaces", "--failure-threshold", "Info", "--suppress", "IST0102=Namespace default"}, file...)...)
	}
	if o := analyze(filepath.Join("istio-config", "subsets", "vsvc.yaml")); o.code == 0 { // else its silence proves nothing
		t.Error("istioctl does not miss the subsets' DestinationRule")
	}
	for _, file := range [][]string{{}, {"istio-config/mtls"}, {"istio-config/https"}, {"istio-config/header"}, {"istio-config/subsets"}, {"istio-config/httproute"}, {ingresses}} {
		if o := analyze(file...); o.code != 0 {
			t.Errorf("istioctl analyze %v: exit %d", file, o.code)
		}
	}
}

func charts(t *testing.T, w world) {
	// What is off by default is at least what the API server accepts.
	everything := filepath.Join(w.Dir(), "everything.yaml") // kubectl takes a comma in a path for two paths
	rendered := w.must(t, "helm", "template", "other", "charts/demoapp", "-n", "prod", "--kube-version", "1.37.0", "--set",
		"autoscaling.enabled=true,podDisruptionBudget.enabled=true,admin.enabled=true,service.name=other")
	if err := os.WriteFile(everything, []byte(rendered), 0o600); err != nil {
		t.Fatal(err)
	}
	accepted := w.must(t, "kubectl", "apply", "--dry-run=server", "-f", everything)
	for _, kind := range []string{"deployment.apps", "service", "serviceaccount", "horizontalpodautoscaler.autoscaling", "poddisruptionbudget.policy", "pod"} {
		if !strings.Contains(accepted, kind+"/other") {
			t.Errorf("the API server was shown no %s", kind)
		}
	}
	for _, r := range []struct{ release, namespace, version string }{{"demoappv1", "prod", "v1"}, {"demoappv2", "stage", "v2"}} {
		t.Run(r.release, func(t *testing.T) {
			t.Parallel()
			ready := w.field(t, r.namespace, "pods -l app.kubernetes.io/name=demoapp,app.kubernetes.io/instance="+r.release,
				"{range .items[*]}{.status.initContainerStatuses[?(@.name=='istio-proxy')].ready} {.status.containerStatuses[*].ready}{end}")
			if words := strings.Fields(ready); len(words) != 2 || words[0] != "true" || words[1] != "true" {
				t.Errorf("sidecar and application ready: got %q, want both true", ready)
			}
			if got := w.field(t, r.namespace, "deployment "+r.release, "{.spec.template.metadata.labels.version}"); got != r.version {
				t.Errorf("version %s, want %s", got, r.version)
			}
			w.must(t, "helm", "test", r.release, "-n", r.namespace, "--timeout", "90s")
		})
	}
}

// The plugin finds the address by itself; curl's ten requests of the original are 400 here, so that their split says
// something: 50 of 400 is five standard deviations.
func gateway(t *testing.T, w world) {
	w.must(t, "kubectl", "delete", "virtualservice", "demoapp") // a cluster that was kept may have a history
	w.apply(t, "vsvc.yaml")
	w.plugin(t, []int{0}, "wait", "demoapp", "--for=live")
	w.walk(t, "What is there")
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
	w.walk(t, "Mutual TLS")
}

// The other way to name two versions: one Service with both behind it. The commands are those of istio-config/README.md.
func subsets(t *testing.T, w world) {
	chart := filepath.Join(w.repository, "charts", "demoapp")
	w.must(t, "helm", "upgrade", "demoappv1", chart, "-n", "prod", "--set", "deployment.tag=v1,service.allReleases=true", "--wait")
	w.must(t, "helm", "install", "demoappv2", chart, "-n", "prod", "--wait", "--timeout", "2m", "--set",
		"deployment.tag=v2,service.create=false,serviceAccount.create=false,serviceAccount.name=flaskapp")
	w.apply(t, "subsets")
	w.plugin(t, []int{0}, "wait", "demoapp", "--for=live")
	w.set(t, "v2=30")
	w.apply(t, "header/vsvc.yaml")
	w.plugin(t, []int{0}, "wait", "demoapp", "--for=live")
	w.must(t, "kubectl", "delete", "-f", filepath.Join("istio-config", "subsets", "destination-rule.yaml"))
	w.must(t, "helm", "uninstall", "demoappv2", "-n", "prod", "--wait")
	w.must(t, "helm", "rollback", "demoappv1", "-n", "prod", "--wait")
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
	w.walk(t, "A canary")
	w.plugin(t, []int{0}, append([]string{"verify", "demoapp"}, sure...)...)
	if versions, _ := w.ask(t, w.GatewayURL(), 50); versions["v1"] != 50 {
		t.Errorf("users at 0 %%: got %v, want v1 only", versions)
	}
}

func canary(t *testing.T, w world) {
	w.walk(t, "In steps")
	if got := w.weights(t); got != "0 100" {
		t.Errorf("weights after the canary: %q, want 0 and 100", got)
	}
}

// After it both sides say v2: prod and stage are told apart by x-app-destination, which the plugin finds out by itself.
func promotion(t *testing.T, w world) {
	w.walk(t, "Promotion")
	if versions, _ := w.ask(t, w.GatewayURL(), 50); versions["v2"] != 50 || w.weights(t) != "100 0" {
		t.Errorf("after the promotion: got %v at %s, want v2 only at 100 0", versions, w.weights(t))
	}
}

func rollback(t *testing.T, w world) {
	w.walk(t, "Back")
	if got := w.weights(t); got != "0 100" {
		t.Errorf("weights after undo: %q, want 0 and 100", got)
	}
	if got := w.field(t, "prod", "deployment demoappv1", "{.spec.template.metadata.labels.version}"); got != "v1" {
		t.Errorf("after helm rollback prod has %s, want v1", got)
	}
}

// What make playground does on k3d, done here on a cluster that is there: everything goes and comes back, but Istio's own
// images and the addons', which are in registries. The first up is killed with all it started while Helm works.
func playground(t *testing.T, w world) {
	program := func(verb string) *exec.Cmd {
		cmd := w.Command(t.Context(), filepath.Join(w.repository, "hack", "playground"), verb, "--on", nodes.Context)
		cmd.Env = append(cmd.Env, "ISTIO_INSTALL=-f "+filepath.Join(w.Dir(), "iop.yaml"), "ADDONS=-")
		return cmd
	}
	must := func(verb string) string {
		out, err := program(verb).CombinedOutput()
		t.Logf("$ hack/playground %s --on %s\n%s", verb, nodes.Context, out)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	w.must(t, "kubectl", "delete", "-f", filepath.Join("istio-config", "mtls")) // it is no part of the rows before 16
	must("down")
	must("down") // of nothing
	client, err := w.Client()
	if err != nil {
		t.Fatal(err)
	}
	cut := program("up")
	cut.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cut.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cut.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "helm upgrade --install demoappv2") {
	}
	if !eventually(func() bool { // Helm has noted that it installs, and installs now
		notes, err := client.CoreV1().Secrets("stage").List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm,name=demoappv2"})
		return err == nil && len(notes.Items) > 0
	}) {
		t.Error("Helm does not begin to install demoappv2")
	}
	if err := syscall.Kill(-cut.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if cut.Wait() == nil {
		t.Fatal("the up that was to be cut short ended by itself")
	}
	t.Logf("after the cut: release demoappv2: %s", w.run(t, "helm", "status", "demoappv2", "-n", "stage").stdout)
	if got := must("up"); !strings.Contains(got, "PASS") {
		t.Error("hack/playground up ends without a PASS")
	}
	w.must(t, "kubectl", "mesh-split", "set", "demoapp", "stage=0")
	if got := must("up"); !strings.Contains(got, "release demoappv2 is there already") { // the weights stay
		t.Error("a second up made releases anew")
	}
	if got := w.weights(t); got != "100 0" {
		t.Errorf("weights after the second up: %q, want 100 and 0", got)
	}
}

// eventually asks for up to 20 seconds.
func eventually(yes func() bool) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if yes() {
			return true
		}
	}
	return false
}
