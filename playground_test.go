package meshsplit_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// k3d, Docker and a browser's network are on laptops, not where these tests run: stand-ins write down what they are asked and
// answer as the real ones do. What is shown is the order of the commands, their words, and what happens when one fails. The
// same program is run for real, with --on, by `make e2e`.
const standIn = `#!/usr/bin/env bash
name=${0##*/}
echo "$name $*" >>"$LOG"
case "$name $*" in
  "$FAILS"*) echo "stand-in: refused" >&2; exit 1 ;;
  "k3d cluster get"*) [ -e "$STATE/cluster" ] ;;
  "k3d cluster create"*) touch "$STATE/cluster" ;;
  "k3d cluster delete"*) rm -f "$STATE/cluster" ;;
  "helm status"*) if [ -e "$STATE/$2" ]; then echo "STATUS: ${HELM:-deployed}"; else exit 1; fi ;;
  "helm uninstall"*) rm -f "$STATE/$2" ;;
  "helm upgrade --install"*) touch "$STATE/$3" ;;
  *" get crd "*) [ -z "${BARE:-}" ] ;;
  *" get virtualservice demoapp -n default") [ -e "$STATE/demoapp" ] ;;
  *" apply -f istio-config/vsvc.yaml") touch "$STATE/demoapp" ;;
  *" get namespace "*) false ;;
  *"-f -"*) while read -r _; do :; done ;;
  *" get pods "*) echo "istio-init istio-proxy demoapp" ;;
  "istioctl version"*) echo "client version: 1.27.3" ;;
  "curl "*) printf 200 ;;
esac
`

// stage is a folder of stand-ins, and what they were asked.
type stage struct {
	t   *testing.T
	dir string
	env []string
}

func newStage(t *testing.T, tools ...string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	path := filepath.Join(s.dir, "bin")
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools {
		if err := os.WriteFile(filepath.Join(path, tool), []byte(standIn), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{"bash", "env", "dirname", "sed", "touch", "rm", "sleep"} { // and nothing else of this machine
		real, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	s.env = []string{"PATH=" + path, "LOG=" + filepath.Join(s.dir, "log"), "STATE=" + s.dir, "FAILS=none",
		"HTTP_PORT=" + freePort(t), "HTTPS_PORT=" + freePort(t), "API_PORT=" + freePort(t)}
	return s
}

var playgroundTools = []string{"docker", "k3d", "kubectl", "helm", "istioctl", "curl", "kubectl-mesh_split"}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// play runs hack/playground and gives its exit code, what it printed, and the lines of what the stand-ins were asked.
func (s *stage) play(env []string, args ...string) (code int, out string, asked []string) {
	s.t.Helper()
	_ = os.Remove(filepath.Join(s.dir, "log"))
	cmd := exec.CommandContext(s.t.Context(), "hack/playground", args...)
	cmd.Env = append(append([]string{}, s.env...), env...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return cmd.ProcessState.ExitCode(), string(text), strings.Split(strings.TrimSpace(string(log)), "\n")
}

// inOrder fails unless the lines contain the texts, one after the other.
func inOrder(t *testing.T, lines []string, texts ...string) {
	t.Helper()
	i := 0
	for _, line := range lines {
		if i < len(texts) && strings.Contains(line, texts[i]) {
			i++
		}
	}
	if i < len(texts) {
		t.Errorf("no %q where it belongs, in:\n%s", texts[i], strings.Join(lines, "\n"))
	}
}

func contains(lines []string, text string) bool {
	return strings.Contains(strings.Join(lines, "\n"), text)
}

func TestPlaygroundOnK3d(t *testing.T) {
	s := newStage(t, playgroundTools...)
	ports := []string{"HTTP_PORT=8080", "HTTPS_PORT=9443", "API_PORT=6443"} // the original's
	_, out, asked := s.play(ports, "up", "--dry-run")
	if len(asked) != 1 || asked[0] != "" {
		t.Errorf("--dry-run ran %q", asked)
	}
	if want := "$ k3d cluster create istio --k3s-arg --disable=traefik@server:0 --port 9443:443@loadbalancer --port 8080:80@loadbalancer --api-port 6443 --wait\n"; !strings.Contains(out, want) {
		t.Errorf("the cluster is not made as the playground says, %q:\n%s", want, out)
	}

	code, out, asked := s.play(nil, "up")
	if code != 0 {
		t.Fatalf("up: status %d:\n%s", code, out)
	}
	inOrder(t, asked, "docker info", "k3d cluster create istio", "kubectl --context k3d-istio wait node",
		"istioctl install --context k3d-istio --set profile=default --skip-confirmation", "deployment/istio-ingressgateway",
		"apply -f https://raw.githubusercontent.com/istio/istio/1.27.3/samples/addons/kiali.yaml", "rollout status -n istio-system deployment/jaeger",
		"label namespace prod istio-injection=enabled", "docker build", "k3d image import -c istio testing-app:v1 testing-app:v2",
		"helm upgrade --install demoappv1 charts/demoapp -n prod", "deployment.tag=v2", "apply -f istio-config/gateway.yaml",
		"apply -f istio-config/vsvc.yaml", "kubectl mesh-split wait demoapp --for=live", "istioctl analyze", "Host: tracing.127.0.0.1.nip.io", "kubectl mesh-split verify demoapp")
	if !strings.Contains(out, "http://grafana.127.0.0.1.nip.io:") {
		t.Errorf("no links:\n%s", out)
	}

	// Again: nothing is made twice, and the weights, which are the user's by now, stay.
	code, out, asked = s.play(nil, "up")
	if code != 0 || contains(asked, "cluster create") || contains(asked, "helm upgrade") || contains(asked, "vsvc.yaml") {
		t.Errorf("a second up: status %d, and did:\n%s\n%s", code, strings.Join(asked, "\n"), out)
	}
	if code, _, asked = s.play(nil, "down"); code != 0 || asked[len(asked)-1] != "k3d cluster delete istio" {
		t.Errorf("down: status %d: %q", code, asked)
	}
}

// Half-way: what fails ends it with the tool's own words; the next run goes on from there.
func TestPlaygroundFails(t *testing.T) {
	for _, fails := range []string{"k3d cluster create", "istioctl install", "docker build", "helm upgrade --install demoappv2", "kubectl mesh-split wait"} {
		s := newStage(t, playgroundTools...)
		code, out, asked := s.play([]string{"FAILS=" + fails}, "up")
		if code == 0 || !strings.HasPrefix(asked[len(asked)-1], fails) || !strings.Contains(out, "refused") {
			t.Errorf("%s fails: status %d, the last call was %q:\n%s", fails, code, asked[len(asked)-1], out)
		}
		if code, out, _ := s.play(nil, "up"); code != 0 {
			t.Errorf("after %s failed once: status %d:\n%s", fails, code, out)
		}
	}
}

// A release whose installation was stopped half-way is in nobody's use and made anew; one that somebody upgrades is left alone.
func TestPlaygroundAfterHelmWasStopped(t *testing.T) {
	s := newStage(t, playgroundTools...)
	if code, out, _ := s.play(nil, "up"); code != 0 {
		t.Fatalf("up: status %d:\n%s", code, out)
	}
	code, out, asked := s.play([]string{"HELM=pending-install"}, "up")
	if code != 0 {
		t.Errorf("pending-install: status %d:\n%s", code, out)
	}
	inOrder(t, asked, "helm status demoappv1", "helm uninstall demoappv1 -n prod", "helm upgrade --install demoappv1", "helm upgrade --install demoappv2")
	code, out, asked = s.play([]string{"HELM=failed"}, "up")
	if code != 0 || contains(asked, "helm uninstall") || !contains(asked, "helm upgrade --install demoappv1") {
		t.Errorf("failed: status %d, did %q:\n%s", code, asked, out)
	}
	code, out, asked = s.play([]string{"HELM=pending-upgrade"}, "up")
	if code != 1 || contains(asked, "helm uninstall") || contains(asked, "helm upgrade") || !strings.Contains(out, "helm history demoappv1 -n prod") {
		t.Errorf("pending-upgrade: status %d, did %q:\n%s", code, asked, out)
	}
}

// down twice, down of what was never there, and down after half an up: nothing to do is no error, but not to know is one.
func TestPlaygroundDownOfNothing(t *testing.T) {
	s := newStage(t, playgroundTools...)
	code, out, asked := s.play(nil, "down")
	if code != 0 || contains(asked, "delete") || !strings.Contains(out, "there is no cluster istio") {
		t.Errorf("k3d: status %d, did %q:\n%s", code, asked, out)
	}
	if code, out, _ := s.play([]string{"FAILS=docker info"}, "down"); code != 1 || !strings.Contains(out, "docker does not answer") {
		t.Errorf("without Docker nobody knows whether there is a cluster: status %d:\n%s", code, out)
	}
	code, out, asked = s.play([]string{"BARE=1"}, "down", "--on", "mine")
	if code != 0 || contains(asked, "delete -f istio-config") || !strings.Contains(out, "there is no Istio") {
		t.Errorf("a cluster without Istio: status %d, did %q:\n%s", code, asked, out)
	}
	inOrder(t, asked, "helm uninstall demoappv1 -n prod --kube-context mine --ignore-not-found", "delete -f - --ignore-not-found")
}

// What docs/playground.md shows of make playground is what it prints.
func TestPlaygroundPage(t *testing.T) {
	_, out, _ := newStage(t, playgroundTools...).play([]string{"HTTP_PORT=8080", "HTTPS_PORT=9443", "API_PORT=6443"}, "up", "--dry-run")
	_, shown, found := strings.Cut(read(t, "docs/playground.md"), "    $ make playground\n")
	if !found {
		t.Fatal("docs/playground.md does not show make playground")
	}
	count := 0
	for line := range strings.Lines(shown) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		if line = line[4:]; line == "…\n" {
			continue
		}
		count++
		if !strings.Contains(out, "\n"+line) {
			t.Errorf("docs/playground.md shows %q, which is not printed:\n%s", line, out)
		}
	}
	if count < 2 {
		t.Errorf("docs/playground.md shows %d lines of make playground, want 2 or more", count)
	}
}

func TestPlaygroundRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct {
		why  string
		env  []string
		args []string
		code int
		want string
	}{
		{"Docker is not running", []string{"FAILS=docker info"}, []string{"up"}, 1, "docker does not answer"},
		{"somebody has the port", []string{"HTTP_PORT=" + port}, []string{"up"}, 1, "somebody listens on port " + port},
		{"another Istio than istioctl's", []string{"ISTIO_VERSION=1.0.0"}, []string{"up"}, 2, "ISTIO_VERSION is 1.0.0, but istioctl is 1.27.3"},
		{"a context nobody has", []string{"FAILS=kubectl config get-contexts"}, []string{"up", "--on", "nowhere"}, 2, `no context is called "nowhere"`},
		{"a word that is none", nil, []string{"upp"}, 2, "want up, down or links"},
		{"a flag that is none", nil, []string{"up", "--now"}, 2, `unknown argument "--now"`},
		{"no word", nil, nil, 2, "hint: hack/playground up|down|links"},
	} {
		code, out, asked := newStage(t, playgroundTools...).play(c.env, c.args...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", c.why, code, c.code, c.want, out)
		}
		for _, writes := range []string{"create", "install --context", "apply", "delete"} {
			if contains(asked, writes) {
				t.Errorf("%s: something was changed: %q", c.why, asked)
			}
		}
	}

	// All missing tools at once, each with how to get it.
	code, out, asked := newStage(t, "docker", "kubectl").play(nil, "up")
	for _, tool := range []string{"k3d", "helm", "istioctl", "kubectl-mesh_split"} {
		if !strings.Contains(out, "✗ "+tool) {
			t.Errorf("does not say that %s is missing:\n%s", tool, out)
		}
	}
	if code != 1 || asked[0] != "" {
		t.Errorf("with tools missing: status %d, ran %q", code, asked)
	}

	// An addon that does not answer is an error, not a link.
	code, out, _ = newStage(t, playgroundTools...).play([]string{"FAILS=curl", "PATIENCE=1"}, "up")
	if code != 1 || !strings.Contains(out, "http://kiali.127.0.0.1.nip.io/ answers with status none after 1 s") {
		t.Errorf("a silent addon: status %d:\n%s", code, out)
	}
}

// On a cluster that somebody has, no k3d and no Docker, and down leaves what others may use.
func TestPlaygroundOnContext(t *testing.T) {
	s := newStage(t, "kubectl", "helm", "istioctl", "curl", "kubectl-mesh_split")
	code, out, asked := s.play([]string{"ADDONS=-", "IMAGE=registry.example/app"}, "up", "--on", "mine")
	if code != 0 {
		t.Fatalf("status %d:\n%s", code, out)
	}
	inOrder(t, asked, "kubectl --context mine wait node", "istioctl install --context mine", "--set deployment.image=registry.example/app",
		"kubectl mesh-split verify demoapp -n default --rate 1000 --context mine")
	for _, line := range asked {
		if !strings.Contains(line, "mine") && !strings.HasPrefix(line, "istioctl version") {
			t.Errorf("%q names no context", line)
		}
	}
	code, out, asked = s.play(nil, "down", "--on", "mine")
	if code != 0 || contains(asked, "delete namespace") || !strings.Contains(out, "left out: namespaces prod, stage") {
		t.Errorf("down: status %d, %q:\n%s", code, asked, out)
	}
}
